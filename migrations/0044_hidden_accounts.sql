-- Lists of an incident's accounts are without those that who looks is kept out of.

create function casefile.hidden_accounts() returns setof text language sql stable as $$
    select account from casefile.cases where account is not null and reference in (select casefile.hidden_cases())
    union
    select conflict ->> 'account'
    from (
        select record from casefile.directory
        where kind = 'person' and id = nullif(current_setting('redress.viewer', true), '') order by version desc limit 1
    ) as newest, jsonb_array_elements(newest.record -> 'conflicts') as conflict
    where (conflict ->> 'first')::date <= (now() at time zone 'UTC')::date
        and coalesce((conflict ->> 'last')::date, 'infinity') >= (now() at time zone 'UTC')::date
$$;
comment on function casefile.hidden_accounts() is 'The accounts that who looks, whom the setting redress.viewer names, is kept out of: of hidden cases, and of declared conflicts.';
