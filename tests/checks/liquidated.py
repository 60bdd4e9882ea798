"""Accounts around a forced liquidation: gold that falls, the rows of one account, and what the check says of it.

Three sources quote once a second, at 2000.00 and from second 30 on at :data:`FALLEN`; an account is long from 2005.00.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.ground.base import Record
from domain.log.firm_records import AccountTerms, Balance
from domain.log.trade_log import Fill, Instrument, Order, OrderType, Position, Quote, Side
from tests.checks.rows import run

START: Final = datetime(2024, 3, 11, 10, tzinfo=UTC)
FALLEN: Final = "1985.00"
OWNER: Final = "A57"
METAL: Final = Instrument(symbol="GOLD.h3", contract_size=Decimal(100), currency="USD", digits=2)
_NAMES: Final = {Order: "orders", Fill: "fills", Position: "positions", Quote: "quotes"}


def second(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def prices(*, wrong: Iterable[int] = (), fallen: str | None = FALLEN, of: str = "1985.00") -> list[Quote]:
    """A minute of quotes; at the seconds *wrong* LP-A gives *of*, whatever the others say."""
    rows = []
    for at in range(60):
        for source, apart in (("LP-A", "0"), ("LP-B", "0.02"), ("LP-C", "-0.02")):
            bid = Decimal(fallen if fallen and at >= 30 else "2000.00") + Decimal(apart)
            if source == "LP-A" and at in wrong:
                bid = Decimal(of)
            rows.append(Quote(symbol=METAL.symbol, source=source, at=second(at), bid=bid, ask=bid + Decimal("0.30")))
    return rows


def long(name: str = "P", lots: str = "2", price: str = "2005.00", **more: Any) -> Position:
    values = {
        "position": name,
        "account": OWNER,
        "symbol": METAL.symbol,
        "side": Side.BUY,
        "volume": Decimal(lots),
        "open_price": Decimal(price),
        "opened_at": second(-3600),
    }
    return Position(**(values | more))


def liquidation(name: str, position: str, lots: str, at: float = 31.3, **more: Any) -> Order:
    values = {
        "order": name,
        "account": OWNER,
        "symbol": METAL.symbol,
        "side": Side.SELL,
        "type": OrderType.STOP_OUT,
        "volume": Decimal(lots),
        "position": position,
        "received_at": second(at),
    }
    return Order(**(values | more))


def closing(name: str, order: str, lots: str, price: str, at: float, *, position: str = "P", **more: Any) -> Fill:
    values = {
        "fill": name,
        "order": order,
        "account": OWNER,
        "symbol": METAL.symbol,
        "side": Side.SELL,
        "volume": Decimal(lots),
        "price": Decimal(price),
        "at": second(at),
        "source": "LP-A",
        "position": position,
        "effect": "close",
    }
    return Fill(**(values | more))


def money(amount: str, **more: Any) -> Balance:
    values = {"balance": "B", "account": OWNER, "at": second(-7200), "amount": Decimal(amount), "currency": "USD"}
    return Balance(**(values | more))


TERMS: Final = AccountTerms(
    terms="T",
    account=OWNER,
    effective_from=second(-1e6),
    currency="USD",
    leverage=Decimal(100),
    stop_out_level=Decimal(50),
    client_class="retail",
)


def facts_of(*rows: Record, balance: str = "5000", quotes: Iterable[Quote] | None = None, **more: Any) -> LogFacts:
    tables: dict[str, Any] = {
        "instruments": (METAL,),
        "account_terms": (TERMS,),
        "balances": (money(balance),),
        "quotes": tuple(prices() if quotes is None else quotes),
    }
    for row in rows:
        tables.setdefault(_NAMES[type(row)], []).append(row)
    return LogFacts.model_validate(tables | more)


def judged(facts: LogFacts, subject: str = "S", **tolerances: Any) -> Finding:
    """The finding; made again from itself it is the same."""
    given = Given(tolerances=Tolerances(**tolerances), as_of=second(86_400))
    finding = run(Check.STOP_OUT, subject, facts, given)
    stored = Finding.model_validate_json(finding.model_dump_json())
    assert recompute([stored], [finding.hash]) == ()
    return finding
