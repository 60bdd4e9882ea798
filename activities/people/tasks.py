"""Tasks written into the record, and given to somebody named who may have them.

Called within the transaction that records what happened to them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from domain.case.task_kinds import TASKS
from domain.clocks.deadlines import Occurred
from domain.ground.base import person_of
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Role, TaskKind
from domain.people.directory import Directory
from domain.people.routing import Need, route
from record.directory import has_left

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.database import Connection

BEARING: Final = frozenset(
    {"task_given", "task_ended", "task_reassigned", "task_reminded", "task_overdue", "task_raised", "reset"}
)
"""The entries of a timeline that say something of a task."""


async def write_tasks(connection: "Connection", reference: str, entries: Collection[Entry]) -> None:
    """Write down what the *entries* say of tasks; again, it changes nothing."""
    for entry in entries:
        if entry.kind not in BEARING:
            continue
        said = entry.data
        if entry.kind == "reset":
            await _begin_anew(connection, reference, entry)
            continue
        number = said["number"]
        if entry.kind == "task_given":
            given = (said["kind"], said["role"], said.get("named", False), said.get("owner"), entry.at, entry.actor)
            await connection.execute(_GIVE, reference, number, entry.journal, *given)
        elif entry.kind == "task_ended":
            await connection.execute(_END, reference, number, entry.journal, entry.at, entry.actor, said["how"])
        elif entry.kind == "task_reassigned":
            await connection.execute(_REASSIGN, reference, number, entry.journal, said["owner"])
        elif entry.kind == "task_raised":
            await connection.execute(_RAISE, reference, number, entry.journal, said["level"], said["role"])
        elif entry.kind == "task_overdue":
            await connection.execute(_OVERDUE, reference, number, entry.journal)


async def lost_tasks(connection: "Connection", reference: str, entries: Collection[Entry]) -> list[Occurred]:
    """The ends of the tasks that a workflow which was reset has no more, so that their clocks end with them."""
    return [
        Occurred(event=CaseEvent.TASK_ENDED, at=entry.at, number=row["number"], of=row["number"])
        for entry in entries
        if entry.kind == "reset"
        for row in await connection.fetch(_LOST, reference, entry.at, _numbers(entry))
    ]


async def _begin_anew(connection: "Connection", reference: str, entry: Entry) -> None:
    """The workflow was reset: its tasks stand as they did at that moment, and those given since have ended."""
    for row in await connection.fetch(_LOST, reference, entry.at, _numbers(entry)):
        number, does = row["number"], TASKS[TaskKind(row["kind"])].does.en
        await connection.execute(_END, reference, number, entry.journal, entry.at, str(SYSTEM), _WAS_RESET)
        data = {"number": number, "how": _WAS_RESET}
        values = (entry.at, "task_ended", str(SYSTEM), f"task {number}: {does}, {_WAS_RESET}", data)
        await connection.execute(_NOTE, reference, f"task_lost:{number}", *values)
    for task in entry.data.get("tasks", ()):
        stood = (task["role"], task["named"], task["owner"], task["level"], task["overdue"])
        await connection.execute(_STOOD, reference, task["number"], entry.journal, *stood)


def _numbers(entry: Entry) -> list[int]:
    return [task["number"] for task in entry.data.get("tasks", ())]


_WAS_RESET: Final = "the workflow was reset to before it was given"


@dataclass(frozen=True)
class Giving:
    """The open tasks of a case, each to be with somebody named who is not kept out.

    ``need`` says what the case needs of somebody in a role; ``handler`` is who has the case.
    """

    connection: "Connection"
    reference: str
    directory: Directory
    out: Mapping[str, str]
    handler: str | None
    at: datetime
    need: "Callable[[Role], Awaitable[Need]]"

    async def see_to_owners(self, looked_at: Collection[int]) -> None:
        """Find an owner for every open task that has none who may have it; absences count for those *looked_at*."""
        for task in await self.connection.fetch(_OPEN, self.reference):
            away = task["number"] in looked_at
            left = await has_left(self.connection, self.directory, task["owner"])
            if (cause := self._cause(task, away, left)) is None:
                continue
            person = await self._somebody(Role(task["role"]), task["level"])
            if person is None and task["owner"] is None:
                continue
            await self._hand(task, person, cause)

    def _cause(self, task: asyncpg.Record, looked_at: bool, left: bool) -> str | None:
        """Why somebody is to be looked for; ``None`` where who has it can keep it."""
        owner = self.directory.find(task["owner"]) if task["owner"] else None
        if task["owner"] is None:
            return "it was raised" if task["level"] else "nobody had it"
        if person_of(task["owner"]) in self.out:
            return "who had it is kept out"
        if owner is None:
            return "who had it does no longer" if left or not task["named"] else None
        if looked_at and owner.away(self.at.date()):
            return "who had it is away"
        follows = not task["named"] and not task["level"] and task["role"] == Role.HANDLER
        if follows and self._holder and self._holder.person != owner.person:
            return "somebody else has the case"
        return None

    @property
    def _holder(self) -> Any:
        """Who has the case, if they may have its tasks and are there."""
        holder = self.directory.find(self.handler) if self.handler else None
        return holder if holder and holder.person not in self.out and not holder.away(self.at.date()) else None

    async def _somebody(self, role: Role, level: int) -> str | None:
        holder = self._holder
        if role is Role.HANDLER and not level and holder:
            return str(holder.id)
        return route(await self.need(role), self.directory).person

    async def _hand(self, task: asyncpg.Record, person: str | None, cause: str) -> None:
        turn = await self.connection.fetchval(_HAND, self.reference, task["number"], person)
        number, does = task["number"], TASKS[TaskKind(task["kind"])].does.en
        said = f"task {number}: {does}, is with {person or 'nobody'} ({cause})"
        data = {"number": number, "owner": person, "directory": self.directory.version}
        key = f"task_owner:{number}:{turn}"
        values = (self.reference, key, self.at, "task_owner", str(SYSTEM), said, data)
        await self.connection.execute(_NOTE, *values)


# What a letter takes along is told again with its acceptance, when the task may have gone on: of what is told twice the
# first counts.
_GIVE: Final = """
    insert into casefile.tasks (reference, number, journal, kind, role, named, owner, given_at, given_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict do nothing
"""
_LOST: Final = """
    select number, kind from casefile.tasks
    where reference = $1 and given_at < $2 and number <> all($3::integer[]) and ended_at is null order by number
"""
_STOOD: Final = """
    update casefile.tasks set journal = $3, role = $4, named = $5, owner = $6, level = $7, overdue = $8,
        ended_at = null, ended_by = null, how = null
    where (reference, number) = ($1, $2) and journal < $3
"""
_END: Final = """
    update casefile.tasks set journal = $3, ended_at = $4, ended_by = $5, how = $6
    where (reference, number) = ($1, $2) and journal < $3
"""
_REASSIGN: Final = """
    update casefile.tasks set journal = $3, owner = $4, named = true, turns = turns + 1
    where (reference, number) = ($1, $2) and journal < $3
"""
_RAISE: Final = """
    update casefile.tasks set journal = $3, level = $4, role = $5, owner = null, named = false
    where (reference, number) = ($1, $2) and journal < $3
"""
_OVERDUE: Final = """
    update casefile.tasks set journal = $3, overdue = true where (reference, number) = ($1, $2) and journal < $3
"""
_OPEN: Final = """
    select number, kind, role, named, owner, level from casefile.tasks
    where reference = $1 and ended_at is null order by number
"""
_HAND: Final = """
    update casefile.tasks set owner = $3, turns = turns + 1 where (reference, number) = ($1, $2) returning turns
"""
_NOTE: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
