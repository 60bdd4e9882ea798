"""The desk: what somebody sees, what they can do, and what nobody sees who is kept out."""

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.routing import Route
from temporalio.client import Client

from activities.intake.dealing import Dealing
from channels.taking import take_in
from domain.case.task_kinds import TASKS
from domain.ground.messages import Message
from domain.ground.words import Role, Stage
from domain.intake.received import Ending
from runtime.database import Pool, seen_by
from starter.client.directory import People
from starter.client.examples import example_of
from starter.reading.accesses import accesses
from starter.reading.cases import list_cases
from starter.reading.intake import replay
from starter.reading.tasks import TaskView
from tests.case.support import OPENED_AT, keeping
from tests.channels.messages.making import VOICES, mail
from tests.intake.test_dealing import Cases, complaint, deal
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, opened_as, updating
from tests.signing import signed, the_issuer
from tests.web.answering import answer_again
from tests.web.conftest import Browser, doors_over, signed_in
from tests.workflows.conftest import open_house
from tests.workflows.house import House
from web.app import create_app
from web.desk.acting import FORMS
from web.desk.case import COMMANDS, doings
from web.desk.filing import AddFile
from web.desk.forms import OURS
from web.desk.incidents import FORMS as INCIDENT_FORMS
from web.desk.opening import OpenIncident
from web.desk.sentences import label, spoken
from web.desk.taking_in import TakeIn
from web.desk.tasks import form_of
from web.desk.widgets import LEFT_OUT, Unfit, kind_of, made, widgets
from web.visits import Staff
from web.words import all_words, words

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")


# -- forms -------------------------------------------------------------------------------------------------------------


