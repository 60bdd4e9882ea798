-- What the firm keeps of its customers beside who holds an account: verified addresses, who may speak for them, how they
-- want to be written to, and groups that complain together.

create table casefile.customer_files (
    id          bigint generated always as identity primary key,
    kind        text        not null check (kind in ('customer', 'group')),
    subject     text        not null,
    accounts    text[]      not null,
    record      jsonb,
    recorded_at timestamptz not null default now(),
    recorded_by text        not null
);
comment on table casefile.customer_files is 'Of an account, or of a group, the newest row counts; the older ones are its history. Personal data.';
comment on column casefile.customer_files.subject is 'The account, or the id of the group.';
comment on column casefile.customer_files.accounts is 'Of a group: those of its members. Else the account.';
comment on column casefile.customer_files.record is 'Null: nothing is kept any more.';
create index customer_files_by_subject on casefile.customer_files (kind, subject, id desc);

create trigger append_only before update or delete or truncate on casefile.customer_files
    for each statement execute function casefile.refuse_change();
