-- The worklist follows all the rounds that a statement plans or ends at once: they are written together, and a row that
-- was changed for each of them was written anew for each of them, with every index that it is in.

drop trigger worklist on casefile.deadlines;
drop trigger due_of_tasks on casefile.deadlines;
drop trigger worklist on casefile.satisfactions;
drop trigger worklist on casefile.firings;
drop function casefile.follow_deadline();
drop function casefile.follow_due();
drop function casefile.follow_end();

create function casefile.follow_planned() returns trigger language plpgsql as $$
begin
    perform casefile.lock_chain(reference) from (select distinct reference from added order by reference) as cases;
    update casefile.worklist w set next_rung = least(w.next_rung, first.rung),
        next_statutory = least(w.next_statutory, first.statutory), next_duty = least(w.next_duty, first.duty)
    from (
        select reference, min(due) as rung, min(due) filter (where statutory) as statutory,
            min(clock_due) filter (where 'breach' = any (actions)) as duty
        from added a where not exists (
            select from casefile.satisfactions s where (s.reference, s.clock, s.number) = (a.reference, a.clock, a.number)
        ) group by reference
    ) as first
    where w.reference = first.reference;
    update casefile.tasks t set due = least(t.due, first.due)
    from (select reference, number, min(clock_due) as due from added group by reference, number) as first
    where (t.reference, t.number) = (first.reference, first.number);
    return null;
end
$$;
comment on function casefile.follow_planned() is 'The worklist and the tasks know of what is due first. A round may be planned and ended by one statement, in either order.';
create trigger worklist after insert on casefile.deadlines
    referencing new table as added for each statement execute function casefile.follow_planned();

create function casefile.follow_ended() returns trigger language plpgsql as $$
begin
    perform casefile.lock_chain(reference) from (select distinct reference from added order by reference) as cases;
    update casefile.worklist
    set next_duty = casefile.next_duty(reference), next_rung = casefile.next_rung(reference, false),
        next_statutory = casefile.next_rung(reference, true)
    where reference in (select reference from added);
    return null;
end
$$;
comment on function casefile.follow_ended() is 'The worklist knows of what is due first once rounds have ended or rungs have acted.';
create trigger worklist after insert on casefile.satisfactions
    referencing new table as added for each statement execute function casefile.follow_ended();
create trigger worklist after insert on casefile.firings
    referencing new table as added for each statement execute function casefile.follow_ended();
