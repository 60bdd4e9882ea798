"""What the picture of a finding shows: moments, prices and quotes around a disputed order, in the trade log's terms.

A scene knows nothing of paper: it says *that* an order was received at an instant and filled at a price, not where on
the page. Which stretch of time it spans decides which quotes are read for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.margin import Account
from domain.checks.moments import SPARSE
from domain.checks.profit import ReferenceRule
from domain.checks.stop_out.liquidations import liquidated, suspects_of
from domain.checks.tolerances import Tolerances
from domain.ground.base import Instant, Record
from domain.log.firm_records import BinaryOption, OrderEvent
from domain.log.replay import Unknown
from domain.log.trade_log import Fill, Order, OrderType, Quote, Side
from starter.evidence.formulas import number, priced
from starter.evidence.words import as_instant

SILENT: Final = SPARSE
"""A source that gave no quote for longer is not drawn as if its last one still stood."""
_AROUND: Final = timedelta(seconds=60)
_BEFORE: Final = timedelta(minutes=10)
_AFTER: Final = timedelta(minutes=30)
_MOST_LEVELS: Final = 240
_QUICK: Final = frozenset({Check.EXECUTION_DELAY, Check.REQUOTE})
"""Checks that are about milliseconds."""


class Moment(Record):
    """Something happened: ``kind`` is a word of the pack's marks."""

    kind: str
    at: Instant


class Mark(Record):
    """A price at an instant: what was asked for (``asked``) or given (``fill``)."""

    kind: str
    at: Instant
    price: Decimal


class Line(Record):
    """A price that holds throughout: ``reference_price``, ``trigger``, ``asked`` (nobody knows when) or ``strike``."""

    kind: str
    price: Decimal


class Band(Record):
    """The prices that counted as valid, tolerance included."""

    low: Decimal
    high: Decimal
    tolerance: Decimal


class Down(Record):
    """A stretch of time in which a service did not work."""

    since: Instant
    until: Instant


class PriceScene(Record):
    """Bid and ask of ``symbol`` from ``start`` to ``end``. ``outside`` are moments that lie too far away to be drawn.

    ``side`` is the order's: a buy pays the ask, a sell gets the bid. ``own`` is the source that priced the order.
    """

    symbol: str
    digits: int
    start: Instant
    end: Instant
    side: Side | None
    own: str | None
    moments: tuple[Moment, ...]
    outside: tuple[Moment, ...]
    marks: tuple[Mark, ...]
    lines: tuple[Line, ...]
    rule: ReferenceRule | None
    band: Band | None
    down: tuple[Down, ...] = ()


class MarginScene(Record):
    """The margin level of an account on valid prices, in percent, and the level in force."""

    start: Instant
    end: Instant
    levels: tuple[tuple[Instant, Decimal], ...]
    limit: Decimal
    closings: tuple[Instant, ...]


class SpanScene(Record):
    """A withdrawal: asked for, due, released. Without ``ended`` it was still pending at ``as_of``."""

    requested: Instant
    due: Instant
    ended: Instant | None
    as_of: Instant


Scene = PriceScene | MarginScene | SpanScene


def facts_of(finding: Finding) -> LogFacts | None:
    """The rows that *finding* rests on; ``None`` where this version cannot read them."""
    try:
        return LogFacts.of(finding.evidence)
    except ValidationError:
        return None


def scenes_of(finding: Finding) -> tuple[Scene, ...]:
    """The pictures of *finding*, in the order in which they are shown."""
    facts = facts_of(finding)
    if facts is None:
        return ()
    if finding.check is Check.WITHDRAWAL_DELAY:
        return _withdrawal(finding)
    found: list[Scene] = []
    if price := _price(finding, facts):
        found.append(price)
    if finding.check is Check.STOP_OUT and (margin := _margin(finding, facts)):
        found.append(margin)
    return tuple(found)


def _withdrawal(finding: Finding) -> tuple[Scene, ...]:
    told = {name: as_instant(finding.numbers.get(name, "")) for name in ("requested_at", "due_at", "ended_at", "as_of")}
    requested, due, as_of = told["requested_at"], told["due_at"], told["as_of"]
    if requested is None or due is None or as_of is None:
        return ()
    return (SpanScene(requested=requested, due=due, ended=told["ended_at"], as_of=as_of),)


