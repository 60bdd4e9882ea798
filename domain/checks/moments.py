"""The execution of an order: the moments at which prices matter, and the quotes that decide."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from domain.ground.base import Identifier, Instant, Record
from domain.log.trade_log import Fill, Instrument, Order, OrderType, Position, Quote, Side

STALE = timedelta(seconds=60)
"""A quote older than this says nothing about the price any more."""
SPARSE = timedelta(seconds=10)
"""A source silent for longer than this around an instant can support a price, but cannot prove one wrong."""
LOOK_AHEAD = timedelta(days=30)
"""How long after an instant, at most, the first quote through a level is looked for at once."""
FEED = timedelta(minutes=5)
"""How far before and after a fill the quotes reach that the middle of a feed is taken from."""
AT_ONCE = frozenset({OrderType.MARKET, OrderType.STOP_OUT})
"""Orders that wait for no price."""
FAR = 10
"""Median spreads from the middle of its feed at which a price that no other source confirms is doubtful."""


class FeedMedian(Record):
    """The middle of the quotes of one source within :data:`FEED` of ``at``."""

    symbol: Identifier
    source: Identifier
    at: Instant
    bid: Decimal
    ask: Decimal
    spread: Decimal
    quotes: int


class Execution(Record):
    """The rows of one order: the order itself, all its fills, what it traded and the position it closed.

    ``None`` and empty mean that the log of this account has no such row. ``id`` is the order's.
    """

    id: Identifier
    order: Order | None
    fills: tuple[Fill, ...]
    instrument: Instrument | None
    position: Position | None = None


class Moment(NamedTuple):
    """An instant at which quotes decide something about a fill on ``side`` at ``price``."""

    symbol: str
    at: datetime
    side: Side
    price: Decimal


class Feed(NamedTuple):
    """A source whose middle around ``at`` is needed."""

    symbol: str
    source: str
    at: datetime


def moments(execution: Execution) -> list[Moment]:
    """The instants whose quotes :func:`~domain.checks.execution.finding.check_execution` asks for.

    Each fill's, and the receipt of an order that was to be filled at once.
    """
    order = execution.order
    found = [Moment(fill.symbol, fill.at, fill.side, fill.price) for fill in execution.fills]
    if order is not None and order.type in AT_ONCE and order.received_at is not None:
        found += [Moment(fill.symbol, order.received_at, fill.side, fill.price) for fill in execution.fills]
    return sorted(set(found))


def deciding_quotes(quotes: Iterable[Quote], at: Iterable[Moment], *, window_seconds: int) -> set[Quote]:
    """Of each source and moment the quotes that decide: at most six, and all that
    :func:`~domain.checks.execution.finding.check_execution` looks at.

    The last at or before the moment, the first after it, the one standing when the window began, and within the window
    the best, the worst and the nearest to the price. What is left out changes no finding.
    """
    window = timedelta(seconds=window_seconds)
    by_source: dict[tuple[str, str], tuple[list[datetime], list[Quote]]] = defaultdict(lambda: ([], []))
    for quote in sorted(set(quotes), key=newest_last):
        times, known = by_source[quote.symbol, quote.source]
        times.append(quote.at)
        known.append(quote)
    chosen: set[Quote] = set()
    for moment in set(at):
        sign, began = moment.side.sign, moment.at - window
        paid = sign * moment.price
        for (symbol, _), (times, known) in by_source.items():
            if symbol != moment.symbol:
                continue
            now, first = bisect_right(times, moment.at), bisect_left(times, began)
            within = known[first : bisect_right(times, moment.at + window)]
            inside = [(sign * (q.ask if moment.side is Side.BUY else q.bid), q) for q in within]
            if inside:
                chosen.add(min(inside, key=lambda each: (each[0], each[1].at))[1])
                chosen.add(min(inside, key=lambda each: (-each[0], each[1].at))[1])
                chosen.add(min(inside, key=lambda each: (abs(each[0] - paid), -each[0], each[1].at))[1])
            last = known[bisect_left(times, moment.at - STALE) : now][-1:]
            after = known[now : now + 1]
            # the next quote tells how long the last one stood; of a source that was silent it tells nothing
            chosen.update(last, after if last or (after and after[0].at <= moment.at + window) else [])
            chosen.update(known[bisect_left(times, began - STALE) : first][-1:])
    return chosen


def newest_last(quote: Quote) -> tuple[datetime, Decimal, Decimal]:
    """The order of quotes by time, and by price where two have one time."""
    return quote.at, quote.bid, quote.ask
