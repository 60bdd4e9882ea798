"""What waiting orders may have missed: the quotes through a trigger, and the nearest, found in a day of quotes."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.quote_queries import FIRST_THROUGH, FIRST_TICKS, MOST_TICKS, THROUGH
from activities.checks.shared_spans import MOST, SharedSpans, Through
from activities.log.trade_log import TradeLog
from domain.checks.market import Board, standing
from domain.checks.moments import LOOK_AHEAD
from domain.log.trade_log import Order, OrderType, Quote, Side
from tests.checks.rows import ACCOUNT, AT, after, quote, store

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]


def random_quotes(rng: random.Random) -> list[Quote]:
    """Of three feeds; prices come again and again, and one feed ends early."""
    return [
        quote(source, second, str(2000 + rng.randint(-9, 9)), str(2030 + rng.randint(-9, 9)))
        for source, until in (("LP-A", 200), ("LP-B", 200), ("LP-C", 60))
        for second in sorted(rng.sample(range(-20, until), until // 2))
    ]


def by_hand(quotes: list[Quote], side: Side, price: Decimal, start: float, end: float, *, worse: bool) -> set[Quote]:
    """Of each feed its first quote that is through, and of those that went farthest the first."""
    found: set[Quote] = set()
    sign = side.sign * (1 if worse else -1)
    for source in {each.source for each in quotes}:
        inside = [each for each in quotes if each.source == source and after(start) <= each.at <= after(end)]
        beyond = {each: sign * ((each.ask if side is Side.BUY else each.bid) - price) for each in inside}
        found.update([each for each in inside if beyond[each] >= 0][:1])
        found.update([each for each in inside if beyond[each] == max(beyond.values())][:1])
    return found


def first_of_each(quotes: set[Quote]) -> list[Quote]:
    """Of what :func:`by_hand` finds, the first of each feed: where any is through, that is."""
    return list({each.source: each for each in sorted(quotes, key=lambda each: each.at, reverse=True)}.values())


def is_through(each: Quote, side: Side, price: Decimal, *, worse: bool) -> bool:
    return side.sign * (1 if worse else -1) * ((each.ask if side is Side.BUY else each.bid) - price) >= 0


@pytest.mark.parametrize("worse", [True, False], ids=["waits for worse", "waits for better"])
@pytest.mark.parametrize("side", Side)
async def test_the_first_quote_through_and_the_nearest_are_found_on_either_side(
    pool: "Pool", side: Side, *, worse: bool
) -> None:
    rng = random.Random(7)  # noqa: S311 (a seed that can be repeated)
    quotes = random_quotes(rng)
    await store(pool, *quotes)
    order = Order(
        order="O1", account=ACCOUNT, symbol="XAUUSD", side=side, type=OrderType.STOP, volume=Decimal(1), sent_at=AT
    )
    reached, spans = 0, SharedSpans(timedelta(seconds=8), timedelta(seconds=16), timedelta(seconds=2))
    async with TradeLog(pool).snapshot(EvidenceSnapshot) as log:
        for _ in range(40):
            start = rng.randint(-20, 150)
            end = start + rng.randint(0, 80)
            price = Decimal((2030 if side is Side.BUY else 2000) + rng.randint(-10, 10))
            expected = by_hand(quotes, side, price, start, end, worse=worse)
            found = await log.through(order, price, after(start), after(end), worse=worse)
            assert set(found) == expected
            assert len(found) == len(expected)
            log.shared = spans
            together = await log.through(order, price, after(start), after(end), worse=worse)
            assert (set(together), len(together)) == (expected, len(expected))
            for shared in (spans, None):
                log.shared = shared
                first = await log.first_through(order, price, after(start), after(end), worse=worse)
                assert set(first) == {
                    each for each in first_of_each(expected) if is_through(each, side, price, worse=worse)
                }
                assert len(first) == len({each.source for each in first})
            reached += bool(found)
    assert reached > 20


async def test_a_stop_or_target_is_looked_for_until_thirty_days_after_the_closing(pool: "Pool") -> None:
    last = LOOK_AHEAD.total_seconds()
    await store(pool, quote("LP-A", 1, "1990"), quote("LP-A", last, "2000"), quote("LP-B", last + 1, "2000"))
    order = Order(order="P1", account=ACCOUNT, symbol="XAUUSD", side=Side.SELL, type=OrderType.LIMIT, volume=Decimal(1))
    async with TradeLog(pool).snapshot(EvidenceSnapshot) as log:
        found = await log.first_through(order, Decimal(2000), AT, after(last * 2), worse=False)
        assert [each.source for each in found] == ["LP-A"]
        assert await log.first_through(order, Decimal(2000), AT, after(last - 1), worse=False) == []


async def test_the_first_quotes_after_a_closing_are_those_of_all_feeds_in_order(pool: "Pool") -> None:
    quotes = [
        *(quote("LP-A", second, "1990") for second in range(MOST_TICKS)),
        *(quote("LP-B", second + 0.5, "1990") for second in range(0, MOST_TICKS, 2)),
        quote("LP-C", 10_000, "1990"),
    ]
    await store(pool, *quotes)
    async with TradeLog(pool).snapshot(EvidenceSnapshot) as log:
        found = await log.first_ticks("XAUUSD", AT, after(20_000))
        inside = sorted((each for each in quotes if each.at > AT), key=lambda each: (each.at, each.source))
        assert found == inside[:MOST_TICKS]
        assert await log.first_ticks("XAUUSD", after(9_000), after(20_000)) == inside[-1:]


async def test_of_the_quotes_of_some_days_those_of_some_hours_are_read_by_the_index(pool: "Pool") -> None:
    await pool.execute(
        "insert into tradelog.quotes "
        "select 'XAUUSD', 'LP-' || source, $1::timestamptz + second * interval '1 second', 2000, 2000.3 "
        "from generate_series(1, 2) as source, generate_series(1, 90000) as second",
        AT,
    )
    await pool.execute("vacuum analyze tradelog.quotes")
    some_hours = ("XAUUSD", after(1000), after(11_000))
    whole = ("XAUUSD", after(0), after(90_000))  # after a closing
    asked = [
        *((query, (*some_hours, Decimal(2001))) for query in THROUGH.values()),
        *((query, (*whole, Decimal(2000))) for query in FIRST_THROUGH.values()),
        (FIRST_TICKS, (*whole, MOST_TICKS)),
    ]
    for query, values in asked:
        plan = "\n".join(row[0] for row in await pool.fetch(f"explain {query}", *values))
        assert "Seq Scan" not in plan
        assert "quotes_pkey" in plan


def test_a_board_tells_what_stood_as_a_search_does() -> None:
    rng = random.Random(3)  # noqa: S311 (a seed that can be repeated)
    quotes = [*random_quotes(rng), quote("LP-A", 30, "1999"), quote("LP-A", 30, "1998")]
    rng.shuffle(quotes)
    board = Board(quotes)
    for second in range(-30, 300):
        assert board.standing("XAUUSD", after(second)) == standing(quotes, "XAUUSD", after(second))
    assert board.standing("XAGUSD", AT) == {}


async def test_what_waited_longer_than_spans_are_kept_is_read_at_once_and_none_are_read() -> None:
    spans, looked = SharedSpans(timedelta(seconds=8)), []

    async def look(start: datetime, end: datetime) -> list[Quote]:
        looked.append((start, end))
        return []

    async def read(_spans: Sequence[datetime], _span: timedelta) -> list[Quote]:
        raise AssertionError("spans were read")

    wanted = Through(Side.BUY, Decimal(2000), worse=True)
    await spans.search(wanted, "XAUUSD", AT, after(8 * MOST), read=read, look=look)
    assert looked == [(AT, after(8 * MOST))]


async def test_quote_by_quote_no_more_is_read_than_the_shortest_of_the_spans() -> None:
    rng = random.Random(11)  # noqa: S311 (a seed that can be repeated)
    quotes = random_quotes(rng)
    spans, looked = SharedSpans(timedelta(seconds=8), timedelta(seconds=16), timedelta(seconds=2)), []
    wanted = Through(Side.BUY, Decimal(2030), worse=True)

    async def look(start: datetime, end: datetime) -> list[Quote]:
        looked.append(end - start)
        return [each for each in quotes if start <= each.at <= end and wanted.beyond(each) >= 0]

    async def read(starts: Sequence[datetime], length: timedelta) -> list[Quote]:
        within = ([each for each in quotes if start <= each.at < start + length] for start in starts)
        feeds = ({each.source: [q for q in some if q.source == each.source] for each in some} for some in within)
        return [max(some, key=wanted.beyond) for feed in feeds for some in feed.values()]

    for searched in (spans.first, spans.search):
        assert await searched(wanted, "XAUUSD", after(-1), after(201), read=read, look=look)
    assert looked
    assert max(looked) <= timedelta(seconds=2)
