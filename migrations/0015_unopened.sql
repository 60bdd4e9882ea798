-- Starts that were accepted and are no case (yet), which run of a workflow a case belongs to, and the order of its timeline.

alter table casefile.cases add column run text;
comment on column casefile.cases.run is 'The first run of the workflow that opened the case: an attempt that is made again is told from a stranger by it.';

alter table casefile.timeline add column journal integer;
comment on column casefile.timeline.journal is 'Orders the entries of one instant as the workflow wrote them; they may reach the file in another order.';

create table casefile.unopened (
    key         text primary key,
    workflow_id text not null,
    run_id      text not null,
    at          timestamptz not null,
    state       text not null check (state in ('waiting', 'refused')),
    name        text not null,
    reason      text not null,
    payload     text not null
);
comment on table casefile.unopened is 'Starts of workflows that wait to become a case or can be none, with what was sent to them. May hold personal data.';
comment on column casefile.unopened.state is 'waiting: it becomes a case once what the reason names is there; refused: it never will.';
comment on column casefile.unopened.name is 'start for the input of the workflow, else the name of the signal that was sent to it.';
create index unopened_by_workflow on casefile.unopened (workflow_id, at);

create trigger append_only before update or delete or truncate on casefile.unopened
    for each statement execute function casefile.refuse_change();
