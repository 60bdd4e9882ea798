"""What the tests of letters share: a complaint, requests for letters, and an SMTP server that takes them in."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP

from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate
from domain.case.requests import SendLetter
from domain.case.summary import CaseSummary
from domain.checks.findings import Check, Finding, Verdict
from domain.clocks.clock import Extension
from domain.clocks.deadlines import Deadline, Occurred
from domain.clocks.planning import as_rounds, follow, plan
from domain.ground.bilingual import Bilingual
from domain.ground.words import (
    CaseEvent,
    Category,
    Element,
    LetterKind,
    Outcome,
    PaymentReason,
    Priority,
    Remedy,
    Role,
    RouteKind,
    Severity,
    Stage,
)
from domain.letters.letter import LetterFacts
from domain.money.amounts import Money
from domain.rules.duties import LetterRule, Route
from domain.rules.policy import PolicyPack
from runtime.letters.letter_text import Standing, write_letter
from runtime.policies import find_pack

FIRM = Bilingual(en="Example Bullion", zh="示例金业")
NOW = datetime(2026, 7, 3, 3, 0, tzinfo=UTC)
PACK = find_pack("platform-default", NOW)
"""The pack of the tests' complaints. What it lacks for letters of some kinds, :data:`FULL_PACK` has."""
EXPECTED_BY = datetime(2026, 7, 17, 15, 59, 59, tzinfo=UTC)
REASONS = "The records of the exchange have not reached us yet."
WITH_REASONS = {LetterKind.EXTENSION, LetterKind.OUTSIDE_DECISION}
"""The letters that are not written without a person's reasons."""
REPLY_BY = datetime(2026, 7, 13, 15, 59, 59, tzinfo=UTC)

ANNOUNCES: dict[LetterKind, tuple[CaseEvent, ...]] = {
    **dict.fromkeys(LetterKind, (CaseEvent.CONTACTED,)),
    LetterKind.ACKNOWLEDGEMENT: (CaseEvent.ACKNOWLEDGED, CaseEvent.CONTACTED),
    LetterKind.INFORMATION_REQUEST: (CaseEvent.INFORMATION_REQUESTED, CaseEvent.CONTACTED),
    LetterKind.HOLDING: (CaseEvent.HELD, CaseEvent.CONTACTED),
    LetterKind.EXTENSION: (CaseEvent.EXTENDED, CaseEvent.CONTACTED),
    LetterKind.SUMMARY_RESOLUTION: (CaseEvent.RESPONDED, CaseEvent.CONTACTED),
    LetterKind.FINAL_RESPONSE: (CaseEvent.RESPONDED, CaseEvent.CONTACTED),
    LetterKind.REFERRAL: (CaseEvent.ACKNOWLEDGED, CaseEvent.RESPONDED, CaseEvent.CONTACTED),
    LetterKind.STAFF_NOTICE: (),
}


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def with_rules(pack: PolicyPack = PACK, **changes: Any) -> PolicyPack:
    """*pack* with other fields, checked again as a file is."""
    return PolicyPack.model_validate(pack.model_copy(update=changes).model_dump())


def rule(kind: LetterKind, *must_name: Element, name: str | None = None, **more: Any) -> LetterRule:
    return LetterRule.model_validate(
        {
            "name": name or kind.value,
            "kind": kind,
            "must_name": must_name,
            "source": "Test",
            "confirmed": False,
            **more,
        }
    )


def route(kind: RouteKind, **changes: Any) -> Route:
    """A route of that kind, of that name too, that can be named."""
    return Route.model_validate(
        {
            "name": kind.value,
            "kind": kind,
            "title": Bilingual(en=f"The {kind.value} body", zh=f"{kind.value}机构"),
            "contact": Bilingual(en=f"1 {kind.value} Street\nTown", zh=f"某市{kind.value}路1号"),
            "source": "Test",
            "confirmed": False,
            **changes,
        }
    )


