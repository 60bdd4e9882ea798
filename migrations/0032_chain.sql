-- Each case and each incident has a chain: what is written names what was written before it.

create table casefile.chain (
    reference text not null,
    number    bigint not null check (number > 0),
    place     text not null,
    key       text not null,
    content   bytea not null check (length(content) = 32),
    previous  bytea not null,
    digest    bytea not null check (length(digest) = 32),
    tx        xid8 not null default pg_current_xact_id(),
    primary key (reference, number),
    constraint one_successor unique (reference, previous)
);
comment on table casefile.chain is 'One row for each row that was added to a chained table, made in the transaction that added it. A change, a gap, another order show in the digests.';
comment on column casefile.chain.reference is 'The case or the incident whose chain it is; restores have one of their own.';
comment on column casefile.chain.number is 'Counts the rows of a chain from 1, without a gap.';
comment on column casefile.chain.place is 'The table of the row.';
comment on column casefile.chain.key is 'The row, by its key.';
comment on column casefile.chain.content is 'SHA-256 of the row as it is stored: see casefile.stored.';
comment on column casefile.chain.previous is 'The digest of the row of the chain before this; empty for the first.';
comment on column casefile.chain.digest is 'SHA-256 of reference, number, place, key, content and previous, joined by line feeds, the last two in hexadecimal.';
comment on column casefile.chain.tx is 'The transaction that added it, by which checkpoints find what is new. Not part of the digest.';
create index chain_by_tx on casefile.chain (tx);
create unique index chain_by_row on casefile.chain (place, key, reference);

create function casefile.stored(added jsonb, kept text[]) returns text language sql immutable parallel safe
    set search_path = pg_catalog as $$
    select jsonb_strip_nulls(case when kept is null then added
        else (select jsonb_object_agg(key, value) from jsonb_each(added) where key = any(kept)) end)::text
$$;
comment on function casefile.stored(jsonb, text[]) is 'A row as it is chained: its columns as JSON, as PostgreSQL writes it, without those that are null. Times are in UTC.';

create function casefile.link(whose text, place text, key text, content text) returns void language plpgsql
    set search_path = pg_catalog as $$
declare
    content_digest bytea := sha256(convert_to(content, 'UTF8'));
    last bigint;
    head bytea;
begin
    select c.number, c.digest into last, head from casefile.chain c
    where c.reference = whose order by c.number desc limit 1;
    if not found then
        last := 0;
        head := '';
    end if;
    insert into casefile.chain (reference, number, place, key, content, previous, digest)
    values (whose, last + 1, place, key, content_digest, head, sha256(convert_to(concat_ws(E'\n',
        whose, last + 1, place, key, encode(content_digest, 'hex'), encode(head, 'hex')), 'UTF8')));
end
$$;
comment on function casefile.link(text, text, text, text) is 'Adds a row to a chain, whose writer holds the lock of that chain.';

create function casefile.lock_chain(whose text) returns void language plpgsql set search_path = pg_catalog as $$
begin
    -- the lock that whoever writes to a case takes anyway: two locks would be taken in two orders
    perform from casefile.cases where reference = whose for no key update;
    if not found then
        perform pg_advisory_xact_lock(1668047214, hashtext(whose));
    end if;
end
$$;

create function casefile.chain_rows() returns trigger language plpgsql security definer
    set search_path = pg_catalog set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
    in_table text := tg_table_schema || '.' || tg_table_name;
    whose text := tg_argv[0];
    names text[] := string_to_array(tg_argv[1], ',');
    kept text[] := string_to_array(nullif(tg_argv[2], ''), ',');
    one record;
    locked text;
begin
    for one in
        select split_part(content ->> whose, ':', 1) as reference,
            (select string_agg(content ->> name, '|' order by place)
                from unnest(names) with ordinality as k (name, place)) as key,
            casefile.stored(content, kept) as content
        from (select to_jsonb(a) as content, row_number() over () as nth from added a) as rows
        where content ->> whose is not null
        order by reference, nth
    loop
        if one.reference is distinct from locked then
            perform casefile.lock_chain(one.reference);
            locked := one.reference;
        end if;
        perform casefile.link(one.reference, in_table, one.key, one.content);
    end loop;
    return null;
end
$$;
comment on function casefile.chain_rows() is 'Chains the rows that a statement has added.';

create view casefile.chained as
    select n.nspname || '.' || c.relname as place, told[1] as whose, string_to_array(told[2], ',') as key,
        string_to_array(nullif(told[3], ''), ',') as kept
    from pg_trigger
    join pg_class c on c.oid = tgrelid
    join pg_namespace n on n.oid = relnamespace
    cross join lateral string_to_array(encode(tgargs, 'escape'), '\000') as told
    where tgname = 'chained' and tgfoid = 'casefile.chain_rows'::regproc;
comment on view casefile.chained is 'The tables whose rows are chained.';
comment on column casefile.chained.whose is 'The column that names the case or incident: the part before the first colon, if it has one.';
comment on column casefile.chained.key is 'The columns that name a row.';
comment on column casefile.chained.kept is 'The columns that never change; null for all.';