def typed(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """What somebody types into the field *name* for *value* to come out."""
    match value:
        case {"amount": amount, "currency": currency}:
            yield name, f"{currency} {amount}"
        case Mapping():
            for inner, it in value.items():
                yield from typed(it, f"{name}.{inner}")
        case bool():
            yield name, "yes" if value else "no"
        case list() | tuple() if name == "awards":
            for award in value:
                yield from typed({key: it for key, it in award.items() if key != "kind"}, f"awards.{award['kind']}")
        case list() | tuple() if name in {"checks", "remedies"}:
            yield from ((name, one) for one in value)
        case list() | tuple():
            yield name, "\n".join(value)
        case _:
            yield name, str(value)


ALL_FORMS: dict[str, type[BaseModel]] = {
    **FORMS, **INCIDENT_FORMS, OpenIncident.name: OpenIncident, TakeIn.name: TakeIn, AddFile.name: AddFile,
}  # fmt: skip


@pytest.mark.parametrize("kind", [*FORMS.values(), *INCIDENT_FORMS.values()], ids=[*FORMS, *INCIDENT_FORMS])
def test_every_message_can_be_typed(kind: type[Message]) -> None:
    wanted = kind.model_validate(example_of(kind))
    body = wanted.model_dump(mode="json", exclude={"message_id", "actor", "attachments"}, exclude_none=True)
    form = FormData([pair for name, value in body.items() for pair in typed(value, name)])
    given = {name: getattr(wanted, name) for name in LEFT_OUT if hasattr(wanted, name)}
    assert made(kind, widgets(kind), form, **given) == wanted


def test_no_field_of_a_message_has_a_name_that_the_pages_use_themselves() -> None:
    """What was typed into one would be lost, or be taken for a press of the button."""
    pages = [Path(f"web/templates/{name}.html").read_text(encoding="utf-8") for name in ("desk/form", "desk/check")]
    used = {name for page in pages for name in re.findall(r'name="([a-z_]+)"', page)}
    assert used == {"message_id", "mark", "about", "send", "shown", "last"} < OURS
    for name, kind in ALL_FORMS.items():
        assert not {one.name for one in widgets(kind)} & {*OURS, "as_role"}, name


@pytest.mark.parametrize(("name", "kind"), ALL_FORMS.items(), ids=ALL_FORMS)
def test_every_form_has_words_in_both_languages_and_says_what_is_missing_at_its_field(
    name: str, kind: type[BaseModel]
) -> None:
    words = all_words()
    assert f"desk.do.{name}" in words
    asked = widgets(kind)
    own = f"desk.field_of.{name}"
    assert [one.name for one in asked if not {f"desk.field.{one.name}", f"{own}.{one.name}"} & words.keys()] == []
    for language in ("en", "zh-CN"):
        visit: Any = SimpleNamespace(language=language, t=lambda key: words[key])
        assert all(spoken(visit, choice, kind_of(one)) for one in asked for choice in one.choices)
    wrong: set[str] = set()
    try:
        made(kind, asked, FormData(), message_id="1", actor={"id": "h-1", "role": "handler"})
    except Unfit as unfit:
        wrong = {error.field for error in unfit.errors}
    assert {one.name for one in asked if not one.optional} <= wrong


def test_a_sum_that_is_none_is_told_at_its_field() -> None:
    asked = widgets(FORMS["propose_resolution"])
    for text in ("900", "USD", "USD 9,00.x", "-5 USD"):
        form = FormData([("outcome", "upheld"), ("reasons", "So it is."), ("compensation", text)])
        with pytest.raises(Unfit) as unfit:
            made(FORMS["propose_resolution"], asked, form, message_id="1", actor={"id": "h-1", "role": "handler"})
        assert [error.field for error in unfit.value.errors] == ["compensation"]


def test_what_the_command_line_offers_for_a_case_is_a_form_here() -> None:
    source = Path("starter/reading/dossier.py").read_text(encoding="utf-8")
    offered = set(re.findall(r"yield f['\"]((?:pay )?[a-z-]+) {", source))
    assert len(offered) > 12
    assert offered <= set(COMMANDS)
    assert {name for name, _ in COMMANDS.values()} <= set(FORMS)


def test_the_page_of_a_case_leads_to_every_form() -> None:
    offered = [name for command in COMMANDS for name, _ in doings([f"{command} RD-1"], Stage.DECIDING, handler="h-1")]
    offered += [name for name, _ in doings(["propose RD-1 --draft"], Stage.RESPONDED, handler="h-1")]
    page = Path("web/templates/desk/case.html").read_text(encoding="utf-8")
    beside = {name for name in FORMS if f'"{name}"' in page or f"/do/{name}" in page}
    of_tasks = {row.ends_by or "finish_task" for row in TASKS.values()}
    assert {*offered, *beside, *of_tasks} >= set(FORMS)
    assert doings([], Stage.CLOSED, handler=None) == [], (
        "a closed case takes none of what is offered as long as it is open"
    )


def test_the_first_that_the_page_of_a_case_offers_is_the_next_step() -> None:
    at_work = ["propose RD-1 --outcome upheld", "assign RD-1 HANDLER", "withdraw RD-1"]
    assert doings(at_work, Stage.DECIDING, handler="h-1")[0] == ("propose_resolution", "")
    assert doings(at_work, Stage.DECIDING, handler=None)[0] == ("assign", "")
    owed = ["reply RD-1 --text TEXT", "assign RD-1 HANDLER", "pay report RD-1", "remedy confirm RD-1 2"]
    first = [name for name, _ in doings(owed, Stage.SETTLING, handler="h-1")][:3]
    assert first == ["confirm_remedy", "report_payment", "customer_reply"]
    assert doings(["pay retry RD-1", *owed], Stage.SETTLING, handler="h-1")[0] == ("retry_payment", "")


def test_the_form_of_a_task_is_the_message_that_ends_it() -> None:
    for kind, row in TASKS.items():
        said = {"reference": "RD-1", "number": 7, "kind": kind, "role": row.role, "level": 0, "state": "open"}
        said |= {"given_at": OPENED_AT, "given_by": "system:redress", "what": None, "owner": None, "due": None}
        form = form_of(TaskView.model_validate(said))
        assert form == (row.ends_by or "finish_task?task=7")
        assert form.partition("?")[0] in FORMS


AS_RECORDED = re.compile(r"\b(handler|approver|team_lead|compliance_officer|customer|service|system):")
"""How the record names who did something; pages say it in words."""


# -- who sees what -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def signed_on(site: FastAPI, who: str, *roles: Role, language: str = "en") -> AsyncIterator[Browser]:
    """A browser in which *who* has signed on, with these roles."""
    async with Browser(site, language) as browser:
        await signed_in(browser, site.state.doors, Staff(id=who, name=who, roles=roles or (Role.HANDLER,)))
        yield browser


async def test_a_form_names_nobody_who_is_not_there_any_more(pool: Pool) -> None:
    await People(pool, signed).replace(directory(person("h-1"), person("h-2"), teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool))
    form = f"/desk/cases/{reference}/do/assign"
    async with signed_on(create_app(doors_over(pool)), "h-1") as browser:
        for handler, told in (("h-71", "desk.wrong.typed.enum"), ("h-2", "desk.wrong.not_asked")):
            page = await browser.send_form(form, None, handler=handler)
            assert words(told, "en") in page.text, handler
        await People(pool, signed).replace(directory(person("h-1"), teams=TEAMS), by=LEAD, at=OPENED_AT)
        page = await browser.send_form(form, None, handler="h-2", send="yes")
        assert words("desk.wrong.typed.enum", "en") in page.text, "who left while it was looked at what it causes"


async def test_what_is_sent_is_what_was_seen_and_what_changed_meanwhile_is_shown_first(pool: Pool) -> None:
    reference, _ = await opened_as(keeping(pool), description="My stop loss was filled at a wrong price.")
    path = f"/desk/cases/{reference}/do/customer_reply"
    async with signed_on(create_app(doors_over(pool)), "h-1") as browser:
        await answer_again(pool, reference, 1, "responded")
        checked = (await browser.send_form(path, None, intent="accept", mark="as it was")).text
        for number in (1, 2):
            assert f"It is about final response {number}" in checked
            hidden = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', checked))
            await answer_again(pool, reference, number + 1, "responded")
            again = await browser.post(path, data={**hidden, "send": "yes"})
            checked = again.text
            assert (again.status_code, words("desk.form.changed_since", "en") in checked) == (200, True)
        hidden = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', checked))
        sent = await browser.post(path, data={**hidden, "send": "yes"})
        assert words("desk.wrong.away", "en") in sent.text, "it goes to the case, which is away here"


async def test_who_is_kept_out_finds_no_page_of_the_case_and_cannot_tell_it_from_none(pool: Pool) -> None:
    people = [person("h-1", names=["Jane Doe"]), person("h-2")]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool), description="Jane Doe filled my stop loss at a wrong price.")
    site = create_app(doors_over(pool))
    async with signed_on(site, "H-1") as out, signed_on(site, "h-2") as other:
        nowhere = "RD-K7M4-9QXT-2VBHC"
        paths = [
            getattr(route, "path", "").replace("{form}", form)
            for route in site.routes
            if isinstance(route, Route)
            and route.path.startswith("/desk/cases/")
            and not route.path.endswith(("events", "{name}"))
            for form in ("assign", "propose_resolution")
        ]
        assert len(paths) > 3
        token = re.search(r'name="form_token" value="(\w+)"', (await out.get("/desk/inbox")).text)
        assert token
        for path in [*paths, "/desk/cases/{reference}/events"]:
            answers = []
            for known in (reference, nowhere):
                asked = path.replace("{reference}", known)
                seen = await out.get(asked)
                sent = (
                    await out.post(asked, data={"form_token": token[1], "handler": "h-2"}) if "/do/" in path else seen
                )
                answers.append((seen.status_code, sent.status_code, seen.text.replace(known, "")))
            assert answers[0] == answers[1], path
            assert answers[0][:2] == (404, 404)
        assert (await other.get(f"/desk/cases/{reference}")).status_code == 200
        shows = [path.replace("{reference}", reference) for path in paths]
        for path in shows:
            await other.get(path)
        assert (await other.get("/desk/find?q=70012345")).status_code == 200
        log = await accesses(pool, reference=reference)
        assert len(log) == len(shows) + 2, log
        assert {(one.who, one.means) for one in log} == {("handler:h-2", "pages")}
        assert {"GET /desk/find", "GET /desk/cases/{reference}"} <= {one.what for one in log}
        key, _ = await take_in(pool, mail(VOICES[0], subject=reference), {})
        cases = Cases({reference: complaint()})
        dealing = Dealing(pool, cases, lambda: datetime.now(UTC))
        assert (await deal(dealing, key)).ending is Ending.UNPROVEN
        shown = (await other.get(f"/desk/cases/{reference}")).text
        assert (key[:12] in shown, "not proven who wrote it" in shown) == (True, True)
        assert VOICES[0].text[:20] not in shown
        await replay(pool, key, by=LEAD, reason="They called.", vouched=True)
        assert key[:12] not in (await other.get(f"/desk/cases/{reference}")).text, "it waits to be dealt with"
        assert (await deal(dealing, key)).ending is Ending.ON_CASE
        assert key[:12] not in (await other.get(f"/desk/cases/{reference}")).text, "the case has heard it"
        assert (await out.get(f"/desk/cases/{reference}")).status_code == 404
        for page in ("/desk/inbox?view=all", f"/desk/find?q={reference}", "/desk/find?q=70012345", "/desk/deadlines"):
            assert reference not in (await out.get(page)).text.replace(f'value="{reference}"', "").replace(page, ""), (
                page
            )
        assert reference in (await other.get("/desk/inbox?view=all")).text


