"""Each loss once: of several findings in one of them only, and not again once it was made good."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.findings import Check, Elsewhere, Finding
from domain.checks.market import is_share
from domain.checks.table import CHECKS
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import listed
from domain.money.amounts import Money, shares
from domain.money.parts import PRECISION, Loss, Part, Rate, plain, total


@dataclass(frozen=True)
class Covered:
    """That a loss was made good or is promised: by how much, not rounded, and where; ``None`` for the case itself."""

    amount: Decimal
    under: Elsewhere | None


def once_only(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """*findings*, in their order, with each loss in one of them only.

    Several checks may find the same loss: a late order is badly filled too. A part that several findings have stays
    in the one where it is dearest (of equals that of a liquidation, which is in the account's currency as all that
    followed from it is, else the first); so does one that contains others, as giving a whole trade
    back contains the loss on its price, unless these come to more. The findings that give a part up say so, and the
    sum over all of them is what the customer lost.
    """
    known = list(findings)
    parts = [(number, part) for number, finding in enumerate(known) for part in finding.parts]
    parts.sort(key=lambda each: known[each[0]].check is not Check.STOP_OUT)
    dearest: dict[str, Part] = {}
    owners: dict[str, int] = {}
    for number, part in parts:
        if part.key not in owners or part.amount > dearest[part.key].amount:
            dearest[part.key], owners[part.key] = part, number
    containing: dict[tuple[bool, tuple[str, ...]], dict[str, Part]] = {}
    for key, part in dearest.items():
        if part.covers:
            whole_trade = not any(is_share(key, of) for of in part.covers)
            containing.setdefault((whole_trade, part.covers), {})[key] = part
    for (_, covers), those in sorted(containing.items(), key=lambda each: each[0][0]):
        shares = [dearest[key] for key in dearest if any(_contains(part, key) for part in those.values())]
        whole = {key for share in shares for key in share.covers}
        contained = [*shares, *(dearest[key] for key in covers if key in dearest)]
        if not contained:
            continue
        # in another currency the loss on the whole trade, which is the account's, is taken to contain them
        alike = len({one.currency for one in (*contained, *those.values())}) == 1
        if not alike or sum(one.amount for one in those.values()) >= sum(one.amount for one in contained):
            lesser = {one.key for one in contained}
            owners |= dict.fromkeys(lesser | (whole & owners.keys()), owners[min(those)])
        else:
            lesser = set(those)
            owners |= dict.fromkeys(lesser, owners[contained[0].key])
        dearest = {key: part for key, part in dearest.items() if key not in lesser}
    return tuple(_without_others(finding, number, known, owners) for number, finding in enumerate(known))


def _contains(part: Part, share: str) -> bool:
    """Whether *part* contains a loss of which *share* names somebody's share, and is none of it itself."""
    return any(is_share(share, of) and not is_share(part.key, of) for of in part.covers)


def _without_others(finding: Finding, number: int, known: Sequence[Finding], owners: Mapping[str, int]) -> Finding:
    """*finding* without the parts that others own."""
    kept = tuple(part for part in finding.parts if owners[part.key] == number)
    elsewhere = [part for part in finding.parts if part not in kept]
    if not elsewhere or finding.harm is None:
        return finding
    rates = [Rate.model_validate(row.values) for row in finding.evidence if row.table == "rates"]
    counted = total(kept, finding.harm.currency, rates=rates)
    where = {part.key: known[owners[part.key]].check for part in elsewhere}
    names = listed(CHECKS[check].name for check in sorted(set(where.values())))
    return finding.model_copy(
        update={
            "harm": counted.harm,
            "parts": kept,
            "numbers": finding.numbers
            | {"harm": plain(counted.exact)}
            | {f"counted_in.{key}": check.value for key, check in where.items()},
            "reason": Bilingual(
                en=f"{finding.reason.en} The same loss is counted under another heading ({names.en}).",
                zh=f"{finding.reason.zh}同一损失已在另一项（{names.zh}）中计算，此处不重复计算。",
            ),
        }
    )


