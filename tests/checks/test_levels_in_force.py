"""A fill is held against the limit that was in force when it was made, or it is for a person; never against a later."""

from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest

from domain.checks.findings import Check, Verdict
from domain.log.trade_log import Order, OrderState, OrderType
from tests.checks.rows import after, fill, order, position, steady, store
from tests.checks.test_gathering import one

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


async def complete(pool: Pool, placed: Order, **ended: Any) -> None:
    """What the log learns when *placed* has ended."""
    row = dict(placed.model_copy(update=ended))
    await pool.copy_records_to_table(
        "order_completions", schema_name="tradelog", columns=list(row), records=[tuple(row.values())]
    )


KEPT, MISSED, UNKNOWN = Verdict.MARKET, Verdict.FIRM_FAULT, Verdict.INCONCLUSIVE


@pytest.mark.parametrize("kind", [OrderType.STOP_LIMIT, OrderType.LIMIT, OrderType.TAKE_PROFIT])
@pytest.mark.parametrize(
    ("limits", "filled", "verdict"),
    [
        (("1937.00", "1937.50"), 0, UNKNOWN),  # it kept to the first, and the change may have come before or after
        (("1937.50", "1937.00"), 0, UNKNOWN),
        (("1937.00", "1937.50"), 9, MISSED),  # it ended with this fill, so the last was in force
        (("1937.50", "1937.00"), 9, KEPT),
        (("1937.00", "1936.90"), 0, KEPT),  # by both of them
        ((None, "1937.50"), 0, MISSED),  # told when it ended, and no other was ever told
    ],
)
async def test_a_fill_is_held_against_the_limit_in_force_then(
    pool: Pool, kind: OrderType, limits: tuple[str | None, str], filled: float, verdict: Verdict
) -> None:
    def level(limit: str | None) -> dict[str, Any]:
        price = Decimal(limit) if limit else None
        return {"price": Decimal("1938.00"), "limit_price": price} if kind is OrderType.STOP_LIMIT else {"price": price}

    first, last = limits
    placed = order(
        kind, state=OrderState.WORKING, volume=Decimal(2), position="P1", received_at=after(-9), **level(first)
    )
    await store(pool, *steady("LP-A", "1937.00"), *steady("LP-B", "1937.00"), *steady("LP-C", "1937.00"), placed)
    held = {"close_price": Decimal("1937.00"), "closed_at": after(20)}
    await store(pool, fill("1937.00", at=after(filled), position="P1"), position(volume=Decimal(2), **held))
    await complete(pool, placed, state=OrderState.CANCELLED, ended_at=after(9), **level(last))
    finding = await one(pool, Check.TRIGGER if verdict is UNKNOWN else Check.EXECUTION, "O1")
    assert finding.verdict is verdict, finding.reason.en
    if verdict is MISSED:
        assert (finding.reference_rule, str(finding.harm)) == ("limit-price", "USD 50.00")
    if verdict is UNKNOWN:
        finding = await one(pool, Check.EXECUTION, "O1")  # of a stop-limit the price alone
        assert finding.verdict in {UNKNOWN, KEPT}
