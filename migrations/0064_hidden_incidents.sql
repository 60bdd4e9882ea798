-- Who is kept out of an account on the list of an incident, or of a complaint about it, is told no sums of it, nor acts on it.

create function casefile.hidden_members() returns table (reference text, account text) language sql stable as $$
    with viewer (person) as (
        select nullif(current_setting('redress.viewer', true), '')
    ), known_as (name) as (
        select person from viewer where person is not null
        union
        select lower(jsonb_array_elements_text(newest.record -> 'names'))
        from (
            select record from casefile.directory where kind = 'person' and id = (select person from viewer)
            order by version desc limit 1
        ) as newest
    ), kept_from (account, trades) as (
        select hidden, null::text[] from casefile.hidden_accounts() as hidden
        union all
        select account, array[cancellation, "order", "position"] from tradelog.cancellations
        where lower(regexp_replace(decided_by, '^.*:', '')) in (select name from known_as)
    )
    select distinct members.reference, members.account
    from kept_from join casefile.cohort_members as members using (account)
    where (kept_from.trades is null or kept_from.trades && members.trades)
        and members.number = (select max(number) from casefile.cohorts where cohorts.reference = members.reference)
$$;
comment on function casefile.hidden_members() is 'The accounts on the newest list of an incident that who looks is kept out of: of hidden accounts, and those on whose listed trades they acted.';

create function casefile.hidden_incidents() returns setof text language sql stable as $$
    select incident from casefile.incident_cases where reference in (select casefile.hidden_cases())
    union
    select reference from casefile.hidden_members()
$$;
comment on function casefile.hidden_incidents() is 'The incidents of which who looks sees the list in part: they are kept out of a complaint about it or of an account on it.';
