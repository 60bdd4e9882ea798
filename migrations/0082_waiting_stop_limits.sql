-- Stop-limit orders wait for a price, too: the list of an incident looks for them by the same index.

create index orders_pending on tradelog.orders (symbol, received_at)
    where type in ('limit', 'stop', 'stop_limit', 'stop_loss', 'take_profit');
drop index tradelog.orders_waiting;
