-- Who works here, who may speak for a customer, and what must not be erased: what people say of that is signed.

alter table casefile.directory add column message_id text unique, add column token text;
comment on column casefile.directory.message_id is 'Of the message by which somebody said this: it counts once.';
comment on column casefile.directory.token is 'What proves who said it. A row without one does not stand where signatures count.';

alter table casefile.customer_files add column message_id text unique, add column token text;
comment on column casefile.customer_files.message_id is 'Of the message by which somebody said this: it counts once.';
comment on column casefile.customer_files.token is 'What proves who said it. A row without one does not stand where signatures count.';

alter table casefile.holds add column message_id text unique, add column token text;
comment on column casefile.holds.message_id is 'Of the message by which somebody said this: it counts once.';
comment on column casefile.holds.token is 'What proves who said it. A row without one does not stand where signatures count.';
