-- What the pages keep: who is signed in, and what was typed and not yet sent. Rows are removed when their time is over.

create schema web;

create table web.sessions (
    id         bytea primary key,
    person     bytea not null,
    created_at timestamptz not null,
    seen_at    timestamptz not null,
    idle       interval not null,
    expires_at timestamptz not null
);
comment on table web.sessions is 'Visitors who signed in. The id is the SHA-256 of the one in their cookie, which nobody makes from it.';
comment on column web.sessions.person is 'Who it is, as JSON. Personal data.';
comment on column web.sessions.idle is 'Signed out when nothing was heard for as long.';
create index sessions_by_end on web.sessions (expires_at);

create table web.drafts (
    visitor    bytea not null,
    place      text not null,
    content    bytea not null,
    touched_at timestamptz not null,
    primary key (visitor, place)
);
comment on table web.drafts is 'What a visitor typed at a place of the site and has not sent: it survives errors, restarts and sessions that ended.';
comment on column web.drafts.content is 'The fields, as JSON. Personal data.';
create index drafts_by_age on web.drafts (touched_at);
