-- Orders, fills and positions come by the million. A foreign key looks up the instrument of every row, a third of what
-- the row costs; this looks up each instrument once a statement. It holds as well, because no instrument is ever changed
-- or removed (see 0002).
create function tradelog.check_symbols()
returns trigger
language plpgsql
as $$
declare
    unknown text;
begin
    select symbol into unknown from (select distinct symbol from added) as given
    where not exists (select from tradelog.instruments where instruments.symbol = given.symbol) limit 1;
    if found then
        raise exception 'tradelog.%: % is not a known instrument', tg_table_name, unknown
            using errcode = 'foreign_key_violation', hint = 'Add it to tradelog.instruments first.';
    end if;
    return null;
end
$$;

do $$
declare
    record_table text;
begin
    foreach record_table in array array['orders', 'fills', 'positions']
    loop
        execute format('alter table tradelog.%I drop constraint %I', record_table, record_table || '_symbol_fkey');
        execute format(
            'create trigger check_symbols after insert on tradelog.%I referencing new table as added '
            'for each statement execute function tradelog.check_symbols()', record_table);
    end loop;
end
$$;
