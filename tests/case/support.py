"""What the tests of the case file share: a complaint, a case, updates to it, and a look at every row there is."""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import asyncpg

from activities.case.case_file import CaseFile
from domain.case.approval import proposal_digest
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate
from domain.case.requests import OpenCase, RecordCompensation
from domain.case.summary import CaseSummary
from domain.clocks.deadlines import Occurred
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Stage
from domain.money.amounts import Money

T = TypeVar("T")

RECEIVED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RUN = "run-1"
OPENED_AT = RECEIVED_AT + timedelta(seconds=3)
AWARD = 7
"""The round of the award of a test that has one."""
TABLES = (
    "policy_packs",
    "cases",
    "contacts",
    "timeline",
    "rejected_messages",
    "events",
    "deadlines",
    "satisfactions",
    "firings",
    "letters",
    "letter_attempts",
    "postings",
    "ledger_entries",
)


def keeping(pool: "asyncpg.Pool[asyncpg.Record]", **changes: Any) -> CaseFile:
    """A case file whose clock stands at the moment the case is opened."""
    return CaseFile(pool, **{"default_policy": "platform-default", "clock": lambda: OPENED_AT, **changes})


def complaint(key: str = "1", **changes: Any) -> Complaint:
    return Complaint.model_validate(
        {
            "source": "tests",
            "idempotency_key": key,
            "received_at": RECEIVED_AT,
            "channel": "email",
            "language": "en",
            "complainant": {"name": "A Customer", "email": "customer@example.com", "phone": "+852 5555 0100"},
            "account": "70012345",
            "description": "My stop loss was filled at the wrong price.",
            **changes,
        }
    )


def opening(key: str = "1", **changes: Any) -> OpenCase:
    received = complaint(key, **changes)
    return OpenCase(reference=received.reference, complaint=received, at=OPENED_AT, run=RUN)


async def opened(case_file: CaseFile, key: str = "1", **changes: Any) -> str:
    """The reference of a case just opened."""
    request = opening(key, **changes)
    await case_file.open_case(request)
    return request.reference


def after(minutes: float) -> datetime:
    return OPENED_AT + timedelta(minutes=minutes)


def occurred(event: CaseEvent, number: int, minutes: float = 0) -> Occurred:
    return Occurred(event=event, at=after(minutes or number), number=number)


def entry(key: str, text: str = "something happened", **data: Any) -> Entry:
    return Entry(key=key, at=after(1), kind="test", actor="handler:h-17", text=text, data=data)


def summary(revision: int, **changes: Any) -> CaseSummary:
    fields: dict[str, Any] = {
        "revision": revision,
        "stage": Stage.INVESTIGATING,
        "stage_since": after(1),
        "category": "execution",
        "severity": "medium",
        "priority": "p3",
        "in_scope": True,
        "repeat": False,
        "team": "dealing",
        "handler": "h-17",
        "escalation_level": 0,
        "outcome": None,
        "compensation": None,
        "next_deadline": None,
        "breached": False,
        "closed_at": None,
        **changes,
    }
    return CaseSummary.model_validate(fields)


def update(reference: str, revision: int = 1, **parts: Any) -> CaseUpdate:
    parts.setdefault("summary", summary(revision))
    return CaseUpdate(reference=reference, policy_hash="", **parts)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def decided(round_: int, award: Money, **changes: Any) -> tuple[Entry, ...]:
    """What the timeline has of an award that a handler proposed in that round and an executive approved.

    They are others where a test has a further round: who decided in one has no part in the next.
    """
    further = 0 if round_ in {1, AWARD} else round_
    said = {"round": round_, "outcome": "upheld", "compensation": award.rounded().model_dump(mode="json")}
    proposal = {"reasons": "So it is.", **said, **changes}
    texts = (
        ("propose_resolution", f"handler:h-{17 + further}", proposal),
        ("decide_resolution", f"executive:e-{1 + further}", None),
    )
    proposed, approved = (
        Entry(
            key=f"{kind}:{2 * round_ + number}",
            at=after(1),
            kind=kind,
            actor=actor,
            text=kind,
            data=data or {"round": round_, "decision": "approve"},
        )
        for number, (kind, actor, data) in enumerate(texts)
    )
    return (proposed, naming(approved, proposed))


def naming(approved: Entry, proposed: Entry) -> Entry:
    """The decision *approved*, about what was *proposed*."""
    return approved.model_copy(update={"data": {"proposal": proposal_digest(proposed), **approved.data}})


def awarding(reference: str, award: Money, number: int = AWARD, **changes: Any) -> RecordCompensation:
    fields: dict[str, Any] = {
        "key": f"{reference}:compensation:{number}",
        "number": number,
        "award": award,
        "announces": (CaseEvent.SETTLED,),
        "account": "70012345",
        "update": update(reference, 1, entries=(entry("settling"), *decided(number, award))),
        "then": update(
            reference,
            2,
            summary=summary(2, stage=Stage.FOLLOWING_UP, compensation=award),
            entries=(entry("following-up"),),
        ),
        **changes,
    }
    return RecordCompensation.model_validate(fields)


async def all_rows(pool: "asyncpg.Pool[asyncpg.Record]") -> dict[str, list[asyncpg.Record]]:
    """Every row of every table, in a fixed order."""
    return {
        table: await pool.fetch(f"SELECT * FROM casefile.{table} AS t ORDER BY t::text")  # noqa: S608
        for table in TABLES
    }


async def count(pool: "asyncpg.Pool[asyncpg.Record]", table: str) -> int:
    return int(await pool.fetchval(f"SELECT count(*) FROM casefile.{table}"))  # noqa: S608


async def at_once(pool: "asyncpg.Pool[asyncpg.Record]", doings: Iterable[Awaitable[T]]) -> list[T]:
    """Run *doings* at the same time, each on a connection that is open already: none has a head start."""
    waiting = list(doings)
    await asyncio.gather(*(pool.execute("SELECT pg_sleep(0.05)") for _ in waiting))
    return list(await asyncio.gather(*waiting))
