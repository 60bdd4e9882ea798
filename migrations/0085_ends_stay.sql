-- Whoever writes to the record could give a revoked key of the API its life back, or have another told what a service
-- is told: an end stays, and what a row says of itself at its beginning does.

create function web.keep_end() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    before constant jsonb := to_jsonb(old);
    after constant jsonb := to_jsonb(new);
begin
    if before ->> tg_argv[0] is not null and after -> tg_argv[0] is distinct from before -> tg_argv[0] then
        raise exception '%.% %: an end stays', tg_table_schema, tg_table_name, old.id
            using errcode = 'restrict_violation', hint = 'Make another.';
    end if;
    if after - tg_argv is distinct from before - tg_argv then
        raise exception '%.% %: what was said at its beginning stays', tg_table_schema, tg_table_name, old.id
            using errcode = 'restrict_violation', hint = 'End it, and make another.';
    end if;
    return new;
end
$$;
comment on function web.keep_end() is 'Lets only the columns in its arguments change, and the first of them, which ends the row, but once.';

create trigger ends_once before update on web.api_keys
    for each row execute function web.keep_end('revoked_at', 'revoked_by');
create trigger kept before delete or truncate on web.api_keys
    for each statement execute function casefile.refuse_change();

create trigger ends_once before update on web.subscriptions for each row execute function web.keep_end(
    'ended_at', 'ended_by', 'secret', 'secret_before', 'before_until', 'told_at', 'failing_since', 'failing');
create trigger kept before delete or truncate on web.subscriptions
    for each statement execute function casefile.refuse_change();
