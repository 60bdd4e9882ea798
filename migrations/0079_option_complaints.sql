-- Complaints about binary options are found by index, and no longer by putting the facts of all cases together.

create index facts_of_options on reporting.facts (reference, number)
    where kind = 'finding' and data ->> 'check' = 'binary_option'
        or kind = 'described' and data ->> 'product' ~* '(binary|二元)';

create or replace view reporting.option_complaints as
select c.reference as number, c.received_at as time, c.state ->> 'category' as type, c.state ->> 'handler' as handler,
    c.state ->> 'stage' as status,
    coalesce((c.state ->> 'closed_at')::timestamptz, (
        select max((turn ->> 1)::timestamptz) from jsonb_array_elements(c.turns) as turn where turn ->> 0 = 'responded'
    )) as handled_at,
    c.state ->> 'outcome' as outcome,
    (select string_agg((award ->> 'currency') || ' ' || (award ->> 'amount'), ', ') from jsonb_array_elements(c.awards) as award)
        as awarded
from reporting.cases_at(9223372036854775807) c
where c.reference = any(array(
        select f.reference from reporting.facts f
        where f.kind = 'finding' and f.data ->> 'check' = 'binary_option'
            or f.kind = 'described' and f.data ->> 'product' ~* '(binary|二元)'))
    and (c.described ->> 'product' ~* '(binary|二元)'
        or exists (select from jsonb_array_elements(c.findings) as found where found ->> 'check' = 'binary_option'));
