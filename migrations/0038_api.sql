-- Which programs may use the API.

create table web.api_keys (
    id         text primary key,
    service    text not null,
    scopes     text[] not null,
    digest     bytea not null,
    made_at    timestamptz not null,
    made_by    text not null,
    ends_at    timestamptz,
    revoked_at timestamptz,
    revoked_by text
);
comment on table web.api_keys is 'Keys of services. A service may have several, so that one takes the place of another without a gap.';
comment on column web.api_keys.service is 'The service, which is also the source of the complaints that it submits.';
comment on column web.api_keys.digest is 'SHA-256 of the key, of which 256 bits are random; the key itself is kept nowhere.';
create index api_keys_by_service on web.api_keys (service, made_at);

create index received_by_service on intake.received ((envelope ->> 'service'), reference) where door = 'api';
create index cases_by_source on casefile.cases (source, received_at desc, reference);
