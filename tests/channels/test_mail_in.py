"""Mail from the moment it is handed over to what became of it: which case, and who speaks, are decided apart."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from activities.incidents.incident_letters import IncidentLetters
from activities.intake.dealing import Dealing
from activities.letters.letters import Letters
from channels.taking import take_in
from domain.case.messages.signals import Arrived, CustomerReply
from domain.case.requests import OpenCase
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.intake.received import Dealt, Door, Ending, Said
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_customer
from runtime.database import Pool
from runtime.mail import Mailer, Outbox
from runtime.settings import load_settings
from starter.intake.receiving import receive_message
from starter.reading.intake import list_incoming, replay, show_incoming
from tests.channels.messages.making import VOICES, file, mail, multipart, text
from tests.intake.test_dealing import LEAD, Cases, deal
from tests.letters.support import NOW, PACK, complaint, letter
from tests.on_file import put_on_file

SERVER = "mx.firm.example"
CUSTOMER = VOICES[0]._replace(address="customer@example.com")
PROVEN = f"Authentication-Results: {SERVER}; dmarc=pass header.from=example.com"


class Office:
    """A case whose acknowledgement went out, and what deals with the mail that comes in."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self.pool, self.cases, self.outbox = pool, Cases(), folder
        self.settings = load_settings(mail_servers=SERVER, outbox_dir=folder, mail_from="complaints@example.com")
        self.case_file = CaseFile(pool, default_policy=PACK.id, clock=lambda: NOW, packs={PACK.id: (PACK,)})
        self.letters = Letters(pool, self.case_file, None, Outbox(folder), self.settings, lambda: NOW)
        self.dealing = Dealing(pool, self.cases, lambda: datetime.now(UTC), self.settings, letters=self.letters)
        self.reference = complaint().reference

    async def open(self) -> str:
        """Open the case and send its first letter; the letter's Message-ID."""
        await put_on_file(self.pool, complaint())
        await self.case_file.open_case(OpenCase(reference=self.reference, complaint=complaint(), at=NOW, run="run-1"))
        self.cases.started[self.reference] = complaint()
        await self.letters.send_letter(letter(pack=PACK))
        identity: str = await self.pool.fetchval("select message_id from casefile.letters")
        return identity

    async def mailed(self, raw: bytes) -> tuple[str, Dealt]:
        """Take a message in and deal with it."""
        key, _ = await take_in(self.pool, raw, {"by": "lmtp"})
        return key, await deal(self.dealing, key)

    def heard(self, kind: type) -> list[object]:
        return [message for message in self.cases.heard.values() if isinstance(message, kind)]


@pytest.fixture
def office(pool: Pool, tmp_path: Path) -> Office:
    return Office(pool, tmp_path)


WRITTEN = {
    "a row of one's own": "insert into intake.received (key, door, kind, received_at, envelope, raw)"
    " select repeat('0', 32), door, kind, received_at, envelope - 'sealed', $2 from intake.received where key = $1"
    " returning key",
    "another text": "update intake.received set raw = $2 where key = $1 returning key",
    "a row for another key": "insert into intake.received (key, door, kind, received_at, envelope, raw, proof)"
    " select repeat('0', 32), door, kind, received_at, envelope - 'sealed', $2, proof from intake.received"
    " where key = $1 returning key",
}


@pytest.mark.parametrize("how", WRITTEN)
async def test_whoever_writes_to_the_database_says_nothing_as_the_customer(
    office: Office, database_url: str, how: str
) -> None:
    """A mail that the receiving server vouches for, and a message as the pages keep it, but no door took them in."""
    identity = await office.open()
    now = datetime.now(UTC)
    said = CustomerReply(message_id="m", actor=Actor(id="customer", role=Role.CUSTOMER), text="I take it all back.")
    key, _ = await take_in(office.pool, mail(CUSTOMER, text("Hello."), PROVEN, f"In-Reply-To: {identity}"), {})
    other, _ = await receive_message(office.pool, Door.PAGES, office.reference, said, at=now)
    forged = said.model_copy(update={"text": "I accept."})
    for received, content in (
        (key, mail(CUSTOMER, text("I accept."), PROVEN, f"In-Reply-To: {identity}")),
        (other, Said.of(office.reference, forged).model_dump_json().encode()),
    ):
        connection = await asyncpg.connect(database_url)
        await connection.execute("set session_replication_role = replica")
        written = await connection.fetchval(WRITTEN[how], received, content)
        await connection.execute(
            "insert into intake.waiting (key, next_at) values ($1, now()) on conflict do nothing", written
        )
        dealt = await deal(office.dealing, written)
        await connection.execute("delete from intake.received where key = repeat('0', 32)")
        await connection.close()
        assert dealt.ending is Ending.UNPROVEN
    assert office.heard(CustomerReply) == []


