-- Who complains is sealed, and found by keyed tokens: of an address, of a number, of each word of a name.

create table casefile.lookups (
    purpose text  not null,
    token   bytea not null,
    scope   text  not null,
    primary key (purpose, token, scope)
);
comment on table casefile.lookups is 'What cases are found by. A token is keyed with a secret of the installation; its rows go when a case is erased.';
comment on column casefile.lookups.scope is 'The case, or whose key else it is.';
create index lookups_by_scope on casefile.lookups (scope);

drop index casefile.contacts_by_email;
