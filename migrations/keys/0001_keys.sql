-- Keys, in a schema of their own that may live in another database with backups of its own. Never derived: a key that is
-- destroyed here is gone once its backups have expired, and what it sealed with it.

create schema keys;
comment on schema keys is 'The keys that personal data is sealed under, wrapped. Keep its backups short.';

create table keys.keys (
    scope        text not null,
    version      integer not null check (version > 0),
    kek          text,
    wrapped      bytea,
    created_at   timestamptz not null default now(),
    destroyed_at timestamptz,
    primary key (scope, version),
    check ((kek is null) = (wrapped is null) and (wrapped is null) = (destroyed_at is not null))
);
comment on table keys.keys is 'One row a key: 256 random bits, wrapped under a key-encryption key that is not here.';
comment on column keys.keys.scope is 'Whose: a case, an incident, a customer, an inbound message, or the installation.';
comment on column keys.keys.version is 'The highest is for new writes; the others open what they sealed.';
comment on column keys.keys.kek is 'The name of the key-encryption key.';
comment on column keys.keys.destroyed_at is 'When the key was destroyed: what it sealed is erased. The row stays, so that none is made again.';
create index keys_by_kek on keys.keys (kek, scope) where wrapped is not null;

create function keys.keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'key % of %: a key is destroyed, its row stays', old.version, old.scope
            using errcode = 'restrict_violation';
    end if;
    if old.destroyed_at is not null
       or (new.scope, new.version, new.created_at) is distinct from (old.scope, old.version, old.created_at) then
        raise exception 'key % of %: it is wrapped anew or destroyed, and nothing else', old.version, old.scope
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
comment on function keys.keep() is 'A key is never another one, and never comes back once it is destroyed.';
create trigger kept before update or delete on keys.keys for each row execute function keys.keep();