class _Gathered:
    """What a check knows of one order, collected from its rows and its numbers."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.marks: list[Mark] = []
        self.lines: dict[str, Decimal] = {}

    def moment(self, kind: str, at: datetime | None) -> None:
        if at is not None and not any(one.kind == kind and one.at == at for one in self.moments):
            self.moments.append(Moment(kind=kind, at=at))

    def mark(self, kind: str, at: datetime | None, price: Decimal | None) -> None:
        if at is not None and price is not None:
            self.marks.append(Mark(kind=kind, at=at, price=price))

    def line(self, kind: str, price: Decimal | None) -> None:
        if price is not None and price > 0:
            self.lines.setdefault(kind, price)


def _price(finding: Finding, facts: LogFacts) -> PriceScene | None:
    got = _Gathered()
    fills = _fills(finding, facts)
    events = [row for row in facts.order_events if finding.subject in {row.order, row.event}]
    order = next((row for row in facts.orders if row.order == finding.subject), None)
    option = next((row for row in facts.binary_options if row.option == finding.subject), None)
    symbol = next((row.symbol for row in [*fills, *events, *[one for one in (order, option) if one]]), None)
    instrument = facts.instrument(symbol) if symbol else None
    if symbol is None or instrument is None:
        return None
    fills = [fill for fill in fills if fill.symbol == symbol]
    _gather(got, order, events, fills, option)
    got.moment("reached", as_instant(finding.numbers.get("reached_at", "")))
    _references(finding, facts, got)
    anchors = [one.at for one in got.moments if one.kind in _DECISIVE] or [one.at for one in got.moments]
    if not anchors:
        return None
    first, last = min(anchors), max(anchors)
    near = [one for one in got.moments if first - _BEFORE <= one.at <= last + _AFTER]
    start, end = min(one.at for one in near), max(one.at for one in near)
    pad = _pad(finding, end - start)
    side = fills[0].side if fills else order.side if order else events[0].side if events else None
    return PriceScene(
        symbol=symbol,
        digits=instrument.digits,
        start=start - pad,
        end=end + pad,
        side=side,
        own=fills[0].source if fills else option.source if option else None,
        moments=tuple(sorted(near, key=lambda one: (one.at, one.kind))),
        outside=tuple(one for one in got.moments if one not in near),
        marks=tuple(dict.fromkeys(got.marks)),
        lines=tuple(Line(kind=kind, price=price) for kind, price in got.lines.items()),
        rule=finding.reference_rule or _own_rule(finding),
        band=_band(finding, fills, got.lines.get("reference_price")),
        down=tuple(
            Down(since=row.since, until=row.until or end + pad)
            for row in facts.outages
            if row.symbol in {None, symbol} and row.since <= end + pad and (row.until or end) >= start - pad
        ),
    )


def _gather(
    got: _Gathered,
    order: Order | None,
    events: Sequence[OrderEvent],
    fills: Sequence[Fill],
    option: BinaryOption | None,
) -> None:
    """What is seen of the rows: moments, prices asked for and given, and the levels that they waited for."""
    if order is not None:
        got.moment("sent", order.sent_at)
        got.moment("received", order.received_at)
        waits = order.type not in {OrderType.MARKET, OrderType.STOP_OUT}
        got.line("trigger", order.price if waits else None)
        if not waits and (arrived := order.received_at or order.sent_at):
            got.mark("asked", arrived, order.price)
        elif not waits:
            got.line("asked", order.price)
    for event in sorted(events, key=lambda row: (row.at, row.event)):
        if event.kind.value != "filled":
            got.moment(event.kind.value, event.at)
        if event.kind.value in {"received", "failed"}:
            got.mark("asked", event.at, event.price)
    for fill in fills:
        got.moment("filled", fill.at)
        got.mark("fill", fill.at, fill.price)
    if option is not None:
        got.moment("struck", option.struck_at)
        got.moment("expires", option.expires_at)
        got.line("strike", option.strike)
        got.mark("fill", option.expires_at, option.settled_price)


_DECISIVE: Final = frozenset({"filled", "requoted", "rejected", "failed", "reached", "expires"})


def _fills(finding: Finding, facts: LogFacts) -> list[Fill]:
    """The fills that the finding is about, in order of time."""
    instead = finding.numbers.get("filled_by", "").split(", ")
    chosen = [
        row
        for row in facts.fills
        if finding.subject in {row.order, row.fill} or row.fill in instead or finding.check is Check.STOP_OUT
    ]
    return sorted(chosen, key=lambda row: (row.at, row.fill))


def _references(finding: Finding, facts: LogFacts, got: _Gathered) -> None:
    """The price it is measured by: that of the sum, else the one the check compared with."""
    known = sorted(priced(finding, facts), key=lambda one: -one.amount)
    got.line("reference_price", known[0].reference if known else None)
    for name in ("reference_price", "valid_price", "price_at_receipt", "expiry_price"):
        for key, text in finding.numbers.items():
            if key == name or key.endswith(f".{name}"):
                got.line("reference_price", number(text))
    for key, text in finding.numbers.items():
        if key == "reference_at" or key.endswith(".reference_at"):
            at = as_instant(text)
            if at is not None and all(one.at != at for one in got.moments):
                got.moment("reference", at)


def _own_rule(finding: Finding) -> ReferenceRule | None:
    """The rule a formula names where nothing was measured in money."""
    known = [rule for rule in ReferenceRule if f"/{rule.value}@" in finding.formula]
    return known[0] if known else None


def _pad(finding: Finding, span: timedelta) -> timedelta:
    late = finding.reference_rule is ReferenceRule.AT_RECEIPT
    if finding.check in _QUICK or late:
        return min(max(span, timedelta(seconds=2)), _AROUND)
    if finding.check is Check.SLIPPAGE:
        return min(max(span, timedelta(seconds=10)), _AROUND)
    return _AROUND


def _band(finding: Finding, fills: Sequence[Fill], reference: Decimal | None) -> Band | None:
    """What counted as valid around the decisive fill: the check's range, or its reference, and the tolerance."""
    tolerance = number(finding.numbers.get("tolerance"))
    if tolerance is None:
        return None
    prefixes = ["", *(f"{fill.fill}." for fill in fills)]
    for prefix in prefixes:
        low, high = (number(finding.numbers.get(f"{prefix}{name}")) for name in ("valid_low", "valid_high"))
        if low is not None and high is not None:
            return Band(low=low - tolerance, high=high + tolerance, tolerance=tolerance)
    if reference is None:
        return None
    return Band(low=reference - tolerance, high=reference + tolerance, tolerance=tolerance)


