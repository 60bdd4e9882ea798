"""Adding files at the desk to a case that is there: as the customer's, vouched for or not, or as a note of our own."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from activities.intake.dealing import Dealing
from domain.case.messages.evidence import AddEvidence
from domain.case.messages.signals import CustomerReply
from domain.ground.bilingual import Bilingual
from domain.ground.words import Role
from domain.intake.received import Ending, files_in
from domain.people.recusal import Why
from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.identity.verifying import Verifier
from runtime.settings import load_settings
from starter.evidence.html import to_html
from starter.evidence.model import make_pack
from starter.evidence.reading import read_facts
from starter.evidence.redaction import Reader
from starter.reading.sources import list_files
from starter.upkeep.api_keys import Scope
from tests.case.support import after
from tests.intake.test_dealing import Cases, complaint, deal
from tests.people.test_hands import noted
from tests.people.test_recusal_of_money import keep_out
from tests.signing import the_issuer
from tests.web.conftest import Browser, signed_in
from tests.web.fake_provider import FakeProvider
from tests.web.test_api import Program, service
from tests.web.test_api import _token as token_of
from tests.web.test_api import _with_provider as with_provider
from tests.web.test_mine import LI, case_of
from tests.web.test_taking_in import CAME, picture
from web.doors import Doors
from web.visits import Staff

TYPED = {"what": "Confirmation of the bank", "sent_by": "Ms Li, by chat", "came_at": "2026-03-02T09:30"}


_ENTRY: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data) values ($1, $2, $3, $4, $5, $6, $7)
"""


class Taking:
    """A case that takes what it is told, or cannot be reached."""

    def __init__(self) -> None:
        self.away = False
        self.heard: list[Any] = []

    async def foresee(self, known: str, message: Any) -> None:
        if self.away:
            raise TemporalUnavailable("Temporal is down")

    async def send(self, known: str, message: Any) -> None:
        await self.foresee(known, message)
        self.heard.append(message)

    async def status(self, known: str) -> None:
        raise TemporalUnavailable("Temporal is down")


@pytest.fixture
async def reference(pool: Pool, tmp_path: Path) -> str:
    """A case of Li's."""
    return await case_of(pool, tmp_path, LI, "1")


@pytest.fixture
async def handler(browser: Browser, doors: Doors) -> Browser:
    """A handler who has signed on."""
    doors.kept["issuer"] = the_issuer()
    await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))
    return browser


