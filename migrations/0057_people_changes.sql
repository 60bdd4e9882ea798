-- An open case hears at once that people changed: who works here, and how its customer is dealt with.

create table casefile.people_changes (
    reference text        not null,
    at        timestamptz not null,
    next_at   timestamptz not null,
    primary key (reference, at)
);
comment on table casefile.people_changes is 'Open cases that are to look again at whose hands they are in. Those that were told are gone.';
comment on column casefile.people_changes.at is 'When what changed holds.';
comment on column casefile.people_changes.next_at is 'When the case is told, or told again.';
create index people_changes_by_time on casefile.people_changes (next_at);

create function casefile.follow_restriction() returns trigger language plpgsql as $$
begin
    insert into casefile.people_changes (reference, at, next_at)
    select reference, moment, moment
    from casefile.cases, unnest(array[now(), case when new.review_by is not null then least(new.until, new.review_by) end]) as moment
    where account = new.account and closed_at is null and moment is not null
    on conflict do nothing;
    return null;
end
$$;
comment on function casefile.follow_restriction() is 'Open cases of the customer hear of a restriction, and of its end.';
create trigger people_changed after insert on casefile.restrictions
    for each row when (new.step in ('approved', 'kept', 'lifted')) execute function casefile.follow_restriction();

create function casefile.follow_restrictions_of_case() returns trigger language plpgsql as $$
begin
    insert into casefile.people_changes (reference, at, next_at)
    select new.reference, least(until, review_by), least(until, review_by) from casefile.restrictions
    where account = new.account and review_by > now() and until > now()
    on conflict do nothing;
    return null;
end
$$;
comment on function casefile.follow_restrictions_of_case() is 'A new case hears of the end of restrictions that were there before it.';
create trigger people_changed after insert on casefile.cases
    for each row when (new.account is not null) execute function casefile.follow_restrictions_of_case();

create function casefile.follow_person() returns trigger language plpgsql as $$
declare
    before jsonb;
begin
    select record into before from casefile.directory
    where kind = 'person' and id = new.id and version < new.version order by version desc limit 1;
    if before is not null and new.record is not null
       and (before -> 'roles', before -> 'teams', before -> 'conflicts')
       is not distinct from (new.record -> 'roles', new.record -> 'teams', new.record -> 'conflicts') then
        return null;
    end if;
    insert into casefile.people_changes (reference, at, next_at)
    select reference, now(), now() from casefile.cases
    where closed_at is null and (
        lower(handler) = new.id
        or (before is null and not exists (
            select from casefile.directory where kind = 'person' and id = lower(handler)))
        or reference in (select reference from casefile.tasks where ended_at is null and lower(owner) = new.id)
        or (before is null and reference in (select reference from casefile.tasks where ended_at is null and owner is null))
    )
    union
    select reference, moment, moment
    from casefile.cases, jsonb_array_elements(coalesce(new.record -> 'conflicts', '[]') || coalesce(before -> 'conflicts', '[]')) as conflict,
        unnest(array[now(), (conflict ->> 'first')::timestamp at time zone 'UTC']) as moment
    where closed_at is null and account = conflict ->> 'account' and moment >= now()
    on conflict do nothing;
    return null;
end
$$;
comment on function casefile.follow_person() is 'Open cases hear that who has them, or a task of theirs, has left or does something else, that somebody came whom they had nobody instead of, or that somebody has a conflict.';
create trigger people_changed after insert on casefile.directory
    for each row when (new.kind = 'person') execute function casefile.follow_person();
