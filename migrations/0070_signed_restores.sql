-- A declared restore explains what the record lost: so it is signed by who declares it.

alter table casefile.restores add column message_id text unique, add column token text;
comment on column casefile.restores.message_id is 'Of the message by which somebody declared this: it counts once.';
comment on column casefile.restores.token is 'What proves who declared it. One without it explains nothing to who audits the record.';
