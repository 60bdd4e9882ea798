-- The directory: who works on complaints. Every change is a row; the newest row of somebody counts.

create table casefile.directory (
    version     bigint generated always as identity primary key,
    kind        text        not null check (kind in ('person', 'team')),
    id          text        not null,
    record      jsonb,
    recorded_at timestamptz not null,
    recorded_by text        not null
);
comment on table casefile.directory is 'People and teams by id: the newest row counts, the older ones are the history. May hold personal data of staff.';
comment on column casefile.directory.version is 'Orders the changes; a version of the directory is all rows up to it.';
comment on column casefile.directory.id is 'Of a person in one spelling for all, of a team its name.';
comment on column casefile.directory.record is 'As it was from then on; null: they have left.';
comment on column casefile.directory.recorded_by is 'Who changed it, as role:id.';
create index directory_newest on casefile.directory (kind, id, version desc);

create trigger append_only before update or delete or truncate on casefile.directory
    for each statement execute function casefile.refuse_change();
