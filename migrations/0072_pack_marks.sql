-- A pack counts only with the mark of a worker that had it among its own when a case or an incident was opened under it.

create table casefile.pack_marks (
    hash text        not null references casefile.policy_packs,
    mark text        not null,
    at   timestamptz not null,
    primary key (hash, mark)
);
comment on table casefile.pack_marks is 'That a worker knew a policy pack: keyed, so that whoever may write to the record alone makes none.';
create trigger append_only before update or delete or truncate on casefile.pack_marks
    for each statement execute function casefile.refuse_change();
