-- After a restore: what was lost stands in the record, and so does what was written again.

create table casefile.restores (
    id          bigint generated always as identity primary key,
    store       text not null check (store in ('postgresql', 'temporal')),
    since       timestamptz not null,
    until       timestamptz not null check (until > since),
    reason      text not null,
    declared_at timestamptz not null,
    declared_by text not null
);
comment on table casefile.restores is 'Restores from a backup, as people declared them: what a store lost of the time from since to until.';
comment on column casefile.restores.store is 'Which store was brought back from a backup: postgresql (this database) or temporal (the workflows).';
comment on column casefile.restores.since is 'When the backup was taken: what happened from then on may be lost.';
comment on column casefile.restores.until is 'When the store was back: what happened from then on is there.';
comment on column casefile.restores.declared_by is 'Who declared it, as role:id.';

create table casefile.repairs (
    id          bigint generated always as identity primary key,
    reference   text not null,
    restore     bigint not null references casefile.restores,
    at          timestamptz not null,
    by          text not null,
    written     text[] not null
);
comment on table casefile.repairs is 'What was put right after a restore, case by case and incident by incident.';
comment on column casefile.repairs.reference is 'The case or the incident.';
comment on column casefile.repairs.written is 'Each thing that was written again into the case file, or told to the workflow again, by its key.';
create index repairs_by_reference on casefile.repairs (reference, id);

do $$
declare
    append_only text;
begin
    foreach append_only in array array['restores', 'repairs'] loop
        execute format('create trigger append_only before update or delete or truncate on casefile.%I '
                       'for each statement execute function casefile.refuse_change()', append_only);
    end loop;
end
$$;
