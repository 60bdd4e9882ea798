"""What holds for long and short alike, on rows few enough to compute by hand."""

from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import OrderType, Side
from tests.checks.rows import (
    GOLD,
    after,
    fill,
    order,
    quote,
    run,
)


class TestLongAndShort:
    """The same seen from the other side: prices reflected at 4,000, bid and ask exchanged, buys as sells."""

    def mirrored(self, facts: LogFacts) -> LogFacts:
        far = Decimal(4000)
        turned: dict[str, list[Any]] = {
            "orders": [
                row.model_copy(update={"side": row.side.opposite, "price": row.price and far - row.price})
                for row in facts.orders
            ],
            "fills": [
                row.model_copy(update={"side": row.side.opposite, "price": far - row.price}) for row in facts.fills
            ],
            "quotes": [row.model_copy(update={"bid": far - row.ask, "ask": far - row.bid}) for row in facts.quotes],
        }
        return facts.model_copy(update={name: tuple(rows) for name, rows in turned.items()})

    @settings(deadline=None)
    @given(
        st.sampled_from([Check.SLIPPAGE, Check.EXECUTION_DELAY, Check.TRIGGER, Check.OFF_MARKET]),
        st.sampled_from(OrderType),
        st.lists(
            st.tuples(st.sampled_from(["LP-A", "LP-B", "LP-C"]), st.integers(-80, 20), st.integers(-900, 900)),
            min_size=1,
            max_size=12,
            unique_by=lambda each: each[:2],
        ),
        st.tuples(st.integers(-900, 900), st.integers(-900, 900)),
        st.randoms(use_true_random=False),
    )
    def test_are_judged_alike_whatever_the_order_of_rows(
        self,
        name: Check,
        kind: OrderType,
        ticks: list[tuple[str, int, int]],
        asked_and_paid: tuple[int, int],
        random: Random,
    ) -> None:
        asked, paid = asked_and_paid

        def at(cents: int) -> Decimal:
            return Decimal(2000) + Decimal(cents).scaleb(-2)

        facts = LogFacts(
            orders=(order(kind, Side.SELL, price=at(asked), received_at=after(-4)),),
            fills=(fill(str(at(paid))),),
            quotes=tuple(quote(source, tenth / 10, str(at(cents))) for source, tenth, cents in ticks),
            instruments=(GOLD,),
        )
        basis = Given(tolerances=Tolerances(), as_of=after(60))
        finding, other = run(name, "O1", facts, basis), run(name, "O1", self.mirrored(facts), basis)
        assert (other.verdict, other.harm, other.missing) == (finding.verdict, finding.harm, finding.missing)
        assert other.confidence is finding.confidence
        quotes = random.sample([*facts.quotes, *facts.quotes], 2 * len(facts.quotes))
        assert run(name, "O1", facts.model_copy(update={"quotes": tuple(quotes)}), basis) == finding
        if finding.harm is not None:
            assert finding.harm.amount >= 0
            assert finding.verdict.for_the_customer or finding.harm.amount == 0
        assert recompute([finding], [finding.hash]) == ()
