-- Cases that compliance reviews: drawn, reviewed by a checklist, and told of when nobody did in time.

create table casefile.reviews (
    id         bigint      generated always as identity primary key,
    reference  text        not null references casefile.cases,
    period     text        not null,
    step       text        not null check (step in ('drawn', 'reviewed')),
    at         timestamptz not null,
    by         text        not null,
    reviewer   text,
    due        timestamptz,
    data       jsonb       not null default '{}',
    words      jsonb,
    message_id text        unique,
    token      text
);
comment on table casefile.reviews is 'Cases that were drawn for review by compliance, and what the review found. A case is reviewed once a period.';
comment on column casefile.reviews.reviewer is 'Of a draw: who is to review it; null: nobody may.';
comment on column casefile.reviews.data is 'Of a draw: how it was drawn, and what kind of case it stands for. Of a review: the answers, and the theme and cause of each finding.';
comment on column casefile.reviews.words is 'Of a review: the note on each finding. Personal data.';
comment on column casefile.reviews.token is 'What proves who reviewed it. A row without one does not stand where signatures count.';
create unique index reviews_once on casefile.reviews (reference, period, step) where step = 'drawn';
create index reviews_of_a_period on casefile.reviews (period, reference, id);
create trigger append_only before update or delete or truncate on casefile.reviews
    for each statement execute function casefile.refuse_change();
select casefile.keep_chained('casefile.reviews', 'reference', '{id}');

create function casefile.handlers_of(text) returns text[] language sql stable as $$
    select array(
        select person from casefile.assignments where reference = $1 and person is not null
        union select handler from casefile.cases where reference = $1 and handler is not null
        union select split_part(actor, ':', 2) from casefile.timeline where reference = $1
            and kind in ('propose_resolution', 'propose_draft', 'resolve_early', 'decide_resolution')
            and actor not like 'system:%')
$$;
comment on function casefile.handlers_of(text) is 'Who had the case or decided on it: nobody of them reviews it.';

create function reporting.note_review() returns trigger language plpgsql as $$
begin
    insert into reporting.facts (reference, kind, at, key, data)
    values (new.reference, 'review', new.at, 'review:' || new.id,
        jsonb_build_object('period', new.period, 'findings', new.data -> 'findings'));
    return null;
end
$$;
create trigger noted after insert on casefile.reviews
    for each row when (new.step = 'reviewed') execute function reporting.note_review();
