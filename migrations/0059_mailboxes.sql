-- How far each mailbox that mail is fetched from was read: a message is committed before its number is.

create table intake.mailboxes (
    mailbox      text primary key,
    uid_validity bigint not null,
    uid          bigint not null,
    fetched_at   timestamptz not null default now()
);
comment on table intake.mailboxes is 'How far each mailbox was read: everything up to that UID, under that UIDVALIDITY, is in intake.received.';
comment on column intake.mailboxes.mailbox is 'Its address, without the password: a mailbox of the firm.';
comment on column intake.mailboxes.fetched_at is 'When it was last read to its end.';
