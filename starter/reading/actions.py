"""Corrective actions and complaints about binary options, as lists from PostgreSQL."""

from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Instant, Record

if TYPE_CHECKING:
    from runtime.database import Pool


class ActionLine(Record):
    """A step of a corrective action."""

    action: str
    number: int
    at: Instant
    step: str
    by: str
    data: dict[str, Any]


class OptionLine(Record):
    """A complaint about a binary option, as the status table has it. ``name`` is ``erased`` where it was erased."""

    number: str
    name: str
    time: Instant
    type: str
    handler: str | None
    status: str
    handled_at: Instant | None
    outcome: str | None
    awarded: str | None
    remark: str


async def steps_of(pool: "Pool", action: str) -> list[ActionLine]:
    """The steps of an action, in order; none where there is no such action."""
    return [ActionLine(**row) for row in await pool.fetch(_STEPS, action)]


async def option_complaints(pool: "Pool", limit: int = 10_000) -> list[OptionLine]:
    """Complaints about binary options, the last received first: the *limit* that were the last to be known as such."""
    return [
        OptionLine(
            number=row["number"],
            name=row["name"] or "erased",
            time=row["time"],
            type=row["type"],
            handler=row["handler"],
            status=row["status"],
            handled_at=row["handled_at"],
            outcome=row["outcome"],
            awarded=row["awarded"],
            remark=", ".join(filter(None, ((row["outcome"] or "").replace("_", " "), row["awarded"]))),
        )
        for row in await pool.fetch(_OPTIONS, limit)
    ]


_STEPS: Final = """
    select action, number, at, step, by, data from reporting.actions where action = $1 order by number
"""
_OPTIONS: Final = """
    select o.number, o.time, o.type, o.handler, o.status, o.handled_at, o.outcome, o.awarded, (
        select c.name from casefile.contacts c where c.reference = o.number order by c.id desc limit 1) as name
    from reporting.option_complaints o
    where o.number = any(array(
            select reference from reporting.facts f
            where f.kind = 'finding' and f.data ->> 'check' = 'binary_option'
                or f.kind = 'described' and f.data ->> 'product' ~* '(binary|二元)'
            group by reference order by min(number) desc limit $1))
        and not casefile.hidden(o.number)
    order by o.time desc, o.number
"""
