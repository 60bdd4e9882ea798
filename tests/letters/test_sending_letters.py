"""Sending letters: once by its key, whatever fails on the way, and all of it on record."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile
from activities.letters.letters import Letters
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate
from domain.case.messages.handling import VerifyComplainant
from domain.case.requests import OpenCase, RecordContact
from domain.clocks.clock import Length, LengthRule
from domain.clocks.deadlines import Occurred
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import Action, CaseEvent, Category, Element, LetterKind, Role, RouteKind, Stage
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_customer
from domain.rules.policy import PolicyPack
from runtime.database import open_pool
from runtime.mail import Mailer, Outbox, secret_message_id
from runtime.paths import ROOT
from runtime.settings import Settings
from tests.letters.support import (
    ANNOUNCES,
    EXPECTED_BY,
    FULL_PACK,
    NOW,
    Receiver,
    complaint,
    full_facts,
    letter,
    receiving,
    route,
    rule,
    summary,
    text_of,
    with_rules,
)
from tests.on_file import put_on_file
from tests.patience import PATIENCE

FOLDER = Path(__file__).parent
CONTACT = Row("casefile.contacts", complaint().reference, "x")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Office:
    """The sender of letters with everything around it, all of it real."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        receiver: Receiver,
        port: int,
        folder: Path,
        pack: PolicyPack = FULL_PACK,
    ) -> None:
        self.pool = pool
        self.receiver = receiver
        self.port = port
        self.folder = folder
        self.clock = Clock()
        self.case_file = CaseFile(pool, default_policy=pack.id, clock=self.clock, packs={pack.id: (pack,)})
        self.letters = self.sender()

    def sender(
        self, *, pool: "asyncpg.Pool[asyncpg.Record] | None" = None, smtp: bool = True, **settings: Any
    ) -> Letters:
        configured = Settings(
            smtp_host="127.0.0.1" if smtp else None,
            smtp_port=self.port,
            smtp_tls="none",
            smtp_timeout=20,
            firm_name="Example Bullion",
            mail_from="complaints@example.com",
            outbox_dir=self.folder,
            **settings,
        )
        mailer = Mailer(configured) if smtp else None
        outbox = Outbox(configured.outbox_dir)
        return Letters(pool or self.pool, self.case_file, mailer, outbox, configured, self.clock)

    async def open(self, of: Complaint) -> None:
        await put_on_file(self.pool, of)
        await self.case_file.open_case(OpenCase(reference=of.reference, complaint=of, at=NOW, run="run-1"))

    async def attempts(self) -> list[tuple[str, str, str]]:
        rows = await self.pool.fetch("select channel, outcome, detail from casefile.letter_attempts order by id")
        return [tuple(row) for row in rows]

    async def correct(self, email: str) -> None:
        reference = complaint().reference
        await self.case_file.record_contact(
            RecordContact(key=f"{reference}:contact:m-1", reference=reference, at=NOW, email=email, phone=None)
        )

    def put_out(self) -> list[EmailMessage]:
        files = sorted(self.folder.glob("*.eml")) if self.folder.exists() else []
        return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def office(pool: "asyncpg.Pool[asyncpg.Record]", receiver: Receiver, tmp_path: Path) -> AsyncIterator[Office]:
    async with receiving(receiver) as port:
        office = Office(pool, receiver, port, tmp_path / "outbox")
        await office.open(complaint())
        yield office


