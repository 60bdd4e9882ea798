"""What a complaint about an order finds is what an incident lists, over random accounts; nothing of it contradicts."""

import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import pytest

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, Finding, InvestigationRequest
from domain.checks.losses import once_only
from domain.ground.base import Record
from domain.ground.words import MemberState
from domain.incidents.cohort import judge
from domain.incidents.incident import Fault, FaultKind
from domain.log.firm_records import Happened, MarginRate, Outage
from domain.log.trade_log import Fill, Instrument, Order, OrderState, OrderType, Quote, Side
from domain.money.parts import Rate
from tests.checks.contradictions import contradictions
from tests.checks.rows import ACCOUNT, after, balance, fill, happened, order, position, store, terms
from tests.incidents.minute import Pool, new
from tests.incidents.test_cohort import AS_OF, Desk

FAULT: Final = Fault(symbol="XAUUSD", since=after(0), until=after(60))
ABOUT_AN_ORDER: Final = (
    Check.EXECUTION,
    Check.SLIPPAGE,
    Check.EXECUTION_DELAY,
    Check.TRIGGER,
    Check.OFF_MARKET,
)
ACCOUNTS: Final = 24
ROUNDS: Final = int(os.environ.get("FUZZ_ROUNDS", "2"))
SEED: Final = int(os.environ.get("FUZZ_SEED", "0"))
EACH_ROUND: Final = 150
KINDS: Final = [kind for kind in OrderType if kind is not OrderType.CLOSE_BY]


def quotes(rng: random.Random) -> list[Quote]:
    """Two minutes of gold that wanders; LP-A is wrong now and then for a few seconds, or all of them jump."""
    rows, middle, wrong = [], Decimal("1940.00"), 0
    for second in range(-30, 90):
        middle += Decimal(rng.randrange(-30, 31)) / 100
        if rng.random() < 0.02:
            middle += rng.choice([-6, 6])
        wrong = max(wrong - 1, 0) or (rng.randrange(1, 6) if rng.random() < 0.15 else 0)
        for source in ("LP-A", "LP-B", "LP-C"):
            if source == "LP-C" and rng.random() < 0.2:
                continue
            bid = middle + Decimal(rng.randrange(-4, 5)) / 100 - (12 if wrong and source == "LP-A" else 0)
            rows.append(Quote(symbol="XAUUSD", source=source, at=after(second), bid=bid, ask=bid + Decimal("0.30")))
    return rows


EURUSD: Final = Instrument(symbol="EURUSD", contract_size=Decimal(100_000), currency="USD", digits=5)
BESIDE: Final = (
    EURUSD,
    Rate(base="USD", quote="SGD", source="MAS", at=after(-600), rate=Decimal("1.36")),
    *(
        Quote(symbol="EURUSD", source=source, at=after(at), bid=Decimal("1.1"), ask=Decimal("1.1002"))
        for source in ("LP-A", "LP-B", "LP-C")
        for at in range(-30, 90, 5)
    ),
)
"""What accounts of other currencies and with other instruments go by."""


def circumstances(rng: random.Random, name: str, side: Side, lots: Decimal, **common: Any) -> list[Record]:
    """What an account goes by, and what it holds beside its position: a hedge of it, and another instrument."""
    currency = rng.choice(["USD", "USD", "SGD"])
    kept = {"currency": currency, **common}
    rows: list[Record] = [
        terms(terms=f"T{name}", stop_out_level=Decimal(50), hedged=rng.choice(["both", "larger", "net"]), **kept),
        balance(str(rng.randrange(300, 9000)), balance=f"B{name}", **kept),
    ]
    if rng.random() < 0.4:
        tier = {"symbol": "XAUUSD", "effective_from": after(-9000), **common}
        rows += [
            MarginRate(margin=f"R{name}-0", above_lots=Decimal(0), percent=Decimal("0.5"), **tier),
            MarginRate(margin=f"R{name}-1", above_lots=Decimal("1.5"), percent=Decimal(2), **tier),
        ]
    if rng.random() < 0.4:
        hedge = lots * rng.choice([1, 2]) / 2
        rows.append(position(position=f"H{name}", side=side.opposite, volume=hedge, open_price=Decimal(1938), **common))
    if rng.random() < 0.4:
        euro = {"position": f"E{name}", "symbol": "EURUSD", "open_price": Decimal("1.09")}
        rows.append(position(side=rng.choice(list(Side)), volume=Decimal(rng.randrange(1, 20)) / 100, **euro, **common))
    return rows


