-- What is done about causes, and the status table of complaints about binary options.

create table reporting.actions (
    action text        not null,
    number integer     not null,
    at     timestamptz not null,
    step   text        not null
        check (step in ('opened', 'overdue', 'done', 'effective', 'reopened', 'dropped')),
    by     text        not null,
    data   jsonb       not null default '{}',
    primary key (action, number)
);
comment on table reporting.actions is 'Corrective actions, a row a step; the last one counts. opened has the whole action, with the measure by which its effect is judged.';
comment on column reporting.actions.data is 'By step: the action; the new due date; the effect with the rates before and after.';
create trigger append_only before update or delete or truncate on reporting.actions
    for each statement execute function casefile.refuse_change();

create function reporting.actions_at(cut_off timestamptz) returns table (
    action text, cause text, owner text, due date, step text, reopened integer
) language sql stable as $$
    select a.action,
        max(a.data ->> 'cause') filter (where a.step = 'opened'),
        max(a.data ->> 'owner') filter (where a.step = 'opened'),
        (array_agg(a.data ->> 'due' order by a.number desc) filter (where a.data ? 'due'))[1]::date,
        (array_agg(a.step order by a.number desc))[1],
        (count(*) filter (where a.step = 'reopened'))::integer
    from reporting.actions a where a.at <= cut_off group by a.action
$$;
comment on function reporting.actions_at(timestamptz) is 'Each corrective action as it stood at that moment.';

create view reporting.option_complaints as
select c.reference as number, c.received_at as time, c.state ->> 'category' as type, c.state ->> 'handler' as handler,
    c.state ->> 'stage' as status,
    coalesce((c.state ->> 'closed_at')::timestamptz, (
        select max((turn ->> 1)::timestamptz) from jsonb_array_elements(c.turns) as turn where turn ->> 0 = 'responded'
    )) as handled_at,
    c.state ->> 'outcome' as outcome,
    (select string_agg((award ->> 'currency') || ' ' || (award ->> 'amount'), ', ') from jsonb_array_elements(c.awards) as award)
        as awarded
from reporting.cases_at(9223372036854775807) c
where c.described ->> 'product' ~* '(binary|二元)'
    or exists (select from jsonb_array_elements(c.findings) as found where found ->> 'check' = 'binary_option');
comment on view reporting.option_complaints is 'Complaints about binary options and where they stand. The name stands in the case file alone.';
