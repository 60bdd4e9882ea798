"""What was received ends once, with a name, wherever whoever deals with it is killed."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.intake.bringing import CUSTOMER
from activities.intake.dealing import TRIES, Dealing
from domain.case.complaint import Channel, Complainant, Complaint
from domain.case.messages.signals import CustomerReply
from domain.case.requests import OpenCase
from domain.checks.findings import Check
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import Category, Role, Stage
from domain.intake.received import LOCATION, Dealt, DealWith, Door, Ending, File, Kind
from domain.people.actors import Person
from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.identity.verifying import Verifier
from runtime.keys.keyring import KeysUnavailable
from runtime.settings import load_settings
from starter.intake.receiving import receive, receive_complaint, receive_message
from starter.reading.intake import list_incoming, replay, show_incoming
from starter.reading.sources import list_files, read_file
from tests.case.support import after, keeping, opened, summary, update
from tests.scanning import unsealed
from tests.signing import the_issuer

LEAD = Actor(id="t-1", role=Role.TEAM_LEAD)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Cases:
    """Cases as Temporal keeps them: one a reference, and a message counts once by its id."""

    started: dict[str, Complaint] = field(default_factory=dict)
    heard: dict[tuple[str, str], Message] = field(default_factory=dict)
    steps: int = 0
    killed_at: int = -1
    failing: Exception | None = None
    closed: set[str] = field(default_factory=set)
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens once, just after a message has found no case."""

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.killed_at:
            raise Killed

    async def submit(self, complaint: Complaint) -> Dealt:
        self._step()
        if self.failing:
            raise self.failing
        known = complaint.reference in self.started
        self.started.setdefault(complaint.reference, complaint)
        self._step()
        return Dealt(ending=Ending.ALREADY_KNOWN if known else Ending.CASE_OPENED, reference=complaint.reference)

    async def send(self, reference: str, message: Message) -> Dealt | None:
        self._step()
        if reference in self.closed:
            return Dealt(ending=Ending.CASE_CLOSED, reference=reference, reason="it is closed")
        if reference not in self.started:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                await meanwhile()
            return None
        self.heard[reference, message.message_id] = message
        self._step()
        return Dealt(ending=Ending.ON_CASE, reference=reference)


def complaint(key: str = "form-1") -> Complaint:
    """A complaint as the pages make one."""
    return Complaint(
        source="pages", idempotency_key=key, received_at=datetime.now(UTC), channel=Channel.WEB, language="zh-CN",
        complainant=Complainant(name="李雷", email="li.lei@example.com"), description="出金三周仍未到账。",
    )  # fmt: skip


def file(content: bytes = b"statement") -> File:
    """A file that was made harmless."""
    digest = hashlib.sha256(content).hexdigest()
    return File(name=digest[:32], title="对账单.pdf", media_type="application/pdf", sha256=digest, content=content)


async def in_files_of(pool: Pool, *references: str) -> list[list[str]]:
    """The names of the files of each of these cases: those that are listed can be read there, and nowhere else."""
    listed = [[one.name for one in await list_files(pool, reference)] for reference in references]
    names = {name for each in listed for name in each}
    read = [[name for name in names if await read_file(pool, one, name)] for one in references]
    assert listed == read
    return listed


async def deal(dealing: Dealing, key: str, *, attempt: int = 1) -> Dealt:
    """Deal with what is under *key*, as a worker would."""
    environment = ActivityEnvironment()
    environment.info = ActivityEnvironment.default_info().__class__(**{**environment.info.__dict__, "attempt": attempt})
    return await environment.run(dealing.deal_with, DealWith(key=key))


async def test_a_complaint_with_a_file_is_there_once_wherever_its_dealer_is_killed(pool: Pool) -> None:
    point = 0
    while True:
        point += 1
        given = complaint(f"form-{point}")
        key, known = await receive_complaint(pool, Door.PAGES, given, files=[file(f"statement {point}".encode())])
        again = given.model_copy(update={"received_at": datetime.now(UTC)})
        assert not known
        assert await receive_complaint(pool, Door.PAGES, again) == (key, True), "sent twice, it counts once"
        cases = Cases(killed_at=point)
        dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
        try:
            await deal(dealing, key)
            killed = False
        except Killed:
            killed = True
            assert (await show_incoming(pool, key)).waits
            await deal(dealing, key)
        assert list(cases.started.values()) == [given]
        (message,) = cases.heard.values()
        assert isinstance(message, CustomerReply)
        assert [(each.title, each.location.startswith(LOCATION)) for each in message.attachments] == [
            ("对账单.pdf", True)
        ]
        one = await show_incoming(pool, key)
        assert (one.waits, one.ended_on, one.needs_a_person) == (False, given.reference, False)
        first = await deal(dealing, key)
        assert await deal(dealing, key) == first
        assert len(cases.heard) == 1
        if not killed:
            break
    assert point > 3
    assert await pool.fetchval("select count(*) from intake.endings") == point


