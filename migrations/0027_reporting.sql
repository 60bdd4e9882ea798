-- What reports count: one stream of facts, in the order in which they were recorded, and without personal text.

create schema reporting;
comment on schema reporting is 'What reports and returns are made from. No names, addresses, accounts or words of customers: what a case tells of them is not here, and erasing it changes no report.';

create table reporting.facts (
    number    bigint      generated always as identity primary key,
    reference text        not null,
    kind      text        not null,
    at        timestamptz not null,
    key       text,
    data      jsonb       not null default '{}',
    unique (reference, key)
);
comment on table reporting.facts is 'Facts of cases and incidents, each written in the transaction of what it tells of. A report is made of the facts up to a number, its cut-off, and can be made again from them.';
comment on column reporting.facts.number is 'Orders the facts as they were recorded; a late correction has a later number.';
comment on column reporting.facts.reference is 'The case or incident.';
comment on column reporting.facts.at is 'When it happened.';
comment on column reporting.facts.key is 'Of a fact that its writer may tell twice: it is there once.';
comment on column reporting.facts.data is 'By kind: opened, described, state, finding, cause, feedback, sign, met, missed, award, incident, and the names of events.';
create index facts_by_case on reporting.facts (reference, number);

create trigger append_only before update or delete or truncate on reporting.facts
    for each statement execute function casefile.refuse_change();

create function reporting.state_of(casefile.cases) returns jsonb language sql immutable as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'stage', $1.stage, 'category', $1.category, 'severity', $1.severity, 'priority', $1.priority,
        'in_scope', $1.in_scope, 'repeat', $1.repeat, 'team', $1.team, 'handler', $1.handler,
        'level', $1.escalation_level, 'outcome', $1.outcome, 'closed_at', $1.closed_at))
$$;
comment on function reporting.state_of(casefile.cases) is 'What reports count of the summary of a case.';

create function reporting.note_case() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into reporting.facts (reference, kind, at, key, data)
        select new.reference, 'opened', new.received_at, 'opened', jsonb_build_object(
            'source', new.source, 'channel', new.channel, 'language', new.language, 'policy', p.id,
            'opened_at', new.opened_at)
        from casefile.policy_packs p where p.hash = new.policy_hash;
    end if;
    if tg_op = 'INSERT' or reporting.state_of(new) is distinct from reporting.state_of(old) then
        insert into reporting.facts (reference, kind, at, data)
        values (new.reference, 'state', new.updated_at, reporting.state_of(new));
    end if;
    return null;
end
$$;
create trigger noted after insert or update on casefile.cases
    for each row execute function reporting.note_case();

create function reporting.note_event() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at) values (new.reference, new.event, new.at);
    return null;
end
$$;
create trigger noted after insert on casefile.events
    for each row when (new.event in ('acknowledged', 'responded', 'disputed', 'reopened', 'referred', 'settled'))
    execute function reporting.note_event();

create function reporting.note_missed() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, data)
    select new.reference, 'missed', new.fired_at,
        jsonb_build_object('clock', new.clock, 'round', new.number, 'statutory', d.statutory, 'due', d.clock_due)
    from casefile.deadlines d
    where (d.reference, d.clock, d.number, d.rung) = (new.reference, new.clock, new.number, new.rung);
    return null;
end
$$;
create trigger noted after insert on casefile.firings
    for each row when (new.breach) execute function reporting.note_missed();

create function reporting.note_met() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, data)
    select new.reference, 'met', new.at,
        jsonb_build_object('clock', new.clock, 'round', new.number, 'statutory', d.statutory, 'due', d.clock_due)
    from casefile.deadlines d
    where (d.reference, d.clock, d.number) = (new.reference, new.clock, new.number) and 'breach' = any (d.actions)
    limit 1;
    return null;
end
$$;
comment on function reporting.note_met() is 'A clock that can be missed has done its duty; late where it was missed before.';
create trigger noted after insert on casefile.satisfactions
    for each row when (not new.replaced) execute function reporting.note_met();

create function reporting.note_award() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, data)
    values (coalesce(new.reference, new.incident), 'award', new.posted_at,
        jsonb_build_object('amount', new.amount::text, 'currency', new.currency));
    return null;
end
$$;
create trigger noted after insert on casefile.postings
    for each row when (new.kind = 'award') execute function reporting.note_award();

create function reporting.note_incident() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, key, data)
    values (new.reference, 'incident_opened', new.opened_at, 'opened', jsonb_build_object('kind', new.kind));
    return null;
end
$$;
create trigger noted after insert on casefile.incidents
    for each row execute function reporting.note_incident();

create function reporting.note_incident_case() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, key, data)
    values (new.reference, 'incident', new.at, 'incident:' || new.incident,
        jsonb_build_object('incident', new.incident));
    return null;
end
$$;
create trigger noted after insert on casefile.incident_cases
    for each row execute function reporting.note_incident_case();

-- What was recorded before this.

insert into reporting.facts (reference, kind, at, key, data)
select c.reference, 'opened', c.received_at, 'opened', jsonb_build_object(
    'source', c.source, 'channel', c.channel, 'language', c.language, 'policy', p.id, 'opened_at', c.opened_at)
from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash order by c.received_at, c.reference;
insert into reporting.facts (reference, kind, at, data)
select c.reference, 'state', c.updated_at, reporting.state_of(c) from casefile.cases c order by c.updated_at, c.reference;
insert into reporting.facts (reference, kind, at)
select reference, event, at from casefile.events
where event in ('acknowledged', 'responded', 'disputed', 'reopened', 'referred', 'settled')
order by at, reference, number, event;
insert into reporting.facts (reference, kind, at, data)
select f.reference, 'missed', f.fired_at,
    jsonb_build_object('clock', f.clock, 'round', f.number, 'statutory', d.statutory, 'due', d.clock_due)