async def test_an_accepted_acknowledgement_is_on_record_and_moves_the_clocks(office: Office) -> None:
    request = letter()
    accepted = await office.letters.send_letter(request)

    assert (accepted.at, accepted.channel) == (NOW, "email")
    assert [(done.clock, done.by) for done in accepted.recorded.satisfied] == [
        ("acknowledgement", CaseEvent.ACKNOWLEDGED)
    ]
    assert {deadline.clock for deadline in accepted.recorded.planned} == {"progress"}

    [received] = office.receiver.messages
    reference = complaint().reference
    stored = await office.pool.fetchrow("select * from casefile.letters")
    assert stored is not None
    assert office.receiver.recipients == [stored["recipient"]] == ["customer@example.com"]
    assert (stored["key"], stored["reference"], stored["number"]) == (request.key, reference, 2)
    assert (stored["kind"], stored["language"], stored["rendered_at"]) == ("acknowledgement", "en", NOW)
    assert (received["Subject"], text_of(received)) == (stored["subject"], stored["body"])
    assert (
        received["Message-ID"] == stored["message_id"] == await secret_message_id(request.key, "complaints@example.com")
    )
    assert received["References"] == await secret_message_id(f"case:{reference}", "complaints@example.com")
    assert received["X-Redress-Reference"] == reference
    assert received["Date"].datetime == NOW
    contact = await office.pool.fetchval("select id from casefile.contacts")
    assert await office.attempts() == [("email", "accepted", f"contact {contact}")]
    entry = await office.pool.fetchrow("select * from casefile.timeline where kind = 'letter'")
    assert entry is not None
    assert (entry["text"], entry["actor"]) == ("acknowledgement accepted by email", "system:redress")
    events = await office.pool.fetch("select event from casefile.events where number = 2 order by event")
    assert [row["event"] for row in events] == ["acknowledged", "contacted"]


BEFORE = {LetterKind.REMINDER: CaseEvent.INFORMATION_REQUESTED, LetterKind.FEEDBACK_REQUEST: CaseEvent.RESPONDED}
"""What must have happened for a letter of that kind to be true."""


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_a_letter_of_every_kind_arrives(office: Office, kind: LetterKind, language: str) -> None:
    letters = office.sender(staff_addresses={"compliance_officer": "compliance@example.com"})
    if before := BEFORE.get(kind):
        reference = complaint().reference
        happened = Occurred(event=before, at=NOW - timedelta(hours=1), number=9)
        update = CaseUpdate(reference=reference, policy_hash="", summary=summary(revision=1), events=(happened,))
        await office.case_file.record(update)
    accepted = await letters.send_letter(letter(kind, language=language))
    assert accepted.channel == "email"
    [received] = office.receiver.messages
    assert complaint().reference in received["Subject"]
    assert len(ANNOUNCES[kind]) == await office.pool.fetchval("select count(*) from casefile.events where number = 2")


async def test_a_chinese_letter_is_chinese_throughout(office: Office) -> None:
    await office.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, language="zh-CN"))
    [received] = office.receiver.messages
    assert received["Subject"] == f"投诉处理决定（投诉编号 {complaint().reference}）"
    assert "赔偿金额：US$3,165.81" in text_of(received)


async def test_a_letter_sent_twice_arrives_once_and_is_answered_the_same(office: Office) -> None:
    first = await office.letters.send_letter(letter())
    office.clock.now += timedelta(hours=3)
    assert await office.letters.send_letter(letter()) == first
    assert len(office.receiver.messages) == 1
    assert len(await office.attempts()) == 1
    assert await office.pool.fetchval("select count(*) from casefile.timeline where kind = 'letter'") == 1


@pytest.mark.parametrize("taken", ["delivered", "failed"])
async def test_what_another_request_for_a_letter_brings_is_recorded_though_the_letter_is_written(
    office: Office, taken: str
) -> None:
    """A workflow that goes on from its file after a restore asks for the same letter, with what it knows by then."""
    if taken == "failed":
        office.receiver.at_data = "451 4.3.0 later"
        with pytest.raises(ApplicationError):
            await office.letters.send_letter(letter())
        office.receiver.at_data = "250 OK"
    else:
        await office.letters.send_letter(letter())
    reference = complaint().reference
    entry = Entry(key="restored:9", at=NOW, kind="restored", actor=str(SYSTEM), text="it went on from its file")
    moved = CaseUpdate(
        reference=reference, policy_hash=FULL_PACK.hash, summary=summary(revision=9, priority="p1"), entries=(entry,)
    )
    await office.letters.send_letter(letter(update=moved))
    assert await office.pool.fetchval("select (revision, priority)::text from casefile.cases") == "(9,p1)"
    assert await office.pool.fetchval("select exists (select from casefile.timeline where key = 'restored:9')")
    assert len(office.receiver.messages) == 1


@pytest.mark.parametrize("pool_size", [1, 2, 10])
async def test_a_letter_sent_five_times_at_once_arrives_once(office: Office, database_url: str, pool_size: int) -> None:
    pool = await open_pool(database_url, max_size=pool_size)
    try:
        letters = office.sender(pool=pool)
        answers = await asyncio.gather(*(letters.send_letter(letter()) for _ in range(5)))
    finally:
        await pool.close()
    assert len(office.receiver.messages) == 1
    assert len(await office.attempts()) == 1
    assert all(answer == answers[0] for answer in answers)


