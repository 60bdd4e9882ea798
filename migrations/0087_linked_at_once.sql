-- A row is linked where the chain's lock is taken: no function is called for each, and the head is looked up once for
-- all rows of a statement. What is written is what was.

create or replace function casefile.chain_rows() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
    in_table text := tg_table_schema || '.' || tg_table_name;
    whose text := tg_argv[0];
    names text[] := string_to_array(tg_argv[1], ',');
    kept text[] := string_to_array(nullif(tg_argv[2], ''), ',');
    one record;
    locked text;
    last bigint;
    head bytea;
    content_digest bytea;
    linked bytea;
begin
    for one in
        select split_part(row ->> whose, ':', 1) as reference,
            (select string_agg(row ->> name, '|' order by place)
                from unnest(names) with ordinality as k (name, place)) as key,
            jsonb_strip_nulls(case when kept is null then row  -- as casefile.stored has it
                else (select jsonb_object_agg(key, value) from jsonb_each(row) where key = any (kept)) end)::text as content
        from (select to_jsonb(a) as row, row_number() over () as nth from added a) as rows
        where row ->> whose is not null
        order by reference, nth
    loop
        if one.reference is distinct from locked then
            -- the lock that whoever writes to a case takes anyway: two locks would be taken in two orders
            perform from casefile.cases where reference = one.reference for no key update;
            if not found then
                perform pg_advisory_xact_lock(1668047214, hashtext(one.reference));
            end if;
            locked := one.reference;
            select c.number, c.digest into last, head from casefile.chain c
            where c.reference = locked order by c.number desc limit 1;
            if not found then
                last := 0;
                head := '';
            end if;
        end if;
        last := last + 1;
        content_digest := sha256(convert_to(one.content, 'UTF8'));
        linked := sha256(convert_to(concat_ws(E'\n',
            locked, last, in_table, one.key, encode(content_digest, 'hex'), encode(head, 'hex')), 'UTF8'));
        insert into casefile.chain (reference, number, place, key, content, previous, digest)
        values (locked, last, in_table, one.key, content_digest, head, linked);
        head := linked;
    end loop;
    return null;
end
$$;