from casefile.firings f join casefile.deadlines d using (reference, clock, number, rung)
where f.breach order by f.fired_at, f.reference, f.clock, f.number;
insert into reporting.facts (reference, kind, at, data)
select s.reference, 'met', s.at, (
    select jsonb_build_object('clock', s.clock, 'round', s.number, 'statutory', d.statutory, 'due', d.clock_due)
    from casefile.deadlines d
    where (d.reference, d.clock, d.number) = (s.reference, s.clock, s.number) and 'breach' = any (d.actions) limit 1)
from casefile.satisfactions s
where not s.replaced and exists (
    select from casefile.deadlines d
    where (d.reference, d.clock, d.number) = (s.reference, s.clock, s.number) and 'breach' = any (d.actions))
order by s.at, s.reference, s.clock, s.number;
insert into reporting.facts (reference, kind, at, data)
select coalesce(reference, incident), 'award', posted_at,
    jsonb_build_object('amount', amount::text, 'currency', currency)
from casefile.postings where kind = 'award' order by posted_at, key;
insert into reporting.facts (reference, kind, at, key, data)
select reference, 'incident_opened', opened_at, 'opened', jsonb_build_object('kind', kind)
from casefile.incidents order by opened_at, reference;
insert into reporting.facts (reference, kind, at, key, data)
select reference, 'incident', at, 'incident:' || incident, jsonb_build_object('incident', incident)
from casefile.incident_cases order by at, reference, incident;

-- The facts of a case in one row ---------------------------------------------------------------------------------------

create function reporting.cases_at(cut_off bigint) returns table (
    reference text, received_at timestamptz, opened jsonb, described jsonb, state jsonb, turns jsonb, clocks jsonb,
    awards jsonb, findings jsonb, cause jsonb, feedback jsonb, signs jsonb, incident text
) language sql stable as $$
    select f.reference,
        min(f.at) filter (where f.kind = 'opened'),
        (array_agg(f.data order by f.number) filter (where f.kind = 'opened'))[1],
        (array_agg(f.data order by f.number desc) filter (where f.kind = 'described'))[1],
        (array_agg(f.data order by f.number desc) filter (where f.kind = 'state'))[1],
        jsonb_agg(jsonb_build_array(f.kind, f.at) order by f.at, f.number) filter (where f.kind in
            ('acknowledged', 'responded', 'disputed', 'reopened', 'referred', 'settled')),
        jsonb_agg(f.data || jsonb_build_object('kind', f.kind, 'at', f.at) order by f.number)
            filter (where f.kind in ('met', 'missed')),
        jsonb_agg(f.data || jsonb_build_object('at', f.at) order by f.number) filter (where f.kind = 'award'),
        jsonb_agg(f.data order by f.number) filter (where f.kind = 'finding'),
        (array_agg(f.data || jsonb_build_object('at', f.at) order by f.number desc) filter (where f.kind = 'cause'))[1],
        (array_agg(f.data || jsonb_build_object('at', f.at) order by f.number desc)
            filter (where f.kind = 'feedback'))[1],
        jsonb_agg(f.data order by f.number) filter (where f.kind = 'sign'),
        max(f.data ->> 'incident') filter (where f.kind = 'incident')
    from reporting.facts f
    where f.number <= cut_off
    group by f.reference
    having bool_or(f.kind = 'opened')
$$;
comment on function reporting.cases_at(bigint) is 'One row a case, of the facts up to that number: what every report is made from. turns are [event, instant]; of cause, feedback, described and state the last counts.';

create view reporting.cases as
select c.reference, c.received_at, c.opened ->> 'policy' as policy, c.opened ->> 'channel' as channel,
    c.opened ->> 'language' as language, c.described ->> 'product' as product, c.described ->> 'entity' as entity,
    c.state ->> 'category' as category, c.state ->> 'severity' as severity, c.state ->> 'priority' as priority,
    (c.state ->> 'in_scope')::boolean as in_scope, (c.state ->> 'repeat')::boolean as repeat,
    c.state ->> 'team' as team, c.state ->> 'handler' as handler, c.state ->> 'stage' as stage,
    c.state ->> 'outcome' as outcome, (c.state ->> 'closed_at')::timestamptz as closed_at,
    c.cause ->> 'cause' as cause, (c.feedback ->> 'score')::integer as score, c.incident
from reporting.cases_at(9223372036854775807) c;
comment on view reporting.cases is 'One row a case as it stands, for tools that draw reports of their own.';

create function reporting.settled() returns bigint language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform set_config('lock_timeout', '20s', true);
    -- until those who write facts now have ended: what they wrote has lower numbers than what comes later
    lock table reporting.facts in share mode;
    return (select coalesce(max(number), 0) from reporting.facts);
end
$$;
comment on function reporting.settled() is 'A cut-off: the number up to which no fact will be added any more.';

create table reporting.issued (
    id       bigint      generated always as identity primary key,
    report   text        not null,
    period   text        not null,
    scope    jsonb       not null default '{}',
    cut_off  bigint      not null,
    hash     text        not null,
    at       timestamptz not null,
    by       text        not null
);
comment on table reporting.issued is 'Reports and returns that were issued. Made again later, what has changed since the first is shown as restated.';
comment on column reporting.issued.hash is 'SHA-256 of the figures.';
create index issued_of_a_period on reporting.issued (report, period, id);
create trigger append_only before update or delete or truncate on reporting.issued
    for each statement execute function casefile.refuse_change();
