-- The stop of a stop-limit that was changed after a part of its order had been filled: as with other stops, the last is
-- not what that part was set off by, and the log has not when it was changed. Once set off it is filled at its limit or
-- better, on either side of its stop, so what it was filled at tells nothing of which stop was in force.
create function tradelog.trigger_is_open(ended tradelog.order_completions, first numeric)
returns boolean
language sql stable
begin atomic
    select first <> ended.price and exists (
        select from tradelog.fills
        where fills."order" = ended."order" and fills.account = ended.account
            and fills.at < coalesce(ended.ended_at, 'infinity') - interval '1 second'
    );
end;

create or replace view tradelog.known_orders as
    select kept.* from tradelog.orders as kept
    where not exists (select from tradelog.order_completions as ended where ended."order" = kept."order")
    union all
    select ended."order", ended.account, ended.symbol, ended.side, ended.type, ended.volume,
        case when ended.type in ('limit', 'take_profit') and tradelog.is_between(ended, kept.price, ended.price)
            or ended.type in ('stop', 'stop_loss') and tradelog.stop_is_open(ended, kept.price)
            or ended.type = 'stop_limit' and tradelog.trigger_is_open(ended, kept.price)
            then null else ended.price end,
        ended."position", ended.sent_at, ended.received_at, ended.stop, ended.target, ended.state, ended.ended_at,
        ended.comment,
        case when ended.type = 'stop_limit' and tradelog.is_between(ended, kept.limit_price, ended.limit_price)
            then null else ended.limit_price end
    from tradelog.order_completions as ended
    join tradelog.orders as kept on kept."order" = ended."order";
