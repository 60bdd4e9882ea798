"""What a check page says a message will cause is what it causes: of one that is refused it says that, and why."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Outcome, Remedy, Role, Stage
from domain.incidents.messages import DecideIncident
from runtime.database import Pool
from runtime.policies import find_pack
from starter.client.complaints import CaseClosed
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.client.examples import example_of
from starter.reading.remedies import get_remedies
from tests.people.support import LEAD, directory, person
from tests.signing import signed, the_issuer
from tests.web.conftest import Browser, doors_over
from tests.web.test_desk import TEAMS, signed_on, typed
from tests.web.test_refusals import ENGLISH
from tests.workflows.conftest import open_house
from tests.workflows.house import House
from tests.workflows.rules import own
from web.api.messages import BY_SERVICES
from web.app import create_app
from web.desk.acting import FORMS
from workflows.messages import of_a_case, of_an_incident
from workflows.parts.hearing import Gate

HANDLER: Final = Actor(id="h-17", role=Role.HANDLER)
LAST: Final = ("withdraw",)
"""After it a case takes next to nothing."""
SIGNALS: Final = {row.kind.name for row in of_a_case.SIGNALS}


@pytest.fixture
async def house(pool: Pool, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with open_house(pool, tmp_path, request) as house:
        yield house


def desk_of(house: House) -> Any:
    doors = doors_over(house.pool, house.client, task_queue=house.task_queue)
    doors.kept["issuer"] = the_issuer()
    return create_app(doors)


async def shown(browser: Browser, reference: str, kind: type[Message], said: dict[str, Any]) -> str | None:
    """What the check page says instead of what the message causes; ``None`` where it says that."""
    form: dict[str, list[str]] = {}
    for name, value in said.items():
        for field, text in typed(value, name):
            form.setdefault(field, []).append(text)
    page = await browser.send_form(f"/desk/cases/{reference}/do/{kind.name}", None, **form)
    assert page.status_code in {200, 422}, page.text
    links = re.findall(r'<li><a href="#([^"]+)">', page.text) if page.status_code == 422 else []
    assert all(f'id="{field}"' in page.text for field in links), "what is wrong stands at its field too"
    return None if page.status_code == 200 else page.text


async def answered(house: House, reference: str, message: Message) -> str | None:
    """Why it is refused, once it is sent."""
    try:
        await house.complaints.send(reference, message)
    except Refused as error:
        return str(error)
    return None


@pytest.mark.parametrize("stage", [Stage.DECIDING, Stage.RESPONDED])
async def test_of_every_message_the_check_page_says_what_sending_it_comes_to(house: House, stage: Stage) -> None:
    reference = await house.submit(description="You never paid what you owe.", amount_claimed=None, trades=[])
    await house.at(reference, Stage.DECIDING)
    if stage is Stage.RESPONDED:
        said = {"outcome": Outcome.UPHELD, "remedies": [Remedy.CORRECTION], "reasons": "Claimed, looked at and found."}
        await house.complaints.propose_resolution(reference, by=HANDLER, **said)
        await house.responded(reference)
    refused = []
    site = desk_of(house)
    async with signed_on(site, HANDLER.id) as browser, signed_on(site, HANDLER.id, language="zh-CN") as chinese:
        for name in sorted(FORMS, key=lambda each: (each in LAST, each)):
            kind = FORMS[name]
            wanted = kind.model_validate({**example_of(kind), "message_id": f"m-{name}", "actor": HANDLER.model_dump()})
            said = wanted.model_dump(mode="json", exclude={"message_id", "actor", "attachments"}, exclude_none=True)
            page = await shown(browser, reference, kind, said)
            if name in SIGNALS:
                assert page is None, name
                continue
            in_chinese = await shown(chinese, reference, kind, said)
            why = await answered(house, reference, wanted)
            assert (page is None) == (why is None), f"{name}: {why}\n{page}"
            refused += [name] if why else []
            told = re.findall(r'class="wrong"[^>]*>(.*?)</p>', in_chinese or "", re.DOTALL)
            assert (bool(told), [text for text in told if ENGLISH.search(re.sub("<[^>]+>", "", text))]) == (
                bool(why),
                [],
            )
    assert {"confirm_remedy", "finish_task", "report_payment"} <= set(refused) < set(FORMS) - SIGNALS


async def test_who_may_not_confirm_a_remedy_is_not_told_that_it_counts_as_carried_out(house: House) -> None:
    reference = await house.submit(description="You never paid what you owe.", amount_claimed=None, trades=[])
    await house.at(reference, Stage.DECIDING)
    said = {"outcome": Outcome.UPHELD, "remedies": [Remedy.CORRECTION], "reasons": "Claimed, looked at and found."}
    await house.complaints.propose_resolution(reference, by=HANDLER, **said)
    await house.responded(reference)
    await house.complaints.reply(reference, intent="accept", by=Actor(id="customer", role=Role.CUSTOMER))
    await house.at(reference, Stage.SETTLING)
    (owed,) = [one.remedy.number for one in await get_remedies(house.pool, datetime.now(UTC), reference=reference)]
    lapsed = {"remedy": owed, "proof": "The customer has closed the account.", "lapsed": True}
    site = desk_of(house)
    async with signed_on(site, HANDLER.id) as handler, signed_on(site, "l-1", Role.TEAM_LEAD) as lead:
        page = await shown(handler, reference, FORMS["confirm_remedy"], lapsed)
        assert page is not None
        assert "may say that a remedy is owed no longer" in page
        assert await shown(lead, reference, FORMS["confirm_remedy"], lapsed) is None


async def test_who_lacks_a_course_is_told_so_before_what_the_message_would_cause(house: House) -> None:
    yesterday = (await house.env.get_current_time()).date() - timedelta(1)
    lapsed = [{"course": "complaints", "first": yesterday, "last": yesterday}]
    passed = [{"course": "complaints", "first": yesterday}]
    people = [person("h-17", teams=TEAMS, training=passed), person("h-2", teams=TEAMS, training=lapsed)]
    await People(house.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)
    await house.late_withdrawal("300000", days_late=30)
    rules = [{"course": "complaints", "roles": ["handler"]}]
    reference = await house.submit(policy=own(house, training=rules))
    await house.drafted(reference)
    proposal = {"outcome": "upheld", "as_found": True, "reasons": "Claimed, looked at and found: it was late."}
    async with signed_on(desk_of(house), "h-17") as handler:
        page = await shown(handler, reference, FORMS["assign"], {"handler": "h-2"})
        assert page is not None
        assert "h-2 has not passed" in page
        assert await shown(handler, reference, FORMS["assign"], {"handler": "h-17"}) is None
        assert await shown(handler, reference, FORMS["propose_resolution"], proposal) is None
        people[0] = person("h-17", teams=TEAMS, training=lapsed)
        await People(house.pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD)
        page = await shown(handler, reference, FORMS["propose_resolution"], proposal)
        assert page is not None
        assert "h-17 has not passed" in page


async def test_who_proposes_the_draft_is_told_what_it_gives_and_who_has_to_approve_it(house: House) -> None:
    await house.late_withdrawal("300000", days_late=30)
    reference = await house.submit(policy=own(house))
    await house.drafted(reference)
    site, path = desk_of(house), f"/desk/cases/{reference}/do/propose_draft"
    async with signed_on(site, "h-17") as english, signed_on(site, "h-17", language="zh-CN") as chinese:
        digest = re.search(r'name="draft"[^>]* value="(\w+)"', (await english.get(path)).text)
        assert digest
        told = (await english.send_form(path, draft=digest[1])).text
        assert "Outcome: upheld" in told
        assert re.search(r"It goes to a second person \(.*approver.*\), because: the sum is above the limit", told), (
            told
        )
        told = (await chinese.send_form(path, draft=digest[1])).text
        assert re.search(r"将交由第二人审批（.*审批人.*），原因：.*金额超出规则限额", told), told


def test_what_is_asked_of_the_directory_before_a_message_counts_is_asked_for_its_check_page_too() -> None:
    asking = {row.kind.name for row in (*of_a_case.UPDATES, *of_an_incident.UPDATES) if row.before}
    seen = {"assign", "propose_resolution", "propose_draft", "decide_resolution", "resolve_early", DecideIncident.name}
    kept_out_sees_no_page = {"pause_incident", "resume_incident", "retry_member"}
    assert asking == seen | kept_out_sees_no_page, "web.desk.acting.must_be_trained"


async def test_of_a_case_that_has_ended_nothing_is_announced(house: House) -> None:
    reference = await house.submit(description="You never paid what you owe.", amount_claimed=None, trades=[])
    await house.at(reference, Stage.DECIDING)
    await house.complaints.withdraw(reference, by=Actor(id="customer", role=Role.CUSTOMER))
    await house.closed(reference)
    async with signed_on(desk_of(house), HANDLER.id) as browser:
        assert await shown(browser, reference, FORMS["assign"], {"handler": "h-1"}) is not None
        with pytest.raises(CaseClosed):
            await house.complaints.assign(reference, "h-1", by=HANDLER)


def test_the_api_lets_no_service_send_what_every_case_refuses_to_services() -> None:
    for_staff = {row.kind for row in of_a_case.UPDATES if isinstance(row.gate, Gate) and row.gate.staff}
    assert not for_staff & set(BY_SERVICES)


async def test_who_proposes_or_approves_is_told_what_has_to_be_sent_besides_the_letter(house: House) -> None:
    letters = find_pack("platform-default", house.today).model_dump()["letters"]
    leaflet = {"name": "leaflet", "kind": "final_response", "encloses": {"en": "the leaflet", "zh": "说明手册"}}
    rules = own(house, letters=[*letters, leaflet | {"source": "Made for the test", "confirmed": True}])
    reference = await house.submit(description="You never paid.", amount_claimed=None, trades=[], policy=rules)
    await house.at(reference, Stage.DECIDING)
    no = "You complained: a payment was missing. We looked at: your account. We found: it was made in time."
    proposal = {"outcome": "not_upheld", "reasons": no}
    site = desk_of(house)
    async with signed_on(site, HANDLER.id) as handler, signed_on(site, "a-3", Role.APPROVER) as approver:
        page = await handler.send_form(f"/desk/cases/{reference}/do/propose_resolution", **proposal)
        assert "have the leaflet enclosed with the letter" in page.text
        await house.complaints.propose_resolution(reference, by=HANDLER, **proposal)
        path = f"/desk/cases/{reference}/do/decide_resolution"
        assert "the leaflet enclosed" in (await approver.send_form(path, decision="approve")).text
        returned = await approver.send_form(path, decision="return", reasons="It was paid late after all.")
        assert (returned.status_code, "the leaflet enclosed" in returned.text) == (200, False)
