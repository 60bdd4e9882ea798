"""Among how many orders a loss is divided changes no verdict and no sum: what is owed is rounded once."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.case.resolution import follow_from_findings
from domain.checks.execution.finding import check_execution
from domain.checks.findings import Finding, Verdict
from domain.checks.interest import with_interest
from domain.checks.losses import losses, once_only, together
from domain.checks.recompute import recompute
from domain.checks.tolerances import Tolerances
from domain.ground.words import Confidence
from domain.incidents.cohort import judge
from domain.money.amounts import Money, shares
from domain.money.interest import Interest
from tests.case.test_resolution import case
from tests.checks.rows import ACCOUNT, AT, execution, fill, order, quote, steady

QUOTES = (
    *steady("LP-B", "1937.36"),
    *steady("LP-C", "1937.42"),
    *(quote("LP-A", second, "1920.96" if second == 0 else "1937.40") for second in range(-10, 11)),
)
unhurried = settings(deadline=None)
lots = st.lists(st.integers(1, 99_999).map(lambda n: Decimal(n).scaleb(-6)), min_size=1, max_size=6)
rules = st.sampled_from([(), (Interest(rule="eight", percent=Decimal(8)),)])
amounts = st.decimals(min_value=0, max_value=10**6, places=4)


def found(volumes: Sequence[Decimal], interest: Sequence[Interest] = ()) -> tuple[Finding, ...]:
    """What an investigation finds of an order of each volume, all filled at the same wrong price."""
    findings = []
    for number, volume in enumerate(volumes):
        name = f"O{number}"
        filled = fill("1920.96", fill=f"F{number}", order=name, volume=volume)
        made = execution(filled, of=order(order=name, volume=volume), id=name)
        findings.append(check_execution(made, QUOTES, tolerances=Tolerances()))
    until = AT.date().replace(year=AT.year + 1)
    return together(with_interest(each, interest, (), until) for each in once_only(findings))


def added(findings: Sequence[Finding]) -> Decimal:
    return sum((each.harm.amount for each in findings if each.harm), Decimal(0))


@unhurried
@given(lots, rules)
def test_an_order_in_parts_is_worth_what_the_whole_is(volumes: list[Decimal], interest: tuple[Interest, ...]) -> None:
    (whole,), parts = found([sum(volumes, Decimal(0))], interest), found(volumes, interest)
    assert whole.harm is not None
    assert {each.verdict for each in parts} == {whole.verdict} == {Verdict.PROVIDER_FAULT}
    assert added(parts) == whole.harm.amount, "as letters, drafts and packs show it"
    drafts = [follow_from_findings(case(*some)) for some in ((whole,), parts)]
    assert drafts[0] == drafts[1]
    lists = [judge(ACCOUNT, (), some) for some in ((whole,), parts)]
    assert (lists[0].state, lists[0].harm) == (lists[1].state, lists[1].harm)
    made = Money.of(sum((loss.amount for loss in losses(parts)), Decimal(0)), "USD")
    assert made == whole.harm, "what is put right is what is paid"
    assert recompute(parts, [each.hash for each in parts]) == ()


@unhurried
@given(lots, st.data())
def test_what_is_sure_comes_to_a_sum_of_its_own(volumes: list[Decimal], data: st.DataObject) -> None:
    doubtful = data.draw(st.sets(st.integers(0, len(volumes) - 1)))
    mixed = together(
        each.model_copy(update={"confidence": Confidence.DOUBTFUL}) if number in doubtful else each
        for number, each in enumerate(found(volumes))
    )
    sure, whole = [each for each in mixed if not each.open], sum(volumes, Decimal(0))
    assert added(mixed) == added(found([whole]))
    if sure:
        assert added(sure) == added(found([sum((v for n, v in enumerate(volumes) if n not in doubtful), Decimal(0))]))
    assert added(together(reversed(mixed))) == added(mixed)


@given(st.lists(amounts, min_size=1, max_size=9), st.sampled_from(["USD", "JPY", "KWD"]))
def test_shares_add_up_and_are_within_the_smallest_unit(some: list[Decimal], currency: str) -> None:
    whole = Money.of(sum(some, Decimal(0)), currency)
    divided = shares(some, whole)
    assert sum((each.amount for each in divided), Decimal(0)) == whole.amount
    for one, share in zip(some, divided, strict=True):
        assert abs(share.amount - one) < Decimal(1).scaleb(-{"USD": 2, "JPY": 0, "KWD": 3}[currency])


def test_a_harm_that_was_rounded_with_others_says_so_once() -> None:
    parts = found([Decimal("0.000003")] * 3)  # 0.004929 each, 0.014787 in all
    assert [str(each.harm) for each in parts] == ["USD 0.01", "USD 0.00", "USD 0.00"]
    told = "Your losses are added up first and then rounded; of their sum, USD 0.01 is for this."
    assert [each.reason.en.count(told) for each in parts] == [1, 0, 0]
    assert parts[0].reason.zh.endswith("各项损失先合计、后取整，其中本项计 USD 0.01。")
    assert together(parts) == parts
    assert together(parts[:1])[0].reason.en.count("added up first") == 0