def extension(**changes: Any) -> Extension:
    return Extension.model_validate(
        {
            "name": "complex",
            "by": {"days": 30},
            "approval": ["executive"],
            "ground": {"en": "The rule allows 30 days more.", "zh": "规定允许延长30日。"},
            "source": "Test",
            "confirmed": False,
            **changes,
        }
    )


def with_extension(pack: PolicyPack = PACK, **changes: Any) -> PolicyPack:
    """*pack* with an extension of its clock "response"."""
    extensions = {"extensions": (extension(**changes),)}
    return with_rules(
        pack,
        clocks=tuple(
            clock.model_copy(update=extensions) if clock.name == "response" else clock for clock in pack.clocks
        ),
    )


HOLDING_TEXT = Bilingual(en="Four weeks have gone by without our answer.", zh="四周已过，我们尚未答复。")
FULL_PACK = with_extension(
    with_rules(letters=(*PACK.letters, rule(LetterKind.HOLDING, name="four-weeks", text=HOLDING_TEXT)))
)


def finding(harm: str | None = "3165.81", verdict: Verdict = Verdict.PROVIDER_FAULT) -> Finding:
    return Finding(
        check=Check.EXECUTION,
        subject="O-1001",
        verdict=verdict,
        reason=Bilingual(
            en="Position 1001 was closed at 1920.96, outside the market.",
            zh="持仓1001以1920.96强制平仓，偏离市场报价。",
        ),
        harm=usd(harm) if harm else None,
        formula="execution.bad_exit/1",
    )


def complaint(**changes: Any) -> Complaint:
    return Complaint.model_validate(
        {
            "source": "web",
            "idempotency_key": "form-1",
            "received_at": "2026-07-03T02:11:00Z",
            "channel": "web",
            "language": "en",
            "complainant": {"name": "Customer 70012345", "email": "customer@example.com"},
            "account": "70012345",
            "subject": "Stopped out at a price that never was",
            "description": "Confidential: my stop-out at 01:30 was on a wrong quote.",
            "occurred_from": "2026-07-02T01:30:00Z",
            "trades": ["O-1001"],
            "remedy_sought": Remedy.COMPENSATION,
            "amount_claimed": {"amount": "4000", "currency": "USD"},
            "policy": "platform-default",
            **changes,
        }
    )


def full_facts(**changes: Any) -> LetterFacts:
    """Facts that suffice for a letter of any kind."""
    return LetterFacts.model_validate(
        {
            "category": Category.EXECUTION,
            "stage": Stage.INVESTIGATING,
            "expected_by": EXPECTED_BY,
            "reply_by": REPLY_BY,
            "questions": "1. Which platform did you use?\n2. Do you have a screenshot?",
            "outcome": Outcome.UPHELD,
            "findings": (finding(),),
            "compensation": usd("3165.81"),
            "remedies": (Remedy.APOLOGY,),
            "notice": Bilingual(en="The deadline “response” ends soon.", zh="时限“response”即将届满。"),
            "audience": Role.COMPLIANCE_OFFICER,
            "letter": "four-weeks",
            "clock": "response",
            "extension": "complex",
            "route": "review",
            "outside_reference": "F-1",
            "decided_at": NOW - timedelta(days=2),
            "paid": usd("1000.00"),
            "unpaid": usd("2165.81"),
            "payee": "345",
            "payment_reason": PaymentReason.ACCOUNT_CLOSED,
            **changes,
        }
    )


def summary(**changes: Any) -> CaseSummary:
    return CaseSummary.model_validate(
        {
            "revision": 1,
            "stage": Stage.RECEIVED,
            "stage_since": NOW,
            "category": Category.EXECUTION,
            "severity": Severity.HIGH,
            "priority": Priority.P2,
            "in_scope": True,
            "repeat": False,
            "team": "dealing",
            "handler": None,
            "escalation_level": 0,
            "outcome": None,
            "compensation": None,
            "next_deadline": NOW + timedelta(hours=20),
            "breached": False,
            "closed_at": None,
            **changes,
        }
    )


