-- Specifications of contracts are dated, and may have been recorded wrongly. What was recorded stays; what is known better, or holds from
-- a later day on, stands here with who said so and why.

create table tradelog.instrument_corrections (
    symbol         text        not null references tradelog.instruments,
    effective_from timestamptz not null,
    contract_size  numeric     not null check (contract_size > 0),
    currency       text        not null check (currency ~ '^[A-Z]{3}$'),
    digits         integer     not null check (digits between 0 and 8),
    recorded_at    timestamptz not null default clock_timestamp(),
    recorded_by    text        not null,
    reason         text        not null check (reason <> ''),
    primary key (symbol, effective_from, recorded_at)
);
comment on column tradelog.instrument_corrections.effective_from is 'From when on it holds, until the next of the same instrument; ''-infinity'' where it was wrong from the beginning. Of several of one instant the last recorded counts.';
create trigger refuse_change before update or delete or truncate on tradelog.instrument_corrections
    for each statement execute function tradelog.refuse_change();

create function tradelog.specification(of text, moment timestamptz)
returns table (symbol text, contract_size numeric, currency text, digits integer)
language sql stable
as $$
    select recorded.symbol, coalesce(newest.contract_size, recorded.contract_size),
        coalesce(newest.currency, recorded.currency), coalesce(newest.digits, recorded.digits)
    from tradelog.instruments as recorded
    left join lateral (
        select * from tradelog.instrument_corrections as correction
        where correction.symbol = recorded.symbol and correction.effective_from <= moment
        order by correction.effective_from desc, correction.recorded_at desc limit 1
    ) as newest on true
    where recorded.symbol = of
$$;
comment on function tradelog.specification is 'What a lot of the instrument was at that moment, as it is known now.';
