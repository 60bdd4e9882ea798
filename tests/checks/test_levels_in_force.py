"""A fill is held against the limit that was in force when it was made, or it is for a person; never against a later."""

from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import pytest

from domain.checks.findings import Check, Verdict
from domain.log.trade_log import Order, OrderState, OrderType, Side
from tests.checks.rows import after, fill, order, position, quote, steady, store
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


@pytest.mark.parametrize("kind", [OrderType.STOP_LOSS, OrderType.STOP])
@pytest.mark.parametrize(
    ("stops", "filled", "verdict"),
    [
        (("1937.50", "1936.00"), 0, UNKNOWN),  # set off by the first, and by the last it was not due
        (("1936.00", "1937.50"), 0, UNKNOWN),  # by the first it was not due
        (("1939.00", "1937.50"), 0, UNKNOWN),  # due by both, and by one of them long before
        (("1937.50", "1936.00"), 9, MISSED),  # it ended with this fill: the last was in force, and was never reached
        (("1936.00", "1937.50"), 9, KEPT),
        (("1936.00", "1937.50"), 8.5, KEPT),  # parts of one execution: the stop had followed the price before
        (("1936.00", "1935.00"), 0, MISSED),  # due by neither of them
        (("1937.50", "1937.50"), 0, KEPT),  # never changed
        ((None, "1937.50"), 0, KEPT),
    ],
)
async def test_a_fill_is_held_against_the_stop_in_force_then(
    pool: Pool, kind: OrderType, stops: tuple[str | None, str], filled: float, verdict: Verdict
) -> None:
    first, last = (Decimal(stop) if stop else None for stop in stops)
    placed = order(kind, state=OrderState.WORKING, volume=Decimal(2), position="P1", received_at=after(-9), price=first)
    falls = [
        quote(source, second, "1938.00" if second < filled else "1937.00")
        for source in ("LP-A", "LP-B", "LP-C")
        for second in range(-10, 20)
    ]
    await store(pool, *falls, placed)
    held = {"close_price": Decimal("1937.00"), "closed_at": after(20)}
    await store(
        pool,
        fill("1937.00", at=after(filled), volume=Decimal(1), position="P1"),
        fill("1937.00", fill="F2", at=after(9), volume=Decimal(1), position="P1"),
        position(volume=Decimal(2), **held),
    )
    await complete(pool, placed, price=last, state=OrderState.FILLED, ended_at=after(9))
    for check in (Check.TRIGGER, Check.EXECUTION):
        finding = await one(pool, check, "O1")
        assert finding.verdict is verdict, finding.reason.en
        assert (finding.missing == ("trigger price of order O1",)) is (verdict is UNKNOWN)


async def test_a_short_ones_stop_is_held_against_the_same_rule(pool: Pool) -> None:
    placed = order(
        OrderType.STOP_LOSS, Side.BUY, state=OrderState.WORKING, volume=Decimal(2), position="P1",
        received_at=after(-9), price=Decimal("1937.00"),
    )  # fmt: skip
    await store(pool, *steady("LP-A", "1937.00"), *steady("LP-B", "1937.00"), *steady("LP-C", "1937.00"), placed)
    await store(pool, fill("1937.30", Side.BUY, at=after(0), position="P1"))
    await complete(pool, placed, price=Decimal("1939.00"), state=OrderState.CANCELLED, ended_at=after(9))
    assert (await one(pool, Check.TRIGGER, "O1")).missing == ("trigger price of order O1",)


@pytest.mark.parametrize(
    ("stops", "filled", "known"),
    [
        (("1938.00", "1936.00"), 0, False),  # which of the two set it off is not known, whatever it was filled at
        (("1936.00", "1938.00"), 0, False),
        (("1936.00", "1938.00"), 9, True),  # it ended with this fill: the last was in force
        (("1938.00", "1938.00"), 0, True),
    ],
)
async def test_a_part_of_a_stop_limit_is_held_against_no_later_stop(
    pool: Pool, stops: tuple[str, str], filled: float, known: bool
) -> None:
    first, last = map(Decimal, stops)
    placed = order(
        OrderType.STOP_LIMIT, state=OrderState.WORKING, volume=Decimal(2), received_at=after(-9), price=first,
        limit_price=Decimal("1936.50"),
    )  # fmt: skip
    await store(pool, *steady("LP-A", "1937.00"), *steady("LP-B", "1937.00"), *steady("LP-C", "1937.00"), placed)
    await store(pool, fill("1937.00", at=after(filled)))
    await complete(pool, placed, price=last, state=OrderState.CANCELLED, ended_at=after(9))
    finding = await one(pool, Check.TRIGGER, "O1")
    assert (finding.missing != ("trigger price of order O1",)) is known, finding.reason.en
