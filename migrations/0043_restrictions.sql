-- How, and through whom, a customer is dealt with for a time.

create table casefile.restrictions (
    id        bigint generated always as identity primary key,
    account   text        not null,
    number    integer     not null,
    step      text        not null check (step in ('proposed', 'approved', 'returned', 'kept', 'lifted')),
    by        text        not null,
    at        timestamptz not null,
    form      text        not null check (form in ('in_writing', 'by_post', 'one_person')),
    contact   text,
    until     timestamptz not null,
    review_by timestamptz,
    reference text        not null references casefile.cases,
    reasons   jsonb       not null
);
comment on table casefile.restrictions is 'Contact restrictions of customers, step by step. One is in force from its approval to its end, to a review that nobody made, or to its lifting.';
comment on column casefile.restrictions.number is 'Which one of the account.';
comment on column casefile.restrictions.reference is 'The case that it came of.';
comment on column casefile.restrictions.review_by is 'When it ends unless somebody keeps it.';
create index restrictions_by_account on casefile.restrictions (account, id);

create trigger append_only before update or delete or truncate on casefile.restrictions
    for each statement execute function casefile.refuse_change();
