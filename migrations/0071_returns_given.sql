-- What a firm gives for its returns is a fact, and so is whether somebody represents the customer.

create or replace function reporting.cases_at(cut_off bigint) returns table (
    reference text, received_at timestamptz, opened jsonb, described jsonb, state jsonb, turns jsonb, clocks jsonb,
    awards jsonb, findings jsonb, cause jsonb, feedback jsonb, signs jsonb, incident text
) language sql stable as $$
    select f.reference,
        min(f.at) filter (where f.kind = 'opened'),
        (array_agg(f.data order by f.number) filter (where f.kind = 'opened'))[1],
        coalesce((array_agg(f.data order by f.number desc) filter (where f.kind = 'described'))[1], '{}')
            || coalesce((array_agg(f.data order by f.number desc) filter (where f.kind = 'represented'))[1], '{}'),
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
comment on column reporting.facts.reference is 'The case or incident, the corrective action, or return:<id> for what a firm gives for a return.';
comment on column reporting.facts.data is 'By kind: opened, described, represented, state, answered, finding, cause, feedback, sign, review, met, missed, award, incident, asked, action, given, and the names of events.';
