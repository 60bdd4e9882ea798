"""Which position a deal of an MT5 report closed: known where the report leaves one answer, and never guessed."""

import random
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.log.trade_log import Side
from starter.importing.formats.kinds import Kind
from starter.importing.formats.mt5_links import Links, Row, Trade
from starter.importing.formats.reckoning import profit
from tests.importing.test_account_reports import Rows, at, deal, order, position, read, report
from tests.importing.test_statements import GOLD, records


def linked(rows: Rows, kind: Kind = Kind.FILLS) -> list[str]:
    return [str(each.get("position") or "").rpartition(":")[2] for each in records(read(rows)[0], kind)]


def out(ticket: int, price: object, profit: object, *, hour: int = 11, volume: str = "0.4") -> list[object]:
    return deal(ticket, "sell", "out", price, order=ticket, hour=hour, volume=volume, profit=profit)


def test_a_deal_that_one_position_alone_can_have_made_is_linked_with_its_order_and_its_opening() -> None:
    rows = report(
        positions=[position(1), position(2, price=3001, profit=-440)],
        orders=[order(1), order(2), order(8, "sell", hour=11, comment="[so 40%]"), order(9, "sell", hour=11)],
        deals=[deal(5, "buy", "in", 3000, order=1), deal(6, "buy", "in", 3001, order=2), out(9, 2990, -400),
               out(8, 2990, -440)],
    )  # fmt: skip
    assert linked(rows) == ["1", "2", "1", "2"]
    assert linked(rows, Kind.ORDERS) == ["", "", "2", "1"]


def test_positions_that_differ_in_nothing_but_their_number_are_linked_one_to_one() -> None:
    rows = report(positions=[position(1), position(2)], deals=[out(8, 2990, -400), out(9, 2990, -400)])
    assert linked(rows) == ["1", "2"]


def test_parts_are_linked_where_they_make_up_a_position_and_what_is_left_open() -> None:
    whole = [*position(1)[:4], "0.4", 3000, 2990, 3020, at(13), 2995, 0, 0, -150]
    rows = report(
        positions=[whole],
        deals=[out(7, 2990, -100, volume="0.1"), out(8, 3000, 0, hour=12, volume="0.2"),
               out(9, 2995, -50, hour=13, volume="0.1"), out(10, 3010, 90, hour=14, volume="0.1")],
        open_=[[at(10), 2, "XAUUSD", "buy", "0.3", 3001, None, None, 3000, 0, 0, None]],
    )  # fmt: skip
    assert linked(rows) == ["1", "1", "1", "2"]


@pytest.mark.parametrize(
    "deals",
    [
        [out(8, 2990, -400), out(9, 2990, -400)],
        [out(8, 2990, -200, volume="0.2")],
        [out(8, 2990, -401)],
        [out(8, 2990, -400, hour=10)],
    ],
    ids=["two for one", "half of it", "another profit", "another time"],
)
def test_deals_that_do_not_make_up_the_position_are_not_linked(deals: Rows) -> None:
    assert set(linked(report(positions=[position(1)], deals=deals))) == {""}


def test_parts_that_may_be_those_of_either_of_two_positions_are_not_linked() -> None:
    both = [[*position(n)[:8], at(12), 2990, 0, 0, -380] for n in (1, 2)]
    parts = [out(n, price, (price - 3000) * 20, hour=hour, volume="0.2")
             for n, (hour, price) in enumerate(((11, 2990), (11, 2991), (12, 2990), (12, 2991)), start=6)]  # fmt: skip
    assert linked(report(positions=both, deals=parts)) == ["", "", "", ""]


def test_an_account_that_nets_has_one_position_a_symbol() -> None:
    held = [at(10), 2, "XAUUSD", "buy", "0.8", 3005, None, None, at(13), 3010, 0, 0, 400]
    turned = [at(13), 4, "XAUUSD", "sell", "0.2", 3010, None, None, at(14), 3000, 0, 0, 200]
    rows = report(
        account="70012345 (USD, Example-Server, real, Netting)",
        positions=[held, turned],
        deals=[deal(2, "buy", "in", 3000, order=2), deal(3, "buy", "in", 3010, order=3, hour=11),
               deal(4, "sell", "in/out", 3010, order=4, hour=13, volume="1.0", profit=400),
               deal(5, "buy", "out", 3000, order=5, hour=14, volume="0.2", profit=200)],
    )  # fmt: skip
    assert linked(rows) == ["2", "2", "2", "4"]


PRICES = [Decimal(2990), Decimal(3000), Decimal("3000.5"), Decimal(3010)]


def an_account(chance: random.Random) -> tuple[list[Row], list[Trade], dict[str, Row]]:
    """A few positions, closed in one or more parts at a few prices and hours, and the position of each deal."""
    rows, trades, truth, numbers = list[Row](), list[Trade](), dict[str, Row](), count(100)
    for ticket in range(1, chance.randint(2, 7)):
        side, opened, price = chance.choice(list(Side)), chance.randint(1, 3), chance.choice(PRICES)
        parts = [Decimal(chance.randint(1, 2)) / 10 for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        made = []
        for volume in parts:
            at_, closed = f"{chance.randint(opened, 5):02}", chance.choice(PRICES)
            gain = profit(side, volume, price, closed, GOLD)
            made.append(Trade(str(next(numbers)), f"o{next(numbers)}", GOLD, side.opposite, "out", at_, volume, closed,
                              gain))  # fmt: skip
        row = Row(str(ticket), "XAUUSD", side, sum(parts, Decimal(0)), f"{opened:02}", price,
                  max(each.at for each in made), sum((each.profit for each in made), Decimal(0)))  # fmt: skip
        rows.append(row)
        trades += [
            *made,
            Trade(str(next(numbers)), row.id, GOLD, side, "in", row.opened, row.volume, price, Decimal(0)),
        ]
        truth |= dict.fromkeys((each.id for each in trades[-len(made) - 1 :]), row)
    chance.shuffle(trades)
    return rows, trades, truth


def like(row: Row) -> tuple[object, ...]:
    """What of a position no sum is without."""
    return row.side, row.volume, row.open_price, row.closed


@given(st.integers(0, 10**9))
@example(4333)
def test_no_deal_is_linked_to_a_position_that_it_did_not_close(seed: int) -> None:
    rows, trades, truth = an_account(random.Random(seed))  # noqa: S311
    links = Links()
    for row in rows:
        links.position(row)
    for trade in trades:
        links.trade(trade)
    links.ended()
    known = {row.id: row for row in rows}
    found = {each.id: known[name] for each in trades if (name := links.of_deal(each.id))}
    assert all(like(row) == like(truth[name]) for name, row in found.items())
    for row in rows:
        alone = all(other is row or other.side is not row.side for other in rows)
        assert not alone or all(found.get(name) is row for name, of in truth.items() if of is row)
