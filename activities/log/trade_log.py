"""The trade log as investigations read it: one account's rows, and the few quotes that decide."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar, cast, overload

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import ValidationError

from domain.checks.moments import FEED, STALE, Execution, Feed, FeedMedian, Moment
from domain.ground.base import Record
from domain.log.trade_log import AccountEntry, Fill, Instrument, Order, Position, Quote

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound="Snapshot")


class UnreadableRow(Exception):
    """A row of the trade log does not fit its model. Names the table and the fields, never the values."""

    def __init__(self, table: str, fields: Iterable[str]) -> None:
        super().__init__(f"tradelog.{table}: unreadable {', '.join(sorted(set(fields)))}")
        self.table = table


class TradeLog:
    """Reads the schema ``tradelog``. Writes nothing."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool

    @overload
    def snapshot(self) -> AbstractAsyncContextManager["Snapshot"]: ...

    @overload
    def snapshot(self, of: "type[S]") -> AbstractAsyncContextManager["S"]: ...

    @asynccontextmanager
    async def snapshot(self, of: "type[Snapshot] | None" = None) -> AsyncIterator[Any]:
        """The log as it stands now, unchanged by what is imported meanwhile; *of* is what is to be asked of it."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield (of or Snapshot)(connection)


class Snapshot:
    """Queries within one read-only transaction.

    Everything but quotes is asked for by account, and no row of another account is ever returned. Every method may
    raise :class:`UnreadableRow`. What was asked before is not asked again: the answer would be the same.
    """

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        self._connection = connection
        self._answered: dict[tuple[object, ...], list[asyncpg.Record]] = {}

    def apart(self) -> AbstractAsyncContextManager[object]:
        """Queries apart from the others: one that fails leaves the snapshot as it was."""
        return self._connection.transaction()

    async def knows(self, account: str) -> bool:
        """Whether the log has any row of *account*."""
        return bool(await self._connection.fetchval(_KNOWS, account))

    async def orders_of(self, account: str, trades: Sequence[str]) -> dict[str, list[str]]:
        """The orders meant by each id of an order, a fill or a position, given whole or from a colon on (its ticket).

        A position means the orders that closed it, or, while none has, the one that opened it. Ids that mean no order
        are left out.
        """
        found: dict[str, list[str]] = {}
        for row in await self._fetch(_ORDERS_OF, account, list(trades)):
            found.setdefault(row["id"], []).append(row["order"])
        return found

    async def tables_of(self, account: str, trades: Sequence[str]) -> dict[str, set[str]]:
        """The tables that know each id, of ``orders``, ``fills``, ``positions`` and ``account_entries``."""
        found: dict[str, set[str]] = {}
        for row in await self._fetch(_TABLES_OF, account, list(trades)):
            found.setdefault(row["id"], set()).add(row["found_in"])
        return found

    async def orders_between(self, account: str, start: datetime, end: datetime, *, limit: int) -> list[str]:
        """The orders with fills from *start* to *end*, the earliest *limit* of them."""
        return [row["order"] for row in await self._fetch(_ORDERS_BETWEEN, account, start, end, limit)]

    async def executions(self, account: str, orders: Sequence[str]) -> list[Execution]:
        """The rows of *orders*, in the order of their first fills; those without fills last."""
        ids = sorted(set(orders))
        order = {row.order: row for row in _read("orders", Order, await self._fetch(_ORDERS, account, ids))}
        fills: dict[str, list[Fill]] = {id_: [] for id_ in ids}
        for fill in _read("fills", Fill, await self._fetch(_FILLS, account, ids)):
            fills[fill.order].append(fill)
        traded = sorted({(each[0].symbol, each[0].at) for each in fills.values() if each})
        instruments = await self._specifications(traded)
        closed = sorted({row.position for row in order.values() if row.position})
        positions = {
            row.position: row for row in _read("positions", Position, await self._fetch(_POSITIONS, account, closed))
        }
        executions = []
        for id_ in ids:
            row = order.get(id_)
            executions.append(
                Execution(
                    id=id_,
                    order=row,
                    fills=tuple(fills[id_]),
                    instrument=instruments.get((fills[id_][0].symbol, fills[id_][0].at)) if fills[id_] else None,
                    position=positions.get(row.position) if row and row.position else None,
                )
            )
        return sorted(executions, key=lambda each: (not each.fills, [fill.at for fill in each.fills[:1]], each.id))

    async def _specifications(self, at: Sequence[tuple[str, datetime]]) -> dict[tuple[str, datetime], Instrument]:
        """What a lot of each instrument was at each moment, as it is known now."""
        rows = await self._fetch(_SPECIFICATIONS, [symbol for symbol, _ in at], [moment for _, moment in at])
        found = _read("instruments", Instrument, rows)
        return {(row["symbol"], row["moment"]): one for row, one in zip(rows, found, strict=True)}

    async def deciding_quotes(self, moments: Iterable[Moment], *, window_seconds: int) -> list[Quote]:
        """Of each source the few quotes that decide at each moment, at most six.

        What they decide is in :func:`domain.checks.execution.finding.check_execution`.
        """
        asked = sorted(set(moments))
        rows = await self._fetch(
            DECIDING_QUOTES,
            [moment.symbol for moment in asked],
            [moment.at for moment in asked],
            [moment.side.sign for moment in asked],
            [moment.price for moment in asked],
            timedelta(seconds=window_seconds),
            STALE,
        )
        return _read("quotes", Quote, rows)

    async def medians(self, feeds: Iterable[Feed]) -> list[FeedMedian]:
        """The middle of each feed. Nothing for a feed without quotes."""
        asked = sorted(set(feeds))
        if not asked:
            return []
        rows = await self._fetch(
            MEDIANS,
            [feed.symbol for feed in asked],
            [feed.source for feed in asked],
            [feed.at for feed in asked],
            FEED,
        )
        return _read("quotes", FeedMedian, rows)

    async def withdrawals(self, account: str, entries: Sequence[str]) -> list[AccountEntry]:
        """The withdrawals among *entries*, by their ids."""
        return _read("account_entries", AccountEntry, await self._fetch(_WITHDRAWALS, account, list(entries)))

    async def withdrawals_between(
        self, account: str, start: datetime, end: datetime, *, limit: int
    ) -> list[AccountEntry]:
        """The withdrawals under way at any time from *start* to *end*, the latest *limit* of them."""
        rows = await self._fetch(_WITHDRAWALS_BETWEEN, account, start, end, limit)
        return _read("account_entries", AccountEntry, rows)

    async def latest_withdrawals(self, account: str, as_of: datetime, *, limit: int) -> list[AccountEntry]:
        """The withdrawal asked for last, and those still pending at *as_of*; the latest *limit* of them."""
        return _read("account_entries", AccountEntry, await self._fetch(_LATEST_WITHDRAWALS, account, as_of, limit))

    async def _rows(self, table: str, model: type[R], query: str, *values: object) -> list[R]:
        return _read(table, model, await self._fetch(query, *values))

    async def _fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        asked = (query, *(tuple(value) if isinstance(value, list) else value for value in values))
        if asked not in self._answered:
            self._answered[asked] = await self._connection.fetch(query, *values)
        return self._answered[asked]


def _read(table: str, model: type[R], rows: Iterable[asyncpg.Record]) -> list[R]:
    names = tuple(model.model_fields)
    try:
        if model is Quote:
            return [cast("R", _quote(*[row[name] for name in names])) for row in rows]
        return [model.model_validate({name: row[name] for name in names}) for row in rows]
    except ValidationError as error:
        raise UnreadableRow(table, [str(each["loc"][0]) for each in error.errors() if each["loc"]]) from None


@lru_cache(maxsize=20_000)
def _quote(*values: object) -> Quote:
    """A quote of the columns of its row: the checks of an order, and the accounts of an incident, read many again."""
    return Quote.model_validate(dict(zip(Quote.model_fields, values, strict=True)))


_KNOWS = """
    select exists (select from tradelog.orders where account = $1)
        or exists (select from tradelog.fills where account = $1)
        or exists (select from tradelog.positions where account = $1)
        or exists (select from tradelog.account_entries where account = $1)
        or exists (select from tradelog.messages where account = $1)
