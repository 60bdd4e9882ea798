-- Mail comes in: what each message was taken for, and who vouched for its writer.

alter table intake.received drop constraint received_kind_check;
alter table intake.received add constraint received_kind_check check (kind in ('complaint', 'message', 'mail'));

create table intake.mails (
    id        bigint generated always as identity primary key,
    key       text not null references intake.received,
    at        timestamptz not null,
    kind      text not null,
    why       text not null,
    reference text,
    letter    integer,
    sender    text,
    proven    boolean not null
);
comment on table intake.mails is 'What a message was taken for, each time it was dealt with; the newest counts.';
comment on column intake.mails.sender is 'Keyed hash of the address of who wrote it.';
comment on column intake.mails.proven is 'Whether the customer of the case wrote it, or somebody who may speak for them.';
create index mails_by_key on intake.mails (key, id desc);
create index mails_by_sender on intake.mails (sender, at desc) where sender is not null;
create index mails_by_reference on intake.mails (reference, at desc) where reference is not null;
create trigger append_only before update or delete or truncate on intake.mails
    for each statement execute function casefile.refuse_change();

alter table intake.decisions add column vouched boolean not null default false;
comment on column intake.decisions.vouched is 'Whether the actor says that the customer wrote it, or somebody who may speak for them.';

drop index intake.endings_for_people;
create index endings_for_people on intake.endings (id desc)
    where ending in ('refused', 'case_closed', 'unproven', 'held', 'unreadable', 'set_aside');
