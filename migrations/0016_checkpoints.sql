-- What a case's workflow goes on from where Temporal has lost it.

create table casefile.checkpoints (
    reference   text primary key,
    revision    integer not null,
    state       jsonb,
    awaits      boolean not null default false,
    run         text
);
comment on table casefile.checkpoints is 'What the workflow of a case or incident knew when its file was last written: after a restore another goes on from there. Not for people: what it means stands in the other tables.';
comment on column casefile.checkpoints.revision is 'The revision of the case or incident that it is of; an older one never replaces a newer one.';
comment on column casefile.checkpoints.state is 'Without complaint, policy pack and what the timeline tells; null where nothing was written since the file was opened.';
comment on column casefile.checkpoints.awaits is 'Whether another workflow is to go on from here, and has not begun.';
comment on column casefile.checkpoints.run is 'The first run of the workflow that went on from a checkpoint; null where the first workflow still has the case.';