@pytest.mark.parametrize("path", ["/desk/cases/RD-K7M4-9QXT-2VBHC", "/desk/incidents/IN-K7M4-9QXT-2VBHC", "/desk/none"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_what_is_not_there_leaves_whoever_works_here_at_the_desk(pool: Pool, path: str, language: str) -> None:
    async with signed_on(create_app(doors_over(pool)), "h-2", language=language) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 404
    assert 'href="/desk/inbox"' in answer.text
    assert 'action="/desk/find"' in answer.text
    assert 'href="/complain"' not in answer.text
    assert words("error.404.desk", language) in answer.text


async def test_whoever_signs_on_in_chinese_reads_what_the_teams_do_in_chinese(pool: Pool) -> None:
    await People(pool, signed).replace(directory(person("h-2", teams=TEAMS), teams=TEAMS), by=LEAD, at=OPENED_AT)
    site = create_app(doors_over(pool, desk_sign_on="directory", web_address="127.0.0.1:8000"))
    async with Browser(site, "zh-CN") as browser:
        shown = (await browser.get("/desk/sign-on")).text
    assert "交易、支付、账户、行为合规、客户关怀" in shown
    assert not [team for team in TEAMS if team in shown]


async def test_what_was_typed_into_a_form_is_there_once_its_writer_has_signed_on_again(pool: Pool) -> None:
    reference, _ = await opened_as(keeping(pool), description="My stop loss was filled at a wrong price.")
    site, path = create_app(doors_over(pool)), f"/desk/cases/{reference}/do/propose_resolution"
    doors, said = site.state.doors, {"reasons": "So it was.", "remedies": ["apology", "correction"]}
    async with signed_on(site, "h-2") as browser:
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', (await browser.get(path)).text))
        real = doors.clock
        doors.clock = lambda: real() + timedelta(hours=5)
        away = await browser.post(path, data={**fields, **said})
        assert away.headers["location"] == f"/desk/sign-on?next={path}", "where the form is, not where it leads back to"
        await signed_in(browser, doors, Staff(id="h-2", roles=(Role.HANDLER,)))
        again = (await browser.get(path)).text
    assert ("So it was." in again, again.count(" checked")) == (True, 2)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_what_is_wrong_stands_above_the_form_once_for_each_field_and_says_which(
    pool: Pool, language: str
) -> None:
    reference, _ = await opened_as(keeping(pool), description="My stop loss was filled at a wrong price.")
    visit: Any = SimpleNamespace(language=language, t=lambda key: words(key, language))
    async with signed_on(create_app(doors_over(pool)), "h-2", language=language) as browser:
        for name, kind in FORMS.items():
            page = (await browser.send_form(f"/desk/cases/{reference}/do/{name}", None)).text
            wrong = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', page)
            assert len({text for _, text in wrong}) == len(wrong), name
            missing = words("desk.wrong.missing", language)
            for field, text in wrong:
                if missing in text:
                    assert html.unescape(text).startswith(label(visit, field, kind.name)), name
    assert "propose_resolution" in FORMS


async def test_a_page_of_a_case_does_not_wait_for_a_frozen_temporal(pool: Pool) -> None:
    reference, _ = await opened_as(keeping(pool), description="My stop loss was filled at a wrong price.")
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes what is sent, and never answers
        client = await Client.connect(f"127.0.0.1:{frozen.getsockname()[1]}", lazy=True)
        async with signed_on(create_app(doors_over(pool, client)), "h-2") as browser:
            before = asyncio.get_running_loop().time()
            page = await browser.get(f"/desk/cases/{reference}")
            took = asyncio.get_running_loop().time() - before
    assert (page.status_code, words("desk.case.unasked", "en") in page.text) == (200, True)
    assert took < 3, "a second for Temporal, the rest for the page"


async def test_a_connection_forgets_who_looked_through_it(pool: Pool) -> None:
    await People(pool, signed).replace(directory(person("h-1", names=["Jane Doe"]), teams=TEAMS), by=LEAD, at=OPENED_AT)
    await opened_as(keeping(pool), description="Jane Doe filled my stop loss at a wrong price.")
    for _ in range(12):  # more than the pool has connections
        assert await list_cases(seen_by(pool, "h-1")) == []
        assert len(await list_cases(pool)) == 1
    with pytest.raises(ValueError, match="nobody is named"):
        seen_by(pool, "")


# -- a life ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def house(pool: Pool, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    async with open_house(pool, tmp_path, request) as house:
        yield house


async def sends(browser: Browser, reference: str, form: str, **fields: str) -> str:
    """What is said before the message counts; then it is sent."""
    path = f"/desk/cases/{reference}/do/{form}"
    checked = await browser.send_form(path, **fields)
    assert checked.status_code == 200, checked.text
    hidden = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', checked.text))
    sent = await browser.post(path, data={**hidden, "send": "yes"})
    assert (sent.status_code, sent.headers.get("location")) == (303, f"/desk/cases/{reference}"), sent.text
    return checked.text


async def test_a_handler_proposes_an_approver_approves_and_each_is_shown_before_what_it_causes(house: House) -> None:
    reference = await house.submit(description="You never paid what you owe.", amount_claimed=None, trades=[])
    await house.at(reference, Stage.DECIDING)
    doors = doors_over(house.pool, house.client, task_queue=house.task_queue)
    doors.kept["issuer"] = the_issuer()
    site = create_app(doors)
    async with (
        signed_on(site, "h-17") as handler,
        signed_on(site, "a-3", Role.APPROVER, language="zh-CN") as approver,
    ):
        sign = {"sign.kind": "media", "sign.rests_on": "he knows a journalist", "sign.confidence": "certain"}
        await sends(handler, reference, "note_sign", step="raised", **sign)
        assert "he knows a journalist" in (await handler.get(f"/desk/cases/{reference}")).text
        unfinished = await handler.send_form(f"/desk/cases/{reference}/do/propose_resolution", outcome="upheld")
        assert unfinished.status_code == 422
        assert '<a href="#reasons">Reasons, in the customer&#39;s language: Fill this in</a>' in unfinished.text
        shown = await sends(
            handler,
            reference,
            "propose_resolution",
            outcome="upheld",
            compensation="USD 4,000.00",
            reasons="Claimed: a payment. Looked at: the account. Found: it was never made.",
        )
        assert "It goes to a second person (" in shown
        assert "), because: " in shown
        assert "approver" in shown
        page = await handler.get(f"/desk/cases/{reference}")
        assert "waits for a second person" in page.text
        assert "/do/decide_resolution" not in page.text, "nobody decides about their own proposal"
        of_approver = (await approver.get(f"/desk/cases/{reference}")).text
        assert "/do/decide_resolution?decision=approve" in of_approver
        assert ("等待第二人审批" in of_approver, "waits for a second person" in of_approver) == (True, False)
        own = await handler.send_form(f"/desk/cases/{reference}/do/decide_resolution", decision="approve")
        assert (own.status_code, "never by its proposer" in own.text) == (422, True)
        path = f"/desk/cases/{reference}/do/decide_resolution"
        checked = await approver.send_form(path, decision="approve")
        assert "4,000.00" in checked.text
        hidden = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', checked.text))
        hidden["about"] = "propose_resolution:1"  # one that was returned, and another proposed in its place
        assert (await approver.post(path, data={**hidden, "send": "yes"})).status_code == 200, "shown what is decided"
        assert "最终答复将发给客户" in await sends(approver, reference, "decide_resolution", decision="approve")
        await house.at(reference, Stage.RESPONDED)
        last = (await approver.get(f"/desk/cases/{reference}")).text
        assert "已答复" in last
        assert not AS_RECORDED.search(last)


async def test_a_restriction_of_contact_is_proposed_by_one_and_decided_by_another(pool: Pool) -> None:
    await People(pool, signed).replace(directory(person("h-2"), teams=TEAMS), by=LEAD, at=OPENED_AT)
    reference, _ = await opened_as(keeping(pool), description="My stop loss was filled at a wrong price.")
    site, path = create_app(doors_over(pool)), f"/desk/cases/{reference}/restrictions"
    proposed = {"step": "proposed", "form": "by_post", "reasons": "Forty calls a day."}
    async with signed_on(site, "h-2") as handler, signed_on(site, "c-1", Role.COMPLIANCE_OFFICER) as officer:
        assert "is not restricted" in (await handler.get(path)).text
        wrong = await handler.send_form(path, **proposed, until="2020-01-01")
        assert (wrong.status_code, "it has passed" in wrong.text) == (422, True)
        until = (site.state.doors.clock() + timedelta(days=20)).isoformat()
        await handler.send_form(path, **proposed, until=until)
        own = await handler.send_form(path, step="approved", number="1", reasons="So be it.")
        assert (own.status_code, "roles that may" in own.text) == (422, True)
        assert (await officer.send_form(path, step="approved", number="1", reasons="So it is.")).status_code == 303
        decided = (await officer.get(path)).text
        assert "in force" in decided
        assert "compliance officer c-1" in decided
        assert not AS_RECORDED.search(decided)


async def test_tasks_stand_in_the_inbox_and_on_the_page_with_the_form_that_ends_each(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lapsed = {"course": "conduct-rules", "first": "2025-01-01", "last": "2025-12-31"}
    staff = directory(person("h-2", training=[lapsed]), teams=TEAMS)
    await People(pool, signed).replace(staff, by=LEAD, at=OPENED_AT)
    case_file = keeping(pool)
    reference, _ = await opened_as(case_file, description="My stop loss was filled at a wrong price.")
    task = {"number": 7, "kind": "consult", "role": "handler", "what": "Was the notice in time?"}
    given = noted("task_given", 7).model_copy(update={"data": task, "journal": 7})
    await case_file.record(updating(reference, 1, given))
    site, form = create_app(doors_over(pool)), f"/desk/cases/{reference}/do/finish_task?task=7"
    async with signed_on(site, "h-2") as handler, signed_on(site, "h-3") as other:
        for page in ("/desk/inbox", f"/desk/cases/{reference}"):
            text = (await handler.get(page)).text
            assert "Was the notice in time?" in text, page
            assert form in text, page
        looked = [(one.what, one.reference) for one in await accesses(pool, who="handler:h-2")]
        assert ("GET /desk/inbox", reference) in looked, "what a task says is personal"
        assert "conduct-rules" in (await handler.get("/desk/inbox")).text
        assert "there may be more" not in (await handler.get("/desk/inbox")).text
        monkeypatch.setattr("web.desk.inbox._AT_ONCE", 1)
        assert "The first 1; there may be more." in (await handler.get("/desk/inbox")).text
        of_another = (await other.get("/desk/inbox")).text
        assert "Was the notice in time?" not in of_another
        assert "conduct-rules" not in of_another
        assert await accesses(pool, who="handler:h-3") == []
        assert 'value="7" selected' in (await handler.get(form)).text