async def test_two_workers_send_a_letter_once(office: Office, database_url: str) -> None:
    pool = await open_pool(database_url)
    try:
        other = office.sender(pool=pool)
        await asyncio.gather(office.letters.send_letter(letter()), other.send_letter(letter()))
    finally:
        await pool.close()
    assert len(office.receiver.messages) == 1


async def test_a_sender_that_loses_its_lock_on_a_letter_hands_it_to_nobody_any_more(office: Office) -> None:
    talking, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        talking.set()
        await go_on.wait()

    office.receiver.before_recipient = slowly
    async with asyncio.timeout(PATIENCE):
        sending = asyncio.create_task(office.letters.send_letter(letter()))
        await talking.wait()
        await office.pool.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        with pytest.raises(asyncpg.ConnectionDoesNotExistError, match="with the locks that it held"):
            await sending
    go_on.set()
    assert (await office.letters.send_letter(letter())).channel == "email"
    assert len(office.receiver.messages) == 1


async def test_letters_to_a_slow_mail_server_leave_connections_for_the_rest(office: Office, database_url: str) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        arrived.set()
        await go_on.wait()

    office.receiver.before_data = slowly
    pool = await open_pool(database_url, max_size=4)
    try:
        letters = office.sender(pool=pool)
        sending = [asyncio.create_task(letters.send_letter(letter(number=number))) for number in range(2, 10)]
        await arrived.wait()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(pool.fetchval("select pg_sleep(0.01)") for _ in range(20)))
        go_on.set()
        await asyncio.gather(*sending)
    finally:
        await pool.close()
    assert len(office.receiver.messages) == 8


async def test_a_worker_killed_after_the_acceptance_leads_to_the_same_message_again_and_one_acceptance(
    office: Office, database_url: str
) -> None:
    request = letter()
    killed: list[int] = []

    def kill(server: SMTP) -> None:
        # The message was accepted; the worker waits for the answer to its goodbye and has recorded nothing.
        if not killed:
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    office.receiver.at_quit = kill
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        FOLDER / "one_letter.py",
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url, "SMTP_PORT": str(office.port)},
        stdin=asyncio.subprocess.PIPE,
    )
    await worker.communicate(request.model_dump_json().encode())
    assert worker.returncode == -signal.SIGKILL
    assert killed
    assert len(office.receiver.messages) == 1
    assert await office.attempts() == []

    accepted = await office.letters.send_letter(request)

    first, second = office.receiver.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert (first["Date"], text_of(first)) == (second["Date"], text_of(second))
    assert [outcome for _, outcome, _ in await office.attempts()] == ["accepted"]
    assert await office.letters.send_letter(request) == accepted
    assert len(office.receiver.messages) == 2


async def test_after_a_refusal_letters_go_to_the_corrected_address(office: Office) -> None:
    office.receiver.refused["customer@example.com"] = "550 5.1.1 <customer@example.com> unknown"
    assert (await office.letters.send_letter(letter())).channel == "outbox"
    await office.correct("right@example.org")
    accepted = await office.letters.send_letter(letter(number=3))

    assert (accepted.channel, accepted.in_doubt) == ("email", False)
    assert office.receiver.recipients == ["right@example.org"]
    first, second = await office.pool.fetch("select id from casefile.contacts order by id")
    assert await office.attempts() == [
        ("email", "refused", f"contact {first['id']}: the mail server refused the recipient (550 5.1.1)"),
        ("outbox", "accepted", "no address"),
        ("email", "accepted", f"contact {second['id']}"),
    ]


async def test_a_letter_is_written_once_and_retries_send_what_was_written(office: Office) -> None:
    office.receiver.at_data = "451 4.3.0 later"
    with pytest.raises(ApplicationError) as failure:
        await office.letters.send_letter(letter())
    assert failure.value.type == "MailFailed"
    assert not failure.value.non_retryable
    assert failure.value.next_retry_delay is None
    assert [outcome for _, outcome, _ in await office.attempts()] == ["failed"]

    office.receiver.at_data = "250 OK"
    office.clock.now += timedelta(hours=2)
    await office.letters.send_letter(letter(facts=full_facts(expected_by=EXPECTED_BY + timedelta(days=9))))

    [received] = office.receiver.messages
    assert received["Date"].datetime == NOW
    assert "Friday, 17 July 2026" in text_of(received)
    assert text_of(received) == await office.pool.fetchval("select body from casefile.letters")