async def test_whatever_comes_ends_with_a_name_and_harms_nobody_beside_it(pool: Pool) -> None:
    now = datetime.now(UTC)
    cases = Cases()
    dealing = Dealing(pool, cases, lambda: now)
    for number, (kind, content) in enumerate(
        [
            (Kind.COMPLAINT, b"\x00\xff not json"),
            (Kind.COMPLAINT, b"{}"),
            (Kind.COMPLAINT, b'{"idempotency_key": 5, "description": "my name is Li"}'),
            (Kind.MESSAGE, b'{"reference": "RD-1", "name": "decide_resolution", "message": {}}'),
            (Kind.MESSAGE, b"[" * 5_000),
        ]
    ):
        key, _ = await receive(pool, Door.API, kind, content, at=now, reference=f"RD-{number}")
        dealt = await deal(dealing, key)
        assert dealt.ending is Ending.UNREADABLE
        assert "Li" not in (dealt.reason or ""), "what was sent is quoted nowhere"
    reply = CustomerReply(message_id="m-1", actor=CUSTOMER, text="请回复")
    key, _ = await receive_message(pool, Door.PAGES, complaint().reference, reply, at=now)
    assert (await deal(dealing, key)).ending is Ending.SET_ASIDE, "there is no such case"
    opened, _ = await receive_complaint(pool, Door.PAGES, complaint())
    assert (await deal(dealing, opened)).ending is Ending.CASE_OPENED
    assert len(await list_incoming(pool)) == 6
    assert len(await list_incoming(pool, everything=True)) == 7


async def test_a_message_waits_for_the_complaint_that_it_belongs_to(pool: Pool) -> None:
    cases, given = Cases(), complaint()
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
    opened, _ = await receive_complaint(pool, Door.PAGES, given)
    reply = CustomerReply(message_id="m-1", actor=CUSTOMER, text="还有一点")
    key, _ = await receive_message(pool, Door.PAGES, given.reference, reply, at=datetime.now(UTC))
    with pytest.raises(ApplicationError, match="not dealt with yet"):
        await deal(dealing, key, attempt=TRIES + 50)
    cases.meanwhile = lambda: deal(dealing, opened)
    with pytest.raises(ApplicationError, match="not dealt with yet"):
        await deal(dealing, key)
    assert (await deal(dealing, key)).ending is Ending.ON_CASE


async def test_what_passes_is_waited_for_and_what_never_works_is_set_aside(pool: Pool) -> None:
    cases = Cases()
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
    key, _ = await receive_complaint(pool, Door.PAGES, complaint())
    for cases.failing in (
        TemporalUnavailable("away"),
        KeysUnavailable("away"),
        asyncpg.SerializationError("again"),
        asyncpg.InternalClientError(),
    ):
        with pytest.raises(type(cases.failing)):
            await deal(dealing, key, attempt=TRIES + 50)
    cases.failing = ZeroDivisionError("of Li Lei")
    with pytest.raises(ApplicationError, match="ZeroDivisionError"):
        await deal(dealing, key, attempt=1)
    dealt = await deal(dealing, key, attempt=TRIES)
    assert dealt.ending is Ending.SET_ASIDE
    assert "Li Lei" not in (dealt.reason or "")


async def test_a_person_has_it_dealt_with_again_or_puts_it_on_another_case(pool: Pool) -> None:
    cases = Cases(failing=ZeroDivisionError())
    dealing, given, other = Dealing(pool, cases, lambda: datetime.now(UTC)), complaint(), complaint("form-2")
    key, _ = await receive_complaint(pool, Door.PAGES, given, files=[file()])
    await deal(dealing, key, attempt=TRIES)
    cases.failing = None
    for role in (one for one in Role if not one.is_staff):
        with pytest.raises(NotAllowed, match=f"actor: role {role.value}"):
            await replay(pool, key, by=Actor(id="x-1", role=role), reason="it is mine", vouched=True)
    assert not (await show_incoming(pool, key)).waits
    assert (await replay(pool, key[:8], by=LEAD, reason="mended")).waits
    assert (await deal(dealing, key)).ending is Ending.CASE_OPENED
    cases.started[other.reference] = other
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC), proofs=Verifier.of(load_settings()))
    said: dict[str, Any] = {"by": LEAD, "reason": "the same matter", "reference": other.reference}
    for unproven in (None, lambda _, message: the_issuer().token(Person.of(LEAD), other.reference, message)):
        await replay(pool, key, unproven, **said)
        assert (await deal(dealing, key)).reference == given.reference, "nothing proves who put it on the other case"
    await replay(pool, key, the_issuer().speaks_for_its_user, **said)
    assert await deal(dealing, key) == Dealt(ending=Ending.ON_CASE, reference=other.reference)
    heard = cases.heard[other.reference, key]
    assert isinstance(heard, CustomerReply)
    assert (heard.text, len(heard.attachments)) == (given.description, 1)
    assert await in_files_of(pool, other.reference, given.reference) == [[file().name], []]
    assert await pool.fetchval("select array_agg(actor order by id) from intake.decisions") == [str(LEAD)] * 4
    assert await unsealed(pool) == []


