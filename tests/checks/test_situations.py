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
from domain.log.firm_records import ChargeSchedule, Happened, MarginRate, Outage
from domain.log.trade_log import Instrument, Order, OrderState, OrderType, Position, Quote, Side
from domain.money.parts import Rate
from tests.checks.rows import ACCOUNT, TABLES, after, balance, fill, happened, order, position, store, terms
from tests.incidents.minute import Pool, new
from tests.incidents.test_cohort import Desk

D = Decimal
GOLD: Final = "XAUUSD"
SILVER, EURO, YEN = "XAGUSD", "EURUSD", "USDJPY"
SPREADS: Final = {GOLD: D("0.30"), SILVER: D("0.030"), EURO: D("0.00010"), YEN: D("0.010")}
INSTRUMENTS: Final[Sequence[Instrument]] = (
    Instrument(symbol=SILVER, contract_size=D(5000), currency="USD", digits=3),
    Instrument(symbol=EURO, contract_size=D(100_000), currency="USD", digits=5),
    Instrument(symbol=YEN, contract_size=D(100_000), currency="JPY", digits=3),
)
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


def _bad_ticks() -> dict[str, Situation]:
    """Two sources were wrong for a second each, at two times."""
    fault = Fault(symbol=GOLD, since=after(-30), until=after(300))

    def waited(*moves: tuple[float, str], closed: str) -> list[Record]:
        first, second = (feed(GOLD, "1940.00", *moves, until=400, wrong=wrong) for wrong in _WRONG)
        return [
            *(quote for quote in first if quote.source != "LP-B"),
            *(quote for quote in second if quote.source == "LP-B"),
            position(close_price=D(closed), closed_at=after(350)),
            ordered("L1", OrderType.STOP_LOSS, "1930", -60),
            ordered("M1", OrderType.MARKET),
            fill(closed, order="M1", at=after(350), position="P1"),
        ]

    return {
        "single bad ticks of two sources are no market": Situation(
            waited(closed="1938"), Check.TRIGGER, ("L1",), {"L1": ("no_fault", "USD 0.00")}, fault, ("unharmed", None)
        ),
        "and it is reached when the market is there: (1929 − 1920) × 100": Situation(
            waited((200, "1929.00"), (300, "1920.00"), closed="1920"),
            Check.TRIGGER,
            ("L1",),
            {"L1": ("firm_fault", "USD 900.00")},
            fault,
            ("harmed", "USD 900.00"),
        ),
    }


_WRONG: Final = (("LP-A", 0, 1, "1925.00"), ("LP-B", 100, 101, "1925.00"))


def _liquidated(
    name: str, price: str, at: float, symbol: str = GOLD, *, source: str = "LP-A", side: Side = Side.SELL
) -> list[Record]:
    """One lot of the position P<name>, liquidated by S<name>."""
    common: dict[str, Any] = {"symbol": symbol, "position": f"P{name}"}
    return [
        ordered(f"S{name}", OrderType.STOP_OUT, None, at - 0.2, side=side, **common),
        fill(price, side, fill=f"F{name}", order=f"S{name}", at=after(at), source=source, **common),
    ]


def _held(name: str, closed: tuple[str, float] | None = None, symbol: str = GOLD, **more: Any) -> Position:
    gone = {"close_price": D(closed[0]), "closed_at": after(closed[1])} if closed else {}
    return position(position=f"P{name}", symbol=symbol, **(gone | more))


def _account(amount: str, **more: Any) -> list[Record]:
    return [terms(stop_out_level=D(50), **more), balance(amount, currency=more.get("currency", "USD"))]


