-- What comes in from outside: committed first, then dealt with. What was received and what became of it is only added to;
-- what waits is a queue beside it.

create schema intake;

create table intake.received (
    key         text primary key,
    door        text not null,
    kind        text not null check (kind in ('complaint', 'message')),
    received_at timestamptz not null,
    reference   text,
    sender      text,
    envelope    jsonb not null default '{}',
    raw         bytea not null
);
comment on table intake.received is 'Whatever was accepted from outside, once under a key of way and content.';
comment on column intake.received.reference is 'The case it is for, as it says itself.';
comment on column intake.received.sender is 'Keyed hash of the address of who sent it, by which they find it again.';
comment on column intake.received.envelope is 'How it came: nothing personal.';
comment on column intake.received.raw is 'What was sent, byte for byte. Personal data.';
create index received_by_time on intake.received (received_at desc, key);
create index received_by_sender on intake.received (sender, received_at desc) where sender is not null;
create index received_by_reference on intake.received (reference, received_at) where reference is not null;

create table intake.waiting (
    key     text primary key references intake.received,
    next_at timestamptz not null,
    tries   integer not null default 0
);
comment on table intake.waiting is 'What is still to be dealt with, and when it is offered again.';
create index waiting_by_time on intake.waiting (next_at);

create table intake.endings (
    id        bigint generated always as identity primary key,
    key       text not null references intake.received,
    at        timestamptz not null,
    ending    text not null,
    reference text,
    reason    text
);
comment on table intake.endings is 'What became of it, each time it was dealt with; the newest counts.';
create index endings_by_key on intake.endings (key, id desc);
create index endings_for_people on intake.endings (id desc) where ending in ('refused', 'case_closed', 'unreadable', 'set_aside');

create table intake.decisions (
    id        bigint generated always as identity primary key,
    key       text not null references intake.received,
    at        timestamptz not null,
    actor     text not null,
    reference text,
    reason    text not null
);
comment on table intake.decisions is 'Who had something dealt with again, or put on a case (reference).';
create index decisions_by_key on intake.decisions (key, id desc);

create table intake.files (
    name       text primary key,
    key        text not null references intake.received,
    reference  text not null,
    number     integer not null,
    title      text not null,
    media_type text not null,
    size       integer not null,
    sha256     text not null,
    added_at   timestamptz not null,
    content    bytea not null,
    unique (key, number)
);
comment on table intake.files is 'Files that came with it, made harmless.';
comment on column intake.files.name is 'A keyed hash: nobody guesses it, and it says nothing.';
comment on column intake.files.title is 'What the sender called it. Personal data.';
comment on column intake.files.sha256 is 'Of the content.';
comment on column intake.files.content is 'Personal data.';
create index files_by_reference on intake.files (reference, added_at);

do $$
declare
    append_only text;
begin
    foreach append_only in array array['received', 'endings', 'decisions', 'files'] loop
        execute format('create trigger append_only before update or delete or truncate on intake.%I '
                       'for each statement execute function casefile.refuse_change()', append_only);
    end loop;
end
$$;