async def test_a_letter_that_cannot_be_delivered_does_not_hold_back_the_case_file(office: Office) -> None:
    reference = complaint().reference
    entry = Entry(key="note:1", at=NOW, kind="note", actor="system:redress", text="something happened")
    update = CaseUpdate(
        reference=reference, policy_hash=FULL_PACK.hash, summary=summary(revision=7, priority="p1"), entries=(entry,)
    )
    request = letter(update=update)

    async def known() -> tuple[int, bool, bool]:
        revision = await office.pool.fetchval("select revision from casefile.cases")
        keys = {row["key"] for row in await office.pool.fetch("select key from casefile.timeline")}
        return revision, "note:1" in keys, f"{request.key}:accepted" in keys

    office.receiver.at_data = "451 4.3.0 later"
    with pytest.raises(ApplicationError):
        await office.letters.send_letter(request)
    assert await known() == (7, True, False)

    office.receiver.at_data = "250 OK"
    await office.letters.send_letter(request)
    assert await known() == (7, True, True)


async def test_a_letter_that_was_written_before_does_not_hold_back_what_another_run_has_it_take_along(
    office: Office,
) -> None:
    office.receiver.at_data = "451 4.3.0 later"
    asked = Occurred(event=CaseEvent.INFORMATION_REQUESTED, at=NOW, number=5)
    more = CaseUpdate(
        reference=complaint().reference, policy_hash=FULL_PACK.hash, summary=summary(revision=7), events=(asked,)
    )
    for request in (letter(), letter(update=more)):
        with pytest.raises(ApplicationError, match="the mail server refused"):
            await office.letters.send_letter(request)
    assert await office.pool.fetchval("select revision from casefile.cases") == 7
    assert await office.pool.fetchval("select count(*) from casefile.events where number = 5") == 1


async def test_a_letter_that_lacks_a_fact_leaves_no_trace(office: Office) -> None:
    with pytest.raises(ApplicationError, match="expected_by") as refusal:
        await office.letters.send_letter(letter(facts=full_facts(expected_by=None)))
    assert refusal.value.type == "LetterIncomplete"
    assert refusal.value.non_retryable
    assert await office.pool.fetchval("select count(*) from casefile.letters") == 0
    assert office.receiver.messages == []


async def test_a_key_that_belongs_to_another_letter_is_refused(office: Office) -> None:
    await office.letters.send_letter(letter())
    stolen = letter(LetterKind.PROGRESS, number=3).model_copy(update={"key": letter().key})
    with pytest.raises(ApplicationError, match="already belongs to letter 2") as refusal:
        await office.letters.send_letter(stolen)
    assert refusal.value.type == "LetterKeyConflict"
    assert refusal.value.non_retryable
    assert len(office.receiver.messages) == 1


async def test_a_letter_before_its_case_is_refused(office: Office) -> None:
    with pytest.raises(ApplicationError, match="open it first") as refusal:
        await office.letters.send_letter(letter(of=complaint(idempotency_key="form-2")))
    assert refusal.value.type == "NoCase"


async def test_without_a_mail_server_letters_wait_in_the_outbox(office: Office) -> None:
    letters = office.sender(smtp=False)
    accepted = await letters.send_letter(letter())
    assert accepted.channel == "outbox"
    assert await letters.send_letter(letter()) == accepted
    [put] = office.put_out()
    assert put["To"] == "customer@example.com"
    assert put["Message-ID"] == await secret_message_id(letter().key, "complaints@example.com")
    assert text_of(put) == await office.pool.fetchval("select body from casefile.letters")
    assert office.receiver.messages == []


async def test_a_letter_to_somebody_without_an_address_waits_in_the_outbox(office: Office) -> None:
    by_post = complaint(idempotency_key="form-3", complainant={"name": "Customer 70012346"})
    await office.open(by_post)
    accepted = await office.letters.send_letter(letter(of=by_post))
    assert accepted.channel == "outbox"
    [put] = office.put_out()
    assert put["To"] is None
    assert text_of(put).startswith("Dear Customer 70012346,")
    assert [detail for _, _, detail in await office.attempts()] == ["no address"]


