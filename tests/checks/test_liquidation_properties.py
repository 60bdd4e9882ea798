"""What holds for every forced liquidation: dividing it into parts changes no verdict and no sum."""

from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st

from domain.checks.findings import Finding
from domain.log.trade_log import Fill, Order, Position, Quote
from tests.checks.liquidated import closing, facts_of, judged, liquidation, long, prices, second

D = Decimal


class Account(NamedTuple):
    """An account with a position that was liquidated, perhaps reduced before, and perhaps another beside it."""

    positions: list[Position]
    orders: list[Order]
    fills: list[Fill]
    quotes: list[Quote]
    balance: str

    def found(self) -> Finding:
        rows = [*self.positions, *self.orders, *self.fills]
        facts = facts_of(*rows, balance=self.balance, quotes=self.quotes)
        return judged(facts, self.orders[0].order)

    def outcome(self) -> tuple[Any, ...]:
        found = self.found()
        return found.verdict, found.confidence, found.harm, found.missing


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    whole = D(draw(st.integers(20, 300))) / 100
    before = D(draw(st.integers(0, int(whole * 100) - 10))) / 100
    wrong = range(30, 34) if draw(st.booleans()) else ()
    of = draw(st.sampled_from(["1985.00", "1965.05", "1975.00"]))
    fallen = draw(st.sampled_from([None, "1985.00"]))
    price = draw(st.sampled_from(["1985.00", "1984.75", "1965.05", "1970.00", "1999.00"]))
    fills = [closing("Fa", "M", str(before), "1999.00", -600)] if before else []
    fills.append(closing("Fb", "S", str(whole - before), price, 31.5))
    positions = [long("P", str(whole), close_price=D(price), closed_at=second(31.5), close_reason="stop_out")]
    if draw(st.booleans()):
        positions.append(long("Q", str(D(draw(st.integers(1, 200))) / 100), "2001.00"))
    return Account(
        positions,
        [liquidation("S", "P", str(whole - before))],
        fills,
        prices(wrong=wrong, fallen=fallen, of=of),
        str(draw(st.integers(100, 9000))),
    )


def halves(volume: Decimal, share: int) -> tuple[Decimal, Decimal]:
    part = volume * share / 100
    return part, volume - part


shares = st.integers(1, 99)


@given(accounts(), shares)
def test_a_fill_in_two_parts_changes_no_verdict_and_no_sum(account: Account, share: int) -> None:
    *others, last = account.fills
    one, two = halves(last.volume, share)
    parts = [last.model_copy(update={"fill": f"F{n}", "volume": lots}) for n, lots in (("x", one), ("y", two))]
    event(account.found().verdict)
    assert account._replace(fills=[*others, *parts]).outcome() == account.outcome()


@given(accounts(), shares)
def test_an_order_in_two_parts_changes_no_verdict_and_no_sum(account: Account, share: int) -> None:
    (order,), (*others, last) = account.orders, account.fills
    one, two = halves(last.volume, share)
    orders = [order.model_copy(update={"order": n, "volume": lots}) for n, lots in (("S", one), ("T", two))]
    fills = [
        last.model_copy(update={"fill": f"F{n}", "order": n, "volume": lots}) for n, lots in (("S", one), ("T", two))
    ]
    assert account._replace(orders=orders, fills=[*others, *fills]).outcome() == account.outcome()


@given(accounts(), shares)
def test_a_position_in_two_parts_changes_no_verdict_and_no_sum(account: Account, share: int) -> None:
    whole, *rest = account.positions
    parts = [("P", halves(whole.volume, share)[0]), ("R", halves(whole.volume, share)[1])]
    positions = [whole.model_copy(update={"position": name, "volume": lots}) for name, lots in parts]
    orders, fills = [], []
    for name, lots in parts:
        ratio = lots / whole.volume
        for order in account.orders:
            update = {"order": f"{order.order}{name}", "position": name, "volume": order.volume * ratio}
            orders.append(order.model_copy(update=update))
        for fill in account.fills:
            update = {
                "fill": f"{fill.fill}{name}",
                "order": f"{fill.order}{name}",
                "position": name,
                "volume": fill.volume * ratio,
            }
            fills.append(fill.model_copy(update=update))
    assert account._replace(positions=[*positions, *rest], orders=orders, fills=fills).outcome() == account.outcome()


@given(accounts(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_trades_that_are_over_change_nothing(account: Account, random: Random) -> None:
    def mixed(rows: list[Any]) -> list[Any]:
        return random.sample(rows, len(rows))

    over = long("Z", "3", opened_at=second(-9000), close_price=D("1900.00"), closed_at=second(-8000))
    again = account._replace(
        positions=mixed([*account.positions, over]),
        orders=mixed(account.orders),
        fills=mixed([*account.fills, closing("Fz", "Z1", "3", "1900.00", -8000, position="Z")]),
        quotes=mixed(account.quotes),
    )
    assert again.outcome() == account.outcome()
