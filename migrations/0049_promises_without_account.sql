-- What a case without an account gives is promised as well, on the same record.

alter table casefile.promises alter column account drop not null;
