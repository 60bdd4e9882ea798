-- A conflict that is declared while a case runs hides it at once, not only from the case's next entry on.

create or replace function casefile.is_kept_out(text, text, timestamptz) returns boolean language sql stable as $$
    select exists (
        select from (
            select distinct on (why, about) first, last from casefile.recusals
            where reference = $1 and person = $2 and why <> 'declared' order by why, about, id desc
        ) as newest
        where (first is null or first <= ($3 at time zone 'UTC')::date)
            and (last is null or last >= ($3 at time zone 'UTC')::date)
    ) or exists (
        select from (
            select record from casefile.directory where kind = 'person' and id = $2 order by version desc limit 1
        ) as newest, jsonb_array_elements(newest.record -> 'conflicts') as conflict
        where conflict ->> 'account' in (
                select account from casefile.cases where reference = $1
                union
                select data ->> 'account' from casefile.timeline where reference = $1 and kind = 'add_evidence'
            )
            and (conflict ->> 'first')::date <= ($3 at time zone 'UTC')::date
            and coalesce((conflict ->> 'last')::date, 'infinity') >= ($3 at time zone 'UTC')::date
    )
$$;
