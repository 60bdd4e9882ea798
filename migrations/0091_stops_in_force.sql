-- A stop that was changed after a part of its order had been filled ends with another price than that part was set off by,
-- and by the last it would be judged as filled without being due, or late. The log has the price as it was recorded first
-- and as it was at the end, and not when it was changed. Where a fill came more than a second before the end (parts of one
-- execution come together, so that a stop which followed the price before it was set off is judged by its last) and was
-- beyond either of the two, it is not known which was in force. A fill that was short of both was due by neither.
create function tradelog.stop_is_open(ended tradelog.order_completions, first numeric)
returns boolean
language sql stable
begin atomic
    select first <> ended.price and exists (
        select from tradelog.fills
        where fills."order" = ended."order" and fills.account = ended.account
            and fills.at < coalesce(ended.ended_at, 'infinity') - interval '1 second'
            and case ended.side when 'buy' then fills.price >= least(first, ended.price)
                                else fills.price <= greatest(first, ended.price) end
    );
end;

create or replace view tradelog.known_orders as
    select kept.* from tradelog.orders as kept
    where not exists (select from tradelog.order_completions as ended where ended."order" = kept."order")
    union all
    select ended."order", ended.account, ended.symbol, ended.side, ended.type, ended.volume,
        case when ended.type in ('limit', 'take_profit') and tradelog.is_between(ended, kept.price, ended.price)
            or ended.type in ('stop', 'stop_loss') and tradelog.stop_is_open(ended, kept.price)
            then null else ended.price end,
        ended."position", ended.sent_at, ended.received_at, ended.stop, ended.target, ended.state, ended.ended_at,
        ended.comment,
        case when ended.type = 'stop_limit' and tradelog.is_between(ended, kept.limit_price, ended.limit_price)
            then null else ended.limit_price end
    from tradelog.order_completions as ended
    join tradelog.orders as kept on kept."order" = ended."order";
