"""The orders and attempts that a fault touched, by account."""

from typing import TYPE_CHECKING, Final, NamedTuple

from domain.incidents.incident import Fault, FaultKind
from domain.log.trade_log import OrderType

if TYPE_CHECKING:
    from record.connection import Connection


class Touched(NamedTuple):
    """An order that a fault may have touched; ``order`` is ``None`` for an attempt that became none.

    ``filled``: it has a fill, whenever. ``limited``: it is a stop-limit order whose limit is recorded.
    """

    order: str | None
    kind: OrderType | None
    filled: bool = True
    limited: bool = False


async def touched_by(connection: "Connection", fault: Fault, *, patience: float) -> dict[str, list[Touched]]:
    """The orders that *fault* may have touched, by account, each once.

    Of wrong quotes also those that waited for a price that somebody quoted then, and were not filled, or not wholly, or
    only after it; and orders that wait for no price, came before its end and were filled after it. *patience* is for
    how many seconds each look at the log may last.
    """
    found: dict[str, list[Touched]] = {}
    window = (fault.symbol, fault.since, fault.until)
    if fault.kind is FaultKind.OUTAGE:
        for row in await connection.fetch(TOUCHED_BY_OUTAGE, *window, timeout=patience):
            found.setdefault(row["account"], []).append(Touched(row["order"], None))
        return found
    prices = (fault.price_from, fault.price_to)
    rows = await connection.fetch(TOUCHED_BY_QUOTES, *window, fault.source, *prices, timeout=patience)
    rows += await connection.fetch(WAITED_IN_VAIN, *window, *prices, timeout=patience)
    rows += await connection.fetch(FILLED_LATER, *window, fault.source, *prices, timeout=patience)
    for account, order, kind, filled, limited in dict.fromkeys(map(tuple, rows)):
        touched = Touched(order, OrderType(kind) if kind else None, filled=filled, limited=limited)
        found.setdefault(account, []).append(touched)
    return found


# Of positions as they were first recorded: what completes them later changes neither instrument nor account.
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
    select touched.account, touched."order", placed.type, true as filled, placed.limit_price is not null as limited
    from touched
    left join lateral (
        select type, limit_price from tradelog.known_orders as known
        where known."order" = touched."order" and known.account = touched.account
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
_QUOTED: Final = """
    with quoted as (
        select min(bid) as low_bid, max(bid) as high_bid, min(ask) as low_ask, max(ask) as high_ask
        from tradelog.quotes where symbol = $1 and at between $2 and $3
    )
"""

_KNOWN: Final = """
    cross join lateral (
        select price, limit_price, state, ended_at from tradelog.known_orders as known
        where known."order" = placed."order" and known.account = placed.account limit 1
    ) as known
    left join tradelog.known_positions as held on held."position" = placed."position" and held.account = placed.account
"""

_LEVEL_QUOTED: Final = """
    (case
        when placed.side = 'buy' and placed.type in ('limit', 'take_profit') then known.price >= quoted.low_ask
        when placed.side = 'buy' then known.price <= quoted.high_ask
        when placed.type in ('limit', 'take_profit') then known.price <= quoted.high_bid
        else known.price >= quoted.low_bid
    end or case placed.side  -- a stop-limit whose stop was passed before, and which waits for a better price
        when 'buy' then known.limit_price < known.price and known.limit_price >= quoted.low_ask
        else known.limit_price > known.price and known.limit_price <= quoted.high_bid
    end)
"""

WAITED_IN_VAIN: Final = f"""
    {_QUOTED}
    select placed.account, placed."order", placed.type, done.lots > 0 as filled,
        known.limit_price is not null as limited
    from quoted
    cross join lateral (
        select * from tradelog.orders
        where symbol = $1 and type in ('limit', 'stop', 'stop_limit', 'stop_loss', 'take_profit')
    ) as placed
    {_KNOWN}
    cross join lateral (
        select coalesce(sum(volume), 0) as lots from tradelog.fills
        where fills."order" = placed."order" and fills.account = placed.account
    ) as done
    where coalesce(known.state, 'working') not in ('filled', 'rejected')
        and coalesce(placed.received_at, held.opened_at, '-infinity') <= $3
        and coalesce(known.ended_at, held.closed_at, 'infinity') >= $2
        and ($4::numeric is null or known.price >= $4) and ($5::numeric is null or known.price <= $5)
        and placed.volume > done.lots
        and {_LEVEL_QUOTED}
    order by placed.account collate "C", placed."order"
"""  # noqa: S608 (nothing from outside)

# Found through their fills, which are looked for a day long: who was to be served in the window is served soon after.
FILLED_LATER: Final = f"""
    {_QUOTED}
    select distinct placed.account collate "C" as account, placed."order", placed.type, true as filled,
        known.limit_price is not null as limited
    from quoted
    cross join lateral (
        select account, "order", price from tradelog.fills
        where fills.symbol = $1 and at > $3 and at <= $3::timestamptz + interval '1 day'
            and ($4::text is null or source is null or source = $4)
    ) as filled
    join tradelog.orders as placed on placed."order" = filled."order" and placed.account = filled.account
    {_KNOWN}
    where ($5::numeric is null or coalesce(known.price, filled.price) >= $5)
        and ($6::numeric is null or coalesce(known.price, filled.price) <= $6)
        and case
            when placed.type in ('market', 'stop_out') then placed.received_at <= $3
            when placed.type = 'close_by' then false
            else coalesce(placed.received_at, held.opened_at, '-infinity') <= $3 and {_LEVEL_QUOTED}
        end
    order by 1, 2
"""  # noqa: S608