"""

# An id is meant by itself or by what follows a colon in it: `MT4:70012345:46780803` by its ticket 46780803.
_ASKED = """
    with asked as (select id, tradelog.ticket(id) as ticket from unnest($2::text[]) as id)
"""


def _meant(column: str, table: str) -> str:
    """That *column* of the account's *table* is meant by `asked`; found through the index of tickets."""
    return f"""
        {table}.account = $1 and tradelog.ticket({column}) = asked.ticket
        and ({column} = asked.id or right({column}, length(asked.id) + 1) = ':' || asked.id)
    """


_TABLES_OF = f"""
    {_ASKED}
    select 'orders' as found_in, id from asked join tradelog.orders on {_meant('orders."order"', "orders")}
    union all
    select 'fills', id from asked join tradelog.fills on {_meant("fills.fill", "fills")}
    union all
    select 'fills', id from asked join tradelog.fills on {_meant('fills."order"', "fills")}
    union all
    select 'positions', id from asked join tradelog.positions on {_meant('positions."position"', "positions")}
    union all
    select 'account_entries', id from asked join tradelog.account_entries
        on {_meant("account_entries.entry", "account_entries")}
"""  # noqa: S608

_ORDERS_OF = f"""
    {_ASKED}, held as (
        select asked.id, positions.*
        from asked join tradelog.positions on {_meant('positions."position"', "positions")}
    ), closed as (
        -- A log may have the orders that closed a position without the position.
        select asked.id, closing."position", closing."order"
        from asked join tradelog.orders as closing on closing.account = $1 and closing."position" = asked.id
        where exists (select from tradelog.fills where fills.account = $1 and fills."order" = closing."order")
        union
        select held.id, closing."position", closing."order"
        from held join tradelog.orders as closing on closing.account = $1 and closing."position" = held."position"
        where exists (select from tradelog.fills where fills.account = $1 and fills."order" = closing."order")
    )
    select id, "order" from asked join tradelog.orders on {_meant('orders."order"', "orders")}
    union
    select id, "order" from asked join tradelog.fills on {_meant('fills."order"', "fills")}
    union
    select id, "order" from asked join tradelog.fills on {_meant("fills.fill", "fills")}
    union
    select id, "order" from closed
    union
    select held.id, opening."order"
    from held
    join tradelog.fills as opening
        on opening.account = held.account
        and opening.at = held.opened_at
        and opening.symbol = held.symbol
        and opening.side = held.side
        and opening.price = held.open_price
    where not exists (select from closed where closed."position" = held."position")
    order by 1, 2
"""  # noqa: S608