def _liquidations_in_several() -> dict[str, Situation]:
    """Of accounts with several instruments, or several currencies."""
    return {
        "silver was wrong, and gold was closed at the price of a source that was right: (24 − 21) × 5000": Situation(
            [
                *_account("5000"),
                *feed(GOLD, "1940.00"),
                *feed(SILVER, "24.000", wrong=("LP-A", -5, 1, "21.000")),
                _held("1", ("1940", 0)),
                _held("2", ("21", 0.5), SILVER, open_price=D(24)),
                *_liquidated("1", "1940", 0, source="LP-B"),
                *_liquidated("2", "21", 0.5, SILVER),
            ],
            Check.STOP_OUT,
            ("S1",),
            {"S1": ("provider_fault", "USD 15,000.00")},
            Fault(symbol=SILVER, since=after(-30), until=after(30)),
            ("harmed", "USD 15,000.00"),
        ),
        "a lot needs pounds, the account has euros, gold is in dollars: (5000 − 2500 / 1.25) / 1440 = 208 %": Situation(
            [
                *_account("5000", currency="EUR"),
                *feed(GOLD, "1940.00", (-20, "1915.00"), wrong=("LP-A", -1, 1, "1905.00")),
                Rate(base="EUR", quote="USD", source="ECB", at=after(-9000), rate=D("1.25")),
                Rate(base="GBP", quote="EUR", source="ECB", at=after(-9000), rate=D("1.2")),
                MarginRate(margin="M", symbol=GOLD, effective_from=after(-1e6), per_lot=D(1200), currency="GBP"),
                _held("1", ("1905", 0)),
                *_liquidated("1", "1905", 0),
            ],
            Check.STOP_OUT,
            ("S1",),
            {"S1": ("firm_fault", "EUR 800.00")},
        ),
    }


def _in_the_accounts_currency() -> dict[str, Situation]:
    """What accounts lost whose instruments are in other currencies."""
    return {
        "what an account in yen lost in dollars is in one currency: 10 × 100": Situation(
            [
                *_account("300000", currency="JPY"),
                Rate(base="USD", quote="JPY", source="BoJ", at=after(-9000), rate=D(150)),
                *feed(GOLD, "1940.00", (-20, "1930.00"), wrong=("LP-A", -1, 1, "1920.00")),
                _held("1", ("1920", 0)),
                *_liquidated("1", "1920", 0),
            ],
            Check.STOP_OUT,
            ("S1",),
            {"S1": ("provider_fault", "JPY 150,000")},
            Fault(symbol=GOLD, since=after(-30), until=after(30)),
            ("harmed", "JPY 150,000"),
        ),
        "what an account in euros lost in dollars and yen: 30 × 100 / 1.10 + 0.4 × 100,000 / 165": Situation(
            [
                *_account("3000", currency="EUR"),
                Rate(base="EUR", quote="USD", source="ECB", at=after(-9000), rate=D("1.10")),
                Rate(base="EUR", quote="JPY", source="ECB", at=after(-9000), rate=D(165)),
                *feed(GOLD, "1930.00", wrong=("LP-A", -1, 50, "1900.00")),
                *feed(YEN, "150.590", wrong=("LP-A", -1, 50, "150.990")),
                _held("1", ("1900", 0)),
                _held("2", ("151", 0.5), YEN, side=Side.SELL, open_price=D(150)),
                *_liquidated("1", "1900", 0),
                *_liquidated("2", "151", 0.5, YEN, side=Side.BUY),
            ],
            Check.STOP_OUT,
            ("S1",),
            {"S1": ("provider_fault", "EUR 2,969.70")},
            Fault(symbol=GOLD, since=after(-30), until=after(30)),
            ("harmed", "EUR 2,969.70"),
        ),
    }


def _an_hour_apart() -> list[Record]:
    return [
        terms(stop_out_level=D(50)),
        *feed(GOLD, "1940.00", (-3640, "1905.00"), since=-3700, until=-3500, wrong=("LP-A", -3601, -3599, "1900.00")),
        *feed(GOLD, "1930.00", wrong=("LP-A", -1, 1, "1920.00")),
        _held("1", ("1900", -3600), opened_at=after(-7000)),
        _held("2", ("1920", 0), opened_at=after(-7000)),
        *_liquidated("1", "1900", -3600),
        *_liquidated("2", "1920", 0),
    ]