async def test_a_reply_to_a_closed_case_becomes_a_case_of_its_own_that_goes_on_from_it(pool: Pool) -> None:
    case_file = keeping(pool)
    closed = await opened(case_file, account="70012345", trades=["T-1"])
    await case_file.record(update(closed, 1, summary=summary(1, stage=Stage.CLOSED, closed_at=after(60))))
    cases = Cases(closed={closed})
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC))

    async def said(*files: File, **reply: Any) -> Dealt:
        attached = {"attachments": tuple(one.attachment for one in files)}
        message = CustomerReply(message_id=str(len(cases.heard) + cases.steps), actor=CUSTOMER, **attached, **reply)
        key, _ = await receive_message(pool, Door.PAGES, closed, message, at=after(80), files=files)
        return await deal(dealing, key)

    for nothing_new in ({"intent": "accept", "text": "Thank you."}, {"intent": "information", "trades": ("T-2",)}):
        assert (await said(**nothing_new)).ending is Ending.CASE_CLOSED
    statement = file()
    dealt = await said(statement, intent="dispute", text="You left out the swap.")
    (follows,) = cases.started.values()
    assert (dealt.ending, dealt.reference) == (Ending.CASE_OPENED, follows.reference)
    assert (follows.continues, follows.description, follows.trades) == (closed, "You left out the swap.", ("T-1",))
    assert [message.attachments for message in cases.heard.values()] == [(statement.attachment,)]  # type: ignore[attr-defined]
    assert await in_files_of(pool, follows.reference, closed) == [[statement.name], []]

    for complaint_, kind in (
        (follows, "continues"),
        (follows.model_copy(update={"idempotency_key": "claimed", "account": "70099999"}), "not_linked"),
    ):
        reference = complaint_.reference
        await case_file.open_case(OpenCase(reference=reference, complaint=complaint_, at=after(90), run="run-2"))
        linked = "select kind from casefile.timeline where reference = $1 and key = 'continues'"
        assert await pool.fetchval(linked, reference) == kind


async def test_what_goes_on_from_a_closed_case_looks_at_all_that_was_looked_at_there(pool: Pool) -> None:
    case_file = keeping(pool)
    told = "My withdrawal was paid late. It was entry W-4711, and you took 80 where you said 30."
    closed = await opened(case_file, account="70099999", trades=["T-1"], subject="Late", description=told)
    evidence = {"trades": ["T-2"], "account": "70012345", "note": "It was the other account."}
    added = Entry(key="m-1", at=after(30), kind="add_evidence", actor="handler:h-1", text="evidence", data=evidence)
    await case_file.record(update(closed, 1, entries=(added,), summary=summary(1, category="withdrawal")))
    ended = summary(2, category="withdrawal", stage=Stage.CLOSED, closed_at=after(60))
    await case_file.record(update(closed, 2, summary=ended))
    cases = Cases(closed={closed})
    reply = CustomerReply(message_id="m-2", actor=CUSTOMER, text="It is still not right.", trades=("T-3",))
    key, _ = await receive_message(pool, Door.PAGES, closed, reply, at=after(80))
    await deal(Dealing(pool, cases, lambda: datetime.now(UTC)), key)
    (follows,) = cases.started.values()
    assert (follows.subject, follows.account, follows.trades) == ("Late", "70012345", ("T-3", "T-1", "T-2"))
    opened_ = await case_file.open_case(
        OpenCase(reference=follows.reference, complaint=follows, at=after(90), run="run-2")
    )
    assert opened_.assessment.category is Category.WITHDRAWAL, "its own words decide none"
    assert "W-4711" in opened_.mentioned
    assert Check.FEES in opened_.pointed
    another = follows.model_copy(update={"idempotency_key": "2", "description": "My stop loss slipped by 40 pips."})
    request = OpenCase(reference=another.reference, complaint=another, at=after(90), run="run-3")
    assert (await case_file.open_case(request)).assessment.category is Category.EXECUTION, "its own words decide"
