"""A letter that one channel does not bring goes by the next, once, and never without saying that it is the same."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError
from rich.console import Console
from temporalio.exceptions import ApplicationError

from activities.letters.letters import Letters
from activities.letters.ways import LONGEST, SHORTEST, patience
from domain.case.identity import IDENTIFIED, entry_data
from domain.ground.people import SYSTEM, Actor
from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, Role
from domain.keys.personal import Row
from domain.people.customers import Address, Preferences
from domain.people.matching import Ground, Identity, IdentityState
from runtime.settings import load_settings
from runtime.standard_webhooks import new_secret
from starter.cli import case_pages
from starter.client.customers import Customers, CustomersFile, FiledCustomer
from starter.reading.cases import WrittenLetter, get_letters
from tests.letters.support import NOW, Receiver, complaint, letter, receiving, text_of
from tests.letters.test_sending_letters import Office
from tests.signing import signed
from tests.web.test_webhooks_out import Hooks, is_by, listening

NO_SUCH_USER = "550 5.1.1 unknown"
COPY = "This is a copy of our letter"
SECRET = new_secret()
REFERENCE = complaint().reference


@pytest.fixture
async def office(pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path) -> AsyncIterator[Office]:
    receiver = Receiver()
    async with receiving(receiver) as port:
        office = Office(pool, receiver, port, tmp_path / "outbox")
        await office.open(complaint())
        yield office


@pytest.fixture
async def hooks() -> AsyncIterator[tuple[Hooks, str]]:
    async with listening() as hooks:
        yield hooks


async def on_file(office: Office, *emails: str, verified: bool = True, **wishes: bool) -> None:
    """Have those addresses and wishes be on file of the customer, beside the address of the case."""
    how: dict[str, Any] = {"how": "a code that came back", "at": NOW} if verified else {}
    customer = FiledCustomer(
        account="70012345",
        name=complaint().complainant.name,
        addresses=tuple(Address(email=email, **how) for email in emails),
        preferences=Preferences(**wishes),
    )
    await Customers(office.pool, signed).replace(
        CustomersFile(customers=(customer,)), by=Actor(id="l-1", role=Role.TEAM_LEAD)
    )


async def choose(office: Office, number: int, **chosen: str | None) -> None:
    """Have the customer of the case have *chosen* that."""
    data = {"message_id": f"c{number}", **chosen}
    entry = Entry(key=f"chosen:{number}", at=NOW, kind="choose_channel", actor="customer:c", text="", data=data)
    async with office.pool.acquire() as connection, connection.transaction():
        await office.case_file.apply(connection, letter().update.model_copy(update={"entries": (entry,)}))


async def outcomes(office: Office) -> list[tuple[str, str]]:
    return [(channel, outcome) for channel, outcome, _ in await office.attempts()]


def handing_to(office: Office, url: str, brings: str = "post") -> Letters:
    return office.sender(letter_webhook_url=url, letter_webhook_secret=SECRET, letter_webhook_brings=brings)


async def test_a_refused_letter_goes_to_the_next_verified_address_and_then_by_post(office: Office) -> None:
    await on_file(office, "second@example.com", "third@example.com")
    office.receiver.refused = {"customer@example.com": NO_SUCH_USER, "second@example.com": "553 no"}
    first = await office.letters.send_letter(letter())
    assert (first.channel, first.in_doubt) == ("email", True)
    assert office.receiver.recipients == ["third@example.com"]
    assert COPY not in text_of(office.receiver.messages[0]), "nobody had it before"
    assert await office.letters.send_letter(letter()) == first

    # An address that is in doubt is not tried again, in no letter of the case.
    office.receiver.refused = {"third@example.com": NO_SUCH_USER}
    second = await office.letters.send_letter(letter(number=3))
    assert (second.channel, second.in_doubt) == ("outbox", True)
    third = await office.letters.send_letter(letter(number=4))
    assert (third.channel, third.in_doubt) == ("outbox", False)
    refused, accepted = ("email", "refused"), ("email", "accepted")
    posted = ("outbox", "accepted")
    assert await outcomes(office) == [refused, refused, accepted, refused, posted, posted]


async def test_addresses_that_nobody_verified_and_customers_that_nobody_knows_have_no_second_address(
    office: Office,
) -> None:
    await on_file(office, "second@example.com", verified=False)
    office.receiver.refused = {"customer@example.com": NO_SUCH_USER, "other@example.com": NO_SUCH_USER}
    assert (await office.letters.send_letter(letter())).channel == "outbox"
    await on_file(office, "second@example.com")
    other = {"name": "Somebody Else", "email": "other@example.com"}
    stranger = complaint(idempotency_key="form-7", complainant=other)
    await office.open(stranger)
    assert (await office.letters.send_letter(letter(of=stranger))).channel == "outbox"
    assert office.receiver.messages == []


@pytest.mark.parametrize(
    ("said", "in_doubt"),
    [
        (NO_SUCH_USER, True), ("550 no", True), ("552 5.2.2 full", True), ("550 5.4.4 no such host", True),
        ("550 5.7.1 relaying denied", False), ("554 5.6.0 bad", False), ("553 5.5.4 bad", False),
    ],
)  # fmt: skip
async def test_a_refusal_puts_the_address_in_doubt_if_it_is_about_the_address(
    office: Office, said: str, in_doubt: bool
) -> None:
    office.receiver.refused = {"customer@example.com": said}
    accepted = await office.letters.send_letter(letter())
    assert (accepted.channel, accepted.in_doubt) == ("outbox", in_doubt)
    office.receiver.refused = {}
    assert (await office.letters.send_letter(letter(number=3))).channel == ("outbox" if in_doubt else "email")


async def test_a_channel_that_fails_is_left_in_time_and_what_goes_by_the_next_says_that_it_is_the_same(
    office: Office,
) -> None:
    office.receiver.at_data = "451 later"
    waits = letter(LetterKind.PROGRESS)  # no clock ends with it
    for hours in (0, 12, 23):
        office.clock.now = NOW + timedelta(hours=hours)
        with pytest.raises(ApplicationError, match="451"):
            await office.letters.send_letter(waits)
    office.clock.now = NOW + LONGEST
    accepted = await office.letters.send_letter(waits)
    assert (accepted.channel, accepted.in_doubt) == ("outbox", False)
    [put] = office.put_out()
    assert text_of(put).startswith(COPY)
    assert REFERENCE in text_of(put).partition("\n")[0]
    stored = await office.pool.fetchval("select body from casefile.letters")
    assert text_of(put).endswith(stored)
    assert not stored.startswith(COPY)
    # It goes by the first no more, whatever that says now.
    office.receiver.at_data = "250 OK"
    assert (await office.letters.send_letter(waits)) == accepted
    assert office.receiver.messages == []


async def test_a_clock_that_ends_soon_leaves_a_failing_channel_half_of_its_time(office: Office) -> None:
    office.receiver.at_data = "451 later"
    with pytest.raises(ApplicationError):
        await office.letters.send_letter(letter())
    due = await office.pool.fetchval("select clock_due from casefile.deadlines where clock = 'acknowledgement' limit 1")
    assert due
    for at, channel in (((due - NOW) / 2 - timedelta(minutes=1), None), ((due - NOW) / 2, "outbox")):
        office.clock.now = NOW + min(at, LONGEST - timedelta(minutes=1) if channel is None else LONGEST)
        if channel is None:
            with pytest.raises(ApplicationError):
                await office.letters.send_letter(letter())
        else:
            assert (await office.letters.send_letter(letter())).channel == channel


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, LONGEST),
        (NOW + timedelta(days=40), LONGEST),
        (NOW + timedelta(hours=6), timedelta(hours=3)),
        (NOW + timedelta(minutes=2), SHORTEST),
        (NOW - timedelta(days=2), SHORTEST),
    ],
)
def test_patience_is_a_day_or_half_of_the_time_that_is_left(due: datetime | None, expected: timedelta) -> None:
    assert patience(NOW, due) == expected


def shown(written: list[WrittenLetter]) -> str:
    console = Console(width=200, file=StringIO(), record=True)
    console.print(*case_pages.letters(written, texts=False))
    return console.export_text()


async def went_to(office: Office) -> tuple[str | None, str]:
    """The address that the one letter went to, and what is shown of it."""
    [written] = await get_letters(office.pool, REFERENCE)
    [row] = [each for each in shown([written]).splitlines() if each.lstrip(" │┃").startswith("2 ")]
    return written.recipient, re.split(r"\s{2,}|\s*│\s*", row.strip(" │"))[3]


async def test_a_letter_that_came_back_is_sent_again_once_by_each_way_that_is_left(office: Office) -> None:
    await on_file(office, "second@example.com")
    accepted = await office.letters.send_letter(letter())
    assert await went_to(office) == ("customer@example.com", "customer@example.com")
    await office.letters.send_again(REFERENCE, 2)
    assert office.receiver.recipients == ["customer@example.com", "second@example.com"]
    assert await went_to(office) == ("second@example.com", "second@example.com")
    first, copy = office.receiver.messages
    assert (first["Message-ID"], first["Subject"]) == (copy["Message-ID"], copy["Subject"])
    assert text_of(copy) == f"{text_of(copy).partition(chr(10))[0]}\n\n{text_of(first)}"
    assert text_of(copy).startswith(COPY)
    # The case is answered as before: when it was accepted stays.
    again = await office.letters.send_letter(letter())
    assert (again.at, again.channel, again.in_doubt) == (accepted.at, "email", True)

    await office.letters.send_again(REFERENCE, 2)
    for _ in range(2):
        await office.letters.send_again(REFERENCE, 2)  # what is posted does not come back
    assert len(office.put_out()) == 1
    returned, again_by_mail = ("email", "returned"), ("email", "sent_again")
    assert await outcomes(office) == [
        ("email", "accepted"), returned, again_by_mail, returned, ("outbox", "sent_again"),
    ]  # fmt: skip
    assert await went_to(office) == (None, "outbox, to be posted")
    [written] = await get_letters(office.pool, REFERENCE)
    assert "outbox, a copy" in shown([written])
    told = await office.pool.fetch("select text from casefile.timeline where key like 'sent_again:%' order by id")
    assert [row["text"].rpartition(" ")[2] for row in told] == ["email", "outbox"]


@pytest.mark.parametrize("kind", [LetterKind.FINAL_RESPONSE, LetterKind.INFORMATION_REQUEST])
async def test_no_copy_of_what_tells_of_the_account_goes_where_it_is_not_known_any_more_who_complains(
    office: Office, kind: LetterKind
) -> None:
    await office.letters.send_letter(letter(kind))
    await office.correct("thief@example.org")
    because = Identity(state=IdentityState.OPEN, because=(Ground.ADDRESS_CHANGED,))
    entry = Entry(key="identified:9", at=NOW, kind=IDENTIFIED, actor=str(SYSTEM), text="", data=entry_data(because))
    update = letter().update.model_copy(update={"entries": (entry,)})
    async with office.pool.acquire() as connection, connection.transaction():
        await office.case_file.apply(connection, update)
    await office.letters.send_again(REFERENCE, 2)
    assert office.receiver.recipients == ["customer@example.com"]
    assert not office.put_out()


async def test_where_nothing_takes_a_copy_now_it_is_tried_again(office: Office) -> None:
    await office.letters.send_letter(letter())
    office.folder.write_bytes(b"no folder")
    with pytest.raises(ApplicationError, match="no channel takes it now"):
        await office.letters.send_again(REFERENCE, 2)
    office.folder.unlink()
    await office.letters.send_again(REFERENCE, 2)
    assert len(office.put_out()) == 1
    await office.letters.send_again(REFERENCE, 99)  # there is no such letter


async def test_a_print_shop_is_handed_letters_that_mail_does_not_bring(
    office: Office, hooks: tuple[Hooks, str]
) -> None:
    heard, url = hooks
    office.receiver.refused = {"customer@example.com": NO_SUCH_USER}
    accepted = await handing_to(office, url).send_letter(letter())
    assert (accepted.channel, accepted.in_doubt) == ("webhook", True)
    [(headers, content)] = heard.heard
    assert is_by(SECRET, headers, content)
    assert headers["webhook-id"] == letter().key
    said = json.loads(content)["data"]
    written = await office.pool.fetchrow("select subject, body from casefile.letters")
    assert written
    assert (said["subject"], said["text"]) == (written["subject"], written["body"])
    assert (said["reference"], said["account"], said["copy"]) == (REFERENCE, "70012345", False)

    # What it will not take is put into the outbox; what it cannot take now waits.
    for status, channel in ((410, "outbox"), (422, "outbox"), (503, None), (401, None), (429, None), (302, None)):
        heard.statuses = [status]
        number = 10 + status
        if channel is None:
            with pytest.raises(ApplicationError, match=str(status)):
                await handing_to(office, url).send_letter(letter(number=number))
        else:
            assert (await handing_to(office, url).send_letter(letter(number=number))).channel == channel


async def test_the_customers_choice_comes_first(office: Office, hooks: tuple[Hooks, str]) -> None:
    _, url = hooks
    by_post, by_message = handing_to(office, url), handing_to(office, url, "message")
    assert (await by_message.send_letter(letter(number=2))).channel == "email"
    await on_file(office, by_message=True)
    assert (await by_message.send_letter(letter(number=3))).channel == "email", "no number is on file"
    row = Row("casefile.contacts", REFERENCE, "p")
    await office.pool.execute(
        "insert into casefile.contacts (reference, at, key, name, email, phone) values ($1, $2, 'p', 'A', $3, $4)",
        REFERENCE, NOW, row("email", "customer@example.com"), row("phone", "+85291234567"),
    )  # fmt: skip
    assert (await by_message.send_letter(letter(number=4))).channel == "webhook"
    assert (await by_post.send_letter(letter(number=5))).channel == "email", "a print shop sends no messages"
    await on_file(office, by_post=True)
    assert (await by_post.send_letter(letter(number=6))).channel == "webhook"
    assert (await by_message.send_letter(letter(number=7))).channel == "outbox"
    # What was said of this case goes before that.
    for number, channel, taken in ((8, "email", "email"), (9, "post", "webhook"), (10, "email", "email")):
        await choose(office, number, channel=channel)
        assert (await by_post.send_letter(letter(number=number))).channel == taken
    # Who says the language alone says nothing of the way.
    for number, chosen in ((11, {"channel": "post"}), (12, {"channel": None, "language": "zh-CN"})):
        await choose(office, number, **chosen)
        assert (await by_post.send_letter(letter(number=number))).channel == "webhook"
    with pytest.raises(ValidationError, match="not both"):
        Preferences(by_post=True, by_message=True)


async def test_a_notice_that_a_colleagues_address_refuses_stands_in_the_case_file(office: Office) -> None:
    office.receiver.refused = {"compliance@example.com": NO_SUCH_USER}
    letters = office.sender(staff_addresses={"compliance_officer": "compliance@example.com"})
    accepted = await letters.send_letter(letter(LetterKind.STAFF_NOTICE))
    assert (accepted.channel, accepted.in_doubt) == ("case_file", False)


def test_a_system_that_letters_are_handed_to_has_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_LETTER_WEBHOOK_URL", "https://letters.example.com")
    for secret, why in ((None, "it is not set"), ("short", "whsec_")):
        if secret:
            monkeypatch.setenv("REDRESS_LETTER_WEBHOOK_SECRET", secret)
        with pytest.raises(Exception, match=f"REDRESS_LETTER_WEBHOOK_SECRET: .*{why}"):
            load_settings()


WRITTEN = {
    "in the clear": "'attacker@example.org'",
    "as it is sealed in another case": "(select {} || casefile.sealed_part(email) from casefile.contacts"
    " where reference <> $1 limit 1)",
}


@pytest.mark.parametrize("how", WRITTEN)
async def test_no_letter_goes_where_somebody_without_keys_wrote_that_it_goes(office: Office, how: str) -> None:
    """To the customer's file, or to the register: then it is posted, and is mailed to nobody."""
    other = complaint(idempotency_key="form-2", complainant={"name": "B", "email": "attacker@example.org"})
    await office.open(other)
    rows = "contacts.email:1:x", "customers.email:8:70012345"
    of_the_case, of_the_customer = (WRITTEN[how].format(f"'sealed:2:casefile.{row}:'") for row in rows)
    for statement in (
        f"insert into casefile.contacts (reference, at, key, name, email) select $1, now(), 'x', 'A', {of_the_case}",
        "insert into casefile.customers (account, language, name, email)"
        f" select '70012345', 'en', 'A', {of_the_customer} where $1 <> ''",
    ):
        await office.pool.execute(statement, REFERENCE)
    accepted = await office.letters.send_letter(letter())
    assert accepted.channel == "outbox"
    assert office.receiver.messages == []
