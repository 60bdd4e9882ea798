"""The orders and attempts that a fault touched, by account."""

from typing import TYPE_CHECKING, Any, Final

from domain.incidents.incident import Fault, FaultKind
from domain.log.trade_log import OrderType
from runtime.database import LONG_PATIENCE

if TYPE_CHECKING:
    from runtime.database import Connection


async def touched_by(connection: "Connection", fault: Fault) -> dict[str, list[tuple[str | None, OrderType | None]]]:
    """The orders that *fault* may have touched, by account: of each its id and kind."""
    if fault.kind is FaultKind.OUTAGE:
        rows = await connection.fetch(TOUCHED_BY_OUTAGE, fault.symbol, fault.since, fault.until, timeout=LONG_PATIENCE)
    else:
        rows = await connection.fetch(
            TOUCHED_BY_QUOTES,
            fault.symbol,
            fault.since,
            fault.until,
            fault.source,
            fault.price_from,
            fault.price_to,
            timeout=LONG_PATIENCE,
        )
    found: dict[str, list[tuple[str | None, OrderType | None]]] = {}
    for row in rows:
        kind: Any = row["type"]
        found.setdefault(row["account"], []).append((row["order"], OrderType(kind) if kind else None))
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
    select touched.account, touched."order", placed.type
    from touched
    left join lateral (
        select type from tradelog.orders
        where orders."order" = touched."order" and orders.account = touched.account
        limit 1
    ) as placed on true
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
