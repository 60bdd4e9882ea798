alter table intake.received add column proof bytea;
comment on column intake.received.proof is 'Keyed hash of what was received, when, how and of which case: who writes to the database without keys makes none. Null before there was one; then nobody is proven to have said it.';
