-- More of what is recorded while it is unfinished (see 0004 and docs/decisions/0008): an outage that goes on, an option that
-- is not settled, a disclosure that the customer has not acknowledged.

create table tradelog.outage_completions (like tradelog.outages including constraints);
create table tradelog.binary_option_completions (like tradelog.binary_options including constraints);
create table tradelog.disclosure_completions (like tradelog.disclosures including constraints);
alter table tradelog.outage_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key (outage), add foreign key (outage) references tradelog.outages;
alter table tradelog.binary_option_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key (option), add foreign key (option) references tradelog.binary_options;
alter table tradelog.disclosure_completions
    add column recorded_at timestamptz not null default clock_timestamp(),
    add primary key (disclosure), add foreign key (disclosure) references tradelog.disclosures;
create index outage_completions_since on tradelog.outage_completions (since);
create index binary_option_completions_account on tradelog.binary_option_completions (account, expires_at);
create index disclosure_completions_account on tradelog.disclosure_completions (account, at);

create trigger check_completion before insert on tradelog.outage_completions
    for each row execute function tradelog.check_completion('outages', 'outage', 'until', '', 'until,cause');
create trigger check_completion before insert on tradelog.binary_option_completions
    for each row execute function tradelog.check_completion(
        'binary_options', 'option', 'settled_at', '', 'settled_price,settled_at,paid');
create trigger check_completion before insert on tradelog.disclosure_completions
    for each row execute function tradelog.check_completion(
        'disclosures', 'disclosure', 'acknowledged_at', '', 'acknowledged_at');

do $$
declare
    record_table text;
begin
    foreach record_table in array
        array['outage_completions', 'binary_option_completions', 'disclosure_completions']
    loop
        execute format(
            'create trigger refuse_change before update or delete or truncate on tradelog.%I '
            'for each statement execute function tradelog.refuse_change()', record_table);
    end loop;
end
$$;

create view tradelog.known_outages as
    select kept.* from tradelog.outages as kept
    where not exists (select from tradelog.outage_completions as ended where ended.outage = kept.outage)
    union all
    select outage, service, since, until, symbol, cause
    from tradelog.outage_completions;

create view tradelog.known_binary_options as
    select kept.* from tradelog.binary_options as kept
    where not exists (select from tradelog.binary_option_completions as ended where ended.option = kept.option)
    union all
    select option, account, symbol, source, direction, stake, currency, payout_percent, strike, struck_at, expires_at,
        settled_price, settled_at, paid
    from tradelog.binary_option_completions;

create view tradelog.known_disclosures as
    select kept.* from tradelog.disclosures as kept
    where not exists (select from tradelog.disclosure_completions as ended where ended.disclosure = kept.disclosure)
    union all
    select disclosure, account, kind, about, at, document, acknowledged_at
    from tradelog.disclosure_completions;
