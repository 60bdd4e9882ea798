"""What the checks ask of quotes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from activities.checks.shared_spans import Look, Read, SharedSpans, Through
from activities.log.trade_log import Snapshot
from domain.checks.moments import LOOK_AHEAD, STALE
from domain.log.trade_log import Order, Quote, Side

TICKS_NEAR: Final = 12
"""Quotes of each source looked at before and after an instant."""

MOST_TICKS: Final = 400
"""Quotes of a margin replay: they are all kept as evidence."""

DAY: Final = timedelta(days=1)


class QuoteSnapshot(Snapshot):
    """Quotes, in the transaction of a :class:`Snapshot`."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        super().__init__(connection)
        self.shared: SharedSpans | None = None
        """What was read of whole spans of time for other accounts."""

    async def usual_spread(self, symbol: str, at: datetime) -> Decimal | None:
        minute = at.replace(second=0, microsecond=0)

        async def ask() -> Decimal | None:
            spread = (await self._fetch(USUAL_SPREAD, symbol, minute))[0][0]
            return spread if spread is None else Decimal(spread)

        return await (self.shared.spread(symbol, minute, ask) if self.shared else ask())

    async def through(
        self, order: Order, price: Decimal, start: datetime, end: datetime, *, worse: bool
    ) -> list[Quote]:
        look = self._looking(THROUGH[order.side, worse], order.symbol, price)
        if self.shared is None:
            return await look(start, end)
        wanted, read = Through(order.side, price, worse), self._reading(order, worse=worse)
        return await self.shared.search(wanted, order.symbol, start, end, read=read, look=look)

    async def first_through(
        self, order: Order, price: Decimal, start: datetime, end: datetime, *, worse: bool
    ) -> list[Quote]:
        look, until = self._looking(FIRST_THROUGH[order.side, worse], order.symbol, price), min(end, start + LOOK_AHEAD)
        if self.shared is None:
            return await look(start, until)
        wanted, read = Through(order.side, price, worse), self._reading(order, worse=worse)
        return await self.shared.first(wanted, order.symbol, start, until, read=read, look=look)

    def _looking(self, query: str, symbol: str, price: Decimal) -> Look:
        async def look(since: datetime, until: datetime) -> list[Quote]:
            return await self._rows("quotes", Quote, query, symbol, since, until, price)

        return look

    def _reading(self, order: Order, *, worse: bool) -> Read:
        async def read(spans: Sequence[datetime], span: timedelta) -> list[Quote]:
            return await self._rows("quotes", Quote, _FARTHEST[order.side, worse], order.symbol, spans, span)

        return read

    async def near(self, symbol: str, at: datetime) -> list[Quote]:
        return await self._rows("quotes", Quote, NEAR, symbol, at, timedelta(seconds=60), TICKS_NEAR)

    async def last_quotes(self, symbol: str, at: datetime) -> list[Quote]:
        return await self._rows("quotes", Quote, NEAR, symbol, at, STALE, 1)

    async def last(self, symbol: str, at: datetime) -> list[Quote]:
        return await self._rows("quotes", Quote, NEAR, symbol, at, DAY, 1)

    async def ticks(self, symbols: Collection[str], start: datetime, end: datetime) -> list[Quote]:
        return await self._rows("quotes", Quote, _TICKS, sorted(set(symbols)), start, end, MOST_TICKS)

    async def first_ticks(self, symbol: str, start: datetime, end: datetime) -> list[Quote]:
        return await self._rows("quotes", Quote, FIRST_TICKS, symbol, start, end, MOST_TICKS)


# Steps from source to source through the primary key; see DECIDING_QUOTES.
_FEEDS = """
    with recursive feed as (
        select (select min(source) from tradelog.quotes where symbol = $1) as name
        union all
        select (select min(source) from tradelog.quotes where symbol = $1 and source > feed.name)
        from feed where name is not null
    )
"""