def letter(
    kind: LetterKind = LetterKind.ACKNOWLEDGEMENT,
    *,
    language: str = "en",
    facts: LetterFacts | None = None,
    pack: PolicyPack = FULL_PACK,
    number: int = 2,
    update: CaseUpdate | None = None,
    of: Complaint | None = None,
    **summary_changes: Any,
) -> SendLetter:
    reference = (of or complaint()).reference
    if facts is None:
        facts = full_facts(reasons=REASONS if kind in WITH_REASONS else None)
    return SendLetter(
        key=f"{reference}:letter:{kind.value}:{number}",
        number=number,
        kind=kind,
        language=language,
        facts=facts,
        announces=ANNOUNCES[kind],
        update=update or CaseUpdate(reference=reference, policy_hash=pack.hash, summary=summary(**summary_changes)),
    )


def foreseen(request: SendLetter, pack: PolicyPack) -> list[Deadline]:
    """What the case would plan if the letter were accepted now; of an extension, the clock's new round."""
    if request.kind is LetterKind.EXTENSION:
        return replanned(pack)
    return [
        deadline
        for event in request.announces
        for deadline in plan(pack, Occurred(event=event, at=NOW, number=request.number))
    ]


def replanned(pack: PolicyPack) -> list[Deadline]:
    received = Occurred(event=CaseEvent.RECEIVED, at=complaint().received_at, number=1)
    rounds = as_rounds(plan(pack, received))
    extended = Occurred(event=CaseEvent.EXTENDED, at=NOW, number=2, clock="response", extension="complex")
    return list(follow(pack, rounds, [received, extended], [extended]).planned)


def standing_for(kind: LetterKind) -> dict[str, Any]:
    """What the record says where a letter of *kind* is due."""
    asked = kind is LetterKind.REMINDER
    responded = NOW - timedelta(days=20) if kind is LetterKind.FEEDBACK_REQUEST else None
    return {"standing": Standing(asked=asked), "responded_at": responded}


def written(
    request: SendLetter,
    *,
    of: Complaint | None = None,
    name: str = "Customer 70012345",
    pack: PolicyPack = FULL_PACK,
    **more: Any,
) -> tuple[str, str]:
    known: dict[str, Any] = {
        "foreseen": foreseen(request, pack),
        "firm_name": FIRM.en,
        "at": NOW,
        "verified": True,
    }
    known |= standing_for(request.kind) | more
    return write_letter(request, complaint=of or complaint(), name=name, pack=pack, **known)


class Receiver:
    """Takes messages in, or answers what it is told to: to a recipient, and at the end of DATA."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.login: str | None = None
        self.encrypted = False
        self.refused: dict[str, str] = {}
        self.at_data = "250 OK"
        self.before_recipient: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
        self.before_data: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
        self.at_quit: Callable[[SMTP], None] = lambda server: None

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        await self.before_recipient()
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        await self.before_data()
        assert server.transport is not None
        self.encrypted = server.transport.get_extra_info("sslcontext") is not None
        self.login = session.auth_data
        if self.at_data.startswith("250"):
            self.recipients += envelope.rcpt_tos
            self.messages.append(message_from_bytes(envelope.content, policy=default))
        return self.at_data

    async def handle_QUIT(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        self.at_quit(server)
        return "221 Bye"


@asynccontextmanager
async def receiving(
    receiver: Receiver, *, implicit: ssl.SSLContext | None = None, kind: type[SMTP] = SMTP, **options: Any
) -> AsyncIterator[int]:
    """The port on which *receiver* takes mail in."""
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(kind(receiver, hostname="mail.example.com", loop=loop, **options))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for each in sessions:
            if each.transport is not None:
                each.transport.close()
        await asyncio.sleep(0)


def text_of(received: EmailMessage) -> str:
    body = received.get_body(("plain",))
    return str(body.get_content() if body else "").replace("\r\n", "\n")
