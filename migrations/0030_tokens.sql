-- Who said it, proven: the signed token stands beside what it was sent with.

alter table casefile.timeline add column token text;
comment on column casefile.timeline.token is 'The signed token (JWS) of whoever sent the message that the entry notes: for this case, this message id and this content. Null for what the system noted, and where anybody may act.';
alter table casefile.incident_timeline add column token text;
comment on column casefile.incident_timeline.token is 'As that of casefile.timeline.';