def _margin(finding: Finding, facts: LogFacts) -> MarginScene | None:
    """The level replayed from the stored rows, at no more instants than can be drawn."""
    limit = number(finding.numbers.get("stop_out_level"))
    closed, _ = liquidated(facts, finding.subject)
    closings = [each.fill.at for each in closed]
    account = Account.of(facts, closings[0], Tolerances.of(finding.given)) if closings else None
    if limit is None or account is None:
        return None
    suspects = suspects_of(closed)
    instants = _some(sorted({row.at for row in facts.quotes if row.at <= closings[0]} | {closings[0]}), _MOST_LEVELS)
    levels = []
    for at in instants:
        try:
            level = account.level(at, suspects=suspects).level
        except Unknown:
            continue
        if level is not None:
            levels.append((at, round(level, 4)))
    if len(levels) < 2:
        return None
    return MarginScene(
        start=levels[0][0],
        end=max(closings[-1], levels[-1][0]) + (levels[-1][0] - levels[0][0]) / 20,
        levels=tuple(levels),
        limit=limit,
        closings=tuple(dict.fromkeys(closings)),
    )


def _some(instants: Sequence[datetime], most: int) -> list[datetime]:
    """At most *most* of *instants*, evenly, the first and the last among them."""
    if len(instants) <= most:
        return list(instants)
    return [instants[round(place * (len(instants) - 1) / (most - 1))] for place in range(most)]


def kept_quotes(finding: Finding, scene: PriceScene) -> tuple[Quote, ...]:
    """The quotes that the finding itself kept, within the scene."""
    facts = facts_of(finding)
    rows: Iterable[Quote] = facts.quotes if facts else ()
    return tuple(row for row in rows if row.symbol == scene.symbol and scene.start <= row.at <= scene.end)
