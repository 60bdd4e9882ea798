"""Which losses an award makes good, and what is left of a finding when some were made good before."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from domain.checks.losses import losses, settled_before, without
from domain.ground.bilingual import Bilingual
from domain.keys.personal import Row, in_a_list
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, Rate, total
from tests.checks.rows import AT

AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)


def part(key: str, amount: str | Decimal, *, subject: str | None = None, covers: tuple[str, ...] = ()) -> Part:
    return Part(
        key=key,
        subject=subject or key,
        kind=PartKind.PRICE,
        amount=Decimal(amount),
        currency="USD",
        covers=covers,
    )


def finding(*parts: Part, currency: str = "USD", rates: tuple[Rate, ...] = ()) -> Finding:
    return Finding(
        check=Check.OFF_MARKET,
        subject="O1",
        verdict=Verdict.FIRM_FAULT,
        reason=Bilingual(en="Our fault.", zh="责任在我司。"),
        harm=total(parts, currency, rates=rates).harm,
        parts=parts,
        evidence=tuple(EvidenceRow.of("rates", rate.source, rate) for rate in rates),
        formula="f@1",
    )


def made_good(*findings: Finding) -> dict[str, str]:
    return {loss.key: f"{loss.currency} {loss.amount.normalize():f}" for loss in losses(findings)}


def test_what_a_loss_contains_is_made_good_with_it() -> None:
    whole = finding(part("product/p-1", "100", covers=("price/f-1",)))
    assert made_good(whole) == {"product/p-1": "USD 100", "price/f-1": "USD 0"}
    assert str(without(finding(part("price/f-1", "30")), {"price/f-1": Decimal(0)}).harm) == "USD 0.00"


def test_of_a_loss_that_contains_what_was_made_good_the_rest_is_left() -> None:
    left = without(finding(part("product/p-1", "100", covers=("price/f-1",))), {"price/f-1": Decimal(30)})
    assert str(left.harm) == "USD 70.00"
    assert settled_before(left) == {"price/f-1": Decimal(30)}


def test_interest_goes_with_its_loss() -> None:
    both = finding(part("price/f-1", "30"), part("interest/price/f-1", "1", subject="x"))
    assert str(without(both, {"price/f-1": Decimal(30)}).harm) == "USD 0.00"


def test_a_gain_is_taken_off_the_losses_of_its_subject_as_in_the_harm() -> None:
    assert made_good(finding(part("price/f-1", "100", subject="f-1"), part("swap/f-1", "-30", subject="f-1"))) == {
        "price/f-1": "USD 70",
        "swap/f-1": "USD 0",
    }


def test_losses_are_kept_in_the_currency_of_the_harm() -> None:
    rate = Rate(base="USD", quote="HKD", source="bank", at=AT, rate=Decimal("7.8"))
    assert made_good(finding(part("price/f-1", "10"), currency="HKD", rates=(rate,))) == {"price/f-1": "HKD 78"}


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), AMOUNTS, min_size=1), st.data())
def test_what_is_made_good_and_what_is_left_come_to_the_whole(amounts: dict[str, Decimal], data: st.DataObject) -> None:
    whole = finding(*(part(key, amount) for key, amount in amounts.items()))
    assert whole.harm is not None
    found = {loss.key: loss.amount for loss in losses([whole])}
    assert Money.of(sum(found.values(), Decimal(0)), "USD") == whole.harm
    settled = {key: found[key] for key in data.draw(st.sets(st.sampled_from(sorted(found))))}
    left = without(whole, settled).harm
    assert left is not None
    assert left.amount + sum(settled.values(), Decimal(0)) == whole.harm.amount


def test_what_is_listed_of_who_was_erased_comes_to_the_same_sums_in_another_currency() -> None:
    rate = Rate(base="USD", quote="HKD", source="bank", at=AT, rate=Decimal("7.8"))
    found = finding(part("price/f-1", "30"), part("price/f-2", "20"), currency="HKD", rates=(rate,))
    before, settled = found.note(None), {"price/f-1": Decimal(30)}
    row = Row("casefile.cohort_members", "customer:1", "IN-1/1")
    erased_later = in_a_list(row, before, erased=False)
    readable = {name: value for name, value in erased_later.value.items() if name in erased_later.readable}
    for listed in (in_a_list(row, before, erased=True), readable):
        left = Finding.listed(listed)
        assert losses([left]) == losses([found])
        assert without(left, settled).harm == without(found, settled).harm
    assert Finding.listed(erased_later.value) == found
