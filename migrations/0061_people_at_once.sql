-- All that one import of the directory changes is followed at once: by index, however many people it names.

create index cases_in_hands on casefile.cases (casefile.person_of(handler)) where closed_at is null;

drop trigger people_changed on casefile.directory;
drop function casefile.follow_person();

create function casefile.follow_people() returns trigger language plpgsql as $$
begin
    with changed as (
        select id, record as after, (
            select record from casefile.directory as known
            where kind = 'person' and known.id = new_rows.id and known.version < new_rows.version
            order by known.version desc limit 1) as before
        from new_rows where kind = 'person'
    ), telling as (
        select * from changed
        where before is null or after is null
            or (before -> 'roles', before -> 'teams', before -> 'conflicts')
            is distinct from (after -> 'roles', after -> 'teams', after -> 'conflicts')
    ), conflicts as (
        select conflict ->> 'account' as account, moment
        from telling, jsonb_array_elements(coalesce(after -> 'conflicts', '[]') || coalesce(before -> 'conflicts', '[]')) as conflict,
            unnest(array[now(), (conflict ->> 'first')::timestamp at time zone 'UTC']) as moment
        where moment >= now()
    )
    insert into casefile.people_changes (reference, at, next_at)
    select reference, now(), now() from (
        select reference from casefile.cases
        where closed_at is null and casefile.person_of(handler) in (select id from telling)
        union
        select reference from casefile.tasks
        where ended_at is null and casefile.person_of(owner) in (select id from telling)
        union
        select reference from casefile.cases
        where closed_at is null and exists (select from telling where before is null) and not exists (
            select from casefile.directory where kind = 'person' and id = casefile.person_of(handler))
        union
        select reference from casefile.tasks
        where ended_at is null and owner is null and exists (select from telling where before is null)
    ) as open
    where reference in (select reference from casefile.cases where closed_at is null)
    union
    select reference, moment, moment from casefile.cases join conflicts using (account) where closed_at is null
    on conflict do nothing;
    return null;
end
$$;
comment on function casefile.follow_people() is 'Open cases hear that who has them, or a task of theirs, has left or does something else, that somebody came whom they had nobody instead of, or that somebody has a conflict.';
create trigger people_changed after insert on casefile.directory
    referencing new table as new_rows for each statement execute function casefile.follow_people();
