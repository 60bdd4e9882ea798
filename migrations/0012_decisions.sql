-- What each award rests on, and lists that stay as they were approved.

alter table casefile.postings
    add column decision text,
    add constraint decided_in_the_case foreign key (reference, decision) references casefile.timeline (reference, key),
    add constraint decided_in_the_incident
        foreign key (incident, decision) references casefile.incident_timeline (reference, key);
comment on column casefile.postings.decision is 'What an award rests on: the entry of the timeline of its case or incident by which it was approved, or proposed where no second person was needed. Null for payments and reversals.';

create function casefile.refuse_member() returns trigger language plpgsql as $$
begin
    -- the key of the incident is held by whoever completes the list, and until then nobody else is in the way
    perform from casefile.incidents where reference = new.reference for key share;
    if exists (select from casefile.cohorts where (reference, number) = (new.reference, new.number)) then
        raise exception 'list % of incident % is complete: no account is added to it', new.number, new.reference
            using errcode = 'restrict_violation', hint = 'Have the accounts listed anew.';
    end if;
    return new;
end
$$;
comment on function casefile.refuse_member() is 'Keeps a complete list as it is: what is approved is what was seen.';
create trigger list_is_complete before insert on casefile.cohort_members
    for each row execute function casefile.refuse_member();
