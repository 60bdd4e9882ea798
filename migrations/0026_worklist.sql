-- What orders the lists of open cases: one narrow row a case, kept by the rows that it follows from, in their transaction.

create table casefile.worklist (
    reference      text        primary key references casefile.cases,
    received_at    timestamptz not null,
    policy_hash    text        not null,
    stage          text        not null,
    category       text,
    priority       text        not null,
    team           text,
    handler        text,
    breached       boolean     not null,
    next_duty      timestamptz not null,
    next_rung      timestamptz,
    next_statutory timestamptz,
    proposer       text
);
comment on table casefile.worklist is 'One row an open case, gone when it is closed. Derived, and so made anew at will: select casefile.list_work(reference).';
comment on column casefile.worklist.handler is 'In one spelling for all; cases.handler has what was written.';
comment on column casefile.worklist.priority is 'Empty where there is none.';
comment on column casefile.worklist.next_duty is 'The end of the first clock whose missing is a breach and that nothing has satisfied yet; it may have passed. Infinity: there is none.';
comment on column casefile.worklist.next_rung is 'When the next rung is due that has neither acted nor become needless.';
comment on column casefile.worklist.next_statutory is 'The same of statutory clocks.';
comment on column casefile.worklist.proposer is 'Who made the proposal that waits for a decision, as role:id; null while none does.';

create index worklist_by_duty on casefile.worklist (next_duty, priority, reference);
create index worklist_by_handler on casefile.worklist (handler, next_duty, priority, reference);
create index worklist_by_team on casefile.worklist (team, next_duty, priority, reference);
create index worklist_by_category on casefile.worklist (category, next_duty, priority, reference);
create index worklist_by_rung on casefile.worklist (next_rung, reference);
create index worklist_by_statutory on casefile.worklist (next_statutory, reference);
create index worklist_unassigned on casefile.worklist (next_duty, priority, reference) where handler is null;
create index worklist_proposed on casefile.worklist (next_duty, priority, reference) where proposer is not null;

-- Lists are filtered by sign.
create index signs_by_kind on casefile.signs ((sign ->> 'kind'), reference);

create function casefile.person_of(text) returns text language sql immutable as $$
    select btrim(lower(normalize($1, NFKC)))
$$;
comment on function casefile.person_of(text) is 'The person whom an id names: the same text for every spelling. Ids of staff are ASCII.';

-- Who writes to a case holds its row, so what is looked up here is not overtaken.
create function casefile.next_duty(text) returns timestamptz language sql stable as $$
    select coalesce(min(clock_due), 'infinity') from casefile.deadlines d where reference = $1 and 'breach' = any (actions)
        and not exists (select from casefile.satisfactions s
                        where (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))
$$;
create function casefile.next_rung(text, only_statutory boolean) returns timestamptz language sql stable as $$
    select min(due) from casefile.deadlines d where reference = $1 and (statutory or not only_statutory)
        and not exists (select from casefile.satisfactions s
                        where (s.reference, s.clock, s.number) = (d.reference, d.clock, d.number))
        and not exists (select from casefile.firings f
                        where (f.reference, f.clock, f.number, f.rung) = (d.reference, d.clock, d.number, d.rung))
$$;
create function casefile.proposer(text) returns text language sql stable as $$
    select case when kind = 'propose_resolution' then actor end from casefile.timeline where reference = $1
        and kind in ('propose_resolution', 'decide_resolution', 'investigate', 'request_information', 'set_aside')
    order by at desc, journal desc, id desc limit 1
$$;
comment on function casefile.proposer(text) is 'Of the entries that propose, decide or put aside the last says whether a proposal waits, and whose.';

create function casefile.list_work(text) returns void language sql as $$
    delete from casefile.worklist where reference = $1;
    insert into casefile.worklist
    select reference, received_at, policy_hash, stage, category, coalesce(priority, ''), team, casefile.person_of(handler), breached,
        casefile.next_duty($1), casefile.next_rung($1, false), casefile.next_rung($1, true),
        casefile.proposer($1)
    from casefile.cases where reference = $1 and closed_at is null
