-- What the final responses of cases promise, so that no loss is promised twice.

create table casefile.promises (
    reference text not null references casefile.cases,
    round     integer not null check (round > 0),
    at        timestamptz not null,
    account   text not null,
    losses    jsonb not null check (jsonb_typeof(losses) = 'array'),
    primary key (reference, round)
);
create index promises_of_account on casefile.promises (account);
comment on table casefile.promises is 'What each final response promises to make good, one row a response; the last one of a case stands in place of those before.';
comment on column casefile.promises.losses is 'The losses, each with key, amount (not rounded) and currency: as in casefile.redressed once they are paid.';
create trigger append_only before update or delete or truncate on casefile.promises
    for each statement execute function casefile.refuse_change();

create view casefile.standing_promises as
    select p.reference, p.account, p.at, l.key as part, l.amount, l.currency
    from casefile.promises p
    join casefile.cases c using (reference)
    cross join lateral jsonb_to_recordset(p.losses) as l (key text, amount numeric, currency text)
    where c.stage in ('responded', 'settling', 'following_up')
        and p.round = (select max(last.round) from casefile.promises last where last.reference = p.reference);
comment on view casefile.standing_promises is 'The losses that are promised and may not be paid yet. Nothing is promised any more once a case is disputed, taken up again or withdrawn; what is paid is in casefile.redressed.';
