"""What a form sends is what its page showed; where that has changed since, the page says how, and nothing goes."""

import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest
from fastapi import FastAPI

from domain.case.messages.deciding import ProposeResolution
from domain.case.messages.table import SIGNALS
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.incidents.progress import Progress
from runtime.database import Pool
from starter.client.conversation import NotAnswered, Refused
from starter.client.directory import People
from starter.client.examples import EXAMPLES, example_of
from tests.case.support import OPENED_AT, keeping
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk as IncidentDesk
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, opened_as, updating
from tests.signing import signed
from tests.web.conftest import Browser, doors_over, signed_in
from tests.web.fuzzing import forms_of
from tests.web.test_desk import ALL_FORMS, TEAMS, typed
from tests.web.test_filing import TYPED as A_FILE
from tests.web.test_forms_fuzzed import Taking, have_taken
from tests.web.test_taking_in import TYPED as TAKEN_IN
from tests.web.test_taking_in import picture
from web.app import create_app
from web.desk.filing import AddFile
from web.desk.forms import Sight
from web.desk.incidents import FORMS as INCIDENT_FORMS
from web.desk.opening import OpenIncident
from web.desk.taking_in import PLACE, TakeIn
from web.visits import Staff
from web.words import words

NEVER_REFUSED: Final = {TakeIn.name, OpenIncident.name, *(one.name for one in SIGNALS)}
BOTH: Final = (Role.HANDLER, Role.TEAM_LEAD)


class Listening(Taking):
    """Takes whatever it is told, and knows what that was; or refuses, or does not say whether it would."""

    refuses = False
    silent = False

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def foresee(self, known: str, message: Any) -> None:
        await super().foresee(known, message)
        if self.refuses:
            raise Refused("assign: the case is closed")
        if self.silent:
            raise NotAnswered(f"{known}: no worker said so in time")

    async def send(self, known: str, message: Any) -> Any:
        if self.refuses or self.away:
            await self.foresee(known, message)
        self.heard.append(message)
        return SimpleNamespace(noted="done")

    async def open(self, incident: Any) -> Any:
        self.heard.append(incident)
        return await super().open(incident)


class Scene(NamedTuple):
    """A desk over a case and an incident, and who hears what is sent."""

    site: FastAPI
    pool: Pool
    case: str
    heard: Listening
    case_file: Any

    def path(self, form: str) -> str:
        if form == TakeIn.name:
            return PLACE
        if form == OpenIncident.name:
            return "/desk/incidents/do/open_incident"
        home = f"incidents/{new().reference}" if form in INCIDENT_FORMS else f"cases/{self.case}"
        return f"/desk/{home}/do/{form}"

    async def went(self) -> int:
        """How much was sent: to Temporal, or into the intake."""
        return len(self.heard.heard) + int(await self.pool.fetchval("select count(*) from intake.received"))


