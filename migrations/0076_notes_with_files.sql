-- A note of the firm's own can have files, too: they are kept as what came in is, and no customer sees them.

alter table intake.received drop constraint received_kind_check;
alter table intake.received add constraint received_kind_check
    check (kind in ('complaint', 'message', 'mail', 'note'));
