"""Customers sign in by what reaches their address, see theirs and nobody else's, and say what they want."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from fastapi import FastAPI

from activities.case.written_once import write_entries
from domain.case.messages.handling import ChooseChannel, Withdraw
from domain.case.messages.signals import CustomerReply
from domain.case.obligations import Obligation, Proof
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, Remedy, Role
from domain.intake.received import Door, message_in
from domain.keys.personal import Row
from runtime.database import Pool
from starter.intake.receiving import receive_complaint
from starter.reading.theirs import TheirCase, read_theirs
from tests.cli.stories import Story
from tests.patience import PATIENCE, eventually
from tests.web.answering import answer_again
from tests.web.conftest import Browser, session_in, signed_in
from tests.web.test_files import picture
from web import drafts
from web.app import create_app
from web.doors import Doors
from web.live import Live
from web.permissions import Kind, permission_of
from web.portal.mine import possible
from web.portal.signing_in import _background
from web.visits import Customer, Person, Staff, sealed_id, sign_in

LI = Customer(address="li.lei@example.com")
HAN = Customer(address="han@example.com")
_ENTER = "update casefile.cases set stage = $2, revision = revision + 1 where reference = $1"


@pytest.fixture
async def mine(pool: Pool, tmp_path: Path) -> str:
    """A complaint of Li's, with a letter."""
    return await case_of(pool, tmp_path, LI, "1")


async def case_of(pool: Pool, folder: Path, customer: Customer, key: str) -> str:
    """A complaint of *customer*'s, with a letter that says so."""
    story = Story(pool, folder / "letters", datetime.now(UTC) - timedelta(hours=1))
    who = {"name": "Customer", "email": customer.address.title()}
    reference = await story.open(key, complainant=who, account=f"7001{key}", description=f"Of {customer.address}.")
    await story.letter(LetterKind.ACKNOWLEDGEMENT, CaseEvent.ACKNOWLEDGED, expected_by=story.at + timedelta(days=30))
    return reference


async def test_a_complaint_was_received_on_the_same_day_in_the_list_and_on_its_page(
    pool: Pool, tmp_path: Path, site: FastAPI, doors: Doors
) -> None:
    evening = datetime.now(UTC).replace(hour=20, minute=0) - timedelta(days=2)  # in China it is the next day
    story = Story(pool, tmp_path / "letters", evening)
    who = {"name": "Customer", "email": LI.address}
    reference = await story.open("9", complainant=who, account="70019", policy=["uk-fca"], description="Of two days.")
    async with Browser(site) as browser:
        await signed_in(browser, doors, LI)
        listed, page = [(await browser.get(path)).text for path in ("/mine", f"/mine/{reference}")]
    assert f"{evening.day} {evening:%B}" in page
    assert f"{evening.day} {evening:%B}" in listed


async def mail_in(folder: Path) -> str:
    """The text of the only mail there, once it is there."""

    async def look() -> str | None:
        for path in folder.glob("*.eml"):  # noqa: ASYNC240
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            part = message.get_body(("plain",))
            return str(part.get_content()) if part else None
        return None

    found: str = await eventually(look)
    return found


async def test_a_code_signs_in_once_and_a_link_only_when_its_button_is_pressed(
    site: FastAPI, doors: Doors, mine: str, tmp_path: Path
) -> None:
    async with Browser(site) as browser, Browser(site) as other:
        asked = await browser.send_form("/sign-in?next=/mine", "/sign-in", email="LI.LEI@example.com", next="/mine")
        assert asked.headers["location"] == "/sign-in/code?next=/mine"
        text = await mail_in(tmp_path / "outbox")
        code = re.search(r"\d{4} \d{4}", text)
        link = re.search(r"/sign-in/link/\S+", text)
        assert code
        assert link
        for wrong in ("", "1234 5678"):
            assert (await browser.send_form("/sign-in/code", code=wrong)).status_code == 422
        assert (await other.send_form("/sign-in/code", code=code[0])).status_code == 422, "asked for in another browser"
        for _ in range(2):  # as scanners of mail do
            assert (await other.get(link[0])).status_code == 200
        assert (await browser.send_form("/sign-in/code", code=code[0])).headers["location"] == "/mine"
        assert mine in (await browser.get("/mine")).text
        assert (await browser.send_form("/", "/sign-in/code", code=code[0])).status_code == 422
        assert "no longer valid" in (await other.send_form("/sign-in", link[0])).text
        assert (await other.get("/mine")).status_code == 303


