"""What is wrong with a policy pack that loads: what nobody has confirmed, what cannot be done, what runs out."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import Final

from domain.clocks import business_days
from domain.clocks.deadlines import Deadline, Occurred
from domain.clocks.planning import plan
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category, Complexity, Element, LetterKind, RouteKind
from domain.money.amounts import Money
from domain.rules.clock_check import lacking_actions, lacking_breaches, wrong_clocks
from domain.rules.deciding import BY_DEFAULT, ByRule, Decision, Limits
from domain.rules.duties import LetterRule, Route
from domain.rules.laxer import laxer
from domain.rules.policy import PolicyPack
from domain.rules.problem import About, Found, PolicyProblem
from domain.rules.routes import names

EXPIRES_SOON: Final = timedelta(days=60)
"""So long before its verified days end, a calendar is warned about."""

MOST_QUIET: Final = timedelta(hours=14)
"""Quiet hours that are longer are warned about."""


def check_pack(pack: PolicyPack, now: datetime, extends: Sequence[PolicyPack] = ()) -> list[PolicyProblem]:
    """All that is wrong with *pack*, as it would be used from *now* (with a time zone) on; errors first.

    *extends* are the packs that it rests on, the nearest first: it may be no laxer than they are.
    """
    checks: dict[About, Iterable[Found]] = {
        "unset": _unset(pack),
        "letters": _letters(pack),
        "rights": _routes(pack),
        "ladders": chain(_approval(pack), _alone(pack), _escalation(pack)),
        "clocks": chain(
            wrong_clocks(pack, now), lacking_breaches(pack), lacking_actions(pack), laxer(pack, extends, now)
        ),
        "calendar": _expiring(pack, now),
        "unconfirmed": _unconfirmed(pack),
    }
    name = f"{pack.id} {pack.version}"
    problems = [
        PolicyProblem(severity=severity, about=about, pack=name, field=field, message=message)
        for about, found in checks.items()
        for severity, field, message in found
    ]
    return sorted(problems, key=lambda problem: problem.severity)


def _unset(pack: PolicyPack) -> Iterator[Found]:
    for field in pack.demands:
        yield "error", field, f'the law leaves it to the firm: set it in a pack with extends = "{pack.id}"'


def _letters(pack: PolicyPack) -> Iterator[Found]:
    for rule in pack.letters:
        for element in rule.must_name:
            if reason := _cannot_name(pack, element):
                yield "error", f"letters[{rule.name}].must_name", f"{_words(element)} cannot be named: {reason}"
        if rule.text is not None and not _said(rule.text):
            yield "error", f"letters[{rule.name}].text", "it is empty in English or Chinese"
        if rule.encloses is not None:
            besides = f"{rule.encloses.en} has to be enclosed, and letters carry no files: somebody sends it besides"
            yield "warning", f"letters[{rule.name}].encloses", besides
    if pack.early_closure and not pack.letter_rules(LetterKind.SUMMARY_RESOLUTION):
        yield "warning", "letters", "early_closure ends with a summary letter, but no rule says what it must name"
    if pack.routes and not any(_names_a_route(rule) for rule in pack.letter_rules(LetterKind.FINAL_RESPONSE)):
        yield "warning", "letters", "there are routes, but no rule for the final_response has it name one"
    if pack.quiet_hours and pack.quiet_hours.length > MOST_QUIET:
        hours = pack.quiet_hours.length / timedelta(hours=1)
        yield "warning", "quiet_hours", f"they are {hours:.4g} hours of each day, so that what can wait waits long"
    for field, text in (("timetable", pack.timetable), ("referral", pack.referral)):
        if not _said(text):
            yield "error", field, "it is empty in English or Chinese, and a letter says it"


def _routes(pack: PolicyPack) -> Iterator[Found]:
    if not _said(pack.rights):
        hint = " it may say that there is nowhere" if not pack.routes else ""
        yield "error", "rights", f"there is no statement of where the customer may go next;{hint or ' write one'}"
    for route in pack.routes:
        field = f"routes[{route.name}]"
        if route.firm_belongs is None and route.members is not None:
            yield "warning", f"{field}.firm_belongs", "the firm has yet to say whether it belongs: true or false"
        if route.firm_belongs is not False and not route.contact:
            yield "warning", f"{field}.contact", "no letter can say how to reach it"
        if route.contact and not _said(route.contact):
            yield "error", f"{field}.contact", "it is empty in English or Chinese"


def _cannot_name(pack: PolicyPack, element: Element) -> str | None:
    """Why letters cannot name *element* in every case; ``None`` if they can."""
    if element is Element.TIMETABLE:
        return None if _said(pack.timetable) else "timetable is empty"
    if element is Element.EXPECTED_DATE:
        promised = any(
            clock.trigger is CaseEvent.RECEIVED and CaseEvent.RESPONDED in clock.satisfied_by for clock in pack.clocks
        )
        return None if promised else "no clock from received is satisfied by responded"
    if element is Element.REASONS:
        return None
    if not (of_kind := [route for route in pack.routes if route.kind.value == element.value]):
        return f"the pack has no route of kind {element.value}"
    named = names(pack, element)
    if not named:
        return "; ".join(f"routes[{route.name}] {_why_not_named(route)}" for route in of_kind)
    if all(route.categories for route in named):
        covered = {category for route in named for category in route.categories}
        concerned = (pack.applies_to and pack.applies_to.categories) or tuple(Category)
        if left := [category.value for category in concerned if category not in covered]:
            return f"routes[{named[0].name}].categories leaves out {', '.join(left)}"
    return None


def _why_not_named(route: Route) -> str:
    if not route.contact:
        return "has no contact"
    if route.firm_belongs is None:
        return "does not say whether the firm belongs (firm_belongs)"
    return "says that the firm does not belong"


def _names_a_route(rule: LetterRule) -> bool:
    return bool({element.value for element in rule.must_name} & {kind.value for kind in RouteKind})


def _said(text: Bilingual) -> bool:
    return bool(text.en.strip() and text.zh.strip())


def _approval(pack: PolicyPack) -> Iterator[Found]:
    decision = pack.decision
    yield from _ladder(decision, "decision")
    for number, one in enumerate(decision.special, start=1):
        limits = decision.rule_limits if one.rule_limits is None else one.rule_limits
        own = decision.model_copy(update={"rule_limits": limits, "approval": one.approval or decision.approval})
        yield from _ladder(own, f"decision.special[{number}]")


def _ladder(decision: Decision, where: str) -> Iterator[Found]:
    first, *_ = steps = decision.approval
    last = steps[-1]
    for currency, limit in sorted(decision.rule_limits.items()):
        approved = _limit(first.limits, currency)
        if approved is not None and limit > approved:
            least = (
                f"{first.role.value}, the first who approves, may approve {Money(amount=approved, currency=currency)}"
            )
            yield (
                "error",
                f"{where}.rule_limits.{currency}",
                f"{Money(amount=limit, currency=currency)} is decided by rule, but {least}",
            )
    for position, (lower, higher) in enumerate(pairwise(steps), start=2):
        field = f"{where}.approval[{position}]"
        if lower.limits is None:
            yield "error", field, f"{lower.role.value} before it may approve any amount: nothing is left for it"
            continue
        for currency, limit in sorted(lower.limits.items()):
            above = _limit(higher.limits, currency)
            if above is not None and above < limit:
                yield (
                    "error",
                    f"{field}.limits.{currency}",
                    f"{higher.role.value} may approve {Money(amount=above, currency=currency)}, less than "
                    f"{lower.role.value} below ({Money(amount=limit, currency=currency)})",
                )
    roles = [step.role for step in steps]
    for role in sorted({role for role in roles if roles.count(role) > 1}):
        yield "error", f"{where}.approval", f"{role.value} is there twice, and only the first of them counts"
    if last.limits is not None:
        yield (
            "warning",
            f"{where}.approval[{len(steps)}].limits",
            f"nobody may approve more than {last.role.value} may; leave limits out for any amount",
        )


def _alone(pack: PolicyPack) -> Iterator[Found]:
    """What a machine, or one person alone, may tell a customer that others leave to two."""
    decision = pack.decision
    if decision.by_rule is ByRule.ALWAYS and (signed := decision.signed):
        yield "warning", "decision.by_rule", f"a machine may say no; {signed.by} answers for it since {signed.on}"
    for occasion in BY_DEFAULT:
        if not decision.needs_second(occasion):
            yield "warning", "decision.second_person", f"without {occasion.value}, one person alone decides it"


def _limit(limits: Limits | None, currency: str) -> Decimal | None:
    """What may be approved in *currency*; ``None`` for any amount."""
    return None if limits is None else limits.get(currency, Decimal(0))


def _escalation(pack: PolicyPack) -> Iterator[Found]:
    reached = {rung.level for clock in pack.clocks for rung in clock.rungs if rung.level}
    for step in pack.escalation:
        if step.level not in reached:
            yield (
                "warning",
                f"escalation[{step.level}]",
                f"no rung of a clock escalates to {step.role.value}: only a person can",
            )


def _expiring(pack: PolicyPack, now: datetime) -> Iterator[Found]:
    calendar = pack.calendar
    verified, today = calendar.verified_until, business_days.local_day(calendar, now)
    if verified is None:
        return
    if verified < today:
        yield "warning", "calendar.verified_until", f"the holidays are known until {verified} only: a day in the past"
    elif verified - today <= EXPIRES_SOON:
        left = (verified - today).days
        yield (
            "warning",
            "calendar.verified_until",
            f"the holidays are known for {left} more days only, until {verified}",
        )
    if provisional := sorted({one.clock for one in _started(pack, now) if one.provisional}):
        yield (
            "warning",
            "calendar.verified_until",
            f"of clocks that started today the end would be provisional (after {verified}): {', '.join(provisional)}",
        )


def _started(pack: PolicyPack, now: datetime) -> Iterator[Deadline]:
    """Every clock with its length set, started now, for complaints of every sort."""
    able = pack.model_copy(update={"clocks": tuple(clock for clock in pack.clocks if clock.length)})
    for trigger in {clock.trigger for clock in able.clocks}:
        for complexity in Complexity:
            facts = Facts(category=Category.OTHER, complexity=complexity)
            yield from plan(able, Occurred(event=trigger, at=now, number=1, facts=facts))


def _unconfirmed(pack: PolicyPack) -> Iterator[Found]:
    for field, what, confirmed in _numbers(pack):
        if not confirmed:
            yield "warning", field, f"{what} is not confirmed"


def _numbers(pack: PolicyPack) -> Iterable[tuple[str, str, bool]]:
    """Every number of a rule: its field, what it is, and whether it was read in its source."""
    for clock in pack.clocks:
        field = f"clocks[{clock.name}]"
        if clock.length:
            yield field, str(clock.length), clock.confirmed
        for position, rule in enumerate(clock.lengths, start=1):
            yield f"{field}.lengths[{position}]", str(rule.length), rule.confirmed
        if clock.own_days:
            yield f"{field}.own_days", "that business days are those of the firm", clock.own_days.confirmed
        for extension in clock.extensions:
            yield f"{field}.extensions[{extension.name}]", str(extension), extension.confirmed
    for route in pack.routes:
        yield f"routes[{route.name}]", f"what is said of {route.title.en}", route.confirmed
    for letter in pack.letters:
        yield f"letters[{letter.name}]", f"what the {_words(letter.kind)} letter must name", letter.confirmed
    if pack.early_closure:
        yield "early_closure", str(pack.early_closure.within), pack.early_closure.confirmed
    for interest in pack.interest:
        yield f"interest[{interest.name}]", f"{interest.percent} %", interest.confirmed
    for one in pack.returns:
        yield f"returns[{one.name}]", f"{one.within} after each {_words(one.every)}", one.confirmed
    if restrictions := pack.contact_restrictions:
        yield "contact_restrictions", f"at most {restrictions.longest}", restrictions.confirmed
    if pack.review:
        yield "review", "the checklist of reviews", pack.review.confirmed
    if pack.retention:
        yield "retention", str(pack.retention.after_closing), pack.retention.confirmed


def _words(word: str) -> str:
    return word.replace("_", " ")
