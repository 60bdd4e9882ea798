"""Small situations, each reckoned by hand: what is found of them on PostgreSQL, in a complaint and in an incident."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pytest

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, InvestigationRequest
from domain.checks.recompute import recompute
from domain.ground.base import Record
from domain.incidents.incident import Fault
from domain.log.trade_log import Instrument, Order, OrderState, OrderType, Quote, Side
from tests.checks.rows import ACCOUNT, TABLES, after, fill, order, position, store
from tests.incidents.minute import Pool, new
from tests.incidents.test_cohort import Desk

D = Decimal
GOLD: Final = "XAUUSD"
SPREADS: Final = {GOLD: D("0.30")}
INSTRUMENTS: Final[Sequence[Instrument]] = ()
DAY: Final = 86_400
AS_OF: Final = after(30 * DAY)


class Situation(NamedTuple):
    """What the log holds, what is asked of it, and what must be found: of each check and subject verdict and harm.

    ``listed`` is what an incident of ``fault`` makes of the account.
    """

    rows: Iterable[Record]
    check: Check
    trades: tuple[str, ...]
    found: dict[str, tuple[str, str | None]]
    fault: Fault | None = None
    listed: tuple[str, str | None] | None = None


def feed(
    symbol: str = GOLD,
    bid: str = "1940.00",
    *moves: tuple[float, str],
    since: float = -70,
    until: float = 100,
    step: float = 1,
    wrong: tuple[str, float, float, str] | None = None,
) -> list[Quote]:
    """Quotes of three sources: *bid*, and from each second of *moves* on another; one source is *wrong* for a while."""
    rows = []
    for number in range(int((until - since) / step) + 1):
        at, stands = since + number * step, bid
        for second, price in moves:
            stands = price if at >= second else stands
        for source in ("LP-A", "LP-B", "LP-C"):
            own = wrong[3] if wrong and source == wrong[0] and wrong[1] <= at < wrong[2] else stands
            rows.append(Quote(symbol=symbol, source=source, at=after(at), bid=D(own), ask=D(own) + SPREADS[symbol]))
    return rows


def ordered(name: str, kind: OrderType, price: str | None = None, at: float | None = None, **more: Any) -> Order:
    """A sell of one lot that closes P1."""
    asked, came = D(price) if price else None, None if at is None else after(at)
    return order(kind, order=name, price=asked, received_at=came, **({"position": "P1"} | more))


def _waited_for_days() -> dict[str, Situation]:
    """Gold was at 1920.00 for 50 minutes two days ago."""
    rows = [
        *feed(GOLD, "1940.00", (-2 * DAY, "1920.00"), (-2 * DAY + 3000, "1940.00"), since=-3 * DAY, step=300),
        *feed(GOLD, "1940.00", (-2 * DAY, "1920.00"), since=-2 * DAY - 90, until=-2 * DAY + 90),
    ]
    fault = Fault(symbol=GOLD, since=after(-2 * DAY - 60), until=after(-2 * DAY + 60))
    cancelled: dict[str, Any] = {"state": OrderState.CANCELLED, "ended_at": after(60)}
    buy: dict[str, Any] = {"side": Side.BUY, "position": None}
    return {
        "a stop was passed two days before it ended: (1920 − 1915) × 100": Situation(
            [
                *rows,
                position(opened_at=after(-3 * DAY), close_price=D(1915), closed_at=after(60)),
                ordered("L1", OrderType.STOP_LOSS, "1930", -3 * DAY, **cancelled),
                ordered("M1", OrderType.MARKET),
                fill("1915", order="M1", at=after(60), position="P1"),
            ],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("firm_fault", "USD 500.00")},
            fault,
            ("harmed", "USD 500.00"),
        ),
        "a limit was passed and still waits: a person": Situation(
            [*rows, ordered("L1", OrderType.LIMIT, "1930", -3 * DAY, **buy)],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("inconclusive", None)},
            fault,
            ("unclear", None),
        ),
        "a limit waited for half a year: what was before nobody looked at": Situation(
            [*feed(), ordered("L1", OrderType.LIMIT, "1930", -180 * DAY, **cancelled, **buy)],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("inconclusive", None)},
        ),
    }


SITUATIONS: Final = _waited_for_days()


@pytest.mark.parametrize("name", SITUATIONS)
async def test_what_is_found_is_what_was_reckoned_by_hand(pool: Pool, name: str) -> None:
    situation = SITUATIONS[name]
    rows = dict.fromkeys(situation.rows)
    await store(pool, *INSTRUMENTS, *sorted({(row.__class__, _key(row)): row for row in rows}.values(), key=_table))
    request = InvestigationRequest(checks=(situation.check,), account=ACCOUNT, trades=situation.trades, as_of=AS_OF)
    found = (await Investigating(TradeLog(pool)).investigate(request)).findings
    told = {each.subject: (each.verdict.value, str(each.harm) if each.harm else None) for each in found}
    assert told == situation.found, [each.reason.en for each in found]
    assert recompute(found, [each.hash for each in found]) == ()
    if situation.fault is not None:
        desk, incident = Desk(pool), new(fault=situation.fault)
        await desk.list(incident)
        member = (await desk.members(incident))[ACCOUNT]
        assert (member.state.value, str(member.harm) if member.harm else None) == situation.listed


def _table(row: Record) -> str:
    return TABLES[type(row)]


def _key(row: Record) -> tuple[Any, ...]:
    """What names *row*: two feeds may have a quote in common."""
    return (row.symbol, row.source, row.at) if isinstance(row, Quote) else tuple(row.model_dump().values())[:1]
