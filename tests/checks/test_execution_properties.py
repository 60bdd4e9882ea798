"""What holds for every execution, whatever its rows."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple, TypeVar

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from domain.checks.execution.finding import check_execution
from domain.checks.findings import Finding, Verdict
from domain.checks.moments import Execution, FeedMedian
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.log.trade_log import Fill, Order, OrderType, Quote, Side
from tests.checks.rows import AT, after, execution, fill, middle, order

T = TypeVar("T")
SOURCES = ("LP-A", "LP-B", "LP-C")
MIRROR = Decimal(4000)
TOLERANCES = Tolerances()
unhurried = settings(deadline=None)  # a busy machine is no failure


class Scene(NamedTuple):
    """The rows of one order and the quotes around it."""

    execution: Execution
    quotes: list[Quote]
    medians: list[FeedMedian]

    def check(self) -> Finding:
        return check_execution(self.execution, self.quotes, self.medians, tolerances=TOLERANCES)


# mostly within the tolerance of each other, sometimes far off
prices = st.one_of(
    st.integers(199_960, 200_040), st.integers(199_000, 201_000), st.sampled_from([200_000, 198_000, 202_000])
).map(lambda cents: Decimal(cents).scaleb(-2))
spreads = st.integers(0, 60).map(lambda cents: Decimal(cents).scaleb(-2))
tenths = st.one_of(st.integers(-40, 40), st.integers(-900, 300))
lots = st.integers(1, 500).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


@st.composite
def quotes(draw: st.DrawFn, sources: Sequence[str], when: st.SearchStrategy[int]) -> list[Quote]:
    """Up to 14 quotes, at most one of a source at an instant; *when* is tenths of a second after the fill."""
    places = draw(st.lists(st.tuples(st.sampled_from(sources), when), min_size=1, max_size=14, unique=True))
    rows = []
    for source, tenth in places:
        bid = draw(prices)
        rows.append(Quote(symbol="XAUUSD", source=source, at=after(tenth / 10), bid=bid, ask=bid + draw(spreads)))
    return rows


@st.composite
def fills(draw: st.DrawFn, side: Side, source: str | None) -> list[Fill]:
    count = draw(st.integers(1, 3))
    return [
        fill(
            str(draw(prices)),
            side,
            fill=f"F{number}",
            volume=draw(lots),
            source=source,
            at=draw(st.sampled_from([AT, after(0.3), after(5)])),
        )
        for number in range(count)
    ]


@st.composite
def orders(draw: st.DrawFn, side: Side) -> Order | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    return order(
        draw(st.sampled_from(OrderType)),
        side,
        price=draw(st.none() | prices),
        position=draw(st.sampled_from([None, "P1"])),
        received_at=draw(st.none() | tenths.map(lambda tenth: after(tenth / 10))),
    )


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    side = draw(st.sampled_from(Side))
    source = draw(st.sampled_from([*SOURCES, None]))
    traded = draw(fills(side, source))
    medians = [
        middle(str(draw(prices)), str(draw(spreads)), source=source or SOURCES[0]).model_copy(update={"at": at})
        for at in sorted({row.at for row in traded})
    ]
    return Scene(execution(*traded, of=draw(orders(side))), draw(quotes(SOURCES, tenths)), medians)


def mirrored(scene: Scene) -> Scene:
    """The same seen from the other side: prices reflected, bid and ask exchanged, buys as sells."""
    was = scene.execution
    of = was.order and was.order.model_copy(
        update={"side": was.order.side.opposite, "price": was.order.price and MIRROR - was.order.price}
    )
    turned = was.model_copy(
        update={
            "order": of,
            "fills": tuple(
                row.model_copy(update={"side": row.side.opposite, "price": MIRROR - row.price}) for row in was.fills
            ),
        }
    )
    return Scene(
        turned,
        [row.model_copy(update={"bid": MIRROR - row.ask, "ask": MIRROR - row.bid}) for row in scene.quotes],
        [row.model_copy(update={"bid": MIRROR - row.ask, "ask": MIRROR - row.bid}) for row in scene.medians],
    )


def with_fills(scene: Scene, traded: Sequence[Fill]) -> Scene:
    return scene._replace(execution=scene.execution.model_copy(update={"fills": tuple(traded)}))


@unhurried
@given(scenes())
def test_every_execution_has_one_finding_with_its_reason_and_its_sum_or_what_is_missing(scene: Scene) -> None:
    finding = scene.check()
    event(finding.verdict)
    assert finding.subject == "O1"
    assert finding.reason.en
    assert finding.reason.zh
    assert (finding.harm is None) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert bool(finding.missing) is (finding.verdict is Verdict.INCONCLUSIVE)
    assert Finding.model_validate_json(finding.model_dump_json()) == finding


@unhurried
@given(scenes())
def test_harm_is_never_negative_and_only_a_fault_has_any(scene: Scene) -> None:
    finding = scene.check()
    if finding.harm is not None:
        assert finding.harm.amount >= 0
        assert finding.verdict.for_the_customer or finding.harm.amount == 0


@unhurried
@given(scenes())
def test_long_and_short_are_judged_alike(scene: Scene) -> None:
    finding, other = scene.check(), mirrored(scene).check()
    event(finding.verdict)
    assert other.verdict is finding.verdict
    assert other.harm == finding.harm
    assert other.missing == finding.missing
    assert other.formula == finding.formula


@unhurried
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_rows_make_no_difference(scene: Scene, random: Random) -> None:
    def shuffled(rows: Sequence[T]) -> list[T]:
        return random.sample([*rows, *rows], 2 * len(rows))

    again = Scene(
        scene.execution.model_copy(update={"fills": tuple(shuffled(scene.execution.fills))}),
        shuffled(scene.quotes),
        shuffled(scene.medians),
    )
    assert again.check().hash == scene.check().hash


@unhurried
@given(scenes())
def test_it_is_made_again_from_its_own_evidence(scene: Scene) -> None:
    finding = scene.check()
    assert recompute([Finding.model_validate_json(finding.model_dump_json())], [finding.hash]) == ()


@unhurried
@given(scenes(), st.data())
def test_a_fill_in_two_parts_is_worth_the_same_as_in_one(scene: Scene, data: st.DataObject) -> None:
    whole = scene.execution.fills[0]
    assume(whole.volume > Decimal("0.01"))
    share = Decimal(data.draw(st.integers(1, int(whole.volume * 100) - 1))).scaleb(-2)
    parts = [
        whole.model_copy(update={"fill": "P1", "volume": share}),
        whole.model_copy(update={"fill": "P2", "volume": whole.volume - share}),
    ]
    finding = scene.check()
    divided = with_fills(scene, [*parts, *scene.execution.fills[1:]]).check()
    assert divided.verdict is finding.verdict
    assert divided.harm == finding.harm


@unhurried
@given(scenes())
def test_the_harm_of_an_order_is_the_sum_of_its_fills(scene: Scene) -> None:
    finding = scene.check()
    alone = [with_fills(scene, [row]).check() for row in scene.execution.fills]
    if finding.verdict is Verdict.INCONCLUSIVE:
        assert any(each.verdict is Verdict.INCONCLUSIVE for each in alone)
        return
    assert Decimal(finding.numbers["harm"]) == sum(Decimal(each.numbers["harm"]) for each in alone)


@unhurried
@given(st.sampled_from(Side), quotes(SOURCES[1:], st.integers(-20, 20)), st.data())
def test_a_price_that_another_source_quoted_costs_nothing(side: Side, others: list[Quote], data: st.DataObject) -> None:
    """Of a market order executed without delay."""
    shown = data.draw(st.sampled_from(others))
    price = shown.ask if side is Side.BUY else shown.bid
    placed = order(side=side, received_at=after(-0.5))
    finding = Scene(execution(fill(str(price), side), of=placed), others, []).check()
    assert finding.verdict is Verdict.MARKET
    assert finding.harm is not None
    assert finding.harm.amount == 0


@unhurried
@given(scenes())
def test_more_lots_are_proportionally_more_harm(scene: Scene) -> None:
    doubled = with_fills(
        scene, [row.model_copy(update={"volume": row.volume * 2}) for row in scene.execution.fills]
    ).check()
    finding = scene.check()
    assert doubled.verdict is finding.verdict
    if finding.harm is not None:
        assert Decimal(doubled.numbers["harm"]) == 2 * Decimal(finding.numbers["harm"])
