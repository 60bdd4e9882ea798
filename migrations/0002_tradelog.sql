-- The trade log: what the firm recorded about prices, orders, fills, positions and account money.
-- One table for each row model of domain/trade_log.py, with its field names. Every check here is also
-- in the model, so that an import can name the bad line; the database has the last word for other writers.

create schema tradelog;

create table tradelog.instruments (
    symbol        text    primary key,
    contract_size numeric not null check (contract_size > 0),
    currency      text    not null check (currency ~ '^[A-Z]{3}$'),
    digits        integer not null check (digits between 0 and 8)
);

-- Tens of millions of rows, and one index for everything: the primary key carries the prices, so reads stay in
-- it; "what did each source quote around this instant" steps from source to source, and PostgreSQL 18 does so
-- by itself (skip scan) where a query names no source. There is no foreign key to instruments, which would cost
-- as much as the row: the import checks the symbol.
create table tradelog.quotes (
    symbol text        not null,
    source text        not null,
    at     timestamptz not null,
    bid    numeric     not null check (bid > 0),
    ask    numeric     not null,
    primary key (symbol, source, at) include (bid, ask),
    check (ask >= bid)
);

create table tradelog.orders (
    "order"     text    primary key,
    account     text    not null,
    symbol      text    not null references tradelog.instruments,
    side        text    not null check (side in ('buy', 'sell')),
    type        text    not null check (type in ('market', 'limit', 'stop', 'stop_loss', 'take_profit', 'stop_out')),
    volume      numeric not null check (volume > 0),
    price       numeric check (price > 0),
    "position"  text,
    sent_at     timestamptz,
    received_at timestamptz
);
create index orders_account on tradelog.orders (account, received_at);
create index orders_position on tradelog.orders ("position") where "position" is not null;

create table tradelog.fills (
    fill    text        primary key,
    "order" text        not null,  -- no foreign key: a firm may keep its fills longer than its orders
    account text        not null,
    symbol  text        not null references tradelog.instruments,
    side    text        not null check (side in ('buy', 'sell')),
    volume  numeric     not null check (volume > 0),
    price   numeric     not null check (price > 0),
    at      timestamptz not null,
    source  text
);
create index fills_order on tradelog.fills ("order");
create index fills_account on tradelog.fills (account, at);

create table tradelog.positions (
    "position"     text        primary key,
    account        text        not null,
    symbol         text        not null references tradelog.instruments,
    side           text        not null check (side in ('buy', 'sell')),
    volume         numeric     not null check (volume > 0),
    open_price     numeric     not null check (open_price > 0),
    opened_at      timestamptz not null,
    close_price    numeric check (close_price > 0),
    closed_at      timestamptz check (closed_at >= opened_at),
    close_reason   text check (close_reason in ('client', 'stop_loss', 'take_profit', 'stop_out', 'dealer')),
    margin_level   numeric,
    stop_out_level numeric,
    swap           numeric     not null default 0
);
create index positions_account on tradelog.positions (account, opened_at);

create table tradelog.account_entries (
    entry        text    primary key,
    account      text    not null,
    kind         text    not null check (kind in ('deposit', 'withdrawal', 'fee', 'swap', 'adjustment')),
    amount       numeric not null check (case kind when 'deposit' then amount > 0 when 'withdrawal' then amount < 0 else true end),
    currency     text    not null check (currency ~ '^[A-Z]{3}$'),
    requested_at timestamptz,
    booked_at    timestamptz,
    note         text
);
create index account_entries_account on tradelog.account_entries (account);

create table tradelog.messages (
    message   text        primary key,
    account   text        not null,
    at        timestamptz not null,
    direction text        not null check (direction in ('from_customer', 'to_customer')),
    text      text        not null
);
create index messages_account on tradelog.messages (account, at);

-- The trade log is a record. Nobody changes or removes its rows, the service least of all.
create function tradelog.refuse_change()
returns trigger
language plpgsql
as $$
begin
    raise exception '% on %.% refused: the trade log is a record', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'Add what is true in a new row (a corrected fill, an adjustment) and leave this one as it was recorded.';
end
$$;

do $$
declare
    record_table text;
begin
    foreach record_table in array
        array['instruments', 'quotes', 'orders', 'fills', 'positions', 'account_entries', 'messages']
    loop
        execute format(
            'create trigger refuse_change before update or delete or truncate on tradelog.%I '
            'for each statement execute function tradelog.refuse_change()', record_table);
    end loop;
end
$$;
