"""Every letter of a policy pack, written for a sample case: what people look at, and what is missing told beforehand.

The case is made up and lawful: a stop-out on a bad price, upheld. Each letter finds it as it stands when that letter is
due.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from domain.case.complaint import Channel, Complainant, Complaint
from domain.case.file import CaseUpdate
from domain.case.requests import LetterPreview, SendLetter
from domain.case.summary import CaseSummary
from domain.checks.findings import Check, Finding, Verdict
from domain.clocks.deadlines import Deadline, Occurred
from domain.clocks.planning import as_rounds, follow, plan
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said
from domain.ground.words import (
    CaseEvent,
    Category,
    LetterKind,
    Outcome,
    PaymentReason,
    Priority,
    Remedy,
    Role,
    Severity,
    Stage,
)
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts
from domain.money.amounts import Money, PositiveMoney
from domain.rules.policy import PolicyPack
from runtime.letters.letter_text import Standing, write_letter
from runtime.letters.stationery import LANGUAGES

_LOSS: Final = Decimal("3165.81")
_PAID: Final = Decimal("1000.00")
_STAGES: Final = {
    LetterKind.ACKNOWLEDGEMENT: Stage.RECEIVED,
    LetterKind.REFERRAL: Stage.CLOSED,
    LetterKind.WITHDRAWAL: Stage.CLOSED,
    LetterKind.SUMMARY_RESOLUTION: Stage.RESPONDED,
    LetterKind.FINAL_RESPONSE: Stage.DECIDING,
    LetterKind.OUTSIDE_DECISION: Stage.SETTLING,
    LetterKind.PAYMENT_DECLINED: Stage.SETTLING,
    LetterKind.PAYMENT_PARTIAL: Stage.SETTLING,
    LetterKind.PAYMENT_REVERSED: Stage.SETTLING,
    LetterKind.FEEDBACK_REQUEST: Stage.FOLLOWING_UP,
}
"""Where a case is when the letter is due; while it is examined, of the others."""
_EARLY: Final = frozenset({LetterKind.ACKNOWLEDGEMENT, LetterKind.REFERRAL, LetterKind.EXTENSION})
"""Letters of a complaint that came this morning."""
_MORNING: Final = timedelta(hours=4)
_ANSWERED: Final = timedelta(days=20)
"""How long ago the response was written, of letters that come after one."""
_WAITED: Final = timedelta(days=25)
_MISSING: Final[dict[tuple[str, Bilingual, date], list[str]]] = {}
_MOST: Final = 100
_RESPONDED: Final = frozenset({Stage.SETTLING, Stage.FOLLOWING_UP})


@dataclass(frozen=True)
class SampleLetter:
    """A letter of a pack in a language. ``rule`` is which, where the pack has several of the kind."""

    kind: LetterKind
    rule: str | None
    language: str
    letter: LetterPreview


def sample_letters(
    pack: PolicyPack, *, firm: Bilingual, at: datetime, language: str | None = None
) -> Iterator[SampleLetter]:
    """Each letter of *pack* as it would be written *at* that time, in that *language* or in all."""
    for kind in LetterKind:
        for rule, facts, foreseen in _occasions(pack, kind, at):
            received = at - (_until_it_is_sent(pack, rule, at) if kind is LetterKind.HOLDING else _age(kind))
            for each in (language,) if language else LANGUAGES:
                written = _written(pack, kind, facts, foreseen, firm=firm, at=at, language=each, received=received)
                yield SampleLetter(kind, rule, each, written)


def missing_letters(pack: PolicyPack, *, firm: Bilingual, at: datetime) -> list[str]:
    """Which letters of *pack* cannot be written, and what each lacks; once where both languages lack the same.

    It is found out once a day: writing all of them takes a moment.
    """
    key = (pack.hash, firm, at.date())
    if key not in _MISSING:
        missing = (one.letter.missing for one in sample_letters(pack, firm=firm, at=at))
        if len(_MISSING) >= _MOST:
            _MISSING.clear()
        _MISSING[key] = list(dict.fromkeys(text for text in missing if text))
    return _MISSING[key]


def _occasions(
    pack: PolicyPack, kind: LetterKind, at: datetime
) -> Iterator[tuple[str | None, LetterFacts, list[Deadline]]]:
    """When *pack* has letters of *kind* written: which rule, clock or body it is, the facts, and what is planned."""
    match kind:
        case LetterKind.HOLDING:
            for rule in pack.letter_rules(kind):
                yield rule.name, _facts(kind, at, letter=rule.name), []
        case LetterKind.EXTENSION:
            for clock in pack.clocks:
                for extension in clock.extensions:
                    begun = Occurred(event=clock.trigger, at=at - _age(kind), number=1)
                    told = Occurred(
                        event=CaseEvent.EXTENDED, at=at, number=2, clock=clock.name, extension=extension.name
                    )
                    planned = follow(pack, as_rounds(plan(pack, begun)), [begun, told], [told]).planned
                    facts = _facts(kind, at, clock=clock.name, extension=extension.name)
                    yield f"{clock.name}/{extension.name}", facts, list(planned)
        case LetterKind.OUTSIDE_DECISION:
            for route in pack.routes:
                yield route.name, _facts(kind, at, route=route.name), []
        case _:
            yield None, _facts(kind, at), []


def _age(kind: LetterKind) -> timedelta:
    """How long ago the complaint came of which a letter of that *kind* is written."""
    if kind in _EARLY:
        return _MORNING
    return _WAITED if _STAGES.get(kind) not in _RESPONDED else _WAITED + _ANSWERED


def _until_it_is_sent(pack: PolicyPack, rule: str | None, at: datetime) -> timedelta:
    """How long after its receipt a complaint that comes *at* that time has the holding letter of that *rule*."""
    sent = {(clock.name, rung.name) for clock in pack.clocks for rung in clock.rungs if rung.letter == rule}
    begun = Occurred(event=CaseEvent.RECEIVED, at=at, number=1)
    return min((one.due - at for one in plan(pack, begun) if (one.clock, one.rung) in sent), default=_WAITED)


def _usd(amount: Decimal) -> Money:
    return Money(amount=amount, currency="USD")


def _facts(kind: LetterKind, at: datetime, **more: Any) -> LetterFacts:
    found = Finding(
        check=Check.EXECUTION,
        subject="O-1001",
        verdict=Verdict.PROVIDER_FAULT,
        reason=said(
            "Position 1001 was closed at 1,920.96 while the valid price of that moment was 1,937.39.",
            "持仓 1001 以 1,920.96 强制平仓，而当时的有效报价为 1,937.39。",
        ),
        harm=_usd(_LOSS),
        formula="execution.bad_exit/1",
    )
    told: dict[str, Any] = {
        "category": Category.EXECUTION,
        "stage": _STAGES.get(kind, Stage.INVESTIGATING),
        "expected_by": at + timedelta(days=14),
        "reply_by": at + timedelta(days=10),
        "questions": "1. Which platform did you use?\n2. Do you have a screenshot?",
        "outcome": Outcome.UPHELD,
        "findings": (found,),
        "compensation": _usd(_LOSS),
        "remedies": (Remedy.APOLOGY,),
        "notice": said("The deadline “response” ends soon.", "时限“response”即将届满。"),
        "audience": Role.COMPLIANCE_OFFICER,
        "outside_reference": "F-1",
        "decided_at": at - timedelta(days=2),
        "paid": _usd(_PAID),
        "unpaid": _usd(_LOSS - _PAID),
        "payee": "345",
        "payment_reason": PaymentReason.ACCOUNT_CLOSED,
    }
    if "reasons" in LETTERS[kind].needs:
        told["reasons"] = "The records of the provider have not reached us yet."
        if kind is LetterKind.OUTSIDE_DECISION:
            told["reasons"] = "The loss is to be made good in full."
    return LetterFacts.model_validate(told | more)


def _written(
    pack: PolicyPack,
    kind: LetterKind,
    facts: LetterFacts,
    foreseen: list[Deadline],
    *,
    firm: Bilingual,
    at: datetime,
    language: str,
    received: datetime,
) -> LetterPreview:
    stage = facts.stage or Stage.INVESTIGATING
    complaint = Complaint(
        source="sample",
        idempotency_key="sample",
        received_at=received,
        channel=Channel.WEB,
        language="zh-CN" if language == "zh-CN" else "en",
        complainant=Complainant(name="王小明" if language == "zh-CN" else "Ann Example"),
        account="70012345",
        description="sample",
        occurred_from=received - timedelta(days=1),
        trades=("O-1001",),
        remedy_sought=Remedy.COMPENSATION,
        amount_claimed=PositiveMoney(amount=Decimal(4000), currency="USD"),
    )
    summary = CaseSummary(
        revision=1, stage=stage, stage_since=at, category=Category.EXECUTION, severity=Severity.HIGH,
        priority=Priority.P2, in_scope=True, repeat=False, team=pack.team_for(Category.EXECUTION), handler="h-17",
        escalation_level=0, outcome=None, compensation=None, next_deadline=at + timedelta(hours=20), breached=False,
        closed_at=None,
    )  # fmt: skip
    request = SendLetter(
        key="sample",
        number=2,
        kind=kind,
        language=language,
        facts=facts,
        announces=(),
        update=CaseUpdate(reference=complaint.reference, policy_hash=pack.hash, summary=summary),
    )
    try:
        subject, body = write_letter(
            request,
            complaint=complaint,
            name=complaint.complainant.name,
            pack=pack,
            firm_name=firm.in_language(language),
            at=at,
            foreseen=foreseen,
            verified=True,
            standing=Standing(
                looked=stage is not Stage.RECEIVED, asked=kind is LetterKind.REMINDER, answered=stage is Stage.RESPONDED
            ),
            responded_at=at - _ANSWERED if stage in _RESPONDED else None,
        )
    except ApplicationError as error:
        return LetterPreview(missing=error.message.replace(" (letter 2)", ""))
    return LetterPreview(subject=subject, body=body)