create function casefile.keep_chained(place regclass, whose text, key text[], kept text[] default null) returns void
    language plpgsql set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
    in_table text := (select nspname || '.' || relname
        from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = place);
begin
    execute format('create trigger chained after insert on %s referencing new table as added '
                   'for each statement execute function casefile.chain_rows(%L, %L, %L)',
                   in_table, whose, array_to_string(key, ','), coalesce(array_to_string(kept, ','), ''));
    execute format(
        'select casefile.link(reference, %L, key, content) from (select * from (%s) as r order by reference, content::jsonb -> ''id'', key) as rows',
        in_table, casefile.rows_of(in_table));
end
$$;
comment on function casefile.keep_chained(regclass, text, text[], text[]) is 'Has the rows of a table chained: those it has, and those that come. To be called by the migration that makes an append-only table. A column that is added to it later must be null in the rows that are there.';

create function casefile.rows_of(in_table text) returns text language sql stable set search_path = pg_catalog as $$
    select format($query$
        select split_part(content ->> %L, ':', 1) as reference, concat_ws('|', %s) as key,
            casefile.stored(content, %L) as content
        from (select to_jsonb(t) as content from %s t) as t
        where content ->> %L is not null$query$,
        whose, (select string_agg(format('content ->> %L', name), ', ' order by nth)
            from unnest(key) with ordinality as k (name, nth)), kept, in_table, whose)
    from casefile.chained where place = in_table
$$;
comment on function casefile.rows_of(text) is 'The query for the rows of a chained table as they are chained.';

select casefile.keep_chained('casefile.cases', 'reference', '{reference}', '{reference,source,idempotency_key,received_at,opened_at,language,channel,account,complaint,policy_hash}');
select casefile.keep_chained('casefile.contacts', 'reference', '{key}');
select casefile.keep_chained('casefile.timeline', 'reference', '{reference,key}');
select casefile.keep_chained('casefile.rejected_messages', 'reference', '{reference,key}');
select casefile.keep_chained('casefile.events', 'reference', '{reference,number,event}');
select casefile.keep_chained('casefile.deadlines', 'reference', '{reference,clock,number,rung}');
select casefile.keep_chained('casefile.satisfactions', 'reference', '{reference,clock,number}');
select casefile.keep_chained('casefile.firings', 'reference', '{reference,clock,number,rung}');
select casefile.keep_chained('casefile.letters', 'reference', '{key}');
select casefile.keep_chained('casefile.letter_attempts', 'key', '{id}');
select casefile.keep_chained('casefile.postings', 'key', '{key}');
select casefile.keep_chained('casefile.ledger_entries', 'posting_key', '{posting_key,account}');
select casefile.keep_chained('casefile.recusals', 'reference', '{id}');
select casefile.keep_chained('casefile.assignments', 'reference', '{reference,number}');
select casefile.keep_chained('casefile.signs', 'reference', '{id}');
select casefile.keep_chained('casefile.incidents', 'reference', '{reference}', '{reference,opened_at,opened_by,kind,symbol,since,until,opened,policy_hash}');
select casefile.keep_chained('casefile.incident_timeline', 'reference', '{reference,key}');
select casefile.keep_chained('casefile.cohort_members', 'reference', '{reference,number,account}');
select casefile.keep_chained('casefile.cohorts', 'reference', '{reference,number}');
select casefile.keep_chained('casefile.incident_results', 'reference', '{reference,account}');
select casefile.keep_chained('casefile.incident_letters', 'reference', '{key}');
select casefile.keep_chained('casefile.incident_letter_attempts', 'key', '{id}');
select casefile.keep_chained('casefile.incident_cases', 'reference', '{reference,incident}');
select casefile.keep_chained('payments.orders', 'reference', '{key}');
select casefile.keep_chained('payments.outcomes', 'key', '{key}');
select casefile.keep_chained('payments.reversals', 'key', '{key}');
select casefile.keep_chained('casefile.restores', 'store', '{id}');

create table casefile.chain_checkpoints (
    number   bigint primary key check (number > 0),
    previous text   not null unique,
    token    text   not null,
    through  xid8   not null
);
comment on table casefile.chain_checkpoints is 'Signed statements of how far each chain was. Together they name the last row of every chain; they leave the firm, so that who rewrites the chains is found out.';
comment on column casefile.chain_checkpoints.previous is 'SHA-256 of the token before this, in hexadecimal; empty for the first.';
comment on column casefile.chain_checkpoints.token is 'A JWS: number, previous, at, and the heads that are new: reference, number and digest of each.';
comment on column casefile.chain_checkpoints.through is 'What transactions before this one have added is in the checkpoints.';

do $$
declare
    append_only text;
begin
    foreach append_only in array array['chain', 'chain_checkpoints'] loop
        execute format('create trigger append_only before update or delete or truncate on casefile.%I '
                       'for each statement execute function casefile.refuse_change()', append_only);
    end loop;
end
$$;
