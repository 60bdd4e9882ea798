"""Reading tasks: whose they are, by when they are due, and what came of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from domain.case.task_kinds import TASKS
from domain.ground.base import Instant, Record, person_of
from domain.ground.words import Role, TaskKind
from starter.reading.database import must_see

if TYPE_CHECKING:
    from runtime.database import Connection, Pool

State = Literal["open", "overdue", "ended"]


class TaskView(Record):
    """A task: ``what`` its giver wrote, ``due`` when its clock ends, ``result`` what came of it.

    ``owner`` is nobody where the directory has nobody for its ``role``.
    """

    reference: str
    number: int
    kind: TaskKind
    what: str | None
    role: Role
    owner: str | None
    level: int
    given_at: Instant
    given_by: str
    due: Instant | None
    state: State
    ended_at: Instant | None = None
    ended_by: str | None = None
    how: str | None = None
    result: str | None = None

    @property
    def command(self) -> str:
        """The command that is the next step."""
        return TASKS[self.kind].command.format(self.reference, self.number)


async def get_tasks(
    pool: "Pool", now: datetime, *, reference: str | None = None, owner: str | None = None, limit: int = 200
) -> list[TaskView]:
    """All tasks of one case, in the order in which they were given; else what is open, of one *owner*, by due date.

    Tasks of cases that are hidden from who looks, or that their *owner* is kept out of by now, are in no list. Raises
    ``CaseNotFound``.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        if reference:
            await must_see(connection, reference)
            return await _views(connection, _OF_A_CASE, now, reference)
        if owner:
            return await _views(connection, _OF_AN_OWNER, now, person_of(owner), now, limit)
        return await _views(connection, _OPEN, now, limit)


async def _views(connection: "Connection", query: str, now: datetime, *values: object) -> list[TaskView]:
    found = []
    for row in await connection.fetch(query, *values):
        said = dict(row)
        given, end = said.pop("given") or {}, said.pop("end") or {}
        overdue = said.pop("overdue") or (said["due"] is not None and said["due"] < now)
        state = "ended" if said["ended_at"] else "overdue" if overdue else "open"
        found.append(TaskView(**said, state=state, what=given.get("what"), result=end.get("result")))
    return found


_SHOWN: Final = """
    select reference, number, kind, role, owner, level, given_at, given_by, overdue, ended_at, ended_by, how, due,
        (select data from casefile.timeline t where t.reference = tasks.reference and t.kind = 'task_given'
            and t.data -> 'number' = to_jsonb(tasks.number) order by id desc limit 1) as given,
        (select data from casefile.timeline t where t.reference = tasks.reference and t.kind = 'task_ended'
            and t.data -> 'number' = to_jsonb(tasks.number) and tasks.ended_at is not null
            order by id desc limit 1) as end
    from casefile.tasks
"""
_OF_A_CASE: Final = f"{_SHOWN} where reference = $1 order by number"
_OF_AN_OWNER: Final = f"""
    {_SHOWN} where casefile.person_of(owner) = $1 and ended_at is null
        and reference not in (select casefile.kept_out_of($1, $2))
        and reference not in (select casefile.hidden_cases())
    order by due nulls last, given_at, reference, number limit $3
"""
_OPEN: Final = f"""
    {_SHOWN} where ended_at is null and reference not in (select casefile.hidden_cases())
    order by due nulls last, given_at, reference, number limit $1
"""