def _through(side: Side, *, worse: bool, nearest: bool) -> str:
    """An order may have waited through a day of quotes: they are compared as they stand, and none is computed with.

    The first through is found by stepping through the index until there is one; `offset 0` keeps the planner, which
    takes prices beyond all others for rare, from reading the table instead. The *nearest* takes the whole time.
    """
    price = "ask" if side is Side.BUY else "bid"
    reached, best = (">=", "desc") if worse is (side is Side.BUY) else ("<=", "asc")
    nearest_of_feed = f"""
            union all
            (
                select symbol, source, at, bid, ask from tradelog.quotes
                where symbol = $1 and source = feed.name and at between $2 and $3
                order by {price} {best}, at limit 1
            )
    """  # noqa: S608 (nothing from outside)
    return f"""
    {_FEEDS}
    select distinct symbol, source, at, bid, ask
    from (
        select found.*
        from feed
        cross join lateral (
            (
                select symbol, source, at, bid, ask
                from (
                    select symbol, source, at, bid, ask from tradelog.quotes
                    where symbol = $1 and source = feed.name and at between $2 and $3
                    order by at offset 0
                ) as in_order
                where {price} {reached} $4::numeric
                order by at limit 1
            )
            {nearest_of_feed if nearest else ""}
        ) as found
        where feed.name is not null
    ) as quote
    """  # noqa: S608 (nothing from outside)


_WAITING: Final = [(side, worse) for side in Side for worse in (True, False)]

THROUGH: Final = {(side, worse): _through(side, worse=worse, nearest=True) for side, worse in _WAITING}
"""By the side of the order, and whether it waits for a worse price."""

FIRST_THROUGH: Final = {(side, worse): _through(side, worse=worse, nearest=False) for side, worse in _WAITING}
"""The same without the nearest."""

# A few quotes of each feed are enough for a middle, and the same for whoever asks about the same minute.
USUAL_SPREAD: Final = f"""
    {_FEEDS}
    select percentile_disc(0.5) within group (order by found.ask - found.bid)
    from feed
    cross join generate_series(
        $2::timestamptz - interval '5 minutes', $2::timestamptz + interval '5 minutes', interval '1 minute'
    ) as minute (at)
    cross join lateral (
        select bid, ask from tradelog.quotes
        where symbol = $1 and source = feed.name and quotes.at between minute.at - interval '1 minute' and minute.at
        order by quotes.at desc limit 1
    ) as found
    where feed.name is not null
"""  # noqa: S608


def _farthest(side: Side, *, worse: bool) -> str:
    """Of each feed, and each span that begins then, the earliest of the quotes that are farthest through."""
    price = "ask" if side is Side.BUY else "bid"
    best = "desc" if worse is (side is Side.BUY) else "asc"
    return f"""
    {_FEEDS}
    select found.*
    from feed
    cross join unnest($2::timestamptz[]) as span (since)
    cross join lateral (
        select symbol, source, at, bid, ask from tradelog.quotes
        where symbol = $1 and source = feed.name and at >= span.since and at < span.since + $3::interval
        order by {price} {best}, at limit 1
    ) as found
    where feed.name is not null
    """  # noqa: S608 (nothing from outside)


_FARTHEST: Final = {(side, worse): _farthest(side, worse=worse) for side, worse in _WAITING}
"""By the side of the order, and whether it waits for a worse price."""

NEAR = f"""
    {_FEEDS}
    select distinct symbol, source, at, bid, ask
    from (
        select found.*
        from feed
        cross join lateral (
            (
                select symbol, source, at, bid, ask from tradelog.quotes
                where symbol = $1 and source = feed.name and at between $2::timestamptz - $3::interval and $2
                order by at desc limit $4
            )
            union all
            (
                select symbol, source, at, bid, ask from tradelog.quotes
                where symbol = $1 and source = feed.name and at > $2 and at <= $2::timestamptz + $3::interval
                order by at limit $4
            )
        ) as found
        where feed.name is not null
    ) as quote
"""  # noqa: S608

_TICKS = """
    select * from tradelog.quotes where symbol = any($1) and at between $2 and $3
    order by at desc, symbol, source limit $4
"""

# Of each source as many as are wanted in all, for they may all be its own; then the first of those.
FIRST_TICKS = f"""
    {_FEEDS}
    select first.*
    from feed
    cross join lateral (
        select * from tradelog.quotes
        where symbol = $1 and source = feed.name and at > $2 and at <= $3
        order by at limit $4
    ) as first
    where feed.name is not null
    order by first.at, first.source limit $4
"""  # noqa: S608