_ORDERS_BETWEEN = """
    select "order"
    from tradelog.fills
    where account = $1 and at between $2 and $3
    group by "order"
    order by min(at), "order"
    limit $4
"""

_ORDERS = """select * from tradelog.known_orders where account = $1 and "order" = any($2)"""

_FILLS = """select * from tradelog.fills where account = $1 and "order" = any($2) order by at, fill"""

_POSITIONS = """select * from tradelog.known_positions where account = $1 and "position" = any($2)"""

_SPECIFICATIONS = """
    select known.*, asked.moment
    from unnest($1::text[], $2::timestamptz[]) as asked (symbol, moment)
    cross join lateral tradelog.specification(asked.symbol, asked.moment) as known
"""

# Steps from source to source through the primary key (symbol, source, at), then looks up each source around each
# moment: nothing but the window itself is read in full, however long the log is.
DECIDING_QUOTES = """
    with recursive feed as (
        select symbol, (select min(source) from tradelog.quotes where quotes.symbol = asked.symbol) as name
        from (select distinct symbol from unnest($1::text[]) as symbol) as asked
        union all
        select symbol, (
            select min(source) from tradelog.quotes where quotes.symbol = feed.symbol and source > feed.name
        )
        from feed
        where name is not null
    )
    select distinct symbol, source, at, bid, ask
    from (
        select deciding.*
        from unnest($1::text[], $2::timestamptz[], $3::integer[], $4::numeric[]) as moment (symbol, at, sign, price)
        join feed on feed.symbol = moment.symbol and feed.name is not null
        cross join lateral (
            with in_window as materialized (
                select symbol, source, at, bid, ask, moment.sign * case moment.sign when 1 then ask else bid end as cost
                from tradelog.quotes
                where symbol = feed.symbol and source = feed.name
                    and at between moment.at - $5::interval and moment.at + $5::interval
            )
            (
                select * from in_window order by cost, at limit 1
            )
            union all
            (
                select * from in_window order by cost desc, at limit 1
            )
            union all
            (
                select * from in_window order by abs(cost - moment.sign * moment.price), cost desc, at limit 1
            )
            union all
            ( -- the last at or before the moment
                select symbol, source, at, bid, ask, null from tradelog.quotes
                where symbol = feed.symbol and source = feed.name
                    and at between moment.at - $6::interval and moment.at
                order by at desc limit 1
            )
            union all
            ( -- the first after it
                select symbol, source, at, bid, ask, null from tradelog.quotes
                where symbol = feed.symbol and source = feed.name
                    and at > moment.at
                order by at limit 1
            )
            union all
            ( -- the one standing when the window began
                select symbol, source, at, bid, ask, null from tradelog.quotes
                where symbol = feed.symbol and source = feed.name
                    and at >= moment.at - $5::interval - $6::interval and at < moment.at - $5::interval
                order by at desc limit 1
            )
        ) as deciding
    ) as found
"""

