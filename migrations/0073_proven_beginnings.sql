-- Who opened an incident or began an action is proven by the token that came with the start.

alter table casefile.incidents add column token text;
comment on column casefile.incidents.token is 'What proves who opened it: a list is approved by somebody else.';
alter table reporting.actions add column token text;
comment on column reporting.actions.token is 'What proves who began or ended it; null of what follows by itself.';