async def test_only_who_is_proven_to_speak_for_the_customer_is_heard_by_the_case(office: Office) -> None:
    identity = await office.open()
    answers = f"In-Reply-To: {identity}"
    with_file = multipart("mixed", text("Here it is."), file("proof.txt", b"Filled at 2,031.", "text/plain"))
    key, dealt = await office.mailed(mail(CUSTOMER, with_file, PROVEN, answers))
    assert (dealt.ending, dealt.reference) == (Ending.ON_CASE, office.reference)
    [reply] = office.heard(CustomerReply)
    assert isinstance(reply, CustomerReply)
    assert (reply.message_id, reply.text, [each.title for each in reply.attachments]) == (
        key,
        "Here it is.",
        ["proof.txt"],
    )

    # The same address without the server's word, and somebody else with it: kept, and nothing of it is passed on.
    forged, dealt = await office.mailed(mail(CUSTOMER, "Pay to another account.", answers))
    assert dealt.ending is Ending.UNPROVEN
    stranger = VOICES[0]._replace(address="lawyer@example.com")
    _, dealt = await office.mailed(mail(stranger, "I act for them.", PROVEN, subject=f"Re: {office.reference}"))
    assert (dealt.ending, dealt.reference) == (Ending.UNPROVEN, office.reference)
    assert len(office.heard(CustomerReply)) == 1
    news = office.heard(Arrived)
    assert [(each.what, "another account" in each.model_dump_json()) for each in news if isinstance(each, Arrived)] == [
        ("unproven", False)
    ] * 2
    assert await office.pool.fetchval("select count(*) from intake.files") == 1
    assert {one.ending for one in await list_incoming(office.pool)} == {Ending.UNPROVEN}

    # Somebody who looked at it vouches for it, and then it is heard, once.
    await replay(office.pool, forged, by=LEAD, reason="they said so by telephone", vouched=True)
    assert (await deal(office.dealing, forged)).ending is Ending.ON_CASE
    assert [each.text for each in office.heard(CustomerReply) if isinstance(each, CustomerReply)] == [
        "Here it is.", "Pay to another account.",
    ]  # fmt: skip


async def test_who_only_asks_how_far_it_is_is_told_so_if_they_are_known_and_else_a_person_reads_it(
    office: Office,
) -> None:
    identity = await office.open()
    asking = "Hello,\n\nwhere is my complaint?\n\nThanks\nA Customer"
    answers = f"In-Reply-To: {identity}"
    ending = [
        (await office.mailed(mail(CUSTOMER, asking, *more, subject=f"Question {number}")))[1]
        for number, more in enumerate(((PROVEN, answers), (PROVEN,), (answers,), ()))
    ]
    assert [each.ending for each in ending] == [Ending.ON_CASE, Ending.ON_CASE, Ending.UNPROVEN, Ending.CASE_OPENED]
    assert [each.reference for each in ending[:2]] == [office.reference] * 2
    _, more = await office.mailed(mail(CUSTOMER, "Where is my complaint? It is about trade 50010001.", PROVEN, answers))
    assert more.ending is Ending.ON_CASE
    heard = [each.intent for each in office.heard(CustomerReply) if isinstance(each, CustomerReply)]
    assert heard == ["progress", "progress", "information"]


async def test_a_letter_that_comes_back_is_known_by_its_id_and_it_and_the_next_one_are_posted(office: Office) -> None:
    identity = await office.open()
    returned = f"550 unknown user\nMessage-ID: {identity}"
    _, dealt = await office.mailed(
        mail(CUSTOMER, returned, subject="failure notice", sender="mailer-daemon@mx.example")
    )
    assert (dealt.ending, dealt.reference) == (Ending.RETURNED, office.reference)
    [news] = office.heard(Arrived)
    assert isinstance(news, Arrived)
    assert (news.what, news.letter) == ("returned", 2)
    await office.letters.send_letter(letter(number=3, pack=PACK))
    newest = await office.pool.fetchval("select recipient from casefile.letters where number = 3")
    assert newest is None
    attempts = await office.pool.fetch("select outcome from casefile.letter_attempts where key like '%:2' order by id")
    assert [row["outcome"] for row in attempts] == ["accepted", "returned", "sent_again"]
    copies = [path for path in office.outbox.glob("*.eml") if b"This is a copy of our letter" in path.read_bytes()]
    assert len(copies) == 1
    reference, number = office.reference, 2
    guessed = hashlib.sha256(f"redress:{reference}:letter:acknowledgement:{number}".encode()).hexdigest()[:40]
    assert guessed not in identity, "whoever heard the reference must not be able to name its letters"


