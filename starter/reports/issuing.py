"""What was issued, a report or a return: noted and signed, and made again later to see whether it still is the same."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Instant, Record
from domain.learning.balance import DoesNotBalance
from domain.learning.periods import Period
from record.chain_verifier import read_signed
from record.facts import NoSuchCutOff

if TYPE_CHECKING:
    from runtime.database import Pool

Sign = Callable[[Mapping[str, Any]], str]
TYPE: Final = "redress-report"
"""Of the tokens of what was issued."""


class Statement(Record):
    """What is said of a report or return when it is issued: what it is on, the record it rests on, and its figures.

    ``entity`` where it is of one company of the firm alone.
    """

    report: str
    period: str
    zone: str
    entity: str | None = None
    cut_off: int
    record: str
    hash: str

    @property
    def scope(self) -> dict[str, str]:
        return {"zone": self.zone} | ({"entity": self.entity} if self.entity else {})

    @property
    def said(self) -> dict[str, Any]:
        """What is signed."""
        return self.model_dump(exclude_none=True)


class Issued(Record):
    """What was issued, and what is not as it was then: nothing, unless the record or our code is another.

    ``signed``: whether the signature on it is ours and says the same; ``None`` where it was issued without one.
    """

    cut_off: int
    at: Instant
    by: str
    record_changed: bool
    figures_changed: bool
    signed: bool | None


async def issue(pool: "Pool", statement: Statement, by: str, sign: Sign | None = None) -> None:
    """Write down that it was issued by whom: later ones on its period show what has changed since the first.

    *sign* makes the token of the statement.
    """
    token = sign(statement.said) if sign else None
    values = (statement.report, statement.period, statement.scope, statement.cut_off, statement.hash)
    await pool.execute(_ISSUE, *values, datetime.now(UTC), by, statement.record, token)


async def first_issued(pool: "Pool", report: str, period: Period, number: int) -> int | None:
    """The cut-off of the first of that name on *period*, of those up to *number*."""
    found = await pool.fetchval(_FIRST, report, period.name, {"zone": period.zone}, number)
    return None if found is None else int(found)


async def verify(
    pool: "Pool",
    report: str,
    period: Period,
    make: Callable[[int], Awaitable[Statement]],
    keys: Mapping[str, bytes],
    *,
    entity: str | None = None,
) -> list[Issued]:
    """*make* each that was issued of that name on *period* again, up to its cut-off, and compare.

    *keys* are the public ones of who signs.
    """
    scope = {"zone": period.zone} | ({"entity": entity} if entity else {})
    found = []
    for row in await pool.fetch(_ISSUED, report, period.name, scope):
        again: Statement | None
        try:
            again = await make(row["cut_off"])
        except (NoSuchCutOff, DoesNotBalance):
            again = None
        told = again.said | {"record": row["record"], "hash": row["hash"]} if again else {}
        found.append(
            Issued(
                cut_off=row["cut_off"],
                at=row["at"],
                by=row["by"],
                record_changed=again is None or row["record"] not in {None, again.record},
                figures_changed=again is None or row["hash"] != again.hash,
                signed=_says(row["token"], keys) == told if row["token"] else None,
            )
        )
    return found


def _says(token: str, keys: Mapping[str, bytes]) -> Any:
    try:
        return read_signed(token, TYPE, keys)
    except ValueError:
        return None


_FIRST: Final = """
    select cut_off from reporting.issued
    where report = $1 and period = $2 and scope = $3 and cut_off <= $4 order by id limit 1
"""
_ISSUE: Final = """
    insert into reporting.issued (report, period, scope, cut_off, hash, at, by, record, token)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_ISSUED: Final = """
    select cut_off, hash, at, by, record, token from reporting.issued
    where report = $1 and period = $2 and scope = $3 order by id
"""