@pytest.mark.parametrize(
    ("addresses", "recipient"),
    [
        ({"compliance_officer": "compliance@example.com", "dealing": "dealing@example.com"}, "compliance@example.com"),
        ({"dealing": "dealing@example.com", "payments": "payments@example.com"}, "dealing@example.com"),
    ],
)
async def test_a_staff_notice_goes_to_the_role_or_else_the_team(
    office: Office, addresses: dict[str, str], recipient: str
) -> None:
    letters = office.sender(staff_addresses=addresses)
    accepted = await letters.send_letter(letter(LetterKind.STAFF_NOTICE))
    assert accepted.channel == "email"
    assert office.receiver.recipients == [recipient]
    assert "Customer 70012345" not in text_of(office.receiver.messages[0])


async def test_a_staff_notice_without_an_address_is_its_timeline_entry(office: Office) -> None:
    letters = office.sender(staff_addresses={"payments": "payments@example.com"})
    accepted = await letters.send_letter(letter(LetterKind.STAFF_NOTICE))
    assert accepted.channel == "case_file"
    text = await office.pool.fetchval("select text from casefile.timeline where kind = 'letter'")
    assert text == "staff_notice accepted by case_file: The deadline “response” ends soon."
    assert await office.attempts() == [("case_file", "accepted", "no address")]
    assert office.receiver.messages == office.put_out() == []
    assert await letters.send_letter(letter(LetterKind.STAFF_NOTICE)) == accepted


async def test_the_timeline_and_the_attempts_hold_nothing_personal(office: Office) -> None:
    office.receiver.refused["customer@example.com"] = "550 no customer@example.com here"
    await office.letters.send_letter(letter())
    rows = [
        *await office.pool.fetch("select text, data from casefile.timeline where kind = 'letter'"),
        *await office.pool.fetch("select detail from casefile.letter_attempts"),
    ]
    assert len(rows) == 3, "one entry, a refusal and an acceptance"
    told = json.dumps([list(row.values()) for row in rows])
    assert "customer@example.com" not in told
    assert "Customer 70012345" not in told


async def test_a_name_with_a_line_break_in_the_case_file_never_reaches_a_header(office: Office) -> None:
    # The models refuse such a name; this one came into the table past them.
    await office.pool.execute(
        "insert into casefile.contacts (reference, at, key, name, email) values ($1, $2, 'x', $3, $4)",
        complaint().reference,
        NOW,
        CONTACT("name", "A\r\nBcc: other@example.org\r\n\r\nB"),
        CONTACT("email", "customer@example.com"),
    )
    await office.letters.send_letter(letter())
    [received] = office.receiver.messages
    assert received["Bcc"] is None
    assert office.receiver.recipients == ["customer@example.com"]


async def test_an_address_with_a_line_break_in_the_case_file_is_passed_over(office: Office) -> None:
    await office.pool.execute(
        "insert into casefile.contacts (reference, at, key, name, email) values ($1, $2, 'x', 'A', $3)",
        complaint().reference,
        NOW,
        CONTACT("email", "customer@example.com\r\nBcc: other@example.org"),
    )
    accepted = await office.letters.send_letter(letter())
    assert (accepted.channel, accepted.in_doubt) == ("email", True)
    assert "other@example.org" not in str(await office.attempts())
    assert office.receiver.recipients == ["customer@example.com"], "the address that is on file of the customer"


# -- times that the case plans -----------------------------------------------------------------------------------------


OTHER = complaint(idempotency_key="form-9")


