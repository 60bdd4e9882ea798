-- The row of a case is locked before its row in the worklist, also by whoever adds a row without having locked anything.

create or replace function casefile.follow_deadline() returns trigger language plpgsql as $$
begin
    perform casefile.lock_chain(new.reference);
    update casefile.worklist set next_rung = least(next_rung, new.due),
        next_statutory = case when new.statutory then least(next_statutory, new.due) else next_statutory end,
        next_duty = case when 'breach' = any (new.actions) then least(next_duty, new.clock_due) else next_duty end
    where reference = new.reference;
    return null;
end
$$;

create or replace function casefile.follow_end() returns trigger language plpgsql as $$
begin
    perform casefile.lock_chain(new.reference);
    update casefile.worklist
    set next_duty = casefile.next_duty(new.reference), next_rung = casefile.next_rung(new.reference, false),
        next_statutory = casefile.next_rung(new.reference, true)
    where reference = new.reference;
    return null;
end
$$;

create or replace function casefile.follow_proposal() returns trigger language plpgsql as $$
begin
    perform casefile.lock_chain(new.reference);
    update casefile.worklist set proposer = casefile.proposer(new.reference) where reference = new.reference;
    return null;
end
$$;

comment on function casefile.lock_chain(text) is 'The first lock of whoever writes to a case or an incident, but for those on a letter, a payment, an account: the row of the case, or what stands for the incident. Every trigger that touches anything else of it takes this first.';
