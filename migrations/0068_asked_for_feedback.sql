-- Who was never asked how satisfied they are has not failed to answer.

create or replace function reporting.cases_at(cut_off bigint) returns table (
    reference text, received_at timestamptz, opened jsonb, described jsonb, state jsonb, turns jsonb, clocks jsonb,
    awards jsonb, findings jsonb, cause jsonb, feedback jsonb, signs jsonb, incident text
) language sql stable as $$
    select f.reference,
        min(f.at) filter (where f.kind = 'opened'),
        (array_agg(f.data order by f.number) filter (where f.kind = 'opened'))[1],
        (array_agg(f.data order by f.number desc) filter (where f.kind = 'described'))[1],
        case when (array_agg(f.data order by f.number desc) filter (where f.kind = 'state'))[1] ? 'closed_at'
            then (array_agg(f.data order by f.number desc) filter (where f.kind = 'state'))[1]
            else (array_agg(f.data order by f.number desc) filter (where f.kind = 'state'))[1] || coalesce(
                (array_agg(f.data order by f.number desc) filter (where f.kind = 'answered'))[1], '{}')
        end,
        jsonb_agg(jsonb_build_array(f.kind, f.at) order by f.at, f.number) filter (where f.kind in
            ('acknowledged', 'responded', 'disputed', 'reopened', 'referred', 'settled', 'asked')),
        jsonb_agg(f.data || jsonb_build_object('kind', f.kind, 'at', f.at) order by f.number)
            filter (where f.kind in ('met', 'missed')),
        jsonb_agg(f.data || jsonb_build_object('at', f.at) order by f.number) filter (where f.kind = 'award'),
        jsonb_agg(f.data order by f.number) filter (where f.kind = 'finding'),
        (array_agg(f.data || jsonb_build_object('at', f.at) order by f.number desc) filter (where f.kind = 'cause'))[1],
        (array_agg(f.data || jsonb_build_object('at', f.at) order by f.number desc)
            filter (where f.kind = 'feedback'))[1],
        jsonb_agg(f.data order by f.number) filter (where f.kind = 'sign'),
        max(f.data ->> 'incident') filter (where f.kind = 'incident')
    from reporting.facts f
    where f.number <= cut_off
    group by f.reference
    having bool_or(f.kind = 'opened')
$$;
comment on column reporting.facts.data is 'By kind: opened, described, state, answered, finding, cause, feedback, sign, review, met, missed, award, incident, asked, and the names of events.';

-- What was asked before this.
insert into reporting.facts (reference, kind, at, key)
select l.reference, 'asked', a.at, l.key || ':accepted'
from casefile.letters l join casefile.letter_attempts a on a.key = l.key and a.outcome = 'accepted'
where l.kind = 'feedback_request' order by a.at, l.key
on conflict do nothing;