async def by_rule(office: Office, pack: PolicyPack) -> Office:
    """The same office with another pack and a case opened by it."""
    other = Office(office.pool, office.receiver, office.port, office.folder, pack)
    await other.open(OTHER)
    return other


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_a_letter_of_extension_gives_the_date_that_the_clock_then_has(office: Office, language: str) -> None:
    request = letter(LetterKind.EXTENSION, language=language, number=5)
    accepted = await office.letters.send_letter(request)

    planned = {deadline.clock: deadline.clock_due for deadline in accepted.recorded.planned}
    # 10 business days from 3 July end on 17 July; 30 days more on 16 August.
    assert planned["response"] == datetime(2026, 8, 16, 15, 59, 59, tzinfo=UTC)
    [received] = office.receiver.messages
    told = {
        "en": "by Sunday, 16 August 2026, 23:59 (Hong Kong",
        "zh-CN": "2026年8月16日（星期日）23:59（香港标准时间）前",
    }
    assert told[language] in text_of(received)
    event = await office.pool.fetchrow("select event, particulars from casefile.events where event = 'extended'")
    assert event is not None
    assert event["particulars"] == {"clock": "response", "extension": "complex"}
    ends = await office.pool.fetch(
        "select number, replaced from casefile.satisfactions where clock = 'response' order by number"
    )
    assert [tuple(row) for row in ends] == [(1, True)]
    assert await office.letters.send_letter(request) == accepted


@pytest.mark.parametrize("why", ["its end has passed", "it has ended"])
async def test_an_extension_that_comes_too_late_is_not_told(office: Office, why: str) -> None:
    if why == "it has ended":
        await office.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, number=3))
    else:
        office.clock.now = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
    with pytest.raises(ApplicationError, match=r"clocks\[response\].extensions\[complex\].*any more") as refusal:
        await office.letters.send_letter(letter(LetterKind.EXTENSION, number=5))
    assert (refusal.value.type, refusal.value.non_retryable) == ("LetterIncomplete", True)
    assert await office.pool.fetchval("select count(*) from casefile.letters where number = 5") == 0
    assert await office.pool.fetchval("select count(*) from casefile.events where event = 'extended'") == 0


async def test_the_end_of_a_wait_is_that_of_the_case_with_all_that_is_known_of_it(office: Office) -> None:
    # Of this clock a complaint about the execution of a trade has 3 days, any other 10.
    shorter = LengthRule(length=Length(days=3), categories=(Category.EXECUTION,), source="Test", confirmed=False)
    clocks = tuple(
        clock.model_copy(update={"lengths": (shorter,)}) if clock.trigger is CaseEvent.INFORMATION_REQUESTED else clock
        for clock in FULL_PACK.clocks
    )
    other = await by_rule(office, with_rules(FULL_PACK, clocks=clocks))
    request = letter(LetterKind.INFORMATION_REQUEST, facts=full_facts(reply_by=None), of=OTHER)
    accepted = await other.letters.send_letter(request)

    [received] = other.receiver.messages
    assert "Please answer by Monday, 6 July 2026, 23:59 (Hong Kong Standard Time)" in text_of(received)
    ends = {deadline.due for deadline in accepted.recorded.planned if Action.STOP_WAITING in deadline.actions}
    assert ends == {datetime(2026, 7, 6, 15, 59, 59, tzinfo=UTC)}


async def test_what_a_letter_brings_to_the_case_file_counts_for_the_dates_that_it_tells(office: Office) -> None:
    # The clock has ended by an event that travels with the letter itself.
    responded = Occurred(event=CaseEvent.RESPONDED, at=NOW, number=4)
    update = CaseUpdate(
        reference=complaint().reference, policy_hash=FULL_PACK.hash, summary=summary(revision=7), events=(responded,)
    )
    with pytest.raises(ApplicationError, match="any more"):
        await office.letters.send_letter(letter(LetterKind.EXTENSION, number=5, update=update))
    assert await office.pool.fetchval("select count(*) from casefile.events where number = 4") == 0


async def test_a_letter_after_the_final_response_tells_the_times_that_began_with_it(office: Office) -> None:
    ombudsman = route(RouteKind.OMBUDSMAN, within={"months": 6})
    demanding = rule(LetterKind.PROGRESS, Element.OMBUDSMAN)
    other = await by_rule(office, with_rules(FULL_PACK, routes=(ombudsman,), letters=(demanding,)))
    await other.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, of=OTHER, number=3))
    other.clock.now += timedelta(days=40)
    await other.letters.send_letter(letter(LetterKind.PROGRESS, of=OTHER, number=4))
    final, progress = other.receiver.messages
    for told in (final, progress):
        assert "It is open to you until Sunday, 3 January 2027, 23:59 (Hong Kong" in text_of(told)