def trader(rng: random.Random, number: int, seen: Sequence[Quote]) -> list[Record]:
    """An account with a position and the order that closed it, or should have; perhaps with others beside it."""
    account, name = f"71{number:06d}", f"{number}"
    side = rng.choice(list(Side))
    kind = rng.choice(KINDS)
    lots = Decimal(rng.randrange(1, 300)) / 100
    shown = rng.choice([row for row in seen if row.source == "LP-A" and after(5) <= row.at <= after(78)])
    price = shown.ask if side.opposite is Side.BUY else shown.bid
    asked = price + Decimal(rng.choice([0, 0, -20, 30, -300, 200])) / 100
    at = shown.at + timedelta(milliseconds=rng.randrange(900))
    received = at - timedelta(seconds=rng.choice([0.2, 0.4, 3, 20, 30]))
    common: dict[str, Any] = {"account": account}
    rows: list[Record] = [
        *circumstances(rng, name, side, lots, **common),
        order(
            kind,
            side.opposite,
            order=f"O{name}",
            position=f"P{name}",
            volume=lots,
            price=None if kind is OrderType.STOP_OUT else asked,
            received_at=received,
            limit_price=asked + Decimal(rng.randrange(-200, 200)) / 100 if kind is OrderType.STOP_LIMIT else None,
            **common,
        ),
    ]
    held: dict[str, Any] = {
        "position": f"P{name}",
        "side": side,
        "volume": lots,
        "open_price": Decimal("1945.00"),
        **common,
    }
    if kind in {OrderType.STOP_LOSS, OrderType.TAKE_PROFIT} and rng.random() < 0.4:
        # it should have closed the position, and another order did later
        rows[-1] = rows[-1].model_copy(update={"state": OrderState.CANCELLED, "ended_at": after(80)})
        later = next(row for row in reversed(seen) if row.source == "LP-B")
        got = later.ask if side.opposite is Side.BUY else later.bid
        rows += [
            position(closed_at=after(80), close_price=got, **held),
            order(side=side.opposite, order=f"M{name}", position=f"P{name}", volume=lots, **common),
            _filled(f"M{name}", side.opposite, got, lots, at=after(80), source="LP-B", position=f"P{name}", **common),
        ]
        return rows
    price += Decimal(rng.choice([0, 0, 0, -100, 100])) / 100
    if kind in {OrderType.STOP_LOSS, OrderType.TAKE_PROFIT} and rng.random() < 0.4:
        return rows + _filled_in_part(rng, rows[-1], seen, price, at)
    rows.append(position(closed_at=at, close_price=price, **held))
    parts = [lots] if rng.random() < 0.6 or lots < Decimal("0.02") else [lots / 2, lots / 2]
    rows += [
        _filled(f"O{name}", side.opposite, price, part, at=at, position=f"P{name}", number=place, **common)
        for place, part in enumerate(parts)
    ]
    return rows


def _filled_in_part(
    rng: random.Random, placed: Any, seen: Sequence[Quote], price: Decimal, at: datetime
) -> list[Record]:
    """Some of the order was filled; what was left of the position another order closed later."""
    name, common = placed.order[1:], {"account": placed.account}
    part = placed.volume * rng.randrange(1, 9) / 10
    later = next(row for row in reversed(seen) if row.source == "LP-B")
    got = later.ask if placed.side is Side.BUY else later.bid
    return [
        position(
            position=placed.position, side=placed.side.opposite, volume=placed.volume, open_price=Decimal("1945.00"),
            closed_at=after(80), close_price=got, **common,
        ),
        _filled(placed.order, placed.side, price, part, at=at, position=placed.position, **common),
        order(side=placed.side, order=f"M{name}", position=placed.position, volume=placed.volume - part, **common),
        _filled(
            f"M{name}", placed.side, got, placed.volume - part, at=after(80), source="LP-B",
            position=placed.position, **common,
        ),
    ]  # fmt: skip


