-- What programs are told by webhook, and which of it waits to be sent.

create table web.subscriptions (
    id            text primary key,
    service       text not null,
    url           text not null,
    events        text[] not null,
    secret        text not null,
    secret_before text,
    before_until  timestamptz,
    made_at       timestamptz not null,
    made_by       text not null,
    told_at       timestamptz,
    failing_since timestamptz,
    failing       text,
    ended_at      timestamptz,
    ended_by      text
);
comment on table web.subscriptions is 'Where services are told what happened to complaints. What a service hears follows from its keys.';
comment on column web.subscriptions.secret is 'What signs each webhook.';
comment on column web.subscriptions.secret_before is 'What signs beside it until before_until, while the other takes its place.';
comment on column web.subscriptions.told_at is 'When the service last said that it has one.';
comment on column web.subscriptions.failing is 'Why it has not since failing_since.';
comment on column web.subscriptions.ended_by is 'Who ended it; endpoint: it answered 410.';

create table web.deliveries (
    subscription text not null references web.subscriptions,
    key          text not null,
    number       bigint generated always as identity,
    event        text not null,
    reference    text not null,
    clock        text,
    at           timestamptz not null,
    next_at      timestamptz default clock_timestamp(),
    tries        integer not null default 0,
    primary key (subscription, key)
);
comment on table web.deliveries is 'Webhooks that no service has taken yet. Those that are taken are gone.';
comment on column web.deliveries.key is 'The webhook-id: the same for the same event, also after a restore.';
comment on column web.deliveries.next_at is 'When it is sent again; null: it was tried for days, and is sent again when somebody asks for it.';
create index deliveries_by_time on web.deliveries (subscription, next_at) where next_at is not null;

create view web.hearers as
    select s.id, s.events, s.service, bool_or('every_source' = any(k.scopes)) as every_source
    from web.subscriptions s join web.api_keys k using (service)
    where s.ended_at is null and 'read' = any(k.scopes)
        and k.revoked_at is null and (k.ends_at is null or k.ends_at > clock_timestamp())
    group by s.id;
comment on view web.hearers is 'Subscriptions, and whether the service has a key that reads the complaints of others too.';
