"""The farthest quotes of whole spans of time, read once for all who wait over the same hours.

Of the accounts of an incident hundreds had orders that waited through the same day. Whether a price was reached in a
span is told by its farthest quote; only the span in which it was, and the rest at both ends, are then read quote by
quote. The answer is that of reading them all, of the log as it was when a span was first read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.log.trade_log import Quote, Side

SPAN: Final = timedelta(minutes=15)
MINUTE: Final = timedelta(minutes=1)
"""Of the rest at both ends whole minutes are passed over: those who waited until the same minute share them."""
DAY: Final = timedelta(days=1)
"""Of orders that waited for weeks whole days are passed over."""
MOST: Final = 5_000
"""Spans kept, each with a quote of every source."""
_BEGAN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)

Read = Callable[[Sequence[datetime], timedelta], Awaitable[Iterable[Quote]]]
"""Of each source, and each span of that length that begins then, the earliest of those farthest through."""
Look = Callable[[datetime, datetime], Awaitable[list[Quote]]]
"""What is searched for, from one instant to another."""


class Through(NamedTuple):
    """What is looked for: quotes at which an order on *side* was due at *price*, a *worse* or a better one."""

    side: Side
    price: Decimal
    worse: bool

    @property
    def upwards(self) -> bool:
        """Whether the higher price is the farther through."""
        return self.worse is (self.side is Side.BUY)

    def reached(self, quote: Quote) -> bool:
        """Whether *quote* is through."""
        price = quote.ask if self.side is Side.BUY else quote.bid
        return price >= self.price if self.worse is (self.side is Side.BUY) else price <= self.price

    def beyond(self, quote: Quote) -> Decimal:
        """How far *quote* is through, below zero where it is not."""
        price = quote.ask if self.side is Side.BUY else quote.bid
        return price - self.price if self.upwards else self.price - price


class SharedSpans:
    """What is known of the quotes of whole spans, by symbol."""

    def __init__(self, span: timedelta = SPAN, day: timedelta = DAY, minute: timedelta = MINUTE) -> None:
        self._spans = _Farthest(span)
        self._minutes = _Farthest(minute)
        self._days = _Farthest(day)
        self._spreads: dict[tuple[str, datetime], Decimal | None] = {}

    async def search(
        self, wanted: Through, symbol: str, start: datetime, end: datetime, *, read: Read, look: Look
    ) -> list[Quote]:
        """Of each source the first quote through from *start* to *end*, and the one that is farthest through."""
        if end - start >= MOST * self._spans.length:  # longer than what is kept
            return await look(start, end)
        levels = (self._spans, self._minutes)
        seen = await self._seen(levels, wanted, symbol, start, end, read=read, look=look)
        return _first_and_farthest(wanted, seen)

    async def first(
        self, wanted: Through, symbol: str, start: datetime, end: datetime, *, read: Read, look: Look
    ) -> list[Quote]:
        """Of each source the first quote through from *start* to *end*, over weeks: by days, too."""
        levels = (self._days, self._spans, self._minutes)
        seen = await self._seen(levels, wanted, symbol, start, end, read=read, look=look)
        first: dict[str, Quote] = {}
        for quote in sorted(seen, key=lambda each: each.at):
            if wanted.reached(quote):
                first.setdefault(quote.source, quote)
        return list(first.values())

    async def _seen(
        self,
        levels: Sequence["_Farthest"],
        wanted: Through,
        symbol: str,
        start: datetime,
        end: datetime,
        *,
        read: Read,
        look: Look,
    ) -> list[Quote]:
        """Quotes among which those that are searched for are: by spans of the first of *levels*, the rest by others."""
        if start > end:
            return []
        if not levels:
            return await look(start, end)
        level, *others = levels

        async def closer(since: datetime, until: datetime) -> list[Quote]:
            return await self._seen(others, wanted, symbol, since, until, read=read, look=look)

        spans = level.within(start, end)
        if not spans:
            return await closer(start, end)
        seen = await closer(start, spans[0] - _INSTANT)
        reached = {quote.source for quote in seen if wanted.reached(quote)}
        for span, known in zip(spans, await level.of(wanted, symbol, spans, read), strict=True):
            seen += known
            due = {quote.source for quote in known if wanted.reached(quote)} - reached
            if due:
                seen += await closer(span, span + level.length - _INSTANT)
                reached |= due
        return seen + await closer(spans[-1] + level.length, end)

    async def spread(
        self, symbol: str, minute: datetime, ask: Callable[[], Awaitable[Decimal | None]]
    ) -> Decimal | None:
        """The usual spread around a *minute*, as it is asked for the first time."""
        if (symbol, minute) not in self._spreads:
            self._spreads[symbol, minute] = await ask()
        return self._spreads[symbol, minute]


class _Farthest:
    """The quotes farthest through of spans of one *length*, by symbol, side and direction: those asked for last."""

    def __init__(self, length: timedelta) -> None:
        self.length = length
        self._known: dict[tuple[str, Side, bool, datetime], list[Quote]] = {}
        self._reading = asyncio.Lock()
        self._at_once = max(1, DAY // length)
        """Spans read by one statement: those of a day."""

    def within(self, start: datetime, end: datetime) -> list[datetime]:
        """When the spans begin that lie whole within *start* and *end*."""
        first = self._begin(start + self.length - _INSTANT)
        return [first + number * self.length for number in range((end - first) // self.length)]

    def _begin(self, at: datetime) -> datetime:
        """When the span began that *at* lies in."""
        return _BEGAN + (at - _BEGAN) // self.length * self.length

    async def of(self, wanted: Through, symbol: str, spans: Sequence[datetime], read: Read) -> list[list[Quote]]:
        """Those of each of the *spans*, whatever the price *wanted*."""
        alike = symbol, wanted.side, wanted.upwards
        async with self._reading:
            missing = [span for span in spans if (*alike, span) not in self._known]
            for first in range(0, len(missing), self._at_once):
                some = missing[first : first + self._at_once]
                found: dict[datetime, list[Quote]] = {span: [] for span in some}
                for quote in await read(some, self.length):
                    found[self._begin(quote.at)].append(quote)
                self._known |= {(*alike, span): quotes for span, quotes in found.items()}
            known = [self._known[*alike, span] for span in spans]
            for oldest in list(self._known)[:-MOST]:
                del self._known[oldest]
        return known


def _first_and_farthest(wanted: Through, seen: Iterable[Quote]) -> list[Quote]:
    chosen: dict[Quote, None] = {}
    by_source: dict[str, list[Quote]] = {}
    for quote in sorted(seen, key=lambda each: (each.source, each.at)):
        by_source.setdefault(quote.source, []).append(quote)
    for quotes in by_source.values():
        first = next((quote for quote in quotes if wanted.reached(quote)), None)
        farthest = max(quotes, key=wanted.beyond)  # of equals the earliest: they are in the order of time
        chosen |= dict.fromkeys([first, farthest] if first else [farthest])
    return list(chosen)
