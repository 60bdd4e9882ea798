-- What somebody has to do beside handling a case, and who has it.

create table casefile.tasks (
    reference text        not null references casefile.cases,
    number    integer     not null,
    journal   bigint      not null,
    kind      text        not null,
    role      text        not null,
    named     boolean     not null,
    owner     text,
    turns     integer     not null default 0,
    level     integer     not null default 0,
    given_at  timestamptz not null,
    given_by  text        not null,
    overdue   boolean     not null default false,
    ended_at  timestamptz,
    ended_by  text,
    how       text,
    primary key (reference, number)
);
comment on table casefile.tasks is 'Tasks as they stand; how they came to that is in the timeline. When one is due is in the deadline ledger, under its number.';
comment on column casefile.tasks.number is 'That of the event with which it began.';
comment on column casefile.tasks.journal is 'The place in the timeline of what was said of it last.';
comment on column casefile.tasks.named is 'Whether a person chose the owner.';
comment on column casefile.tasks.owner is 'Null: the directory has nobody for it.';
comment on column casefile.tasks.turns is 'How often it came into other hands.';
comment on column casefile.tasks.level is 'The level of the ladder to which it was raised; 0: to none.';
create index tasks_of_owner on casefile.tasks (casefile.person_of(owner), reference) where ended_at is null;
create index open_tasks on casefile.tasks (reference, number) where ended_at is null;