def _liquidations() -> dict[str, Situation]:
    wrong_gold = feed(GOLD, "1940.00", until=160, wrong=("LP-A", -1, 130, "1900.00"))
    followed = [
        *_account("6000"),
        *wrong_gold,
        *(_held(name, ("1900", at)) for name, at in (("1", 0), ("2", 50), ("3", 100))),
        *(row for name, at in (("1", 0), ("2", 50), ("3", 100)) for row in _liquidated(name, "1900", at)),
    ]
    by_gold = Fault(symbol=GOLD, since=after(-30), until=after(120))
    return {
        "one after the other, each within a minute, is one event whichever is named: 3 × 40 × 100": Situation(
            followed,
            Check.STOP_OUT,
            ("S3",),
            {"S1": ("provider_fault", "USD 12,000.00")},
            by_gold,
            ("harmed", "USD 12,000.00"),
        ),
        "an hour apart two are two events: 5 × 100 of one that was due, 10 × 100 of one that was not": Situation(
            [*_an_hour_apart(), balance("6000", balance="B0", at=after(-7200))],
            Check.STOP_OUT,
            ("S1", "S2"),
            {"S1": ("provider_fault", "USD 500.00"), "S2": ("provider_fault", "USD 1,000.00")},
        ),
        "a reversal closed what was open and no more: (2800 − 1730) / 1938 = 55.2 %": Situation(
            [
                *_account("3000"),
                *feed(GOLD, "1940.00", (-20, "1955.00"), wrong=("LP-A", -1, 1, "1957.00")),
                _held("1", ("1938", -500)),
                _held("2", ("1957.3", 0), side=Side.SELL, open_price=D(1938), opened_at=after(-500)),
                ordered("R", OrderType.MARKET, volume=D(2)),
                fill("1938", fill="FR", order="R", at=after(-500), volume=D(2), position="P1", effect="reverse"),
                *_liquidated("2", "1957.3", 0, side=Side.BUY),
            ],
            Check.STOP_OUT,
            ("S2",),
            {"S2": ("provider_fault", "USD 200.00")},
        ),
        "euros rose for a while, and the second liquidation of gold was not due: 6800 / 6080": Situation(
            [
                *_account("6800"),
                *feed(GOLD, "1940.00", (-60, "1920.00"), since=-110, step=0.05),
                *feed(EURO, "1.10000", (-30, "1.13000"), (-20, "1.10000"), since=-110),
                _held("3", None, EURO, volume=D(2), open_price=D("1.1")),
                *(_held(name, ("1920", at)) for name, at in (("1", -50), ("2", -25), ("4", 0))),
                *(row for name, at in (("1", -50), ("2", -25), ("4", 0)) for row in _liquidated(name, "1920", at)),
            ],
            Check.STOP_OUT,
            ("S1",),
            {"S1": ("firm_fault", "USD 0.00")},
        ),
    }


def _filled_in_part() -> dict[str, Situation]:
    """Half a lot of two was filled; valid prices passed the order by more than the tolerance a minute later."""
    fault = Fault(symbol=GOLD, since=after(40), until=after(60))
    rows: list[Record] = [
        *feed(GOLD, "1940.00", (0, "1945.00"), (50, "1945.60"), (55, "1935.00")),
        fill("1945", fill="F1", order="L1", at=after(0.3), volume=D("0.5"), position="P1"),
    ]
    ended: dict[str, Any] = {"state": OrderState.CANCELLED, "ended_at": after(70), "volume": D(2)}
    return {
        "what of a take-profit was never filled: (1945 − 1935) × 1.5 × 100": Situation(
            [
                *rows,
                position(volume=D(2), close_price=D("1937.5"), closed_at=after(80)),
                ordered("L1", OrderType.TAKE_PROFIT, "1945", -60, **ended),
                ordered("M1", OrderType.MARKET, volume=D("1.5")),
                fill("1935", fill="FM", order="M1", at=after(80), volume=D("1.5"), position="P1"),
            ],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("firm_fault", "USD 1,500.00")},
            fault,
            ("harmed", "USD 1,500.00"),
        ),
        "what of a limit that was to open was never filled: a person": Situation(
            [*rows, ordered("L1", OrderType.LIMIT, "1945", -60, **(ended | {"position": None}))],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("inconclusive", None)},
            fault,
            ("unclear", None),
        ),
    }


