"""The bad minute of 13 November 2023: one provider's quote of gold, 16 dollars too low, and whom it touched."""

from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg

from domain.ground.base import Record
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.incidents.incident import Fault, NewIncident
from domain.log.trade_log import OrderType, Side
from tests.checks.rows import AT, after, balance, fill, order, position, quote, steady, store, terms

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

DEALER = Actor(id="d-1", role=Role.HANDLER)
APPROVER = Actor(id="a-3", role=Role.APPROVER)

STOPPED = "70010001"
"""A stop-loss at 1925.00 on 0.8 lots, set off and filled at 1920.96: 16.43 × 80 = USD 1,314.40 by the middle price."""
LIQUIDATED = "70010002"
"""0.8 lots forcibly liquidated at 1920.96 at a margin level that only the bad quote made: USD 1,314.40."""
SOLD = "70010003"
"""A market order over one lot, sold at 1920.96: USD 1,643.00."""
BOUGHT = "70010004"
"""A market order over one lot, bought at 1921.26: it gained."""
ELSEWHERE = "70010005"
"""A market order filled at the price of another provider, in the same minute."""
INCOMPLETE = "70010006"
"""A fill of which the log has no order."""
LATER = "70010007"
"""A fill at a bad price, an hour later."""

QUOTES = (
    *steady("LP-B", "1937.36"),
    *steady("LP-C", "1937.42"),
    *(quote("LP-A", second, "1920.96" if second == 0 else "1937.40") for second in range(-10, 11)),
)
FAULT = Fault(symbol="XAUUSD", since=after(-30), until=after(30))


def trade(
    account: str, at_price: str, side: Side = Side.SELL, kind: OrderType = OrderType.MARKET, **more: Any
) -> list[Record]:
    """An order of *account* and its fill, with ids of their own."""
    volume = {"volume": Decimal(more.pop("volume", "1"))}
    filled = {"fill": f"F-{account}", "order": f"O-{account}", "account": account, **volume}
    return [
        order(kind, side, order=f"O-{account}", account=account, **volume, **more),
        fill(at_price, side, **filled),
    ]


def touched() -> list[Record]:
    """Everybody's rows, by kind."""
    held = {"volume": Decimal("0.8"), "close_price": Decimal("1920.96"), "closed_at": AT}
    rows: list[Record] = [
        *QUOTES,
        position(position="P-1", account=STOPPED, stop=Decimal("1925.00"), close_reason="stop_loss", **held),
        position(position="P-2", account=LIQUIDATED, close_reason="stop_out", **held),
        *trade(STOPPED, "1920.96", kind=OrderType.STOP_LOSS, price=Decimal("1925.00"), position="P-1", volume="0.8"),
        *trade(LIQUIDATED, "1920.96", kind=OrderType.STOP_OUT, position="P-2", volume="0.8"),
        *trade(SOLD, "1920.96"),
        *trade(BOUGHT, "1921.26", Side.BUY),
        order(order=f"O-{ELSEWHERE}", account=ELSEWHERE),
        fill("1937.36", fill=f"F-{ELSEWHERE}", order=f"O-{ELSEWHERE}", account=ELSEWHERE, source="LP-B"),
        fill("1937.36", fill=f"F-{INCOMPLETE}", order=f"O-{INCOMPLETE}", account=INCOMPLETE),  # its order is not there
        order(order=f"O-{LATER}", account=LATER),
        fill("1920.96", fill=f"F-{LATER}", order=f"O-{LATER}", account=LATER, at=after(3600)),
        terms(account=LIQUIDATED),
        balance("1800", account=LIQUIDATED),
    ]
    return sorted(rows, key=lambda row: type(row).__name__)


async def bad_minute(pool: Pool, *more: Record) -> None:
    """Put the minute into the trade log."""
    await store(pool, *sorted([*touched(), *more], key=lambda row: type(row).__name__))


def new(**changes: Any) -> NewIncident:
    given = {
        "fault": FAULT,
        "title": Bilingual(en="A provider's quote of gold was wrong", zh="一家报价商的黄金报价有误"),
        "opened_by": DEALER,
        "per_minute": 6_000,
    }
    return NewIncident(**(given | changes))
