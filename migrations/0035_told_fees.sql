-- What customers were told a fee comes to, and for what: without it nobody can say whether more was charged.

alter table tradelog.disclosures
    add column fee text,
    add column unit text check (unit in ('charge', 'month', 'lot', 'percent')),
    add column sum numeric check (sum >= 0),
    add column currency text check (currency ~ '^[A-Z]{3}$'),
    add check ((sum is null) = (unit is null)),
    add check ((currency is not null) = (sum is not null and unit <> 'percent'));
alter table tradelog.disclosure_completions
    add column fee text, add column unit text, add column sum numeric, add column currency text;

create or replace view tradelog.known_disclosures as
    select kept.* from tradelog.disclosures as kept
    where not exists (select from tradelog.disclosure_completions as ended where ended.disclosure = kept.disclosure)
    union all
    select disclosure, account, kind, about, at, document, acknowledged_at, fee, unit, sum, currency
    from tradelog.disclosure_completions;