def _waited_together() -> dict[str, Situation]:
    """Two orders for one lot each of a position of two; gold passed 1945 and 1950 and came back to 1940."""
    fault = Fault(symbol=GOLD, since=after(0), until=after(60))
    went = feed(GOLD, "1940.00", (10, "1946.00"), (20, "1951.00"), (30, "1940.00"))
    waiting: dict[str, Any] = {"state": OrderState.CANCELLED, "ended_at": after(80)}

    def targets(first: str, second: str, **more: Any) -> list[Record]:
        return [
            ordered("L1", OrderType.TAKE_PROFIT, first, -60, **waiting),
            ordered("L2", OrderType.TAKE_PROFIT, second, -60, **(waiting | more)),
        ]

    return {
        "neither was filled: (1945 − 1940) × 100 and (1950 − 1940) × 100": Situation(
            [
                *went,
                position(volume=D(2), close_price=D(1940), closed_at=after(80)),
                *targets("1945", "1950"),
                ordered("M1", OrderType.MARKET, volume=D(2)),
                fill("1940", order="M1", at=after(80), volume=D(2), position="P1"),
            ],
            Check.TRIGGER,
            ("L1", "L2"),
            {"L1": ("firm_fault", "USD 500.00"), "L2": ("firm_fault", "USD 1,000.00")},
            fault,
            ("harmed", "USD 1,500.00"),
        ),
        "what another filled was not closed in place of this one: (1945 − 1940) × 100": Situation(
            [
                *went,
                position(volume=D(2), close_price=D("1945.5"), closed_at=after(80)),
                *targets("1945", "1950", state=OrderState.FILLED),
                fill("1951", fill="F2", order="L2", at=after(20), position="P1"),
                ordered("M1", OrderType.MARKET),
                fill("1940", order="M1", at=after(80), position="P1"),
            ],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("firm_fault", "USD 500.00"), "L2": ("market", "USD 0.00")},
            fault,
            ("harmed", "USD 500.00"),
        ),
        "two targets of one and the same lot are one closing: (1950 − 1940) × 100": Situation(
            [
                *went,
                position(close_price=D(1940), closed_at=after(80)),
                *targets("1945", "1950"),
                ordered("M1", OrderType.MARKET),
                fill("1940", order="M1", at=after(80), position="P1"),
            ],
            Check.TRIGGER,
            ("L1", "L2"),
            {"L1": ("firm_fault", "USD 0.00"), "L2": ("firm_fault", "USD 1,000.00")},
            fault,
            ("harmed", "USD 1,000.00"),
        ),
    }


def _stop_limits() -> dict[str, Situation]:
    """One that was to open a lot at 1950, and was not filled: at which limit no record tells."""
    fault = Fault(symbol=GOLD, since=after(0), until=after(60))
    placed = ordered(
        "L1", OrderType.STOP_LIMIT, "1950", -60, side=Side.BUY, position=None, state=OrderState.CANCELLED,
        ended_at=after(80),
    )  # fmt: skip
    return {
        "a stop-limit whose stop was passed: a person": Situation(
            [*feed(GOLD, "1940.00", (20, "1951.00")), placed],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("inconclusive", None)},
            fault,
            ("unclear", None),
        ),
        "a stop-limit whose stop one bad tick passed was not due": Situation(
            [*feed(GOLD, "1940.00", wrong=("LP-A", 20, 21, "1951.00")), placed],
            Check.TRIGGER,
            ("L1",),
            {"L1": ("no_fault", "USD 0.00")},
            fault,
            ("unharmed", None),
        ),
    }


def _stop_limit(limit: str, state: OrderState = OrderState.CANCELLED) -> Order:
    """One that was to close a short position from 1950 on, at its limit or better."""
    ended = {"state": state, "ended_at": after(80), "limit_price": D(limit)}
    return ordered("L1", OrderType.STOP_LIMIT, "1950", -60, side=Side.BUY, **ended)


_SHORT: Final = position(side=Side.SELL, open_price=D(1930), close_price=D(1960), closed_at=after(90))
_ROSE: Final = feed(GOLD, "1940.00", (20, "1951.00"))  # and asks 1951.30
_FELL_BACK: Final = feed(GOLD, "1940.00", (20, "1951.00"), (40, "1946.00"))
_LATE: Final = feed(GOLD, "1940.00", (20, "1951.00"), wrong=("LP-C", 20, 22, "1940.00"))


def _unfilled(limit: str) -> list[Record]:
    """The position was closed later, at 1960."""
    closing = fill("1960", Side.BUY, order="M1", at=after(90), position="P1")
    return [_SHORT, _stop_limit(limit), ordered("M1", OrderType.MARKET, side=Side.BUY), closing]


def _filled(*at: tuple[float, str]) -> list[Record]:
    """In equal parts at these seconds and prices, with a limit of 1947."""
    share = D(1) / len(at)
    fills = [
        fill(price, Side.BUY, fill=f"F{second}", order="L1", position="P1", volume=share, at=after(second))
        for second, price in at
    ]
    second, price = at[-1]
    closed = _SHORT.model_copy(update={"closed_at": after(second), "close_price": D(price)})
    return [_stop_limit("1947.00", OrderState.FILLED), closed, *fills]