def _filled(of: str, side: Side, price: Decimal, lots: Decimal, *, number: int = 0, **more: Any) -> Record:
    return fill(str(price), side, fill=f"F{of}-{number}", order=of, volume=lots, **more)


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
async def test_a_complaint_about_an_order_finds_what_the_incident_lists(pool: Pool, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 (any accounts will do)
    seen = quotes(rng)
    traders = {f"71{number:06d}": trader(rng, number, seen) for number in range(EACH_ROUND)}
    rows: list[Record] = [*seen, *BESIDE, *chain.from_iterable(traders.values())]
    await store(pool, *sorted(rows, key=lambda row: type(row).__name__))
    desk, incident = Desk(pool), new(fault=FAULT)
    await desk.list(incident)
    listed = await desk.members(incident)
    states = set()
    for account, own in traders.items():
        trades = (f"O{int(account[2:])}",)
        found = await complaint(pool, account, trades)
        assert contradictions(found) == []
        member = listed.get(account)
        if member is None:
            assert not in_the_window(own, trades[0], found), [each.reason.en for each in found]
            continue
        told = judge(account, trades, found)
        assert (told.state, told.harm) == (member.state, member.harm), [each.reason.en for each in found]
        assert told.gained == member.gained
        states.add(member.state)
    assert states >= {MemberState.HARMED, MemberState.UNHARMED}


def in_the_window(rows: Sequence[Record], name: str, found: Sequence[Finding]) -> bool:
    """Whether the order was filled in the window of the fault, or was due in it: all that is not listed was neither."""
    [placed] = [row for row in rows if isinstance(row, Order) and row.order == name]
    filled = [row.at for row in rows if isinstance(row, Fill) and row.order == name]
    due = [each.numbers[key] for each in found for key in ("reached_at", "rest_reached_at") if key in each.numbers]
    times = [*filled, *map(datetime.fromisoformat, due)]
    if placed.price is None or placed.type is OrderType.MARKET:  # it waits for nothing
        times += [placed.received_at] if placed.received_at else []
    return any(FAULT.since <= at <= FAULT.until for at in times)


async def complaint(pool: Pool, account: str, trades: tuple[str, ...]) -> tuple[Finding, ...]:
    """What a complaint that names the order, and asks everything that can be asked of one, finds of it."""
    asked = InvestigationRequest(checks=ABOUT_AN_ORDER, account=account, trades=trades, as_of=AS_OF)
    found = (await Investigating(TradeLog(pool)).investigate(asked)).findings
    # whether all customers slip alike says nothing of an order; what was not filled has no price
    return once_only(each for each in found if each.subject in trades and not _unanswerable(each))


def _unanswerable(finding: Finding) -> bool:
    """Whether the check has nothing to ask of such an order: no price was asked for, no second source, never filled."""
    nothing = ("price asked for of order", "fills of order", "quotes of a second reference", "order O", "time at which")
    return bool(finding.missing) and finding.missing[0].startswith(nothing)


def falls(at: int) -> list[Quote]:
    """Gold stands at 1940 until *at*, falls to 1937 then, and to 1930 at 70."""
    return [
        Quote(symbol="XAUUSD", source=source, at=after(second), bid=bid, ask=bid + Decimal("0.30"))
        for second in range(-30, 90)
        for bid in [Decimal(1940 if second < at else 1937 if second < 70 else 1930)]
        for source in ("LP-A", "LP-B", "LP-C")
    ]


@pytest.mark.parametrize(
    ("kind", "fell", "filled", "harm"),
    [
        (OrderType.STOP_LOSS, 50, 80, "USD 700.00"),  # due in the window, filled after it: (1937 − 1930) × 100
        (OrderType.STOP_LOSS, -10, None, "USD 700.00"),  # due before the window, waits in it, closed by another order
        (OrderType.MARKET, 50, 80, "USD 700.00"),  # it came in the window and was filled after it
        (OrderType.STOP_OUT, 50, 80, "USD 700.00"),
        (OrderType.STOP_LOSS, 65, 80, None),  # nothing of it was in the window
    ],
)
async def test_an_order_that_was_due_in_the_window_is_listed_whenever_it_was_filled(
    pool: Pool, kind: OrderType, fell: int, filled: int | None, harm: str | None
) -> None:
    waits: dict[str, Any] = {"price": Decimal(1938), "received_at": after(-20)} if kind is OrderType.STOP_LOSS else {}
    placed = order(kind, position="P1", **{"received_at": after(55), **waits})
    held = position(closed_at=after(80), close_price=Decimal("1930.00"))
    rows: list[Record] = [*falls(fell), held, terms(), balance("500")]  # a margin level of 26 %, and of 10 % at 1937
    if filled is None:
        rows.append(order(order="M1", position="P1"))
        rows.append(fill("1930.00", fill="FM", order="M1", at=after(80), source="LP-B", position="P1"))
        placed = placed.model_copy(update={"state": OrderState.CANCELLED, "ended_at": after(80)})
    else:
        rows.append(fill("1930.00", at=after(filled), source="LP-B", position="P1"))
    await store(pool, *sorted([*rows, placed], key=lambda row: type(row).__name__))
    desk, incident = Desk(pool), new(fault=FAULT)
    await desk.list(incident)
    member = (await desk.members(incident)).get(ACCOUNT)
    assert (str(member.harm) if member else None) == harm
    if member:
        told = judge(ACCOUNT, ("O1",), await complaint(pool, ACCOUNT, ("O1",)))
        assert (told.state, told.harm) == (member.state, member.harm)


async def test_a_limit_that_was_told_when_the_order_ended_is_that_of_the_complaint_and_of_the_list(pool: Pool) -> None:
    stop: dict[str, Any] = {"price": Decimal(1938), "received_at": after(-20), "position": "P1"}
    first = order(OrderType.STOP_LIMIT, state=OrderState.WORKING, **stop)
    ended = {"limit_price": Decimal("1936.50"), "state": OrderState.FILLED, "ended_at": after(55)}
    await store(pool, *falls(50), first, fill("1936.00", at=after(55), source="LP-B", position="P1"))
    completed = dict(first.model_copy(update=ended))
    await pool.copy_records_to_table(
        "order_completions", schema_name="tradelog", columns=list(completed), records=[tuple(completed.values())]
    )
    desk, incident = Desk(pool), new(fault=FAULT)
    await desk.list(incident)
    member = (await desk.members(incident))[ACCOUNT]
    found = await complaint(pool, ACCOUNT, ("O1",))
    told = judge(ACCOUNT, ("O1",), found)
    assert (told.state, told.harm) == (member.state, member.harm)
    assert {Check.EXECUTION, Check.TRIGGER} <= {finding.check for finding in member.findings}
    assert "its limit or better" in " ".join(finding.reason.en for finding in member.findings)


OUTAGE: Final = Fault(kind=FaultKind.OUTAGE, since=after(0), until=after(60))


def stuck(rng: random.Random, number: int, seen: Sequence[Quote]) -> list[Record]:
    """Two accounts whose customer tried in vain to close the same; of one the closing was done in two parts."""
    side, lots = rng.choice(list(Side)), Decimal(rng.randrange(2, 300)) / 100
    tried = sorted(rng.sample(range(1, 59), rng.randrange(1, 4)))
    volume = rng.choice([None, lots, lots / 2])
    named, closed = rng.random() < 0.8, rng.random() < 0.8
    later = rng.choice([row for row in seen if row.source == "LP-B" and row.at >= after(62)])
    got = later.ask if side.opposite is Side.BUY else later.bid
    share, rows = Decimal(rng.randrange(1, 100)) / 100, list[Record]()
    for twin, parts in (("a", [lots]), ("b", [lots * share, lots - lots * share])):
        name, account = f"{number}{twin}", f"72{number:05d}{twin}"
        end: dict[str, Any] = {"closed_at": later.at, "close_price": got} if closed else {}
        held = f"P{name}"
        rows.append(position(position=held, account=account, side=side, volume=lots, open_price=Decimal(1945), **end))
        rows += [
            happened(
                rng.choice([Happened.FAILED, Happened.REJECTED]), at, event=f"E{name}-{at}", account=account,
                side=side.opposite, order=None, position=held if named else None, volume=volume,
            )
            for at in tried
        ]  # fmt: skip
        if closed:
            of: dict[str, Any] = {"account": account, "position": held}
            rows.append(order(side=side.opposite, order=f"M{name}", volume=lots, **of))
            rows += [
                _filled(f"M{name}", side.opposite, got, part, number=place, at=later.at, **of)
                for place, part in enumerate(parts)
            ]
    return rows


async def test_a_complaint_about_an_outage_finds_what_the_incident_lists_however_it_was_closed(pool: Pool) -> None:
    rng = random.Random(5)  # noqa: S311 (any accounts will do)
    seen = quotes(rng)
    rows: list[Record] = [*seen, Outage(outage="X", service="trading", since=after(0), until=after(60))]
    for number in range(ACCOUNTS):
        rows += stuck(rng, number, seen)
    await store(pool, *sorted(rows, key=lambda row: type(row).__name__))
    desk, incident = Desk(pool), new(fault=OUTAGE)
    await desk.list(incident)
    listed = await desk.members(incident)
    assert len(listed) == 2 * ACCOUNTS
    log, states = Investigating(TradeLog(pool)), set()
    for account, member in listed.items():
        asked = InvestigationRequest(
            checks=(Check.OUTAGE,), account=account, occurred_from=after(0), occurred_until=after(60), as_of=AS_OF
        )
        told = judge(account, (), (await log.investigate(asked)).findings)
        assert (told.state, told.harm) == (member.state, member.harm)
        twin = listed[f"{account[:-1]}a"]
        assert (twin.state, twin.harm) == (member.state, member.harm)
        states.add(member.state)
    assert states == {MemberState.HARMED, MemberState.UNHARMED, MemberState.UNCLEAR}
