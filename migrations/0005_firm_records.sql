-- What the firm records beside the platform's log: one table for each row model of domain/firm_records.py, with its
-- field names, and the rates of domain/redress.py. Every check here is also in the model.

create table tradelog.order_events (
    event      text        primary key,
    account    text        not null,
    symbol     text        not null references tradelog.instruments,
    side       text        not null check (side in ('buy', 'sell')),
    kind       text        not null check (kind in
        ('sent', 'received', 'forwarded', 'answered', 'filled', 'requoted', 'rejected', 'failed')),
    at         timestamptz not null,
    "order"    text,
    "position" text,
    type       text check (type in ('market', 'limit', 'stop', 'stop_loss', 'take_profit', 'stop_out')),
    volume     numeric check (volume > 0),
    price      numeric check (price > 0),
    source     text,
    reason     text
);
create index order_events_order on tradelog.order_events ("order") where "order" is not null;
create index order_events_account on tradelog.order_events (account, at);
create index order_events_symbol on tradelog.order_events (symbol, at);

create table tradelog.account_terms (
    terms          text        primary key,
    account        text        not null,
    effective_from timestamptz not null,
    currency       text        not null check (currency ~ '^[A-Z]{3}$'),
    leverage       numeric     not null check (leverage > 0),
    stop_out_level numeric     not null check (stop_out_level >= 0),
    client_class   text check (client_class in ('retail', 'professional', 'eligible_counterparty'))
);
create index account_terms_account on tradelog.account_terms (account, effective_from);

create table tradelog.balances (
    balance  text        primary key,
    account  text        not null,
    at       timestamptz not null,
    amount   numeric     not null,
    currency text        not null check (currency ~ '^[A-Z]{3}$'),
    credit   numeric     not null default 0
);
create index balances_account on tradelog.balances (account, at);

create table tradelog.charge_schedules (
    schedule       text        primary key,
    symbol         text        not null references tradelog.instruments,
    effective_from timestamptz not null,
    swap_long      numeric     not null,
    swap_short     numeric     not null,
    swap_unit      text        not null check (swap_unit in ('percent_360', 'points', 'money')),
    triple_day     integer     not null check (triple_day between 1 and 7),
    rollover       time        not null default '17:00',
    zone           text        not null default 'America/New_York',
    commission     numeric     not null default 0 check (commission >= 0),
    currency       text        not null check (currency ~ '^[A-Z]{3}$')
);
create index charge_schedules_symbol on tradelog.charge_schedules (symbol, effective_from);

create table tradelog.outages (
    outage  text        primary key,
    service text        not null,
    since   timestamptz not null,
    until   timestamptz check (until >= since),
    symbol  text,
    cause   text
);
create index outages_since on tradelog.outages (since);

create table tradelog.binary_options (
    option         text        primary key,
    account        text        not null,
    symbol         text        not null references tradelog.instruments,
    source         text        not null,
    direction      text        not null check (direction in ('up', 'down')),
    stake          numeric     not null check (stake > 0),
    currency       text        not null check (currency ~ '^[A-Z]{3}$'),
    payout_percent numeric     not null check (payout_percent >= 0),
    strike         numeric     not null check (strike > 0),
    struck_at      timestamptz not null,
    expires_at     timestamptz not null,
    settled_price  numeric check (settled_price > 0),
    settled_at     timestamptz,
    paid           numeric check (paid >= 0)
);
create index binary_options_account on tradelog.binary_options (account, expires_at);

create table tradelog.cancellations (
    cancellation text        primary key,
    account      text        not null,
    at           timestamptz not null,
    amount       numeric     not null check (amount >= 0),
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    "order"      text,
    "position"   text,
    clause       text,
    evidence     text,
    decided_by   text,
    reason       text,
    recorded_at  timestamptz
);
create index cancellations_account on tradelog.cancellations (account, at);

create table tradelog.disclosures (
    disclosure      text        primary key,
    account         text        not null,
    kind            text        not null check (kind in ('fee', 'product')),
    about           text        not null,
    at              timestamptz not null,
    document        text,
    acknowledged_at timestamptz
);
create index disclosures_account on tradelog.disclosures (account, at);

create table tradelog.appropriateness (
    assessment text        primary key,
    account    text        not null,
    symbol     text        not null,
    at         timestamptz not null,
    result     text        not null check (result in ('appropriate', 'not_appropriate', 'not_answered')),
    warned_at  timestamptz
);
create index appropriateness_account on tradelog.appropriateness (account, at);

-- One unit of `base` in `quote`.
create table tradelog.rates (
    base   text        not null check (base ~ '^[A-Z]{3}$'),
    quote  text        not null check (quote ~ '^[A-Z]{3}$'),
    source text        not null,
    at     timestamptz not null,
    rate   numeric     not null check (rate > 0),
    primary key (base, quote, source, at)
);

-- A yearly rate that interest rules name as their base, in percent.
create table tradelog.base_rates (
    name           text    not null,
    effective_from date    not null,
    percent        numeric not null,
    primary key (name, effective_from)
);

do $$
declare
    record_table text;
begin
    foreach record_table in array array[
        'order_events', 'account_terms', 'balances', 'charge_schedules', 'outages', 'binary_options', 'cancellations',
        'disclosures', 'appropriateness', 'rates', 'base_rates'
    ]
    loop
        execute format(
            'create trigger refuse_change before update or delete or truncate on tradelog.%I '
            'for each statement execute function tradelog.refuse_change()', record_table);
    end loop;
end
$$;

-- "How were all customers' orders of this instrument filled around this time": no index on fills began with it.
create index fills_symbol on tradelog.fills (symbol, at);