def _stop_limits_with_their_limit() -> dict[str, Situation]:
    fault = Fault(symbol=GOLD, since=after(0), until=after(60))

    def of(rows: Iterable[Record], verdict: str, harm: str) -> Situation:
        listed = "harmed" if verdict == "firm_fault" else "unharmed"
        told = harm if listed == "harmed" else None
        return Situation(rows, Check.TRIGGER, ("L1",), {"L1": (verdict, harm)}, fault, (listed, told))

    two = [row for row in _LATE if row.source != "LP-B"]
    return {
        "a stop-limit whose limit the market did not give": of([*_ROSE, *_unfilled("1947.00")], "no_fault", "USD 0.00"),
        "a stop-limit whose limit the market gave: (1960 − 1947) × 100": of(
            [*_FELL_BACK, *_unfilled("1947.00")], "firm_fault", "USD 1,300.00"
        ),
        "a stop-limit whose limit was given before its stop was passed, and not again": of(
            [*_FELL_BACK, *_unfilled("1945.00")], "no_fault", "USD 0.00"
        ),
        "a stop-limit and a source that was late to pass its stop: no price for its limit": of(
            [*two, *_unfilled("1947.00")], "no_fault", "USD 0.00"
        ),
        "a stop-limit whose limit was given at once: (1960 − 1953) × 100": of(
            [*_ROSE, *_unfilled("1953.00")], "firm_fault", "USD 700.00"
        ),
        "a stop-limit filled at its limit once the market came back": of(
            [*_FELL_BACK, *_filled((40, "1946.30"))], "market", "USD 0.00"
        ),
        "a stop-limit filled beyond its limit: (1951.30 − 1947) × 100": of(
            [*_ROSE, *_filled((20, "1951.30"))], "firm_fault", "USD 430.00"
        ),
        "half of a stop-limit beyond its limit: (1951.30 − 1947) × 50": of(
            [*_FELL_BACK, *_filled((20, "1951.30"), (40, "1946.30"))], "firm_fault", "USD 215.00"
        ),
    }


def _outages() -> dict[str, Situation]:
    return {
        "one that began before the first had ended kept the service down: (1940 − 1930) × 100": Situation(
            [
                *feed(GOLD, "1940.00", (1000, "1930.00"), until=2000, step=10),
                Outage(outage="X", service="trading", since=after(-60), until=after(600)),
                Outage(outage="Y", service="bridge", since=after(500), until=after(9000)),
                _held("1", ("1930", 9000 + 3500)),
                ordered("M", OrderType.MARKET),
                fill("1930", order="M", at=after(9000 + 3500), position="P1"),
                happened(Happened.FAILED, 0, order=None, position="P1"),
            ],
            Check.OUTAGE,
            ("P1",),
            {"failed-0": ("firm_fault", "USD 1,000.00")},
        ),
        "of a position the attempts are found, whatever its closing order was: (1940 − 1930) × 100": Situation(
            [
                *feed(GOLD, "1940.00", (1000, "1930.00"), until=2000, step=10),
                Outage(outage="X", service="trading", since=after(-60), until=after(1800)),
                _held("1", ("1930", 1900)),
                ordered("M", OrderType.MARKET),
                fill("1930", order="M", at=after(1900), position="P1"),
                happened(Happened.FAILED, 0, order=None, position="P1"),
                happened(Happened.RECEIVED, 1899, order="M"),
                happened(Happened.FILLED, 1900, order="M"),
            ],
            Check.OUTAGE,
            ("P1",),
            {"failed-0": ("firm_fault", "USD 1,000.00")},
        ),
    }


