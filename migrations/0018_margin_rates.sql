-- What a lot of an instrument needs of margin, where it is not the account's leverage that says so, and what a hedge needs.

create table tradelog.margin_rates (
    margin         text        primary key,
    symbol         text        not null references tradelog.instruments,
    effective_from timestamptz not null,
    account        text,
    above_lots     numeric     not null default 0 check (above_lots >= 0),
    percent        numeric     check (percent >= 0),
    per_lot        numeric     check (per_lot >= 0),
    currency       text        check (currency ~ '^[A-Z]{3}$'),
    check (num_nonnulls(percent, per_lot) = 1),
    check ((per_lot is null) = (currency is null))
);
create index margin_rates_symbol on tradelog.margin_rates (symbol, effective_from);
create trigger refuse_change before update or delete or truncate on tradelog.margin_rates
    for each statement execute function tradelog.refuse_change();

alter table tradelog.account_terms
    add column hedged text not null default 'both' check (hedged in ('both', 'larger', 'net'));
