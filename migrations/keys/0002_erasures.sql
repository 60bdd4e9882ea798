-- What was erased, beside the keys: a record that comes back from its backup has its erasures applied again.

create table keys.erasures (
    erasure   text primary key,
    scopes    text[] not null,
    erased_at timestamptz not null default now()
);
comment on table keys.erasures is 'Erasures, with the scopes whose keys they destroyed.';