$$;
comment on function casefile.list_work(text) is 'Makes the row of a case in the worklist anew.';

create function casefile.follow_case() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' or (old.closed_at is null) <> (new.closed_at is null) then
        perform casefile.list_work(new.reference);
    elsif new.closed_at is null then
        update casefile.worklist set stage = new.stage, category = new.category,
            priority = coalesce(new.priority, ''), team = new.team, handler = casefile.person_of(new.handler), breached = new.breached
        where reference = new.reference;
    end if;
    return null;
end
$$;
create trigger worklist after insert on casefile.cases for each row execute function casefile.follow_case();
create trigger worklist_changes after update on casefile.cases for each row
    when ((old.stage, old.category, old.priority, old.team, old.handler, old.breached, old.closed_at)
        is distinct from (new.stage, new.category, new.priority, new.team, new.handler, new.breached, new.closed_at))
    execute function casefile.follow_case();

create function casefile.follow_deadline() returns trigger language plpgsql as $$
begin
    update casefile.worklist set next_rung = least(next_rung, new.due),
        next_statutory = case when new.statutory then least(next_statutory, new.due) else next_statutory end,
        next_duty = case when 'breach' = any (new.actions) then least(next_duty, new.clock_due) else next_duty end
    where reference = new.reference;
    return null;
end
$$;
create trigger worklist after insert on casefile.deadlines
    for each row execute function casefile.follow_deadline();

create function casefile.follow_end() returns trigger language plpgsql as $$
begin
    update casefile.worklist
    set next_duty = casefile.next_duty(new.reference), next_rung = casefile.next_rung(new.reference, false),
        next_statutory = casefile.next_rung(new.reference, true)
    where reference = new.reference;
    return null;
end
$$;
create trigger worklist after insert on casefile.satisfactions
    for each row execute function casefile.follow_end();
create trigger worklist after insert on casefile.firings
    for each row execute function casefile.follow_end();

create function casefile.follow_proposal() returns trigger language plpgsql as $$
begin
    update casefile.worklist set proposer = casefile.proposer(new.reference) where reference = new.reference;
    return null;
end
$$;
create trigger worklist after insert on casefile.timeline for each row
    when (new.kind in ('propose_resolution', 'decide_resolution', 'investigate', 'request_information', 'set_aside'))
    execute function casefile.follow_proposal();

select casefile.list_work(reference) from casefile.cases where closed_at is null;

-- Which cases somebody is kept out of, all at once: lists take them away as a set and do not ask of every row.
create index timeline_evidence on casefile.timeline (reference) where kind = 'add_evidence';
create function casefile.kept_out_of(text, timestamptz) returns setof text language sql stable as $$
    select reference from casefile.recusals where person = $1 and casefile.is_kept_out(reference, $1, $2)
    union
    select c.reference
    from (
        select record from casefile.directory where kind = 'person' and id = $1 order by version desc limit 1
    ) as newest, jsonb_array_elements(newest.record -> 'conflicts') as conflict,
    lateral (
        select reference from casefile.cases where account = conflict ->> 'account'
        union all
        select reference from casefile.timeline
        where kind = 'add_evidence' and data ->> 'account' = conflict ->> 'account'
    ) as c
    where casefile.is_kept_out(c.reference, $1, $2)
$$;
comment on function casefile.kept_out_of(text, timestamptz) is 'The cases that a person is kept out of at that moment: those of casefile.is_kept_out, as a set.';
create function casefile.hidden_cases() returns setof text language sql stable as $$
    select * from casefile.kept_out_of(nullif(current_setting('redress.viewer', true), ''), now())
$$;
comment on function casefile.hidden_cases() is 'The cases that are hidden from who looks: those of casefile.hidden, as a set.';
