-- Whose hands a case is in, who is kept out of it, and the signs that change order and care.

create table casefile.recusals (
    id        bigint generated always as identity primary key,
    reference text        not null references casefile.cases,
    person    text        not null,
    why       text        not null check (why in ('named', 'acted', 'decided', 'declared')),
    about     text        not null,
    since     timestamptz,
    first     date,
    last      date,
    at        timestamptz not null,
    check (first <= last)
);
comment on table casefile.recusals is 'Who is kept out of a case and why; of one person, reason and subject the newest row counts. May hold names of staff.';
comment on column casefile.recusals.person is 'In one spelling for all.';
comment on column casefile.recusals.about is 'What they have to do with it: an account, a trade, an entry of a timeline, or the complaint that names them.';
comment on column casefile.recusals.since is 'When they did it, where that is known: of what came before they may have had a part.';
comment on column casefile.recusals.first is 'The first day that it holds; null: always. The last likewise.';
create index recusals_by_case on casefile.recusals (reference, person);
create index recusals_by_person on casefile.recusals (person, reference);

create table casefile.assignments (
    reference text        not null references casefile.cases,
    number    integer     not null,
    at        timestamptz not null,
    cause     text        not null,
    person    text,
    role      text        not null,
    level     integer     not null,
    team      text,
    by        text        not null,
    directory bigint,
    need      jsonb,
    primary key (reference, number)
);
comment on table casefile.assignments is 'To whom a case was given, each time. What was asked of the directory is kept, so that it can be asked again.';
comment on column casefile.assignments.cause is 'Why somebody was looked for: opened, escalated, reclassified, kept_out, left, or assigned by a person.';
comment on column casefile.assignments.level is 'The level of escalation that the case had.';
comment on column casefile.assignments.person is 'Null: nobody was left.';
comment on column casefile.assignments.directory is 'The version of the directory that was asked; null for what a person assigned.';
comment on column casefile.assignments.need is 'What was asked of it.';

create table casefile.signs (
    id        bigint generated always as identity primary key,
    reference text        not null references casefile.cases,
    key       text        not null,
    step      text        not null check (step in ('raised', 'confirmed', 'withdrawn')),
    sign      jsonb       not null,
    by        text        not null,
    at        timestamptz not null,
    reason    text,
    unique (reference, key)
);
comment on table casefile.signs is 'What whoever handles a case should know of the customer, raised, confirmed and withdrawn. Personal data; never in letters, logs or Temporal''s lists.';
comment on column casefile.signs.key is 'Unique within the case, so that a change written twice is there once.';

do $$
declare
    append_only text;
begin
    foreach append_only in array array['recusals', 'assignments', 'signs'] loop
        execute format('create trigger append_only before update or delete or truncate on casefile.%I '
                       'for each statement execute function casefile.refuse_change()', append_only);
    end loop;
end
$$;

alter table casefile.letters add column addressee text;
comment on column casefile.letters.addressee is 'Of a notice to staff: the id of whom it is for.';

-- The file itself gives a case to somebody, in the transaction of what calls for it: that needs no newer summary.
create or replace function casefile.keep_case() returns trigger language plpgsql as $$
declare
    as_it_was casefile.cases;
begin
    if (new.reference, new.source, new.idempotency_key, new.received_at, new.opened_at, new.language, new.channel,
        new.account, new.complaint, new.policy_hash)
       is distinct from
       (old.reference, old.source, old.idempotency_key, old.received_at, old.opened_at, old.language, old.channel,
        old.account, old.complaint, old.policy_hash) then
        raise exception 'case %: what was received, and the pinned policy pack, are never changed', old.reference
            using errcode = 'restrict_violation', hint = 'Only the summary of a case changes.';
    end if;
    if old.breached and not new.breached then
        raise exception 'case %: a breach, once it happened, stays', old.reference using errcode = 'restrict_violation';
    end if;
    as_it_was := new;
    as_it_was.breached := old.breached;
    as_it_was.handler := old.handler;
    if new.revision <= old.revision
       and (as_it_was is distinct from old
            or (new.breached = old.breached and new.handler is not distinct from old.handler)) then
        raise exception 'case %: summary % is not newer than %', old.reference, new.revision, old.revision
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
comment on function casefile.keep_case() is 'Lets only the summary of a case change, and only to a newer one; that a duty was missed, and who has it, stand there at once.';

create function casefile.is_kept_out(text, text, timestamptz) returns boolean language sql stable as $$
    select exists (
        select from (
            select distinct on (why, about) first, last from casefile.recusals
            where reference = $1 and person = $2 order by why, about, id desc
        ) as newest
        where (first is null or first <= ($3 at time zone 'UTC')::date)
            and (last is null or last >= ($3 at time zone 'UTC')::date)
    )
$$;
comment on function casefile.is_kept_out(text, text, timestamptz) is 'Whether a person is kept out of a case at that moment.';

create function casefile.hidden(text) returns boolean language sql stable as $$
    select coalesce(current_setting('redress.viewer', true), '') <> ''
        and casefile.is_kept_out($1, current_setting('redress.viewer', true), now())
$$;
comment on function casefile.hidden(text) is 'Whether the case is hidden from who looks, whom the setting redress.viewer names; nobody named, nothing is.';
