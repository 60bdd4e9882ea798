"""Contract specifications: dated, and corrected by naming who says so, why, and what rests on the old one."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.people import Actor
from domain.log.trade_log import Instrument

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]


class UnknownInstrument(LookupError):
    """The trade log has no such instrument."""


class NothingToCorrect(ValueError):
    """The specification is already what it is said to be."""


class Specification(Record):
    """What a lot is from ``effective_from`` on (``None``: from the beginning), by whom it was recorded and why."""

    instrument: Instrument
    effective_from: Instant | None
    recorded_at: Instant | None
    recorded_by: str | None
    reason: str | None


class Correction(Record):
    """A correction that was recorded, and what rests on the specification before it, as far as who looks may see.

    ``cases`` and ``incidents`` have findings computed with another specification than now holds; ``fills`` and
    ``positions`` count the rows of the log from then on.
    """

    old: Instrument
    new: Instrument
    effective_from: Instant | None
    cases: tuple[str, ...]
    incidents: tuple[str, ...]
    fills: int
    positions: int


async def specifications(pool: "Pool", symbol: str) -> list[Specification]:
    """All that was recorded of *symbol*, the first first. Raises :class:`UnknownInstrument`."""
    rows = await pool.fetch(_SPECIFICATIONS, symbol)
    if not rows:
        raise UnknownInstrument(f"the trade log knows no instrument {symbol}")
    return [
        Specification(
            instrument=Instrument.model_validate({name: row[name] for name in Instrument.model_fields}),
            effective_from=row["effective_from"],
            recorded_at=row["recorded_at"],
            recorded_by=row["recorded_by"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def correct(
    pool: "Pool",
    symbol: str,
    changes: dict[str, Decimal | str | int],
    *,
    effective_from: datetime | None,
    by: Actor,
    reason: str,
    dry_run: bool = False,
) -> Correction:
    """Record that from *effective_from* on (``None``: from the beginning) a lot of *symbol* is what *changes* say.

    Raises :class:`UnknownInstrument`, :class:`NothingToCorrect`, or ``pydantic.ValidationError`` for a value that no
    instrument has.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_IN_FORCE, symbol, effective_from)
        if row is None:
            raise UnknownInstrument(f"the trade log knows no instrument {symbol}")
        old = Instrument.model_validate(dict(row))
        new = Instrument.model_validate(old.model_dump() | changes)
        if new == old:
            raise NothingToCorrect(f"{symbol} is already so then: {_told(old)}")
        resting = await connection.fetchrow(_RESTING, symbol, effective_from)
        cases = await connection.fetch(_CASES, symbol)
        incidents = await connection.fetch(_INCIDENTS, symbol)
        if not dry_run:
            await connection.execute(
                _CORRECT, symbol, effective_from, new.contract_size, new.currency, new.digits, str(by), reason
            )
    assert resting is not None  # noqa: S101 (it counts)
    return Correction(
        old=old,
        new=new,
        effective_from=effective_from,
        cases=tuple(each["reference"] for each in cases),
        incidents=tuple(each["reference"] for each in incidents),
        fills=resting["fills"],
        positions=resting["positions"],
    )


def _told(instrument: Instrument) -> str:
    return f"{instrument.contract_size} units a lot, {instrument.currency}, {instrument.digits} digits"


_SPECIFICATIONS: Final = """
    select symbol, contract_size, currency, digits, null::timestamptz as effective_from,
        null::timestamptz as recorded_at, null as recorded_by, null as reason
    from tradelog.instruments where symbol = $1
    union all
    select symbol, contract_size, currency, digits, nullif(effective_from, '-infinity'), recorded_at, recorded_by,
        reason
    from tradelog.instrument_corrections where symbol = $1
    order by recorded_at nulls first
"""

_IN_FORCE: Final = """select * from tradelog.specification($1, coalesce($2::timestamptz, '-infinity'))"""

_RESTING: Final = """
    select
        (select count(*) from tradelog.fills
            where symbol = $1 and at >= coalesce($2::timestamptz, '-infinity')) as fills,
        (select count(*) from tradelog.positions
            where symbol = $1 and coalesce(closed_at, 'infinity') >= coalesce($2::timestamptz, '-infinity')
        ) as positions
"""

_CASES: Final = """
    select distinct reference from casefile.timeline
    where kind = 'finding' and data -> 'instruments' ? $1::text and reference not in (select casefile.hidden_cases())
    order by reference
"""

_INCIDENTS: Final = """
    select distinct reference from casefile.cohort_members
    where jsonb_path_exists(findings, '$[*].instruments[*] ? (@ == $symbol)', jsonb_build_object('symbol', $1::text))
    order by reference
"""

_CORRECT: Final = """
    insert into tradelog.instrument_corrections
        (symbol, effective_from, contract_size, currency, digits, recorded_by, reason)
    values ($1, coalesce($2::timestamptz, '-infinity'), $3, $4, $5, $6, $7)
"""
