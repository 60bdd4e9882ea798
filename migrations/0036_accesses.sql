-- Who read personal data: which case, by what way, what for.

create table casefile.accesses (
    id        bigint generated always as identity primary key,
    at        timestamptz not null default now(),
    who       text not null,
    means     text not null check (means in ('command_line', 'pages', 'api', 'codec')),
    what      text not null,
    reference text,
    purpose   text
);
comment on table casefile.accesses is 'Reads of personal data, written before what was read is shown.';
comment on column casefile.accesses.who is 'role:id, or os:name of somebody who did not say who they are.';
comment on column casefile.accesses.what is 'What was looked at: the command, the page, the message that was decoded.';
comment on column casefile.accesses.reference is 'The case or incident; null where a search found none.';
comment on column casefile.accesses.purpose is 'What for, in the words of who looked; null where it goes without saying.';
create index accesses_by_case on casefile.accesses (reference, id);
create index accesses_by_person on casefile.accesses (who, id);
create trigger append_only before update or delete or truncate on casefile.accesses
    for each statement execute function casefile.refuse_change();
