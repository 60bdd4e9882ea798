-- A stop-limit order waits for its price, and then, as a limit order, for its limit: known, it can be judged.

alter table tradelog.orders
    add column limit_price numeric check (limit_price > 0),
    add constraint orders_limit_check check (limit_price is null or type = 'stop_limit');
alter table tradelog.order_completions
    add column limit_price numeric check (limit_price > 0),
    add constraint orders_limit_check check (limit_price is null or type = 'stop_limit');

drop trigger check_completion on tradelog.order_completions;
create trigger check_completion before insert on tradelog.order_completions
    for each row execute function tradelog.check_completion(
        'orders', 'order', 'state', 'working', 'state,ended_at,price,stop,target,comment,limit_price');

create or replace view tradelog.known_orders as
    select kept.* from tradelog.orders as kept
    where not exists (select from tradelog.order_completions as ended where ended."order" = kept."order")
    union all
    select "order", account, symbol, side, type, volume, price, "position", sent_at, received_at,
        stop, target, state, ended_at, comment, limit_price
    from tradelog.order_completions;
