"""The orders and attempts that a fault touched, by account."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.incidents.incident import Fault, FaultKind
from domain.log.trade_log import OrderType

if TYPE_CHECKING:
    from record.connection import Connection


class Touched(NamedTuple):
    """An order that a fault may have touched; ``order`` is ``None`` for an attempt that became none.

    ``limited``: it is a stop-limit order whose limit is recorded.
    """

    order: str | None
    kind: OrderType | None
    filled: bool = True
    limited: bool = False


async def touched_by(connection: "Connection", fault: Fault, *, patience: float) -> dict[str, list[Touched]]:
    """The orders that *fault* may have touched, by account.

    Of wrong quotes also those that waited for a price that somebody quoted then, and were not filled, or not wholly.
    *patience* is
    for how many seconds each look at the log may last.
    """
    found: dict[str, list[Touched]] = {}
    window = (fault.symbol, fault.since, fault.until)
    if fault.kind is FaultKind.OUTAGE:
        for row in await connection.fetch(TOUCHED_BY_OUTAGE, *window, timeout=patience):
            found.setdefault(row["account"], []).append(Touched(row["order"], None))
        return found
    prices = (fault.price_from, fault.price_to)
    for row in await connection.fetch(TOUCHED_BY_QUOTES, *window, fault.source, *prices, timeout=patience):
        kind: Any = row["type"]
        touched = Touched(row["order"], OrderType(kind) if kind else None, limited=row["limited"])
        found.setdefault(row["account"], []).append(touched)
    for row in await connection.fetch(WAITED_IN_VAIN, *window, *prices, timeout=patience):
        found.setdefault(row["account"], []).append(Touched(row["order"], OrderType(row["type"]), filled=False))
    return found


# Of orders and positions as they were first recorded: what completes them later changes neither kind nor account.
# Liquidations follow from the margin of the whole account: a wrong price of one instrument may close another.
TOUCHED_BY_QUOTES: Final = """
    with touched as (
        select account, "order" from tradelog.fills
        where symbol = $1 and at between $2 and $3
            and ($4::text is null or source is null or source = $4)
            and ($5::numeric is null or price >= $5) and ($6::numeric is null or price <= $6)
        union
        select filled.account, filled."order"
        from tradelog.instruments
        cross join lateral (
            select account, "order" from tradelog.fills
            where fills.symbol = instruments.symbol and fills.at between $2 and $3
        ) as filled
        join tradelog.orders as placed
            on placed."order" = filled."order" and placed.account = filled.account and placed.type = 'stop_out'
        where instruments.symbol <> $1 and exists (
            select from tradelog.positions as held
            where held.account = filled.account and held.symbol = $1
                and held.opened_at <= $3 and coalesce(held.closed_at, 'infinity') >= $2
        )
    )
    select touched.account, touched."order", placed.type, placed.limit_price is not null as limited
    from touched
    left join lateral (
        select type, limit_price from tradelog.orders
        where orders."order" = touched."order" and orders.account = touched.account
        limit 1
    ) as placed on true
    where placed.type is distinct from 'close_by'  -- at the opening prices of two positions, which nobody quoted
    order by touched.account collate "C", touched."order"
"""

TOUCHED_BY_OUTAGE: Final = """
    select distinct tried.account collate "C" as account, tried."order", null as type
    from tradelog.instruments
    cross join lateral (
        select account, "order" from tradelog.order_events
        where order_events.symbol = instruments.symbol and at between $2 and $3
            and kind in ('rejected', 'failed', 'requoted')
    ) as tried
    where $1::text is null or instruments.symbol = $1
    order by 1, 2
"""

# The quotes of all sources in the window tell which levels somebody may have reached; whether valid prices did is what
# the check finds. A waiting order ends with its position; one that was filled in part waited with the rest.
WAITED_IN_VAIN: Final = """
    with quoted as (
        select min(bid) as low_bid, max(bid) as high_bid, min(ask) as low_ask, max(ask) as high_ask
        from tradelog.quotes where symbol = $1 and at between $2 and $3
    )
    select placed.account, placed."order", placed.type
    from quoted
    cross join lateral (
        select * from tradelog.orders
        where symbol = $1 and type in ('limit', 'stop', 'stop_limit', 'stop_loss', 'take_profit')
    ) as placed
    cross join lateral (
        select price, limit_price, state, ended_at from tradelog.known_orders as known
        where known."order" = placed."order" and known.account = placed.account limit 1
    ) as known
    left join tradelog.known_positions as held on held."position" = placed."position" and held.account = placed.account
    where coalesce(known.state, 'working') not in ('filled', 'rejected')
        and coalesce(placed.received_at, held.opened_at, '-infinity') <= $3
        and coalesce(known.ended_at, held.closed_at, 'infinity') >= $2
        and ($4::numeric is null or known.price >= $4) and ($5::numeric is null or known.price <= $5)
        and placed.volume > (
            select coalesce(sum(volume), 0) from tradelog.fills
            where fills."order" = placed."order" and fills.account = placed.account
        )
        and (case
            when placed.side = 'buy' and placed.type in ('limit', 'take_profit') then known.price >= quoted.low_ask
            when placed.side = 'buy' then known.price <= quoted.high_ask
            when placed.type in ('limit', 'take_profit') then known.price <= quoted.high_bid
            else known.price >= quoted.low_bid
        end or case placed.side  -- a stop-limit whose stop was passed before, and which waits for a better price
            when 'buy' then known.limit_price < known.price and known.limit_price >= quoted.low_ask
            else known.limit_price > known.price and known.limit_price <= quoted.high_bid
        end)
    order by placed.account collate "C", placed."order"
"""