@pytest.fixture
def case(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Taking:
    """The case, as who is signed on speaks with it."""
    taking = Taking()

    async def speaks(_: Any) -> Taking:
        return taking

    monkeypatch.setattr(doors, "spoken_for", speaks)
    return taking


async def typed(browser: Browser, reference: str, *files: bytes, **fields: str) -> httpx.Response:
    """The form, filled in and sent; what comes after it."""
    path = f"/desk/cases/{reference}/do/add_file"
    opened = re.search(r'name="message_id" value="([^"]+)"', (await browser.get(path)).text)
    assert opened
    chosen = [("files", (f"bank-{number}.png", one, "image/png")) for number, one in enumerate(files)]
    return await browser.send_form(path, message_id=opened[1], **{**TYPED, **fields}, files=chosen or None)


async def seen(browser: Browser, reference: str, page: httpx.Response) -> httpx.Response:
    """Send what *page* shows, once it was seen."""
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return await browser.post(f"/desk/cases/{reference}/do/add_file", data={**fields, "send": "yes"})


@pytest.mark.parametrize(("counts_as", "ending"), [("reply", Ending.ON_CASE), ("unproven", Ending.UNPROVEN)])
async def test_what_is_the_customers_is_their_message_once_somebody_vouches_for_it_and_comes_in_once(
    handler: Browser, pool: Pool, reference: str, counts_as: str, ending: Ending
) -> None:
    page = await typed(handler, reference, picture(), counts_as=counts_as)
    assert ("bank-0.png" in page.text, await pool.fetchval("select count(*) from intake.files")) == (True, 0)
    for _ in range(2):  # pressed twice, with Temporal down
        sent = await seen(handler, reference, page)
        assert sent.headers["location"] == f"/desk/cases/{reference}"
    [row] = await pool.fetch("select key, door, received_at, envelope from intake.received")
    assert (row["door"], row["received_at"], row["envelope"]["by"]) == ("desk", CAME, "handler:h-1")
    decided = await pool.fetch("select actor, vouched, token from intake.decisions")
    assert [(one["actor"], one["vouched"], bool(one["token"])) for one in decided] == [("handler:h-1", True, True)] * (
        counts_as == "reply"
    )
    cases = Cases({reference: complaint()})
    dealing = Dealing(pool, cases, lambda: datetime.now(UTC), proofs=Verifier.of(load_settings()))
    assert (await deal(dealing, row["key"])).ending is ending
    replies = [one for one in cases.heard.values() if isinstance(one, CustomerReply)]
    assert [one.text for one in replies] == ["Confirmation of the bank (Ms Li, by chat, 2026-03-02 09:30 UTC)"] * (
        counts_as == "reply"
    )
    assert all(one.attachments[0].title == "bank-0.png" for one in replies)


async def test_a_note_of_our_own_goes_to_the_case_by_who_adds_it_and_the_customer_sees_neither_it_nor_its_file(
    handler: Browser, doors: Doors, pool: Pool, reference: str, case: Taking
) -> None:
    page = await typed(handler, reference, picture(), counts_as="note")
    case.away = True
    again = await seen(handler, reference, page)
    assert (again.status_code, "bank-0.png" in again.text, "Ms Li" in again.text) == (422, True, True)
    case.away = False
    for _ in range(2):
        await seen(handler, reference, page)
    [note] = case.heard
    assert isinstance(note, AddEvidence)
    assert (str(note.actor), note.note[:12]) == ("handler:h-1", "Confirmation")
    [row] = await pool.fetch("select key, kind from intake.received")
    dealing = Dealing(pool, Cases(), lambda: datetime.now(UTC))
    assert (row["kind"], (await deal(dealing, row["key"])).ending) == ("note", Ending.KEPT)
    entry = noted("add_evidence", 30, **note.body)
    added = (reference, entry.key, after(1), entry.kind, "handler:h-1", "evidence added", entry.data)
    await pool.execute(_ENTRY, *added)
    [(name, title)] = files_in(entry.data)
    shown = (await handler.get(f"/desk/cases/{reference}")).text
    assert shown.count(f"/desk/cases/{reference}/files/{name}") == 2, "in the conversation and in the timeline"
    saved = await handler.get(f"/desk/cases/{reference}/files/{name}")
    assert (saved.status_code, saved.headers["content-disposition"][:10], saved.content[:4]) == (
        200, "attachment", b"\x89PNG",
    )  # fmt: skip
    async with Browser(handler._transport.app) as li:  # type: ignore[attr-defined]
        await signed_in(li, doors, LI)
        assert title not in (await li.get(f"/mine/{reference}")).text
        assert (await li.get(f"/mine/{reference}/files/{name}")).status_code == 404
    assert await list_files(pool, reference) == [], "no program is told of it"
    facts = await read_facts(pool, reference)
    for reader in Reader:
        told = title in to_html(make_pack(facts, reader, ["en"], firm=Bilingual(en="The Firm", zh="The Firm")))
        assert told is (reader is not Reader.CUSTOMER), reader


async def test_who_is_kept_out_neither_adds_a_file_nor_finds_one(
    handler: Browser, pool: Pool, reference: str, case: Taking
) -> None:
    await seen(handler, reference, await typed(handler, reference, picture(), counts_as="note"))
    name = await pool.fetchval("select name from intake.files")
    path = f"/desk/cases/{reference}/files/{name}"
    assert (await handler.get(path)).status_code == 200
    await keep_out(pool, reference, "h-1", Why.NAMED)
    for asked in (path, f"/desk/cases/{reference}/do/add_file"):
        assert (await handler.get(asked)).status_code == 404
    sent = await handler.send_form("/desk/inbox", f"/desk/cases/{reference}/do/add_file", **TYPED, counts_as="note")
    assert sent.status_code == 404


async def test_nothing_is_added_to_a_case_whose_personal_content_was_erased(
    handler: Browser, pool: Pool, reference: str
) -> None:
    path, gone = f"/desk/cases/{reference}/do/add_file", "What was personal in this case was erased"
    assert path in (await handler.get(f"/desk/cases/{reference}")).text
    assert gone not in (await handler.get(path)).text
    await pool.execute(_ENTRY, reference, "erased", datetime.now(UTC), "erased", "system:redress", "erased", {})
    page = (await handler.get(f"/desk/cases/{reference}")).text
    assert path not in page
    assert gone in (await handler.get(path)).text
    assert gone in (await typed(handler, reference, picture(), counts_as="reply")).text
    assert await pool.fetchval("select count(*) from intake.received") == 0


async def test_a_file_chosen_when_the_sign_on_is_over_is_there_again_with_what_was_typed(
    handler: Browser, doors: Doors, pool: Pool, reference: str
) -> None:
    real, path = doors.clock, f"/desk/cases/{reference}/do/add_file"
    opened = (await handler.get(path)).text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', opened))
    doors.clock = lambda: real() + timedelta(hours=5)
    files = {"files": ("bank.png", picture(), "image/png")}
    away = await handler.post(path, data={**fields, **TYPED, "counts_as": "reply"}, files=files)
    assert away.headers["location"] == f"/desk/sign-on?next={path}"
    await signed_in(handler, doors, Staff(id="h-1", roles=(Role.HANDLER,)))
    again = (await handler.get(path)).text
    assert ("bank.png" in again, "Ms Li" in again, fields["message_id"] in again) == (True, True, True)
    assert await pool.fetchval("select count(*) from intake.received") == 0


async def test_a_program_adds_a_note_with_a_file_for_who_signed_on_alone(
    pool: Pool, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, taking, path = FakeProvider(), Taking(), f"/complaints/{reference}/files"
    site = with_provider(pool, provider)

    async def speaks(_: Any) -> Taking:
        return taking

    monkeypatch.setattr(site.state.doors, "spoken_for", speaks)
    asked: dict[str, Any] = {"params": {"title": "bank.png", "note": "What the bank wrote."}, "content": picture()}
    async with Program(site, token_of(provider)) as person, service(site, "web-form", *Scope) as crm:
        assert (await crm.post(path, **asked, headers={"idempotency-key": "1"})).status_code == 422
        for known in (False, True):
            sent = await person.post(path, **asked, headers={"idempotency-key": "1"})
            assert (sent.status_code, sent.json()["already_known"]) == (202, known)
        assert (await crm.get(path)).json() == []
    assert {(type(one), one.message_id, one.note) for one in taking.heard} == {
        (AddEvidence, "1", "What the bank wrote.")
    }


@pytest.mark.parametrize(
    ("chosen", "fields", "field"),
    [
        ([], {}, "files"),
        ([b"MZ\x90\x00\x03"], {}, "files"),
        ([picture()], {"came_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "came_at"),
        ([picture()], {"came_at": "1970-01-01"}, "came_at"),
        ([picture()], {"counts_as": "letter"}, "counts_as"),
        ([picture()], {"sent_by": ""}, "sent_by"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_added(
    handler: Browser, reference: str, chosen: list[bytes], fields: dict[str, str], field: str
) -> None:
    again = await typed(handler, reference, *chosen, **{"counts_as": "reply", **fields})
    assert (again.status_code, f'id="{field}-error"' in again.text) == (422, True)
    assert ("bank-0.png" in again.text) is (chosen != [])