# percentile_disc takes the lower of two middle values; with the order turned round, the upper.
MEDIANS = """
    select feed.symbol, feed.source, feed.at, count(*) as quotes,
        0.5 * (percentile_disc(0.5) within group (order by bid) + percentile_disc(0.5) within group (order by bid desc))
            as bid,
        0.5 * (percentile_disc(0.5) within group (order by ask) + percentile_disc(0.5) within group (order by ask desc))
            as ask,
        0.5 * (percentile_disc(0.5) within group (order by ask - bid)
            + percentile_disc(0.5) within group (order by ask - bid desc)) as spread
    from unnest($1::text[], $2::text[], $3::timestamptz[]) as feed (symbol, source, at)
    join tradelog.quotes
        on quotes.symbol = feed.symbol
        and quotes.source = feed.source
        and quotes.at between feed.at - $4::interval and feed.at + $4::interval
    group by feed.symbol, feed.source, feed.at
"""

_WITHDRAWALS = f"""
    {_ASKED}
    select distinct account_entries.*
    from asked join tradelog.known_account_entries as account_entries
        on {_meant("account_entries.entry", "account_entries")}
    where kind = 'withdrawal'
    order by entry
"""  # noqa: S608

_WITHDRAWALS_BETWEEN = """
    select * from tradelog.known_account_entries
    where account = $1 and kind = 'withdrawal'
        and coalesce(requested_at, booked_at, '-infinity') <= $3
        and coalesce(booked_at, 'infinity') >= $2
    order by coalesce(requested_at, booked_at) desc nulls last, entry
    limit $4
"""

_LATEST_WITHDRAWALS = """
    select * from (
        select *, row_number() over (order by coalesce(requested_at, booked_at) desc nulls last, entry) as age
        from tradelog.known_account_entries
        where account = $1 and kind = 'withdrawal'
    ) as withdrawal
    where age = 1 or booked_at is null or booked_at > $2
    order by age
    limit $3
"""