def _charges() -> dict[str, Situation]:
    """From Sunday evening to Tuesday evening: two nights, the second with what a partial closing left."""

    def schedule(name: str = "C1", since: float = -100 * DAY, **more: Any) -> ChargeSchedule:
        values = {"symbol": GOLD, "swap_long": D(-30), "swap_short": D(10), "swap_unit": "money", "triple_day": 3}
        return ChargeSchedule(schedule=name, effective_from=after(since), **(values | {"currency": "USD"} | more))

    def held(side: Side, swap: str) -> list[Record]:
        closed = (("M1", 1.5), ("M2", 2.0))
        return [
            _held("1", ("1941", 2 * DAY), side=side, volume=D(2), opened_at=after(0), swap=D(swap)),
            *(ordered(name, OrderType.MARKET, side=side.opposite) for name, _ in closed),
            *(
                fill("1941", side.opposite, fill=f"F{name}", order=name, at=after(days * DAY), position="P1")
                for name, days in closed
            ),
        ]

    yen: dict[str, Any] = {"symbol": YEN, "swap_long": D(0), "swap_short": D(0), "commission": D("3.5")}
    free: dict[str, Any] = {"swap_long": D(0), "swap_short": D(0)}
    return {
        "of a position closed in parts each night counts what was open: 120 − (2 + 1) × 30": Situation(
            [*_account("1"), schedule(), *held(Side.BUY, "-120")],
            Check.CHARGES,
            ("P1",),
            {"P1": ("firm_fault", "USD 30.00")},
        ),
        "and what is credited, too: (2 + 1) × 10": Situation(
            [*_account("1"), schedule(), *held(Side.SELL, "30")],
            Check.CHARGES,
            ("P1",),
            {"P1": ("no_fault", "USD 0.00")},
        ),
        "a commission in dollars is one of dollars, whatever the instrument is quoted in: 2 × 3.5": Situation(
            [
                *_account("1"),
                schedule(**yen),
                Rate(base="USD", quote="JPY", source="BoJ", at=after(-9000), rate=D(150)),
                _held("1", ("150.1", DAY), YEN, open_price=D(150), opened_at=after(0), commission=D(-7)),
            ],
            Check.CHARGES,
            ("P1",),
            {"P1": ("no_fault", "USD 0.00")},
        ),
        "a commission is that of the day of each fill, and a swap may stand on fills: 2 + 3, and 1": Situation(
            [
                *_account("1"),
                schedule(commission=D(2), **free),
                schedule("C2", 1.5 * DAY, commission=D(3), **free),
                _held("1", ("1941", 2 * DAY), opened_at=after(0)),
                ordered("N", OrderType.MARKET, side=Side.BUY, position=None),
                fill("1940", Side.BUY, fill="FN", order="N", at=after(0), position="P1", commission=D(-2)),
                ordered("M", OrderType.MARKET),
                fill("1941", fill="FM", order="M", at=after(2 * DAY), position="P1", commission=D(-3), swap=D(-1)),
            ],
            Check.CHARGES,
            ("P1",),
            {"P1": ("firm_fault", "USD 1.00")},
        ),
    }


def _levels_of_positions() -> dict[str, Situation]:
    """The platform keeps a stop-loss and a take-profit with the position, and the log has no order of them."""
    fell, rose = feed(GOLD, "1940.00", (0, "1925.00"), (30, "1920.00")), feed(GOLD, "1940.00", (0, "1951.00"))

    def of(quotes: list[Quote], verdict: str, harm: str | None, at: float = 50, **levels: Any) -> Situation:
        market = [ordered("M", OrderType.MARKET), fill("1920", order="M", at=after(at), position="P1")]
        rows = [*quotes, _held("1", ("1920", at), **levels), *market]
        return Situation(rows, Check.TRIGGER, ("P1",), {"M": (verdict, harm)})

    bought = ordered("M", OrderType.MARKET, side=Side.BUY, position=None)
    still_open = [
        bought,
        fill("1940", Side.BUY, order="M", at=after(-60)),
        _held("1", opened_at=after(-60), stop=D(1930)),
    ]
    own = ordered("L", OrderType.STOP_LOSS, "1930", -60, state=OrderState.CANCELLED, ended_at=after(50))
    with_its_order = of(fell, "no_fault", "USD 0.00", stop=D(1930))
    return {
        "a stop on the position was passed, nobody knows since when it stood: a person": of(
            fell, "inconclusive", None, stop=D(1930)
        ),
        "a target on the position was passed: a person": of(rose, "inconclusive", None, target=D(1950)),
        "neither was passed": of(fell, "no_fault", "USD 0.00", stop=D(1915), target=D(1950)),
        "a stop that was passed after the closing": of(fell, "no_fault", "USD 0.00", at=-5, stop=D(1930)),
        "a position that stands open beyond its stop: a person": Situation(
            [*fell, *still_open], Check.TRIGGER, ("P1",), {"M": ("inconclusive", None)}
        ),
        "where the log has the order it is judged by itself: (1925 − 1920) × 100": with_its_order._replace(
            rows=[*with_its_order.rows, own], found=with_its_order.found | {"L": ("firm_fault", "USD 500.00")}
        ),
    }


SITUATIONS: Final = (
    _waited_for_days()
    | _filled_in_part()
    | _waited_together()
    | _bad_ticks()
    | _liquidations_in_several()
    | _in_the_accounts_currency()
    | _liquidations()
    | _stop_limits()
    | _stop_limits_with_their_limit()
    | _outages()
    | _charges()
    | _levels_of_positions()
)


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
    if isinstance(row, Rate):
        return row.base, row.quote
    return (row.symbol, row.source, row.at) if isinstance(row, Quote) else tuple(row.model_dump().values())[:1]
