-- Of very many open tasks those that are due first are read by index.

alter table casefile.tasks add column due timestamptz;
comment on column casefile.tasks.due is 'When the first of its clocks ends, as the deadline ledger has it; null while it has none.';
comment on table casefile.tasks is 'Tasks as they stand; how they came to that is in the timeline.';

create function casefile.due_of_task(text, integer) returns timestamptz language sql stable as $$
    select min(clock_due) from casefile.deadlines where (reference, number) = ($1, $2)
$$;

update casefile.tasks set due = casefile.due_of_task(reference, number);
create index open_tasks_by_due on casefile.tasks (due, given_at, reference, number) where ended_at is null;

-- Whichever of a task and its clock is written first.
create function casefile.find_due() returns trigger language plpgsql as $$
begin
    new.due = casefile.due_of_task(new.reference, new.number);
    return new;
end
$$;
create trigger due before insert on casefile.tasks for each row execute function casefile.find_due();

create function casefile.follow_due() returns trigger language plpgsql as $$
begin
    update casefile.tasks set due = least(due, new.clock_due) where (reference, number) = (new.reference, new.number);
    return null;
end
$$;
create trigger due_of_tasks after insert on casefile.deadlines for each row execute function casefile.follow_due();