def together(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """*findings*, in their order, rounded together: what is owed for them is their sum, rounded once, in each currency.

    Their harms add up to it, by the largest remainder, so that it does not matter among how many findings a loss is
    divided. Those that leave nothing open come to a sum of their own, for a decision may rest on them alone. A harm
    that differs from what its own figures come to says why.
    """
    known = [_alone(finding) for finding in findings]
    owed: dict[str, list[int]] = {}
    for number, finding in enumerate(known):
        if finding.verdict.for_the_customer and finding.harm is not None:
            owed.setdefault(finding.harm.currency, []).append(number)
    for currency, those in owed.items():
        exact, before = Decimal(0), Decimal(0)
        for group in ([one for one in those if known[one].open is is_open] for is_open in (False, True)):
            with localcontext(prec=PRECISION):
                amounts = [known[number].exact for number in group]
                exact += sum(amounts, Decimal(0))
                sum_ = Money.of(exact, currency).amount
                shown = shares(amounts, Money.of(sum_ - before, currency))
                before = sum_
            for number, harm in zip(group, shown, strict=True):
                known[number] = _rounded_to(known[number], harm)
    return tuple(known)


def _rounded_to(finding: Finding, harm: Money) -> Finding:
    if finding.harm == harm:
        return finding
    more = _counted_as(harm)
    reason = Bilingual(en=finding.reason.en + more.en, zh=finding.reason.zh + more.zh)
    return finding.model_copy(update={"harm": harm, "reason": reason})


def _alone(finding: Finding) -> Finding:
    """*finding* as it was before it was rounded together with others."""
    if finding.harm is None or finding.harm == (alone := Money.of(finding.exact, finding.harm.currency)):
        return finding
    more, reason = _counted_as(finding.harm), finding.reason
    reason = Bilingual(en=reason.en.removesuffix(more.en), zh=reason.zh.removesuffix(more.zh))
    return finding.model_copy(update={"harm": alone, "reason": reason})


def _counted_as(harm: Money) -> Bilingual:
    return Bilingual(
        en=f" Your losses are added up first and then rounded; of their sum, {harm} is for this.",
        zh=f"各项损失先合计、后取整，其中本项计 {harm}。",
    )


def without(finding: Finding, settled: Mapping[str, Decimal]) -> Finding:
    """*finding* without the losses whose keys are in *settled*, nor interest on them: others make them good.

    Of a loss that contains others, which were made good by so much, that much is left out.
    """
    of = {f"{_INTEREST}{part.subject}" for part in finding.parts if part.key in settled}
    before: dict[str, Decimal] = {}
    kept: list[Part] = []
    for part in finding.parts:
        if part.key in settled or part.key in of:
            before[part.key] = part.amount
            continue
        covered = {key: settled[key] for key in part.covers if settled.get(key)}
        covered |= {key: amount for key, amount in settled.items() if amount and _contains(part, key)}
        before |= covered
        with localcontext(prec=PRECISION):
            left = max(part.amount - sum(covered.values()), Decimal(0)) if covered else part.amount
        kept.append(part.model_copy(update={"amount": left}) if covered else part)
    if not before or finding.harm is None:
        return finding
    rates = [Rate.model_validate(row.values) for row in finding.evidence if row.table == "rates"]
    counted = total(kept, finding.harm.currency, rates=rates)
    return finding.model_copy(
        update={
            "harm": counted.harm,
            "parts": tuple(kept),
            "numbers": finding.numbers
            | {"harm": plain(counted.exact)}
            | {f"{_SETTLED}{key}": plain(amount) for key, amount in before.items()},
            "reason": Bilingual(
                en=f"{finding.reason.en} What this cost was promised or made good before; it is not counted again.",
                zh=f"{finding.reason.zh}相关损失此前已承诺赔付或已获赔付，此处不重复计算。",
            ),
        }
    )


_SETTLED: Final = "settled_before."
_INTEREST: Final = "interest/"


def settled_before(finding: Finding) -> dict[str, Decimal]:
    """The losses that :func:`without` left out, by their keys."""
    return {
        name.removeprefix(_SETTLED): Decimal(amount)
        for name, amount in finding.numbers.items()
        if name.startswith(_SETTLED)
    }


def left_out(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The keys of the losses that *findings* leave out, but for interest on them: that goes with what it is on."""
    keys = {key for finding in findings for key in settled_before(finding) if not key.startswith(_INTEREST)}
    return tuple(sorted(keys))


def losses(findings: Iterable[Finding]) -> tuple[Loss, ...]:
    """The losses in *findings* for which the firm owes redress, each once, in the currency of the harm.

    What a subject gained is taken off its losses, as in the harm.
    """
    found: dict[str, Loss] = {}
    for finding in findings:
        if not finding.verdict.for_the_customer or finding.harm is None:
            continue
        currency = finding.harm.currency
        rates = [Rate.model_validate(row.values) for row in finding.evidence if row.table == "rates"]
        gained: dict[str, Decimal] = {}
        worth: list[tuple[Part, Decimal]] = []
        for part in finding.parts:
            turned = part.model_copy(update={"amount": abs(part.amount)})
            amount = total((turned,), currency, rates=rates).exact
            if part.amount < 0:
                gained[part.subject] = gained.get(part.subject, Decimal(0)) + amount
                amount = Decimal(0)
            worth.append((part, amount))
        for part, amount in worth:
            taken = min(gained.get(part.subject, Decimal(0)), amount)
            if taken:
                gained[part.subject] -= taken
            found[part.key] = Loss(key=part.key, amount=amount - taken, currency=currency)
            for key in part.covers:
                found.setdefault(key, Loss(key=key, amount=Decimal(0), currency=currency))
    return tuple(found[key] for key in sorted(found))
