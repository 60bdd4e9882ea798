"""The lowest and highest quotes of whole spans of time, read once for all who wait over the same hours.

Of the accounts of an incident hundreds had orders that waited through the same day. Whether a price was reached in a
span is told by its extremes; only the span in which it was, and the rest at both ends, are then read quote by quote.
The answer is that of reading them all, of the log as it was when a span was first read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.log.trade_log import Quote, Side

SPAN: Final = timedelta(minutes=15)
MOST: Final = 5_000
"""Spans kept, each with four quotes of every source."""
AT_ONCE: Final = 96
"""Spans read by one statement: those of a day."""
_BEGAN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)

Read = Callable[[Sequence[datetime], timedelta], Awaitable[Iterable[Quote]]]
"""Of each source, and each span of that length that begins then, the earliest of the lowest and highest prices."""
Look = Callable[[datetime, datetime], Awaitable[Iterable[Quote]]]
"""What is searched for, from one instant to another."""


class Through(NamedTuple):
    """What is looked for: quotes at which an order on *side* was due at *price*, a *worse* or a better one."""

    side: Side
    price: Decimal
    worse: bool

    def beyond(self, quote: Quote) -> Decimal:
        """How far *quote* is through, below zero where it is not."""
        sign = self.side.sign if self.worse else -self.side.sign
        return sign * ((quote.ask if self.side is Side.BUY else quote.bid) - self.price)


class SharedSpans:
    """What is known of the quotes of whole spans, by symbol."""

    def __init__(self, span: timedelta = SPAN) -> None:
        self.span = span
        self._known: dict[tuple[str, datetime], list[Quote]] = {}
        self._reading = asyncio.Lock()

    def within(self, start: datetime, end: datetime) -> list[datetime]:
        """When the spans begin that lie whole within *start* and *end*."""
        first = self._begin(start + self.span - _INSTANT)
        return [first + number * self.span for number in range((end - first) // self.span)]

    async def search(
        self,
        wanted: Through,
        symbol: str,
        start: datetime,
        end: datetime,
        *,
        read: Read,
        look: Look,
    ) -> list[Quote]:
        """Of each source the first quote through from *start* to *end*, and the one that is farthest through."""
        spans = self.within(start, end) if end - start < MOST * self.span else []
        if not spans:  # too short for one, or longer than what is kept: an order that waited for months
            return list(await look(start, end))
        extremes = await self._extremes(symbol, spans, read)
        seen: list[Quote] = []
        if start < spans[0]:
            seen += await look(start, spans[0] - _INSTANT)
        reached = {quote.source for quote in seen if wanted.beyond(quote) >= 0}
        for span, known in zip(spans, extremes, strict=True):
            seen += known
            due = {quote.source for quote in known if wanted.beyond(quote) >= 0} - reached
            if due:
                seen += await look(span, span + self.span - _INSTANT)
                reached |= due
        seen += await look(spans[-1] + self.span, end)
        return _first_and_farthest(wanted, seen)

    def _begin(self, at: datetime) -> datetime:
        """When the span began that *at* lies in."""
        return _BEGAN + (at - _BEGAN) // self.span * self.span

    async def _extremes(self, symbol: str, spans: Sequence[datetime], read: Read) -> list[list[Quote]]:
        async with self._reading:
            missing = [span for span in spans if (symbol, span) not in self._known]
            for first in range(0, len(missing), AT_ONCE):
                some = missing[first : first + AT_ONCE]
                found: dict[datetime, list[Quote]] = {span: [] for span in some}
                for quote in await read(some, self.span):
                    found[self._begin(quote.at)].append(quote)
                self._known |= {(symbol, span): quotes for span, quotes in found.items()}
            known = [self._known[symbol, span] for span in spans]
            for oldest in list(self._known)[:-MOST]:
                del self._known[oldest]
        return known


def _first_and_farthest(wanted: Through, seen: Iterable[Quote]) -> list[Quote]:
    chosen: dict[Quote, None] = {}
    by_source: dict[str, list[Quote]] = {}
    for quote in sorted(seen, key=lambda each: (each.source, each.at)):
        by_source.setdefault(quote.source, []).append(quote)
    for quotes in by_source.values():
        first = next((quote for quote in quotes if wanted.beyond(quote) >= 0), None)
        farthest = max(quotes, key=wanted.beyond)  # of equals the earliest: they are in the order of time
        chosen |= dict.fromkeys([first, farthest] if first else [farthest])
    return list(chosen)
