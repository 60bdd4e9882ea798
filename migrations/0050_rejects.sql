-- Where files of rejected rows lie, so that erasing a customer reaches the rows that name them.

create table tradelog.rejects (
    host    text not null,
    path    text not null,
    made_at timestamptz not null default now(),
    primary key (host, path)
);
comment on table tradelog.rejects is 'Where imports put the rows that they reject: as they were given them, in plain text.';
comment on column tradelog.rejects.host is 'The machine on which the import ran.';
comment on column tradelog.rejects.path is 'The whole path. The file may be gone, or never have been made.';
