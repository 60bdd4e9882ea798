-- Files chosen and not yet sent, and how a customer proves to receive what is sent to an address.

create table web.held_files (
    visitor    bytea not null,
    place      text not null,
    name       text not null,
    title      text not null,
    media_type text not null,
    sha256     text not null,
    content    bytea not null,
    held_at    timestamptz not null,
    primary key (visitor, place, name)
);
comment on table web.held_files is 'Files that a visitor chose at a place of the site and has not sent, made harmless. Personal data.';
create index held_files_by_age on web.held_files (held_at);

create table web.codes (
    id         bytea primary key,
    visitor    bytea not null,
    code       bytea not null,
    address    bytea not null,
    made_at    timestamptz not null,
    expires_at timestamptz not null,
    tries      integer not null default 0
);
comment on table web.codes is 'One-time codes on their way to an address. The id is the SHA-256 of the one in the link, the code a keyed hash.';
comment on column web.codes.address is 'Personal data.';
create index codes_by_visitor on web.codes (visitor, made_at);

create table web.attempts (
    bucket text not null,
    at     timestamptz not null
);
comment on table web.attempts is 'What may be tried only so often: keyed hashes of addresses and places, with the time.';
create index attempts_by_bucket on web.attempts (bucket, at);
create index attempts_by_time on web.attempts (at);
