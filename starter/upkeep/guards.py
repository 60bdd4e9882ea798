"""Whether the database still has what the migrations made to guard the record: an owner can take it away.

What is to be there stands in `guards.txt`, a line a guard: which, and the digest of what it says. The list is no table
of the database, whose owner could change that as well.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starter.upkeep.diagnosis import Kind, Trouble

if TYPE_CHECKING:
    from runtime.database import Pool

LIST: Final = Path(__file__).with_name("guards.txt")


async def missing_guards(pool: "Pool") -> list[Trouble]:
    """A trouble for each guard that is gone, does not act or says something else, and for what stands in its way."""
    found = {row["guard"]: row for row in await pool.fetch(GUARDS)}
    wrong = dict.fromkeys(_expected().keys() - found.keys(), "it is not there")
    for guard, row in found.items():
        made = _expected().get(guard)
        if made is None and row["alone"]:
            wrong[guard] = "no migration made it"
        elif made is not None and (row["amiss"] or row["made"] != made):
            wrong[guard] = row["amiss"] or "it is not as its migration made it"
    return [Trouble(kind=Kind.GUARD_MISSING, subject=guard, what=what) for guard, what in sorted(wrong.items())]


@cache
def _expected() -> dict[str, str]:
    """What each guard that the migrations make says, by its name."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {guard: made for guard, _, made in (line.rpartition(" ") for line in lines)}


GUARDS: Final = r"""
    with place as (
        select c.oid, n.nspname || '.' || c.relname as name, c.relkind
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('casefile', 'intake', 'payments', 'reporting', 'tradelog', 'web')
            and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    ), guard (guard, said, amiss, alone) as (
        select p.name || ' trigger ' || t.tgname, pg_get_triggerdef(t.oid),
            case when t.tgenabled not in ('O', 'A') then 'it is disabled' end, true
        from pg_trigger t join place p on p.oid = t.tgrelid
        where not t.tgisinternal
        union all
        select p.name || ' rule ' || r.rulename, pg_get_ruledef(r.oid), null, true
        from pg_rewrite r join place p on p.oid = r.ev_class
        where r.rulename <> '_RETURN'
        union all
        select p.name || ' constraint ' || k.conname, pg_get_constraintdef(k.oid),
            case when not k.convalidated or exists (
                select from pg_trigger t where t.tgconstraint = k.oid and t.tgenabled not in ('O', 'A')
            ) then 'it is disabled' end, false
        from pg_constraint k join place p on p.oid = k.conrelid
        where k.contype in ('c', 'f', 'x')
        union all
        select p.name || ' index ' || x.relname, pg_get_indexdef(i.indexrelid),
            case when not i.indisvalid then 'it is disabled' end, false
        from pg_index i join place p on p.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
        where i.indisunique
        union all
        select n.nspname || '.' || f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ') function',
            concat_ws(' ', f.prosrc, pg_get_function_sqlbody(f.oid), f.prosecdef, f.proconfig), null, false
        from pg_proc f join pg_namespace n on n.oid = f.pronamespace
        where n.nspname in ('casefile', 'intake', 'payments', 'reporting', 'tradelog', 'web')
        union all
        select p.name || ' redress_writer may not ' || may, may,
            case when has_table_privilege(w.oid, p.oid, may)
                or may in ('insert', 'update') and has_any_column_privilege(w.oid, p.oid, may)
            then 'it was granted' end, false
        from place p cross join unnest(array['insert', 'update', 'delete', 'truncate', 'trigger']) as one (may)
            left join pg_roles w on w.rolname = 'redress_writer'
        union all
        select 'triggers act', '', case when current_setting('session_replication_role') = 'replica'
            then 'session_replication_role is replica' end, false
    )
    select guard, amiss, alone,
        left(encode(sha256(convert_to(regexp_replace(said, '[\s()]', '', 'g'), 'UTF8')), 'hex'), 12) as made
    from guard
"""
"""What guards the record: triggers, constraints, functions, and what the writer may not; ``amiss`` is why one does not.

``alone`` are those of which each must be the migrations' own. Blanks and parentheses do not count, which versions of
PostgreSQL set in their own ways.
"""
