"""What each database role may do: an owner migrates, a writer inserts and reads, readers read what they are for.

The roles are made by who administers the server (`deploy/databases.sh`, `redress up`); those that are not there are
left out. What they may do follows from the schema, and is given anew with each migration.
"""

from typing import Final

from runtime.postgres import Connection

WRITER: Final = "redress_writer"
"""Workers, pages and the command line. It changes and removes nothing that only grows, and writes no chain itself."""
READER: Final = "redress_reader"
"""Reports: the schema `reporting`, which has no personal text."""
TRADES: Final = "redress_trades"
"""The trade log."""


async def make_roles(connection: Connection) -> None:
    """Make the roles that are missing, able to log in without a password where the server trusts who reaches it."""
    for role in (WRITER, READER, TRADES):
        if not await connection.fetchval("select to_regrole($1) is not null", role):
            await connection.execute(f"create role {role} login")


async def grant(connection: Connection, *, anew: bool) -> None:
    """Give the roles what they may do, *anew* or where they have nothing yet, if the connection is the owner's."""
    owns, missing = await connection.fetchrow(_ASKED) or (False, False)
    if owns and (anew or missing):
        await connection.execute(_GRANT)


_ASKED: Final = """
    select pg_has_role(current_user, relowner, 'usage'),
        to_regrole('redress_writer') is not null
        and not has_table_privilege('redress_writer', 'casefile.cases', 'insert')
    from pg_class where oid = to_regclass('casefile.cases')
"""
_GRANT: Final = """
do $$
declare
    one record;
    may text;
begin
    for one in
        select n.nspname as place, format('%I.%I', n.nspname, c.relname) as name, c.relkind,
            coalesce((select bit_or(tgtype) from pg_trigger
                where tgrelid = c.oid and tgfoid = 'casefile.refuse_change'::regproc), 0::int2) as refused
        from pg_class c join pg_namespace n on n.oid = relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    loop
        may := case
            when one.relkind in ('v', 'm') or one.name in ('public.redress_migrations', 'casefile.chain') then 'select'
            else concat_ws(', ', 'select', 'insert', case when one.refused & 16 = 0 then 'update' end,
                case when one.refused & 8 = 0 then 'delete' end)
        end;
        if to_regrole('redress_writer') is not null then
            execute format('revoke all on %s from redress_writer', one.name);
            execute format('grant %s on %s to redress_writer', may, one.name);
            execute format('grant usage on schema %I to redress_writer', one.place);
            execute format('grant usage on all sequences in schema %I to redress_writer', one.place);
        end if;
        if to_regrole('redress_reader') is not null and one.place = 'reporting' then
            execute format('grant usage on schema %I to redress_reader', one.place);
            execute format('grant select on %s to redress_reader', one.name);
        end if;
        if to_regrole('redress_trades') is not null and one.place = 'tradelog' then
            execute format('grant usage on schema %I to redress_trades', one.place);
            execute format('grant select on %s to redress_trades', one.name);
        end if;
    end loop;
    -- what runs as the owner is for the writer alone; what a trigger calls is for nobody to call
    for one in
        select p.oid::regprocedure as name, prorettype = 'trigger'::regtype as triggered
        from pg_proc p join pg_namespace n on n.oid = pronamespace
        where prosecdef and n.nspname in ('casefile', 'reporting')
    loop
        execute format('revoke execute on function %s from public', one.name);
        if to_regrole('redress_writer') is not null and not one.triggered then
            execute format('grant execute on function %s to redress_writer', one.name);
        end if;
    end loop;
end
$$
"""
