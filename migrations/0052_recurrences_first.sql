-- Who complains of the same matter again comes before all others in the lists of open cases.

alter table casefile.worklist add column first_time boolean not null default true;
comment on column casefile.worklist.first_time is 'Whether nobody complained of the same matter before. Who did comes first.';
update casefile.worklist w set first_time = not c.repeat from casefile.cases c where c.reference = w.reference and c.repeat;

drop index casefile.worklist_by_handler, casefile.worklist_by_team, casefile.worklist_by_category,
    casefile.worklist_unassigned, casefile.worklist_proposed;
create index worklist_in_order on casefile.worklist (first_time, next_duty, priority, reference);
create index worklist_by_handler on casefile.worklist (handler, first_time, next_duty, priority, reference);
create index worklist_by_team on casefile.worklist (team, first_time, next_duty, priority, reference);
create index worklist_by_category on casefile.worklist (category, first_time, next_duty, priority, reference);
create index worklist_unassigned on casefile.worklist (first_time, next_duty, priority, reference) where handler is null;
create index worklist_proposed on casefile.worklist (first_time, next_duty, priority, reference) where proposer is not null;

create or replace function casefile.list_work(text) returns void language sql as $$
    delete from casefile.worklist where reference = $1;
    insert into casefile.worklist
    select reference, received_at, policy_hash, stage, category, coalesce(priority, ''), team, casefile.person_of(handler), breached,
        casefile.next_duty($1), casefile.next_rung($1, false), casefile.next_rung($1, true),
        casefile.proposer($1), not repeat
    from casefile.cases where reference = $1 and closed_at is null
$$;

create or replace function casefile.follow_case() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' or (old.closed_at is null) <> (new.closed_at is null) then
        perform casefile.list_work(new.reference);
    elsif new.closed_at is null then
        update casefile.worklist set stage = new.stage, category = new.category, first_time = not new.repeat,
            priority = coalesce(new.priority, ''), team = new.team, handler = casefile.person_of(new.handler), breached = new.breached
        where reference = new.reference;
    end if;
    return null;
end
$$;
drop trigger worklist_changes on casefile.cases;
create trigger worklist_changes after update on casefile.cases for each row
    when ((old.stage, old.category, old.priority, old.team, old.handler, old.breached, old.repeat, old.closed_at)
        is distinct from (new.stage, new.category, new.priority, new.team, new.handler, new.breached, new.repeat, new.closed_at))
    execute function casefile.follow_case();