async def test_mail_opens_a_case_once_and_programs_that_answer_each_other_stop_after_two(office: Office) -> None:
    raw = mail(VOICES[1], None, "Received: from a.example")
    key, dealt = await office.mailed(raw)
    assert dealt.ending is Ending.CASE_OPENED
    assert await take_in(office.pool, raw.replace(b"a.example", b"b.example"), {}) == (key, True)
    [opened] = office.cases.started.values()
    assert (opened.description, opened.language, opened.complainant.name) == (VOICES[1].text, "zh-CN", "李雷")
    endings = [
        (await office.mailed(mail(VOICES[1], f"Your complaint was received, number {number}.")))[1].ending
        for number in range(3)
    ]
    assert endings == [Ending.CASE_OPENED, Ending.HELD, Ending.HELD]
    _, dealt = await office.mailed(mail(VOICES[0], None, "Auto-Submitted: auto-replied"))
    assert dealt.ending is Ending.AUTOMATIC
    poison, dealt = await office.mailed(b"\x00\xff\xfe" * 50)
    assert dealt.ending is Ending.REFUSED
    assert (await show_incoming(office.pool, poison)).needs_a_person
    assert len(office.cases.started) == 2


async def test_a_letter_about_an_incident_that_comes_back_goes_by_the_next_way_and_belongs_to_no_case(
    office: Office,
) -> None:
    await office.open()
    settings = office.settings.model_copy(update={"smtp_host": "127.0.0.1"})
    mailer = Mailer(settings)
    letters = IncidentLetters(office.pool, mailer, Outbox(office.outbox), settings, lambda: NOW)
    office.dealing = Dealing(
        office.pool, office.cases, lambda: datetime.now(UTC), office.settings, incident_letters=letters
    )
    await office.pool.execute(_AN_INCIDENT)
    row = Row("casefile.incident_letters", scope_of_customer("70012345"), "RI-AAAA-BBBB-CCCCC:letter:70012345")
    words = {"recipient": "customer@example.com", "subject": "We made an error", "body": "Dear customer"}
    await office.pool.execute(_ITS_LETTER, *(row(column, each) for column, each in words.items()), NOW)
    before = len(list(office.outbox.glob("*.eml")))
    told = "Message-ID: <incident-letter@example.com>"
    delayed = mail(CUSTOMER, f"will keep trying\n{told}", subject="delayed mail", sender="mailer-daemon@mx.example")
    assert (await office.mailed(delayed))[1].ending is Ending.AUTOMATIC
    for number in range(2):  # of what is posted nothing comes back
        raw = mail(CUSTOMER, f"550 no {number}\n{told}", subject="failure notice", sender="mailer-daemon@mx.example")
        _, dealt = await office.mailed(raw)
        assert (dealt.ending, dealt.reference) == (Ending.RETURNED, None)
        assert dealt.reason
        assert "RI-AAAA-BBBB-CCCCC" in dealt.reason
        copies = [path.read_bytes() for path in office.outbox.glob("*.eml")]
        assert len(copies) == before + 1
        assert sum(b"This is a copy of our letter" in each and b"Dear customer" in each for each in copies) == 1
    rows = await office.pool.fetch("select channel, outcome from casefile.incident_letter_attempts order by id")
    assert [tuple(row) for row in rows] == [("email", "accepted"), ("email", "returned"), ("outbox", "sent_again")]
    assert not office.heard(Arrived)


_AN_INCIDENT = """
    insert into casefile.incidents
        (reference, opened_at, opened_by, kind, symbol, since, until, opened, policy_hash, stage)
    select 'RI-AAAA-BBBB-CCCCC', now(), 'handler:h-1', 'quote', 'XAUUSD', now() - interval '1 hour', now(), '{}', hash,
        'closed'
    from casefile.policy_packs limit 1
"""
_ITS_LETTER = """
    with letter as (
        insert into casefile.incident_letters
            (key, reference, account, language, recipient, subject, body, message_id, rendered_at)
        values ('RI-AAAA-BBBB-CCCCC:letter:70012345', 'RI-AAAA-BBBB-CCCCC', '70012345', 'en', $1, $2, $3,
            '<incident-letter@example.com>', $4)
    )
    insert into casefile.incident_letter_attempts (key, at, channel, outcome, detail)
    values ('RI-AAAA-BBBB-CCCCC:letter:70012345', $4, 'email', 'accepted', '')
"""
