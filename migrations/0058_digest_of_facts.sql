-- The digest of the facts that a report rests on, in a third of the time. Nobody has issued a report by the one before.

create or replace function reporting.digest_at(cut_off bigint) returns text language sql stable as $$
    select encode(sha256(coalesce(string_agg(sha256(convert_to(concat_ws('|', f.number, f.reference, f.kind,
        extract(epoch from f.at), length(coalesce(f.key, '')), coalesce(f.key, ''), f.data), 'UTF8')), ''
        order by f.number), '')), 'hex')
    from reporting.facts f where f.number <= cut_off
$$;
comment on function reporting.digest_at(bigint) is 'SHA-256 over the facts up to that number: what a report names as its record, and is signed with it.';
