"""Cases as the workers would have written them into the case file, each at a telling moment."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from activities.case.case_file import CaseFile
from activities.letters.letters import Letters
from activities.money.compensation import Compensation
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate, Rejected
from domain.case.requests import OpenCase, RecordCompensation, SendLetter
from domain.case.summary import CaseSummary
from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from domain.clocks.deadlines import Deadline, Firing, Occurred
from domain.ground.bilingual import Bilingual
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, Stage
from domain.letters.letter import LetterFacts
from domain.money.amounts import Money
from runtime.mail import Outbox
from runtime.settings import load_settings
from tests.case.support import decided
from tests.on_file import put_on_file

USD_900 = Money(amount=Decimal("900.00"), currency="USD")
FINDING = Finding(
    check=Check.EXECUTION,
    subject="P-100234",
    verdict=Verdict.PROVIDER_FAULT,
    reason=Bilingual(
        en="The close lies 14.29 below the valid bid.", zh="平仓价较有效的客户卖出价（Bid）低 14.29，报价无效。"
    ),
    harm=USD_900,
    numbers={"difference": "14.29"},
    evidence=(EvidenceRow(table="positions", key="P-100234", values={"close_price": "1920.96"}),),
    formula="wrongful-stop-out/1",
)


class Story:
    """Tells one case to a case file, minute by minute. ``at`` is the present moment of the story."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", folder: Path, at: datetime) -> None:
        self.at, self._pool = at, pool
        self._case_file = CaseFile(pool, default_policy="platform-default", clock=lambda: self.at)
        settings = load_settings(outbox_dir=folder)
        self._letters = Letters(pool, self._case_file, None, Outbox(folder), settings, lambda: self.at)
        self._compensation = Compensation(pool, self._case_file, lambda: self.at)
        self._number, self._revision = 1, 0
        self._told: set[str] = set()
        self.reference = ""
        self.planned: tuple[Deadline, ...] = ()

    def complaint(self, key: str = "1", **changes: Any) -> Complaint:
        """What arrives."""
        given: Mapping[str, Any] = {
            "source": "web-form",
            "idempotency_key": key,
            "received_at": self.at,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer", "email": "customer@example.com"},
            "account": "70012345",
            "subject": "Stopped out on a wrong price",
            "description": "My position was closed by a stop-out although gold never traded there.",
            "trades": ["P-100234"],
            "amount_claimed": {"amount": "1200", "currency": "USD"},
            **changes,
        }
        return Complaint.model_validate(given)

    async def open(self, key: str = "1", **changes: Any) -> str:
        """A complaint arrives, a minute ago."""
        complaint = self.complaint(key, **changes)
        self.reference = complaint.reference
        self.pass_time(minutes=1)
        await put_on_file(self._pool, complaint)
        opened = await self._case_file.open_case(
            OpenCase(reference=self.reference, complaint=complaint, at=self.at, run="run-1")
        )
        self._policy_hash, self.planned = opened.policy_hash, opened.recorded.planned
        self._facts = {
            "category": opened.assessment.category,
            "severity": opened.assessment.severity,
            "priority": opened.assessment.priority,
            "team": opened.assessment.team,
        }
        return self.reference

    def pass_time(self, **length: float) -> None:
        self.at += timedelta(**length)

    async def tell(
        self, kind: str, text: str, *, by: str = "system:redress", data: Mapping[str, Any] | None = None, **parts: Any
    ) -> Entry:
        """Something happens, and is written down."""
        self.pass_time(seconds=10)
        self._revision += 1
        self._told.add(kind)
        entry = Entry(key=f"{kind}:{self._revision}", at=self.at, kind=kind, actor=by, text=text, data=dict(data or {}))
        await self._case_file.record(self._update(entries=(entry,), **parts))
        return entry

    async def letter(self, kind: LetterKind, *announces: CaseEvent, **facts: Any) -> None:
        """A letter is written and put into the outbox."""
        self.pass_time(seconds=10)
        self._number += 1
        await self._letters.send_letter(
            SendLetter(
                key=f"{self.reference}:letter:{kind.value}",
                number=self._number,
                kind=kind,
                language="en",
                facts=LetterFacts(**facts),
                announces=announces,
                update=self._update(),
            )
        )

    async def post(self, award: Money) -> None:
        """An award that two persons decided, now or as was told before, goes into the ledger."""
        entries = () if "decide_resolution" in self._told else decided(1, award)
        self._number += 1
        self._revision += 1
        request = RecordCompensation(
            key=f"{self.reference}:compensation:1",
            number=self._number,
            award=award,
            announces=(CaseEvent.SETTLED,),
            account="70012345",
            update=self._update(entries=tuple(one.model_copy(update={"at": self.at}) for one in entries)),
            then=self._update(compensation=award),
        )
        await self._compensation.record_compensation(request)

    def missed(self, clock: str) -> tuple[Firing, ...]:
        """The deadline of *clock* comes due and is recorded as missed."""
        rung = next(rung for rung in self.planned if rung.clock == clock and rung.due == rung.clock_due)
        fired_at = rung.due + timedelta(milliseconds=5)
        return (Firing(clock=clock, number=rung.number, rung=rung.rung, due=rung.due, fired_at=fired_at, breach=True),)

    def happened(self, event: CaseEvent) -> tuple[Occurred, ...]:
        self._number += 1
        return (Occurred(event=event, at=self.at, number=self._number),)

    def rejected(self, name: str, reason: str, payload: str) -> tuple[Rejected, ...]:
        self._number += 1
        return (Rejected(key=f"rejected:{self._number}", at=self.at, name=name, reason=reason, payload=payload),)

    def _update(self, **parts: Any) -> CaseUpdate:
        records = {name: parts.pop(name) for name in ("entries", "events", "firings", "rejected") if name in parts}
        self._facts |= parts
        summary = {
            "revision": self._revision,
            "stage": Stage.INVESTIGATING,
            "stage_since": self.at,
            "in_scope": True,
            "repeat": False,
            "handler": None,
            "escalation_level": 0,
            "outcome": None,
            "compensation": None,
            "next_deadline": min((rung.due for rung in self.planned), default=None),
            "breached": False,
            "closed_at": None,
            **self._facts,
        }
        return CaseUpdate(
            reference=self.reference,
            policy_hash=self._policy_hash,
            summary=CaseSummary.model_validate(summary),
            **records,
        )