WRITTEN = {
    "his own code": "update web.codes set code = (select code from web.codes where visitor <> $1) where visitor = $1",
    "her address beside his code": "update web.codes set address = (select ('sealed:2:web.codes.address:64:'"
    " || encode(codes.id, 'hex') || ':' || casefile.sealed_part(encode(hers.address, 'escape')))::bytea"
    " from web.codes as hers where hers.visitor = $1) where visitor <> $1",
    "an address in the clear": "update web.codes set address = 'li.lei@example.com'::bytea where visitor <> $1",
}


@pytest.mark.parametrize("what", WRITTEN)
async def test_whoever_writes_to_the_database_signs_in_as_nobody_else(
    site: FastAPI, pool: Pool, mine: str, tmp_path: Path, what: str
) -> None:
    """By a code that was sent to his own address, and what he writes into rows of codes."""
    await case_of(pool, tmp_path, HAN, "2")
    async with Browser(site) as asking, Browser(site) as his:
        await his.send_form("/sign-in", email=HAN.address)
        code = re.search(r"\d{4} \d{4}", await mail_in(tmp_path / "outbox"))
        assert code
        await asking.send_form("/sign-in", email=LI.address)
        await eventually(_nothing_under_way)
        await pool.execute(WRITTEN[what], session_in(asking, site.state.doors).row)
        for browser in (asking, his):
            await browser.send_form("/sign-in/code", code=code[0])
            assert mine not in (await browser.get("/mine")).text


async def test_whoever_writes_to_the_database_puts_no_case_of_another_on_their_own_page(
    site: FastAPI, pool: Pool, mine: str, tmp_path: Path
) -> None:
    """Neither with an address in the clear, nor with one that is sealed in a case of theirs, said to be of this."""
    theirs = await case_of(pool, tmp_path, HAN, "2")
    copied = (
        "(select 'sealed:2:casefile.contacts.email:5:new 0:' || casefile.sealed_part(email)"
        " from casefile.contacts where reference = $2 limit 1)"
    )
    async with Browser(site) as han:
        await signed_in(han, site.state.doors, HAN)
        await pool.execute(
            "insert into casefile.lookups select purpose, token, $1 from casefile.lookups where scope = $2"
            " on conflict do nothing",
            mine,
            theirs,
        )
        for number, email in enumerate((copied, "'han@example.com'")):
            await pool.execute(
                "insert into casefile.contacts (reference, at, key, name, email)"
                f" select $1, now(), 'new {number}', 'Customer', {email} where $2 <> ''",
                mine,
                theirs,
            )
            assert (await han.get(f"/mine/{mine}")).status_code == 404
            assert mine not in (await han.get("/mine")).text
        assert theirs in (await han.get("/mine")).text


async def test_it_is_answered_the_same_whether_an_address_is_known_and_only_so_often(
    site: FastAPI, doors: Doors, mine: str, tmp_path: Path
) -> None:
    answers = []
    for address in (LI.address, "nobody@example.com"):
        async with Browser(site) as browser:
            answered = await browser.send_form("/sign-in", email=address)
            page = await browser.get(answered.headers["location"])
            shown = re.sub(r'(form_token" value=")\w+', r"\1", page.text)
            answers.append((answered.status_code, answered.headers["location"], shown))
            for _ in range(4):
                assert (await browser.send_form("/sign-in", email=address)).status_code == 303
            assert (await browser.send_form("/sign-in", email=address)).status_code == 429
    assert answers[0] == answers[1]
    await eventually(_nothing_under_way)
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 5
    rows = await doors.pool.fetch("select id, visitor, code from web.codes")
    assert rows
    assert "li.lei" not in str(await doors.pool.fetch("select * from web.attempts"))


async def test_many_who_ask_at_once_for_one_address_are_counted_as_well(site: FastAPI, doors: Doors, mine: str) -> None:
    async with Browser(site) as browser:
        token = re.search(r'name="form_token" value="(\w+)"', (await browser.get("/sign-in")).text)
        assert token
        asked = {"form_token": token[1], "email": LI.address}
        answers = await asyncio.gather(*(browser.post("/sign-in", data=asked) for _ in range(20)))
    assert sorted(each.status_code for each in answers) == [303] * 5 + [429] * 15
    await eventually(_nothing_under_way)


