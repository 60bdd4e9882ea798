-- An order that was filled in part and changed afterwards ends with another limit than it was filled at: a fill is held
-- against the one that was in force then. The log has the limit as it was recorded first and as it was at the end, and
-- not when it was changed; where a fill before the end kept to one of them and not to the other, it is not known.
create function tradelog.is_between(ended tradelog.order_completions, first numeric, last numeric)
returns boolean
language sql stable
begin atomic
    select first <> last and exists (
        select from tradelog.fills
        where fills."order" = ended."order" and fills.account = ended.account
            and fills.at < coalesce(ended.ended_at, 'infinity')
            and case ended.side when 'buy' then fills.price > least(first, last)
                                else fills.price < greatest(first, last) end
    );
end;

create or replace view tradelog.known_orders as
    select kept.* from tradelog.orders as kept
    where not exists (select from tradelog.order_completions as ended where ended."order" = kept."order")
    union all
    select ended."order", ended.account, ended.symbol, ended.side, ended.type, ended.volume,
        case when ended.type in ('limit', 'take_profit') and tradelog.is_between(ended, kept.price, ended.price)
            then null else ended.price end,
        ended."position", ended.sent_at, ended.received_at, ended.stop, ended.target, ended.state, ended.ended_at,
        ended.comment,
        case when ended.type = 'stop_limit' and tradelog.is_between(ended, kept.limit_price, ended.limit_price)
            then null else ended.limit_price end
    from tradelog.order_completions as ended
    join tradelog.orders as kept on kept."order" = ended."order";
