-- Whoever writes to the record could take away what waits to be dealt with, or put it off for years, and a complaint
-- that came in was never heard of again: what waits goes with an ending alone, and is offered again within the hour.

create function intake.keep_waiting() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        if not exists (select from intake.endings e where e.key = old.key) then
            raise exception 'intake.waiting %: it waits until it is dealt with', old.key
                using errcode = 'restrict_violation', hint = 'Write its ending in the same transaction.';
        end if;
    elsif new.key <> old.key or new.next_at > clock_timestamp() + interval '1 hour' then
        raise exception 'intake.waiting %: it is put off by no more than an hour', old.key
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;
comment on function intake.keep_waiting() is 'Has nothing that waits be taken away without an ending, or put off.';

create constraint trigger ended after delete on intake.waiting deferrable initially deferred
    for each row execute function intake.keep_waiting();
create trigger not_put_off after update on intake.waiting for each row execute function intake.keep_waiting();
create trigger not_emptied before truncate on intake.waiting
    for each statement execute function casefile.refuse_change();