async def _nothing_under_way() -> bool:
    return not _background


async def test_who_guesses_wrong_five_times_needs_another_code(site: FastAPI, mine: str, tmp_path: Path) -> None:
    async with Browser(site) as browser:
        await browser.send_form("/sign-in", email=LI.address)
        code = re.search(r"\d{4} \d{4}", await mail_in(tmp_path / "outbox"))
        assert code
        for _ in range(5):
            await browser.send_form("/sign-in/code", code="0000 0000" if code[0] != "0000 0000" else "1111 1111")
        assert (await browser.send_form("/sign-in/code", code=code[0])).status_code == 422


async def test_with_all_ids_swapped_two_customers_find_nothing_of_each_other_on_any_route(
    site: FastAPI, doors: Doors, pool: Pool, mine: str, tmp_path: Path
) -> None:
    theirs = await case_of(pool, tmp_path, HAN, "2")
    tried = 0
    async with Browser(site) as li, Browser(site) as nobody:
        await signed_in(li, doors, LI)
        chosen = {"files": ("a.png", picture())}
        sent = await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", text="x", files=chosen)
        assert sent.status_code == 303
        name = await pool.fetchval("select name from intake.files")
        assert (await li.get(f"/mine/{mine}/files/{name}")).status_code == 200
        assert (await li.get(f"/mine/{mine}/files/%00")).status_code == 404
        token = re.search(r'name="form_token" value="(\w+)"', (await li.get("/")).text)
        assert token
        for route in site.routes:
            path, who = getattr(route, "path", ""), permission_of(route)
            if "{reference}" not in path or who is None or who.kind is not Kind.CUSTOMER:
                continue
            for reference in (theirs, "RD-K7M4-9QXT-2VBHC", "'; select 1", "%00"):
                address = path.replace("{reference}", reference)
                for part, value in (("name", name), ("form", "pdf"), ("said", "reply")):
                    address = address.replace(f"{{{part}}}", value)
                tried += 1
                if "POST" in (getattr(route, "methods", None) or ()):
                    answer = await li.post(address, data={"form_token": token[1], "text": "x", "score": "5"})
                else:
                    answer = await li.get(address)
                assert answer.status_code == 404, address
                assert (await nobody.get(address)).status_code in {303, 404, 405}
        page = (await li.get("/mine")).text
        assert mine in page
        assert theirs not in page
    assert tried >= 18
    assert await pool.fetchval("select count(*) from intake.received where kind = 'message'") == 1


