-- Orders that MT5 has beside those of 0002: stop-limit orders, and the closing of a position by an opposite one.

alter table tradelog.orders drop constraint orders_type_check;
alter table tradelog.orders add constraint orders_type_check check (
    type in ('market', 'limit', 'stop', 'stop_loss', 'take_profit', 'stop_out', 'stop_limit', 'close_by'));
alter table tradelog.order_completions drop constraint orders_type_check;
alter table tradelog.order_completions add constraint orders_type_check check (
    type in ('market', 'limit', 'stop', 'stop_loss', 'take_profit', 'stop_out', 'stop_limit', 'close_by'));
alter table tradelog.order_events drop constraint order_events_type_check;
alter table tradelog.order_events add constraint order_events_type_check check (
    type in ('market', 'limit', 'stop', 'stop_loss', 'take_profit', 'stop_out', 'stop_limit', 'close_by'));
