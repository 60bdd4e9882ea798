-- Orders that waited for a price in the window of a fault, and what accounts gained by it.

create index orders_waiting on tradelog.orders (symbol, received_at)
    where type in ('limit', 'stop', 'stop_loss', 'take_profit');

alter table casefile.cohort_members add column gained jsonb not null default '[]';
comment on column casefile.cohort_members.gained is 'What the account gained by the same fault, by currency. Told, never charged.';
