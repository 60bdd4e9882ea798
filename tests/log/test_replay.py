"""The replay of an account: what it held, and what its closings brought, however fills and rows are divided."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.replay import Closing, Replay
from domain.log.trade_log import Fill, Position, Side
from tests.checks.rows import AT, after, fill, position

D = Decimal


def by_prices(closing: Closing) -> Decimal:
    assert closing.price is not None
    return closing.position.side.sign * (closing.price - closing.opened) * 100 * closing.lots


def lots(replay: Replay, seconds: float) -> dict[str, Decimal]:
    return {held.position.position: held.lots for held in replay.held(after(seconds))}


def opening(volume: str, price: str = "1940.00", seconds: float = -3600, **more: Any) -> Fill:
    values: dict[str, Any] = {"fill": f"O{seconds:g}", "position": "P1", "volume": D(volume), "at": after(seconds)}
    return fill(price, Side.BUY, **(values | more))


def closing(volume: str, price: str, seconds: float, **more: Any) -> Fill:
    values: dict[str, Any] = {"fill": f"C{seconds:g}", "position": "P1", "volume": D(volume), "at": after(seconds)}
    return fill(price, **(values | more))


def held_for(volume: str, *, closed: float | None = None, price: str = "1950.00", **more: Any) -> Position:
    ended: dict[str, Any] = {"closed_at": after(closed), "close_price": D(price)} if closed is not None else {}
    return position(volume=D(volume), **(ended | more))


class TestVolumes:
    def test_a_row_alone_is_open_from_its_opening_to_its_closing(self) -> None:
        replay = Replay([held_for("2", closed=0)], [], [])
        assert [lots(replay, at) for at in (-3600, -3599, 0, 1)] == [{}, {"P1": 2}, {"P1": 2}, {}]

    def test_a_partial_closing_leaves_the_rest(self) -> None:
        replay = Replay([held_for("2", closed=60)], [closing("1.2", "1945", 0), closing("0.8", "1950", 60)], [])
        assert [lots(replay, at) for at in (0, 1, 61)] == [{"P1": 2}, {"P1": D("0.8")}, {}]

    def test_closings_that_the_log_lacks_follow_from_the_row(self) -> None:
        replay = Replay([held_for("2", closed=60)], [closing("1.2", "1945", 0)], [])
        assert lots(replay, 61) == {}
        assert replay.money(after(-7200), after(61), by_prices) == 600 + 800

    @pytest.mark.parametrize(
        ("row", "fills", "rest"),
        [
            ("0.8", (opening("2"), closing("1.2", "1945", 0)), "0.8"),  # the row states what is left
            ("2", (opening("2"), closing("1.2", "1945", 0)), "0.8"),  # the row states what was opened
            ("2", (closing("1.2", "1945", 0),), "0.8"),
            ("0.8", (closing("1.2", "1945", 0),), "0.8"),
        ],
    )
    def test_an_open_position_states_all_of_it_or_what_is_left(
        self, row: str, fills: tuple[Fill, ...], rest: str
    ) -> None:
        replay = Replay([held_for(row)], fills, [])
        assert (lots(replay, 0), lots(replay, 1)) == ({"P1": D(2)}, {"P1": D(rest)})

    def test_a_rest_under_another_number_is_in_the_opening_fill_of_the_first(self) -> None:
        """0.10 of 0.40 closed; the other 0.30 go on as a position of their own without an opening fill."""
        rows = [held_for("0.1", closed=0), held_for("0.3", position="P2")]
        replay = Replay(rows, [opening("0.4"), closing("0.1", "1950", 0)], [])
        assert (lots(replay, 0), lots(replay, 1)) == ({"P1": D("0.1"), "P2": D("0.3")}, {"P2": D("0.3")})
        assert replay.money(after(-7200), after(1), by_prices) == 100

    def test_a_position_that_grew_is_held_at_the_mean_price(self) -> None:
        replay = Replay([held_for("3")], [opening("1"), opening("2", "1949.00", -60)], [])
        (held,) = replay.held(AT)
        assert (held.lots, held.price) == (D(3), D("1946"))

    def test_what_is_said_not_to_have_happened_is_still_open(self) -> None:
        replay = Replay([held_for("2", closed=0)], [closing("2", "1950", 0)], [])
        undone = frozenset({"C0"})
        assert [held.lots for held in replay.held(after(1), without=undone)] == [2]
        assert replay.money(after(-7200), after(1), by_prices, without=undone) == 0


class TestMoney:
    def test_what_the_firm_booked_counts_as_it_booked_it(self) -> None:
        booked = {"profit": D(-5), "swap": D(-3), "commission": D(-2)}
        replay = Replay([held_for("1", closed=0, swap=D(-99))], [closing("1", "1950", 0, **booked)], [])
        assert replay.money(after(-7200), after(1), by_prices) == -10

    def test_what_is_stated_of_the_whole_position_is_booked_at_its_end(self) -> None:
        stated = held_for("2", closed=60, profit=D(1990), swap=D(-7), commission=D(-4), taxes=D(-1))
        replay = Replay([stated], [closing("1.2", "1950", 0), closing("0.8", "1950", 60)], [])
        assert replay.money(after(-7200), after(1), by_prices) == 1200
        assert replay.money(after(-7200), after(61), by_prices) == 1990 - 12

    def test_only_what_happened_after_the_balance_counts(self) -> None:
        replay = Replay([held_for("2", closed=60)], [closing("1.2", "1945", 0), closing("0.8", "1950", 60)], [])
        assert replay.money(AT, after(61), by_prices) == 800


class Rows(NamedTuple):
    positions: list[Position]
    fills: list[Fill]


shares = st.integers(1, 200).map(lambda hundredths: D(hundredths).scaleb(-2))
prices = st.integers(190_000, 200_000).map(lambda cents: D(cents).scaleb(-2))


@st.composite
def accounts(draw: st.DrawFn) -> Rows:
    """Positions opened at once or in steps, closed in parts, wholly or not at all."""
    rows = Rows([], [])
    for number in range(draw(st.integers(1, 3))):
        name, side = f"P{number}", draw(st.sampled_from(Side))
        opened = draw(st.lists(shares, min_size=1, max_size=3))
        own = [
            fill(
                str(draw(prices)),
                side,
                fill=f"O{number}{place}",
                position=name,
                volume=volume,
                at=after(-100 + 10 * place),
            )
            for place, volume in enumerate(opened)
        ]
        left = sum(opened, D(0))
        for place in range(draw(st.integers(0, 3))):
            volume = min(draw(shares), left)
            if volume:
                own.append(
                    fill(
                        str(draw(prices)),
                        side.opposite,
                        fill=f"C{number}{place}",
                        position=name,
                        volume=volume,
                        at=after(10 * place),
                    )
                )
                left -= volume
        ended: dict[str, Any] = {"closed_at": own[-1].at, "close_price": own[-1].price} if not left else {}
        rows.positions.append(
            position(
                position=name,
                side=side,
                volume=sum(opened, D(0)),
                open_price=own[0].price,
                opened_at=own[0].at,
                **ended,
            )
        )
        rows.fills.extend(own)
    return rows


def seen(rows: Rows) -> Sequence[Any]:
    """What the replay says at every instant: lots and value of each position, and the money so far."""
    replay = Replay(rows.positions, rows.fills, [])
    said = []
    for seconds in range(-101, 40, 3):
        held = {
            each.position.position: (each.lots, round(each.lots * each.price, 20))
            for each in replay.held(after(seconds))
        }
        money = replay.money(after(-1000), after(seconds), by_prices)
        said.append((held, round(money, 20)))
    return said


@given(accounts(), st.data())
def test_a_fill_in_two_parts_changes_nothing(rows: Rows, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows.fills) - 1))
    whole = rows.fills[place]
    part = whole.volume * data.draw(st.integers(1, 99)) / 100
    halves = [
        whole.model_copy(update={"fill": f"{whole.fill}a", "volume": part}),
        whole.model_copy(update={"fill": f"{whole.fill}b", "volume": whole.volume - part}),
    ]
    assert seen(Rows(rows.positions, [*rows.fills[:place], *halves, *rows.fills[place + 1 :]])) == seen(rows)


@given(accounts(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_rows_change_nothing(rows: Rows, random: Random) -> None:
    mixed = Rows(
        random.sample(rows.positions, len(rows.positions)),
        random.sample([*rows.fills, *rows.fills], len(rows.fills) * 2),
    )
    assert seen(mixed) == seen(rows)


@given(accounts())
def test_equity_does_not_jump_when_a_position_is_closed_at_the_price_it_is_held_at(rows: Rows) -> None:
    """Closed at one price throughout, what is open and what was made come to the same at every instant after."""
    flat = Rows(
        [row.model_copy(update={"close_price": D(1950) if row.closed_at else None}) for row in rows.positions],
        [row if row.fill.startswith("O") else row.model_copy(update={"price": D(1950)}) for row in rows.fills],
    )
    replay = Replay(flat.positions, flat.fills, [])
    sums = set()
    for seconds in (-1, 1, 11, 21, 31):
        at = AT + timedelta(seconds=seconds)
        floating = sum(
            (held.position.side.sign * (1950 - held.price) * 100 * held.lots for held in replay.held(at)), D(0)
        )
        sums.add(round(floating + replay.money(after(-1000), at, by_prices), 10))
    assert len(sums) == 1