async def proposed(pool: "asyncpg.Pool[asyncpg.Record]", folder: Path) -> str:
    """A case two hours old: acknowledged, investigated, and a proposal waits for a second person."""
    story = Story(pool, folder, datetime.now(UTC) - timedelta(hours=2))
    await story.open()
    await story.letter(
        LetterKind.ACKNOWLEDGEMENT,
        CaseEvent.ACKNOWLEDGED,
        CaseEvent.CONTACTED,
        expected_by=story.at + timedelta(days=5),
    )
    await story.tell("stage", "investigating")
    await story.tell(
        "finding", "execution: provider_fault", data={**FINDING.model_dump(mode="json"), "hash": FINDING.hash}
    )
    await story.tell("stage", "deciding", stage=Stage.DECIDING, handler="h-17")
    await story.tell(
        "propose_resolution",
        "partly upheld, USD 900.00",
        by="handler:h-17",
        data={
            "outcome": "partly_upheld",
            "compensation": {"amount": "900.00", "currency": "USD"},
            "remedies": ["compensation"],
            "reasons": "The price was wrong; [the claim] exceeds the harm.",
        },
    )
    reason = "level: Input should be greater than or equal to 1"
    await story.tell(
        "rejected",
        "message 'escalate' does not fit",
        rejected=story.rejected("escalate", reason, '[{"reason": "\\u6295\\u8bc9", "level": 0}]'),
    )
    return story.reference


async def late_and_closed(pool: "asyncpg.Pool[asyncpg.Record]", folder: Path) -> str:
    """A Chinese case, closed: its acknowledgement came too late, its award is in the ledger."""
    story = Story(pool, folder, datetime.now(UTC) - timedelta(days=30))
    await story.open(
        "2",
        language="zh-CN",
        channel="phone",
        complainant={"name": "一位客户"},
        subject="黄金强平价格异常",
        description="我的黄金多单被错误报价强制平仓，要求赔偿全部损失。" * 40,
    )
    story.pass_time(days=2)
    await story.tell("breach", "acknowledgement was due", firings=story.missed("acknowledgement"), breached=True)
    await story.tell("acknowledged", "by post", events=story.happened(CaseEvent.ACKNOWLEDGED))
    await story.post(USD_900)
    story.planned = ()
    await story.tell(
        "stage",
        "closed",
        stage=Stage.CLOSED,
        outcome="upheld",
        closed_at=story.at,
        next_deadline=None,
        events=story.happened(CaseEvent.CLOSED),
    )
    return story.reference


async def forgotten(pool: "asyncpg.Pool[asyncpg.Record]", folder: Path) -> str:
    """A case that nobody touched for a month."""
    story = Story(pool, folder, datetime.now(UTC) - timedelta(days=30))
    await story.open("3", description="The fee on my account is wrong.", subject=None, trades=[], amount_claimed=None)
    await story.tell("stage", "acknowledged", stage=Stage.ACKNOWLEDGED)
    return story.reference
