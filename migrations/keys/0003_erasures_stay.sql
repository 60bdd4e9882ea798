-- That somebody was erased is known for good: only by it are keys that a backup brings back destroyed again.

create function keys.stay() returns trigger language plpgsql as $$
begin
    raise exception '% on keys.erasures is refused: what was erased stays erased', tg_op
        using errcode = 'restrict_violation';
end
$$;
comment on function keys.stay() is 'An erasure is added, and nothing else.';
create trigger stays before update on keys.erasures for each row when (old is distinct from new)
    execute function keys.stay();
create trigger stays_there before delete on keys.erasures for each row execute function keys.stay();
create trigger stay before truncate on keys.erasures for each statement execute function keys.stay();
