-- What people decide about people is signed, and workers go by what is proven.

alter table casefile.restrictions add column message_id text, add column token text;
comment on column casefile.restrictions.message_id is 'Of the message by which somebody took this step: it counts once.';
comment on column casefile.restrictions.token is 'What proves who took it. A step without one does not stand where signatures count.';

alter table intake.decisions add column message_id text, add column token text;
comment on column intake.decisions.message_id is 'Of the message by which somebody decided this.';
comment on column intake.decisions.token is 'What proves who decided it. A decision without one does not stand where signatures count.';