async def test_an_address_that_was_replaced_sees_the_case_no_longer(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    await pool.execute(
        "insert into casefile.contacts (reference, at, key, name, email) values ($1, now(), 'new', 'Customer', $2)",
        mine,
        Row("casefile.contacts", mine, "new")("email", HAN.address),
    )
    async with Browser(site) as li, Browser(site) as han:
        await signed_in(li, doors, LI)
        await signed_in(han, doors, HAN)
        assert (await li.get(f"/mine/{mine}")).status_code == 404
        assert (await han.get(f"/mine/{mine}")).status_code == 200


async def test_what_a_customer_says_is_committed_once_and_heard_as_a_message(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    async with Browser(site, "zh-CN") as li:
        await signed_in(li, doors, LI)
        page = (await li.get(f"/mine/{mine}")).text
        assert "Of li.lei@example.com." in page
        once = re.search(r'name="once" value="([\w-]+)"', page)
        assert once
        assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", text=" ")).status_code == 422
        for _ in range(2):
            answer = await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", text="还有一点", once=once[1])
            assert answer.headers["location"] == f"/mine/{mine}?sent=reply"
        again = {"text": "改了一处", "once": once[1], "files": {"files": ("a.png", picture())}}
        for _ in range(2):  # who goes back, changes it and sends it again says something else
            assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", **again)).status_code == 303
        assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", **{**again, "once": ""})).status_code == 303
        assert "正在归入案卷" in (await li.get(f"/mine/{mine}?sent=reply")).text
        await li.send_form(f"/mine/{mine}", f"/mine/{mine}/withdraw")
        assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/rate", score="5")).status_code == 404
    rows = await pool.fetch("select raw from intake.received order by received_at")
    reply, changed, another, withdraw = (message_in(row["raw"]) for row in rows)
    assert len({each[1].message_id for each in (reply, changed, another)}) == 3
    assert await pool.fetchval("select count(*) from intake.files") == 2, "the same file, with each of two messages"
    assert reply[0] == mine
    assert isinstance(reply[1], CustomerReply)
    assert (reply[1].text, reply[1].actor.role.value) == ("还有一点", "customer")
    assert isinstance(withdraw[1], Withdraw)


@pytest.mark.parametrize(
    ("kind", "stages"),
    [
        ("dispute", ("responded", "following_up")),
        ("accept", ("responded", "settling")),
        ("withdraw", ("deciding", "settling")),
        ("rate", ("following_up", "closed")),
        ("reply", ("investigating", "closed")),
        ("dispute", ("responded", "investigating")),
        ("accept", ("responded", "investigating")),
        ("rate", ("following_up", "deciding")),
    ],
)
async def test_what_is_sent_from_a_page_that_was_left_open_while_the_case_went_on_is_taken_in(
    site: FastAPI, doors: Doors, mine: str, kind: str, stages: tuple[str, str]
) -> None:
    entered = Entry(key="entered", at=datetime.now(UTC), kind="stage", actor="redress", text=stages[0])
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        async with doors.pool.acquire() as connection:
            await write_entries(connection, mine, [entered])
        await doors.pool.execute(_ENTER, mine, stages[0])
        token = re.search(r'name="form_token" value="(\w+)"', (await li.get(f"/mine/{mine}?do={kind}")).text)
        assert token
        await doors.pool.execute(_ENTER, mine, stages[1])
        sent = {"form_token": token[1], "text": "Long and well considered.", "score": "2"}
        answer = await li.post(f"/mine/{mine}/{kind}", data=sent)
        assert answer.headers["location"] == f"/mine/{mine}?sent=reply", answer.text
        assert "We have your message" in (await li.get(answer.headers["location"])).text
        for never in ("nothing", *({"rate", "dispute"} - {kind} if stages[1] == "deciding" else ())):
            assert (await li.post(f"/mine/{mine}/{never}", data=sent)).status_code == 404, never
    reference, message, *_ = message_in(await doors.pool.fetchval("select raw from intake.received"))
    assert (reference, "Long and well considered." in message.model_dump_json()) == (mine, True)


@pytest.mark.parametrize("stage", ["acknowledged", "settling"])
async def test_what_somebody_wrote_whose_session_ended_is_in_the_form_after_they_sign_in_again(
    site: FastAPI, doors: Doors, mine: str, stage: str
) -> None:
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        shown = await li.get(f"/mine/{mine}?do=withdraw")
        back = re.search(r'name="back" value="([^"]*)"><input type="hidden" name="once"', shown.text)
        assert back
        await doors.pool.execute("delete from web.sessions")
        await doors.pool.execute(_ENTER, mine, stage)
        answer = await li.send_form("/", f"/mine/{mine}/withdraw", text="long and well considered", back=back[1])
        assert answer.headers["location"] == f"/sign-in?next=/mine/{mine}%3Fdo%3Dwithdraw"
        await signed_in(li, doors, LI)
        assert "long and well considered" in (await li.get(back[1])).text


async def test_files_that_were_chosen_for_an_answer_go_with_what_it_becomes_once_it_is_too_late(
    site: FastAPI, pool: Pool, mine: str
) -> None:
    async with Browser(site) as li:
        await signed_in(li, site.state.doors, LI)
        await answer_again(pool, mine, 1, "responded")
        chosen = {"files": {"files": ("slip.png", picture())}}
        form = f"/mine/{mine}/dispute"
        unfinished = await li.send_form(f"/mine/{mine}?do=dispute", form, text="", **chosen)
        assert (unfinished.status_code, "slip.png" in unfinished.text) == (422, True)
        await pool.execute(_ENTER, mine, "settling")
        late = (await li.get(f"/mine/{mine}?do=dispute")).text
        assert (f'action="/mine/{mine}/reply"' in late, "slip.png" in late) == (True, True)
        assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/rate", score="1")).status_code == 404
        assert (await li.send_form(f"/mine/{mine}", f"/mine/{mine}/reply", text="It is wrong.")).status_code == 303
        assert "slip.png" not in (await li.get(f"/mine/{mine}")).text, "it was sent"
    _, message, *_ = message_in(await pool.fetchval("select raw from intake.received where kind = 'message'"))
    assert isinstance(message, CustomerReply)
    assert [one.title for one in message.attachments] == ["slip.png"]


async def test_nothing_of_a_decision_is_shown_before_the_customer_was_told_it(pool: Pool, mine: str) -> None:
    case = await read_theirs(pool, mine)
    assert isinstance(case, TheirCase)
    assert case.answer_by
    assert case.letters[0].kind is LetterKind.ACKNOWLEDGEMENT
    assert possible(case) == ("reply", "channel", "withdraw")


async def test_the_date_of_the_answer_is_the_one_that_letters_tell(pool: Pool, tmp_path: Path) -> None:
    story = Story(pool, tmp_path / "letters", datetime.now(UTC) - timedelta(hours=1))
    reference = await story.open("9", complainant={"name": "Customer", "email": LI.address})
    told = CaseEvent.ACKNOWLEDGED, CaseEvent.CONTACTED
    await story.letter(LetterKind.ACKNOWLEDGEMENT, *told, expected_by=story.at + timedelta(days=30))
    case = await read_theirs(pool, reference)
    assert case
    ledger = "select clock, clock_due from casefile.deadline_ledger where satisfied_at is null and reference = $1"
    due = {row["clock"]: row["clock_due"] for row in await pool.fetch(ledger, reference)}
    assert due["progress"] < due["response"], "by then we write, and not necessarily the answer"
    assert case.answer_by == due["response"]


async def test_what_we_owe_beside_money_is_shown_once_the_customer_was_told_and_is_known(
    site: FastAPI, doors: Doors, pool: Pool, tmp_path: Path
) -> None:
    story = Story(pool, tmp_path / "letters", datetime.now(UTC) - timedelta(hours=1))
    reference = await story.open("8", complainant={"name": "Customer", "email": LI.address})
    done = Proof(by="h-1", at=story.at, how="Corrected, change 4711.")
    for number, kind, proof in ((1, Remedy.APOLOGY, None), (2, Remedy.CORRECTION, done)):
        owed = Obligation(number=number, kind=kind, owner="h-1", since=story.at, round=1, proof=proof)
        await story.tell("remedy_owed", owed.spoken, data=owed.model_dump(mode="json", exclude_none=True))
    async with Browser(site, "zh-CN") as li:
        await signed_in(li, doors, LI)
        for stage, seen in (("investigating", False), ("settling", True)):
            await pool.execute(_ENTER, reference, stage)
            page = (await li.get(f"/mine/{reference}")).text
            assert ("致歉" in page and "待落实" in page) is seen
            assert ("更正账户资料" in page and "已落实" in page) is seen
        for word in ("h-1", "4711"):
            assert word not in page, "who of us does it, and what they noted, is ours"


@pytest.mark.parametrize("kind", ["proposed", "propose_resolution", "propose_draft", "resolve_early"])
async def test_who_is_asked_whether_they_accept_sees_what_was_decided_and_on_what_it_rests(
    site: FastAPI, doors: Doors, pool: Pool, tmp_path: Path, kind: str
) -> None:
    story = Story(pool, tmp_path / "letters", datetime.now(UTC) - timedelta(hours=1))
    reference = await story.open("7", complainant={"name": "Customer", "email": LI.address})
    await story.tell("propose_resolution", "returned", data={"outcome": "not_upheld"})
    given = {"outcome": "partly_upheld", "compensation": {"amount": "900.00", "currency": "USD"}}
    await story.tell(kind, "upheld in part", data=given)
    await story.tell("stage", "responded")
    change = "update casefile.cases set stage = 'responded', revision = revision + 1 where reference = $1"
    await pool.execute(change, reference)
    event = "insert into casefile.events (reference, number, event, at) values ($1, 90, 'responded', now())"
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        for told in (False, True):
            if told:
                await pool.execute(event, reference)
            page = (await li.get(f"/mine/{reference}")).text
            for shown in ("You were right in part", "$900.00", f"/mine/{reference}/evidence.pdf"):
                assert (shown in page) is told, shown
            evidence = await li.get(f"/mine/{reference}/evidence.html")
            assert evidence.status_code == (200 if told else 404)
    assert "not decided yet" not in evidence.text
    assert "partly upheld" in evidence.text


@pytest.mark.parametrize(
    ("kind", "stage"),
    [("accept", "responded"), ("dispute", "responded"), ("withdraw", "responded"), ("rate", "following_up")],
)
async def test_what_is_decided_by_an_answer_is_taken_for_the_one_that_the_page_showed(
    site: FastAPI, pool: Pool, mine: str, kind: str, stage: str
) -> None:
    """A page that was left open while the case was taken up again and answered anew decides nothing of the new one."""
    form = f"/mine/{mine}/{kind}"
    seen = re.compile(r'name="response" value="(\d+)" form="(\w+)"')
    async with Browser(site) as li:
        await signed_in(li, site.state.doors, LI)
        await answer_again(pool, mine, 1, stage)
        old = seen.findall((await li.get(f"/mine/{mine}?do={kind}")).text)
        assert old == [("1", "saying")]
        await answer_again(pool, mine, 2, stage)
        said = {"text": "As I read it.", "score": "2"}
        refused = await li.send_form(f"/mine/{mine}?do={kind}", form, **said, response="1")
        assert (refused.status_code, "a new answer since you opened" in refused.text) == (422, True)
        assert ("As I read it." in refused.text, 'id="saying"' in refused.text) == (True, True)
        assert await pool.fetchval("select count(*) from intake.received where kind = 'message'") == 0
        assert seen.findall(refused.text) == [("2", "saying")]
        assert seen.findall((await li.get(f"/mine/{mine}/now")).text) == [("2", "saying")], "with what is shown"
        for response in ("9" * 5000, "٢"):
            assert (await li.send_form(f"/mine/{mine}", form, **said, response=response)).status_code == 422
        assert (await li.send_form(f"/mine/{mine}", form, **said, response="2")).status_code == 303
    _, message, *_ = message_in(await pool.fetchval("select raw from intake.received where kind = 'message'"))
    assert getattr(message, "response", 2) == 2


async def test_a_page_that_waits_for_its_case_is_asked_for_anew_once_there_is_one(
    site: FastAPI, doors: Doors, pool: Pool, tmp_path: Path
) -> None:
    live = Live(pool, often=3600)
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        story = Story(pool, tmp_path / "letters", datetime.now(UTC))
        complaint = {"source": "pages", "idempotency_key": "w", "complainant": {"name": "Li", "email": LI.address}}
        made = story.complaint("w", **complaint)
        await receive_complaint(pool, Door.PAGES, made, sender=doors.keyed("sender", LI.address))
        page = await li.get(f"/mine/{made.reference}")
        assert f'hx-get="/mine/{made.reference}/now?waiting=yes"' in page.text
        watched = live.changes(made.reference)
        assert b"changed" in await anext(watched)
        now = f"/mine/{made.reference}/now?waiting=yes"
        assert "hx-refresh" not in (await li.get(now)).headers
        await story.open("w", **complaint)
        await live._look([made.reference])
        assert b"changed" in await asyncio.wait_for(anext(watched), PATIENCE)
        assert (await li.get(now)).headers["hx-refresh"] == "true"
        await watched.aclose()
    assert live._task
    live._task.cancel()


async def test_a_customer_chooses_how_to_be_written_to_and_takes_a_file_back_that_was_chosen_in_error(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        for channel, language, status in (
            ("", "en", 422), ("message", "en", 422), ("post", "", 422), ("post", "fr", 422), ("post", "zh-CN", 303),
        ):  # fmt: skip
            chosen = {"channel": channel, "language": language}
            answered = await li.send_form(f"/mine/{mine}?do=channel", f"/mine/{mine}/channel", **chosen)
            assert answered.status_code == status, chosen
        row = await pool.fetchrow("select raw from intake.received where kind = 'message'")
        assert row
        _, message, proven = message_in(row["raw"])
        assert isinstance(message, ChooseChannel)
        assert (message.channel, message.language, proven) == ("post", "zh-CN", True)
        form = f"/mine/{mine}/reply"
        wrong = await li.send_form(f"/mine/{mine}", form, text="x" * 20_001, files={"files": ("wrong.png", picture())})
        assert wrong.status_code == 422
        name = re.search(r'name="remove" value="(\w+)"', wrong.text)
        assert name
        assert (await li.send_form(f"/mine/{mine}", form, text="kept", remove=name[1])).status_code == 303
        page = (await li.get(f"/mine/{mine}")).text
        assert "wrong.png" not in page
        assert ">kept</textarea>" in page


async def test_what_is_typed_on_a_page_outlives_a_sign_out_and_a_sign_in_on_another(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    form, place = {"text": "typed for long", "back": f"/mine/{mine}?do=reply"}, f"/mine/{mine}/reply"
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        page = (await li.get(f"/mine/{mine}")).text
        form["form_token"] = re.findall(r'name="form_token" value="(\w+)"', page)[-1]
        await drafts.keep(doors, session_in(li, doors), place, {"text": "half a sentence"})
        await li.send_form("/mine", "/sign-out")
        assert await pool.fetchval("select count(*) from web.drafts") == 0, "nobody finds it at this machine"
        kept = await li.post(place, data=form)
        assert kept.headers["location"] == f"/sign-in?next=/mine/{mine}%3Fdo%3Dreply"
        await sign_in_again(li, doors, LI)
        assert ">typed for long</textarea>" in (await li.get(f"/mine/{mine}")).text
        form["text"] = "and longer"
        shown = await li.post(place, data=form)
        assert shown.headers["location"] == f"/mine/{mine}?do=reply"
        assert ">and longer</textarea>" in (await li.get(f"/mine/{mine}")).text
        assert await pool.fetchval("select count(*) from intake.received where kind = 'message'") == 0
        sent = await li.send_form(f"/mine/{mine}", place, text="and longer")
        assert sent.headers["location"] == f"/mine/{mine}?sent=reply"
        await li.send_form("/mine", "/sign-out")
        await sign_in_again(li, doors, HAN)
        assert (await li.post(place, data=form)).status_code == 403, "signed in twice since"
    async with Browser(site) as other:
        await signed_in(other, doors, LI)
        assert (await other.post(place, data=form)).status_code == 403


@pytest.mark.parametrize("leaves", ["signs out", "is gone for long", "stays"])
@pytest.mark.parametrize("next_one", [LI, HAN, Staff(id="h-17", roles=(Role.HANDLER,))])
async def test_what_somebody_typed_is_never_there_for_another_who_signs_in_in_the_same_browser(
    doors: Doors, mine: str, leaves: str, next_one: Person
) -> None:
    place, pool, kept = f"/mine/{mine}/reply", doors.pool, int(next_one == LI)
    async with Browser(create_app(doors)) as browser:
        await signed_in(browser, doors, LI)
        page = (await browser.get(f"/mine/{mine}")).text
        token = re.findall(r'name="form_token" value="(\w+)"', page)[-1]
        form = {"text": "x" * 20_001, "form_token": token, "back": f"/mine/{mine}?do=reply"}
        if leaves == "signs out":
            await browser.send_form("/mine", "/sign-out")
        elif leaves == "is gone for long":
            await pool.execute("update web.sessions set expires_at = now() - interval '1 second'")
        await browser.post(place, data=form, files={"files": ("a.png", picture())})  # on a page that was left open
        counted = "select array[(select count(*) from web.drafts), (select count(*) from web.held_files)]"
        assert await pool.fetchval(counted) == [1, 1]
        await sign_in_again(browser, doors, next_one)
        assert await pool.fetchval(counted) == [kept, kept]
        sent = await browser.post(place, data=form)
        assert sent.status_code == (303 if kept else 403), "a page from before is that of who was there"
        assert await pool.fetchval(counted) == [kept, kept]


async def sign_in_again(browser: Browser, doors: Doors, person: Person) -> None:
    """Have the visitor sign in as that person, with the cookie that they have."""
    session = session_in(browser, doors)
    await sign_in(session, person, doors)
    browser.cookies.set("visit", sealed_id(session, doors), domain="127.0.0.1")


async def test_who_is_not_known_to_be_the_customer_chooses_the_language_alone(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    await pool.execute(
        "insert into casefile.timeline (reference, key, at, kind, actor, text, data) values"
        """ ($1, 'doubt', now(), 'identified', 'system:redress', 'open', '{"state": "open", "because": []}')""",
        mine,
    )
    async with Browser(site, "zh-CN") as li:
        await signed_in(li, doors, LI)
        page = (await li.get(f"/mine/{mine}?do=channel")).text
        assert "您希望收到哪种语言的信函？" in page
        assert 'value="email"' not in page
        said = await li.send_form(f"/mine/{mine}?do=channel", f"/mine/{mine}/channel", language="en")
        assert said.headers["location"] == f"/mine/{mine}?sent=channel"
    _, message, _ = message_in(await pool.fetchval("select raw from intake.received where kind = 'message'"))
    assert isinstance(message, ChooseChannel)
    assert (message.channel, message.language) == (None, "en")


async def test_a_page_that_asks_by_itself_gets_nothing_unless_something_happened(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        shown = re.search(r'name="mark" value="(\w+)"', (await li.get(f"/mine/{mine}")).text)
        assert shown
        now = f"/mine/{mine}/now?mark={shown[1]}"
        unchanged = await li.get(now)
        assert (unchanged.status_code, unchanged.text) == (204, "")
        await pool.execute("update casefile.cases set revision = revision + 1 where reference = $1", mine)
        changed = await li.get(now)
        assert changed.status_code == 200
        assert f'value="{shown[1]}"' not in changed.text
        assert "<html" not in changed.text


async def test_nobody_locks_all_customers_out_who_come_through_one_proxy(doors: Doors) -> None:
    settings = doors.settings
    for proxies, counted in ((None, 2), ("10.0.0.5", 3)):
        doors.settings = settings.model_copy(
            update={"web_url": "https://complaints.example.com", "web_proxies": proxies}
        )
        await doors.pool.execute("delete from web.attempts")
        async with Browser(create_app(doors)) as browser:
            browser.base_url = "https://127.0.0.1:8000"
            assert (await browser.send_form("/sign-in", email="nobody@example.com")).status_code == 303
        assert await doors.pool.fetchval("select count(*) from web.attempts") == counted


async def test_whoever_begins_to_watch_has_their_own_complaint_looked_at_alone(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list[str]] = []

    async def revisions(_pool: Pool, references: Sequence[str]) -> dict[str, str]:
        looked.append(list(references))
        return dict.fromkeys(references, "1")

    monkeypatch.setattr("web.live.revisions", revisions)
    live = Live(pool, often=3600)
    watched = [live.changes(f"RD-{number}") for number in range(50)]
    for each in watched:
        assert b"changed" in await anext(each)
    assert sum(map(len, looked)) <= 2 * len(watched), "not all of all, each time"
    for each in watched:
        await each.aclose()
    assert live._task
    live._task.cancel()


async def test_a_customer_is_asked_for_an_answer_only_while_one_is_waited_for(pool: Pool, mine: str) -> None:
    live = Live(pool, often=3600)
    watched = live.changes(mine)
    assert b"changed" in await anext(watched)
    await pool.execute(
        "insert into casefile.events (reference, number, event, at) values ($1, 90, 'information_requested', now())",
        mine,
    )
    # It comes with a letter's acceptance, and alone; the page that is open shows it.
    await live._look([mine])
    assert b"changed" in await asyncio.wait_for(anext(watched), PATIENCE)
    await watched.aclose()
    assert live._task
    live._task.cancel()
    waited_for = {}
    for stage in ("investigating", "responded", "closed"):
        await pool.execute(_ENTER, mine, stage)
        case = await read_theirs(pool, mine)
        assert case
        waited_for[stage] = case.waits_for_them
    assert waited_for == {"investigating": True, "responded": False, "closed": False}


async def test_a_button_that_is_pressed_twice_sends_one_message_also_where_its_file_was_chosen_before(
    site: FastAPI, doors: Doors, pool: Pool, mine: str
) -> None:
    place = f"/mine/{mine}/reply"
    async with Browser(site) as li:
        await signed_in(li, doors, LI)
        chosen = {"files": ("bank.png", picture())}
        assert (await li.send_form(f"/mine/{mine}", place, text="x" * 20_001, files=chosen)).status_code == 422
        page = (await li.get(f"/mine/{mine}")).text
        said = {name: re.findall(rf'name="{name}" value="(\w+)"', page)[-1] for name in ("form_token", "once")}
        for text, received in (("It came.", 1), ("It came.", 1), ("And another.", 2)):
            sent = await li.post(place, data={**said, "text": text})
            assert sent.headers["location"] == f"/mine/{mine}?sent=reply"
            assert await pool.fetchval("select count(*) from intake.received where kind = 'message'") == received
