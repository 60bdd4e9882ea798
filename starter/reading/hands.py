"""Whose hands a case is in and was in, and why: what was asked of the directory, asked again."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Instant, Record
from domain.people.recusal import Recusal
from domain.people.routing import Candidate, Need, route
from domain.people.signs import StandingSign, standing
from record.directory import read_directory
from record.hands import recorded_recusals, sign_changes
from record.reviews import barred_from
from starter.reading.database import masking, must_see

if TYPE_CHECKING:
    from runtime.database import Pool


class Assignment(Record):
    """A time when a case was given to somebody: ``cause`` is why, ``by`` who did so.

    Of what the system decided ``candidates`` are those it looked at, the best first, by the ``directory`` of that
    version, and ``reproduced`` is whether the same need leads to the same person again. A person's own decision has
    neither.
    """

    number: int
    at: Instant
    cause: str
    person: str | None
    role: str
    team: str | None
    by: str
    directory: int | None
    need: Need | None
    candidates: tuple[Candidate, ...] = ()
    reproduced: bool | None = None


class Hands(Record):
    """All assignments of a case, the first first, and who is kept out of it."""

    reference: str
    assignments: tuple[Assignment, ...]
    recusals: tuple[Recusal, ...]


async def explain_route(pool: "Pool", reference: str) -> Hands:
    """Why the case is in the hands it is in. Raises ``CaseNotFound``."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await must_see(connection, reference)
        assignments = []
        for row in await connection.fetch(_ASSIGNMENTS, reference):
            said: dict[str, Any] = dict(row)
            if row["need"] is not None:
                need = Need.model_validate(row["need"])
                again = route(need, await read_directory(connection, row["directory"]))
                same = (again.person, again.role.value) == (row["person"], row["role"])
                said |= {"need": need, "candidates": again.candidates, "reproduced": same}
            assignments.append(Assignment(**said))
        masked = await masking(connection)
        recorded = await recorded_recusals(connection, reference)
        recusals = [one.model_copy(update={"about": masked(one.about)}) for one in recorded]
    return Hands(reference=reference, assignments=tuple(assignments), recusals=tuple(recusals))


async def who_may_not_review(
    pool: "Pool", references: Sequence[str], at: datetime
) -> tuple[dict[str, set[str]], set[str]]:
    """Who may not review each of these cases *at* that moment; and which cases are hidden from who looks."""
    async with pool.acquire() as connection:
        barred = await barred_from(connection, references, at)
        hidden = {row["reference"] for row in await connection.fetch(_HIDDEN)}
    return barred, hidden


async def read_signs(pool: "Pool", reference: str) -> list[StandingSign]:
    """The signs that stand in a case, as they were raised. Raises ``CaseNotFound``."""
    async with pool.acquire() as connection:
        await must_see(connection, reference)
        return standing(await sign_changes(connection, reference))


_HIDDEN: Final = "select casefile.hidden_cases() as reference"
_ASSIGNMENTS: Final = """
    select number, at, cause, person, role, team, by, directory, need from casefile.assignments
    where reference = $1 order by number
"""
