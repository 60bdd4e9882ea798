"""What holds for every forced liquidation: dividing it into parts changes no verdict and no sum."""

from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st

from domain.checks.findings import Finding
from domain.log.firm_records import Balance, MarginRate
from domain.log.trade_log import Fill, Instrument, Order, Position, Quote, Side
from domain.money.parts import Rate
from tests.checks.liquidated import METAL, TERMS, closing, facts_of, judged, liquidation, long, money, prices, second

D = Decimal


EURUSD: Final = Instrument(symbol="EURUSD", contract_size=D(100_000), currency="USD", digits=5)
DAX: Final = Instrument(symbol="DAX", contract_size=D(25), currency="EUR", digits=1)
RATES: Final = tuple(
    Rate(base=base, quote="SGD", source="MAS", at=second(-600), rate=D(rate))
    for base, rate in (("USD", "1.36"), ("EUR", "1.47"))
)
OTHERS: Final = ((METAL, "2001.00"), (EURUSD, "1.10"), (DAX, "18000.0"))
"""What may be held beside it, and at which prices it stands."""


class Account(NamedTuple):
    """An account with a position that was liquidated, perhaps reduced before, and perhaps others beside it.

    These may be hedges of it, or of another instrument and currency; margin goes by leverage or by tiers, of a hedge in
    each way that there is; the account may be kept in another currency than all of its instruments. ``more`` has that.
    """

    positions: list[Position]
    orders: list[Order]
    fills: list[Fill]
    quotes: list[Quote]
    balance: str
    more: dict[str, Any]

    def found(self) -> Finding:
        rows = [*self.positions, *self.orders, *self.fills]
        facts = facts_of(*rows, quotes=self.quotes, **self.more | {"balances": (self.money(),)})
        return judged(facts, self.orders[0].order)

    def __repr__(self) -> str:
        """Without the quotes, which follow from the seed and fill pages."""
        return repr(
            (
                self.positions,
                self.orders,
                self.fills,
                self.balance,
                self.more["account_terms"],
                self.more["margin_rates"],
            )
        )

    def money(self) -> Balance:
        return money(self.balance, currency=self.more["account_terms"][0].currency)

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
    quotes = prices(wrong=wrong, fallen=fallen, of=of)
    for name in draw(st.sampled_from(["", "Q", "QU", "QUV"])):
        instrument, at = draw(st.sampled_from(OTHERS))
        lots, side = str(D(draw(st.integers(1, 200))) / 100), draw(st.sampled_from(Side))
        positions.append(long(name, lots, at, side=side, symbol=instrument.symbol))
    for instrument, at in OTHERS[1:]:
        bid = D(at)
        for source in ("LP-A", "LP-B", "LP-C"):
            quotes += [
                Quote(symbol=instrument.symbol, source=source, at=second(n), bid=bid, ask=bid) for n in range(0, 60, 5)
            ]
    return Account(
        positions,
        [liquidation("S", "P", str(whole - before))],
        fills,
        quotes,
        str(draw(st.integers(100, 40_000))),
        draw(terms()),
    )


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    currency, hedged = draw(st.sampled_from(["USD", "SGD"])), draw(st.sampled_from(["both", "larger", "net"]))
    tiers = draw(st.sampled_from([(), ("0", "1.5"), ("0", "0.3", "1.5")]))
    kept = draw(st.booleans())
    rates = [
        MarginRate(
            margin=f"M{instrument.symbol}{n}",
            symbol=instrument.symbol,
            effective_from=second(-9_000),
            above_lots=D(above),
            percent=None if kept else D(n + 1),
            per_lot=D(1_000 * (n + 1)) if kept else None,
            currency="EUR" if kept and currency == "SGD" else "USD" if kept else None,
        )
        for instrument in (METAL, EURUSD)
        for n, above in enumerate(tiers)
    ]
    return {
        "account_terms": (TERMS.model_copy(update={"currency": currency, "hedged": hedged}),),
        "margin_rates": tuple(rates),
        "instruments": (METAL, EURUSD, DAX),
        "rates": (*RATES, Rate(base="EUR", quote="USD", source="MAS", at=second(-600), rate=D("1.08"))),
    }


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