async def test_a_letter_that_lacks_what_a_rule_demands_leaves_no_trace(office: Office) -> None:
    unnamed = route(RouteKind.OMBUDSMAN, name="fos", contact=None)
    eight_week = rule(LetterKind.HOLDING, Element.OMBUDSMAN, name="eight-week")
    other = await by_rule(office, with_rules(FULL_PACK, routes=(unnamed,), letters=(eight_week,)))
    with pytest.raises(ApplicationError, match=r"letters\[eight-week\].*routes\[fos\].contact") as refusal:
        await other.letters.send_letter(letter(LetterKind.HOLDING, facts=full_facts(letter="eight-week"), of=OTHER))
    assert (refusal.value.type, refusal.value.non_retryable) == ("LetterIncomplete", True)
    assert await other.pool.fetchval("select count(*) from casefile.letters") == 0
    assert await other.pool.fetchval("select count(*) from casefile.events where event = 'held'") == 0
    assert other.receiver.messages == []


async def test_a_holding_letter_holds_the_clocks_that_it_satisfies(office: Office) -> None:
    clocks = tuple(
        clock.model_copy(update={"satisfied_by": (*clock.satisfied_by, CaseEvent.HELD)})
        if clock.name == "response"
        else clock
        for clock in FULL_PACK.clocks
    )
    other = await by_rule(office, with_rules(FULL_PACK, clocks=clocks))
    accepted = await other.letters.send_letter(letter(LetterKind.HOLDING, of=OTHER))
    assert [(done.clock, done.by) for done in accepted.recorded.satisfied] == [("response", CaseEvent.HELD)]


async def test_a_response_waits_while_who_complains_is_open_and_goes_out_once_somebody_has_looked(
    office: Office,
) -> None:
    other = complaint(account="70099999", idempotency_key="form-2")
    holder = Row("casefile.customers", scope_of_customer(other.account or ""), other.account or "")
    await office.pool.execute(
        "insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'en')",
        other.account,
        holder("name", "Another"),
        holder("email", "a@example.org"),
    )
    await office.open(other)
    response = letter(LetterKind.FINAL_RESPONSE, of=other, number=3)
    with pytest.raises(ApplicationError, match="redress customer verify RD-"):
        await office.letters.send_letter(response)
    assert office.receiver.messages == []
    said = VerifyComplainant(
        message_id="m-1", actor=Actor(id="h-17", role=Role.HANDLER), result="verified", how="An identity card."
    )
    entry = Entry(
        key="verify_complainant:9", at=office.clock.now, kind=said.name, actor=str(said.actor), text="", data=said.body
    )
    update = response.update.model_copy(update={"entries": (entry,)})
    await office.letters.send_letter(response.model_copy(update={"update": update}))
    assert len(office.receiver.messages) == 1


async def test_nobody_is_told_that_the_response_was_sent_while_it_is_on_its_way(office: Office) -> None:
    stage = Entry(key="stage:9", at=office.clock.now, kind="stage", actor=str(SYSTEM), text=Stage.RESPONDED.value)
    facts = full_facts(stage=Stage.RESPONDED)
    before = letter(LetterKind.PROGRESS, facts=facts, number=3)
    update = before.update.model_copy(update={"entries": (stage,)})
    await office.letters.send_letter(before.model_copy(update={"update": update}))
    assert "Our letter about it has not left us yet." in text_of(office.receiver.messages[-1])
    await office.letters.send_letter(letter(LetterKind.FINAL_RESPONSE, number=4))
    await office.letters.send_letter(letter(LetterKind.PROGRESS, facts=facts, number=5))
    assert "We have sent you our final response" in text_of(office.receiver.messages[-1])


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Stage.DECIDING, "Somebody has your complaint and is to propose a decision."),
        (Stage.FOLLOWING_UP, "Nothing is left for us to carry out."),
    ],
)
async def test_an_interim_letter_that_waited_tells_how_far_it_is_when_it_is_written(
    office: Office, now: Stage, said: str
) -> None:
    waited = letter(LetterKind.PROGRESS, facts=full_facts(stage=Stage.INVESTIGATING), number=3)
    later = letter(number=2, revision=7, stage=now, handler="h-17")
    await office.letters.send_letter(later)
    await office.letters.send_letter(waited)
    told = text_of(office.receiver.messages[-1])
    assert said in told
    assert "Nobody has taken your complaint up" not in told
    assert ("We expect to finish by" in told) is (now is Stage.DECIDING)
