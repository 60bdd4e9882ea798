-- Who asked for whose data to be erased, who approved, what became of it; and what must be kept meanwhile.

create table casefile.holds (
    id      bigint generated always as identity primary key,
    subject text not null,
    placed  boolean not null,
    reason  text not null,
    at      timestamptz not null,
    by      text not null
);
comment on table casefile.holds is 'What must not be erased: the newest row of a subject tells whether it is held.';
comment on column casefile.holds.subject is 'An account or a case.';
comment on column casefile.holds.reason is 'In the words of who placed or released it. Personal data.';
create index holds_by_subject on casefile.holds (subject, id desc);

create table casefile.erasures (
    id      bigint generated always as identity primary key,
    erasure text not null,
    step    text not null check (step in ('requested', 'refused', 'declined', 'approved', 'erased')),
    at      timestamptz not null,
    by      text not null,
    reason  text,
    token   text,
    data    jsonb not null default '{}',
    unique (erasure, step)
);
comment on table casefile.erasures is 'Erasures, step by step. What was erased stays named by account and case.';
comment on column casefile.erasures.reason is 'In the words of who took the step. Personal data.';
comment on column casefile.erasures.token is 'The signed token of who took the step.';
comment on column casefile.erasures.data is 'requested: the message; refused: what stands against it, and when it is looked at again; erased: the certificate.';

do $$
declare
    append_only text;
begin
    foreach append_only in array array['holds', 'erasures'] loop
        execute format('create trigger append_only before update or delete or truncate on casefile.%I '
                       'for each statement execute function casefile.refuse_change()', append_only);
    end loop;
end
$$;

select casefile.keep_chained('casefile.erasures', 'erasure', '{erasure,step}');
select casefile.keep_chained('casefile.holds', 'subject', '{id}');