@pytest.fixture
async def scene(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    people = [person("h-1"), person("h-2")]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    case_file = keeping(pool)
    reference, _ = await opened_as(case_file, description="You never paid what you owe.", trades=[])
    said = {**example_of(ProposeResolution), "message_id": "m-8", "actor": {"id": "h-9", "role": "handler"}, "round": 1}
    proposed = noted("propose_resolution", 8).model_copy(update={"data": said})
    await case_file.record(updating(reference, 1, proposed.model_copy(update={"journal": 8})))
    await bad_minute(pool)
    await IncidentDesk(pool).list(new())
    await pool.execute("update casefile.incidents set progress = $1", EXAMPLES[Progress])
    site, listening = create_app(doors_over(pool, outbox_dir=tmp_path / "outbox")), Listening()
    have_taken(site.state.doors, listening, monkeypatch)
    return Scene(site, pool, reference, listening, case_file)


def filled_in(page: str, path: str, form: str) -> dict[str, Any]:
    """What somebody types into the *form* on that *page*: its example, with choices that the page offers."""
    if form in {TakeIn.name, AddFile.name}:
        return {**TAKEN_IN} if form == TakeIn.name else {**A_FILE, "counts_as": "note"}
    kind: Any = ALL_FORMS[form]
    if form == OpenIncident.name:  # another fault than the one of the incident that is there
        fault = new().fault.model_copy(update={"until": new().fault.until + timedelta(minutes=1)})
        said = fault.model_dump(mode="json", exclude_none=True)
    else:
        said = kind.model_validate(example_of(kind)).model_dump(mode="json", exclude={"attachments"}, exclude_none=True)
    offered = next(one.fields for one in forms_of(page, page) if one.action == path)
    found: dict[str, Any] = {}
    for name, value in said.items():
        for field, text in typed(value, name):
            fits = [one for one in offered.get(field, []) if one]
            found.setdefault(field, []).append(fits[0] if fits and text not in fits else text)
    return {name: values for name, values in found.items() if name in offered}


async def checked(scene: Scene, browser: Browser, form: str, role: Role = Role.HANDLER) -> dict[str, Any]:
    """What the check page of *form* sends."""
    path = scene.path(form)
    opened = (await browser.get(path)).text
    given = filled_in(opened, path, form) | {"as_role": role.value}
    files = {"files": ("a.png", picture(), "image/png")} if form in {TakeIn.name, AddFile.name} else None
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', opened))
    page = await browser.post(path, data={**hidden, **given}, files=files)
    assert (page.status_code, 'name="send"' in page.text) == (200, True), page.text
    return sent_by(page.text, path)


def sent_by(page: str, path: str) -> dict[str, Any]:
    return next(one.fields for one in forms_of(path, page) if "send" in one.fields)


async def something_happens(scene: Scene, form: str) -> str:
    """Change what the *form* is about; what its page has to say of that."""
    if form == TakeIn.name:  # by when it is confirmed has passed
        real = scene.site.state.doors.clock
        scene.site.state.doors.clock = lambda: real() + timedelta(hours=2)
        await scene.pool.execute("update web.held_files set content = content, sha256 = $1", "0" * 64)
        return words("desk.form.changed_since", "en")
    if form == OpenIncident.name:
        other = new().fault.model_copy(update={"until": new().fault.until + timedelta(minutes=1)})
        opened = new().model_copy(update={"fault": other, "opened_by": Actor(id="h-9", role=Role.HANDLER)})
        await IncidentDesk(scene.pool).list(opened)
        return "New: " + words("desk.causes.incident_known", "en", reference=opened.reference)
    if form in INCIDENT_FORMS:
        how = EXAMPLES[Progress] | {"paused": not EXAMPLES[Progress]["paused"]}
        await scene.pool.execute("update casefile.incidents set progress = $1, revision = revision + 1", how)
        return words("desk.form.changed_since", "en")
    await scene.case_file.record(updating(scene.case, 2, noted("escalated", 9, text="given to h-99")))
    return "Since then: "


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_where_what_a_form_is_about_has_changed_it_says_so_and_sends_nothing_until_that_was_seen(
    scene: Scene, form: str
) -> None:
    path = scene.path(form)
    async with Browser(scene.site) as browser:
        await signed_in(browser, scene.site.state.doors, Staff(id="h-1", roles=BOTH))
        pressed, before = await checked(scene, browser, form), await scene.went()
        told = await something_happens(scene, form)
        again = await browser.post(path, data=pressed)
        assert (again.status_code, await scene.went() - before) == (200, 0), again.text
        assert words("desk.form.changed_since", "en") in again.text
        assert told in again.text
        sent = await browser.post(path, data=sent_by(again.text, path))
        assert (sent.status_code, await scene.went() - before > 0) == (303, True), sent.text


@pytest.mark.parametrize("form", ALL_FORMS)
async def test_who_acts_is_looked_at_again_when_a_form_is_sent(scene: Scene, form: str) -> None:
    async with Browser(scene.site) as browser:
        doors, path = scene.site.state.doors, scene.path(form)
        await signed_in(browser, doors, Staff(id="h-1", roles=BOTH))
        pressed, before = await checked(scene, browser, form, Role.TEAM_LEAD), await scene.went()
        await signed_in(browser, doors, Staff(id="h-1", roles=(Role.HANDLER,)))  # team lead no more
        token = re.search(r'name="form_token" value="(\w+)"', (await browser.get("/desk/inbox")).text)
        assert token
        again = await browser.post(path, data={**pressed, "form_token": token[1]})
        if again.status_code == 200:
            assert words("desk.form.is_gone", "en", what="By h-1, team lead") in again.text
        assert (again.status_code in {200, 422}, await scene.went() - before) == (True, 0), again.text


@pytest.mark.parametrize("form", [name for name in ALL_FORMS if name not in {TakeIn.name, OpenIncident.name}])
async def test_what_is_refused_by_the_time_it_is_sent_is_said_at_the_form_and_nothing_goes(
    scene: Scene, form: str
) -> None:
    async with Browser(scene.site) as browser:
        await signed_in(browser, scene.site.state.doors, Staff(id="h-1", roles=BOTH))
        pressed, before = await checked(scene, browser, form), await scene.went()
        scene.heard.refuses = True
        refused = await browser.post(scene.path(form), data=pressed)
        assert (refused.status_code, await scene.went() - before) == (422, 0), refused.text
        assert "the case is closed" in refused.text


@pytest.mark.parametrize("form", [name for name in ALL_FORMS if name not in NEVER_REFUSED])
async def test_where_no_worker_says_whether_it_is_refused_the_page_tells_that_and_it_can_be_sent(
    scene: Scene, form: str
) -> None:
    scene.heard.silent = True
    path, told = scene.path(form), words("desk.form.unforeseen", "en")
    async with Browser(scene.site) as browser:
        await signed_in(browser, scene.site.state.doors, Staff(id="h-1", roles=BOTH))
        pressed, before = await checked(scene, browser, form), await scene.went()
        await something_happens(scene, form)
        again = await browser.post(path, data=pressed)
        assert told in again.text
        sent = await browser.post(path, data=sent_by(again.text, path))
        assert (sent.status_code, await scene.went() - before > 0) == (303, True), sent.text
        scene.heard.silent = False
        assert told not in (await browser.post(path, data={**pressed, "send": ""})).text


async def test_a_form_whose_case_does_not_answer_says_whether_anything_was_sent(scene: Scene) -> None:
    path = scene.path("request_information")
    async with Browser(scene.site) as browser:
        await signed_in(browser, scene.site.state.doors, Staff(id="h-1", roles=BOTH))
        pressed = await checked(scene, browser, "request_information")
        scene.heard.away = True
        asked = await browser.send_form(path, None, questions="When was it?")
        sent = await browser.post(path, data=pressed)
    assert "Nothing was sent." in asked.text
    assert "Nothing was sent." not in sent.text
    assert words("desk.wrong.away", "en") in sent.text


SEEN: Final = Sight(
    OpenIncident(message_id="1", actor=Actor(id="h-1", role=Role.HANDLER), **new().fault.model_dump()),
    Actor(id="h-1", role=Role.HANDLER),
    ["It goes to a second person (approver)."],
    "7",
)


@pytest.mark.parametrize(
    "other",
    [
        SEEN._replace(said=SEEN.said.model_copy(update={"per_minute": 61})),
        SEEN._replace(by=Actor(id="h-1", role=Role.APPROVER)),
        SEEN._replace(causes=["It goes to a second person (compliance officer)."]),
        SEEN._replace(mark="8"),
        SEEN._replace(files=[SimpleNamespace(sha256="0" * 64)]),  # type: ignore[list-item]
    ],
    ids=["what was typed", "who acts", "what it causes", "what it is about", "what goes with it"],
)
def test_whatever_is_another_on_a_check_page_makes_it_another_page(other: Sight) -> None:
    assert other.digest != SEEN.digest
    again = SEEN._replace(said=SEEN.said.model_copy(update={"message_id": "2"}))
    assert again.digest == SEEN.digest, "the same, on a form that was opened anew"


def test_there_is_one_way_only_by_which_a_form_of_the_desk_is_sent() -> None:
    asked = {path.name for path in Path("web/desk").glob("*.py") if '"send"' in path.read_text("utf-8")}
    assert asked <= {"forms.py", "refusals.py"}
    assert '"check.html"' not in "".join(
        path.read_text("utf-8") for path in Path("web/desk").glob("*.py") if path.name != "forms.py"
    )
