"""Whatever is posted to a form is answered: no page fails, a refusal names a field in the language of the page, and
nothing is half written.

Every form of every page is posted to as often as ``FUZZ_ROUNDS`` says (once); ``FUZZ_SEED`` makes other posts.
"""

import html
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Match

from domain.ground.words import Role
from domain.incidents.progress import Progress
from domain.people.recusal import Why
from runtime.connection import TemporalUnavailable
from runtime.database import Pool
from runtime.files import harmless
from starter.client.articles import Articles
from starter.client.directory import People
from starter.client.examples import EXAMPLES
from tests.case.support import OPENED_AT, keeping
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk as IncidentDesk
from tests.learning.test_articles import LATE, NEXT_YEAR, WRITER, answered, worded
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, opened_as, updating
from tests.people.test_recusal_of_money import keep_out
from tests.signing import signed, the_issuer
from tests.web.conftest import Browser, doors_over, session_in, signed_in
from tests.web.fuzzing import Form, Fuzz, encoded, forms_of
from tests.web.test_mine import HAN, LI, case_of
from tests.web.test_refusals import ENGLISH
from web import drafts
from web.app import AREAS, create_app
from web.desk.acting import FORMS
from web.desk.incidents import FORMS as INCIDENT_FORMS
from web.doors import Doors
from web.held import hold
from web.portal.answers import FIELDS, QUESTIONS
from web.visits import Person, Staff

ROUNDS: Final = int(os.environ.get("FUZZ_ROUNDS", "1"))
SEED: Final = int(os.environ.get("FUZZ_SEED", "15"))
PERIOD: Final = "2026-10"
TEAMS: Final = ("dealing", "payments", "accounts", "conduct", "customer-care")
APART: Final = ("/desk/sign-off", "/sign-out")
"""Forms after which nobody is signed in."""


ANSWERED: Final = {
    **dict.fromkeys(FIELDS, ""),
    **{"description": "So it was.", "remedy": "apology", "name": "Li Lei", "email": LI.address},
}


class Taking:
    """Cases and incidents that take whatever they are told, or cannot be reached."""

    away = False

    async def foresee(self, known: str, message: Any) -> None:
        if self.away:
            raise TemporalUnavailable("Temporal is down")

    async def send(self, known: str, message: Any) -> Any:
        await self.foresee(known, message)
        return SimpleNamespace(noted="done")

    async def open(self, incident: Any) -> Any:
        await self.foresee("", incident)
        return SimpleNamespace(reference=new().reference, already_known=False)

    async def status(self, known: str) -> Any:
        raise TemporalUnavailable("Temporal is down")


@dataclass
class Scene:
    """The site over a record with something of everything, and whom its forms are posted by."""

    site: FastAPI
    fuzz: Fuzz
    pages: list[str]
    taking: Taking
    reached: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    counted: list[Any] = field(default_factory=list)
    """The rows of the record after the last post."""

    @property
    def doors(self) -> Doors:
        doors: Doors = self.site.state.doors
        return doors

    async def rows(self) -> list[Any]:
        """How many rows the tables of the record have, but for who looked."""
        return [tuple(row) for row in await self.doors.pool.fetch(await _counting(self.doors.pool))]


async def _counting(pool: Pool) -> str:
    tables = await pool.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname in ('casefile', 'intake', 'payments', 'reporting', 'tradelog') order by 1"
    )
    counted = (f"select '{row['name']}', count(*) from {row['name']}" for row in tables)  # noqa: S608 (our tables)
    # Several processes of PostgreSQL may count, and answer in any order.
    return " union all ".join(one for one in counted if "casefile.accesses" not in one) + " order by 1"


@pytest.fixture
async def scene(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    people = [person("h-1", names=["Jane Doe"]), person("h-2"), person("a-3", "approver")]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    theirs, other = await case_of(pool, tmp_path, LI, "1"), await case_of(pool, tmp_path, HAN, "2")
    case_file = keeping(pool)
    asked, _ = await opened_as(case_file, description="My stop loss was filled at a wrong price.")
    task = {"number": 7, "kind": "consult", "role": "handler", "what": "Was the notice in time?"}
    proposed: Any = {
        "round": 1,
        "outcome": "upheld",
        "compensation": {"amount": "10", "currency": "USD"},
        "reasons": "So.",
    }
    entries = [
        noted("task_given", 7).model_copy(update={"data": task, "journal": 7}),
        noted("propose_resolution", 8, **proposed).model_copy(update={"journal": 8}),
    ]
    await case_file.record(updating(asked, 1, *entries))
    await pool.execute(
        "insert into casefile.reviews (reference, period, step, by, reviewer, data, at, due)"
        " values ($1, $2, 'drawn', 'system:redress', 'a-3', $3, now(), now())",
        *(asked, PERIOD, {"stratum": "upheld"}),
    )
    hidden, _ = await opened_as(case_file, "2", description="Another matter.", account="70019999")
    await keep_out(pool, hidden, "h-2", Why.NAMED)
    await answered(pool, 1, 2, 3)
    await Articles(pool, signed).write("FAQ-LATE", LATE, [worded()], owner="h-17", until=NEXT_YEAR, by=WRITER)
    await bad_minute(pool)
    await IncidentDesk(pool).list(new())
    await pool.execute("update casefile.incidents set progress = $1, revision = revision + 1", EXAMPLES[Progress])
    site, taking = create_app(doors_over(pool, outbox_dir=tmp_path / "outbox", desk_sign_on="directory")), Taking()
    have_taken(site.state.doors, taking, monkeypatch)
    fuzz = Fuzz(SEED, (theirs, other, asked, hidden, new().reference, "FAQ-LATE", LI.address))
    return Scene(site, fuzz, [*_of_the_desk(asked, hidden), *_of_customers(theirs, other)], taking)


def have_taken(doors: Doors, taking: Taking, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reached(*_: Any) -> Taking:
        return taking

    doors.kept["issuer"] = the_issuer()
    monkeypatch.setattr(doors, "spoken_for", reached)
    monkeypatch.setattr(doors, "temporal", reached)
    monkeypatch.setattr("web.desk.incidents._speaking", reached)
    monkeypatch.setattr("web.desk.opening.Incidents", lambda *_, **__: taking)


def _of_the_desk(asked: str, hidden: str) -> list[str]:
    case, incident = f"/desk/cases/{asked}", f"/desk/incidents/{new().reference}"
    pages = [f"{case}/do/{name}" for name in (*FORMS, "add_file")] + [
        f"{incident}/do/{name}" for name in INCIDENT_FORMS
    ]
    pages += [f"/desk/cases/{hidden}/do/assign", f"{case}/restrictions", "/desk/inbox/do/take_in", "/desk/faq"]
    pages += ["/desk/incidents/do/open_incident", f"/desk/reviews/{PERIOD}/{asked}", "/desk/sign-on", case]
    pages += ["/desk/inbox?view=all", "/desk/find?q=70012345", "/desk/deadlines", "/desk/reports", "/desk/incidents"]
    return [*pages, *(f"/desk/rules-{name}" for name in ("which", "due", "compare"))]


def _of_customers(theirs: str, other: str) -> list[str]:
    mine = [f"/mine/{theirs}?do={way}" for way in ("reply", "accept", "dispute", "rate", "channel", "withdraw")]
    asked = [f"/complain/{one.name}" for one in QUESTIONS]
    return [
        *mine,
        f"/mine/{other}",
        *asked,
        "/complain/check",
        "/complain",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/link/x",
    ]


ROLES: Final = [role for role in Role if role.is_staff and role is not Role.SYSTEM]
WORKERS: Final[list[Person]] = [
    *(Staff(id="h-2", name="h-2", roles=(role,)) for role in ROLES),
    Staff(id="a-3", name="a-3", roles=tuple(ROLES)),
]


async def test_whatever_is_posted_to_a_form_is_answered_and_a_refusal_writes_nothing(scene: Scene) -> None:
    scene.counted = await scene.rows()
    for number in range(ROUNDS):
        once: set[str] = set()
        for page in scene.pages:
            who = LI if page.startswith("/mine") else scene.fuzz.chosen(WORKERS) if "/desk" in page else None
            async with Browser(scene.site, "en" if number % 4 == 3 else "zh-CN") as browser:
                if who:
                    await signed_in(browser, scene.doors, who)
                elif "/complain" in page:
                    await _has_answered(browser, scene.doors)
                await _post_to_all(browser, scene, page, once)
    print(sum(scene.answers.values()), "posts were answered by", dict(scene.answers))
    assert not scene.wrong, "\n".join(f"{fault}\n    {post}" for fault, post in scene.wrong.items())
    changing = {route.path for area in AREAS for route in area.routes if "POST" in (route.methods or ())}
    assert changing - scene.reached - set(APART) == set()


async def _has_answered(browser: Browser, doors: Doors) -> None:
    """A visitor who has answered all questions, and chosen a file."""
    await browser.get("/")
    session = session_in(browser, doors)
    await drafts.keep(doors, session, "complaint", {"draft": "a", **ANSWERED})
    await hold(doors, session, "complaint", harmless("a.txt", b"What they wrote.", str))


async def _post_to_all(browser: Browser, scene: Scene, page: str, once: set[str]) -> None:
    """Post to the forms of *page*, but for those of every page that were posted to already."""
    shown = await browser.get(page)
    if shown.status_code >= 500:
        scene.wrong.setdefault(f"GET {page} is {shown.status_code}", "")
    own = page.partition("?")[0]
    for form in forms_of(page, shown.text):
        if form.action in APART or (form.action in once and form.action != own):
            continue
        once.add(form.action)
        scene.taking.away = scene.fuzz.chosen((True, False, False, False))
        answer = await _send(browser, scene, form, {})
        if form.action == own and 'name="send"' in answer.text:
            (seen, *_) = [one for one in forms_of(page, answer.text) if "send" in one.fields]
            seen.multipart = form.multipart
            await _send(browser, scene, seen, {name: values[-1] for name, values in seen.fields.items()})
        elif form.method == "post":
            await _send(browser, scene, replace(form, action=scene.fuzz.elsewhere(form.action)), {})


async def _send(browser: Browser, scene: Scene, form: Form, kept: dict[str, str]) -> httpx.Response:
    """Send *form* with what is *kept* of it, and see how that is answered."""
    token = {name: values[0] for name, values in form.fields.items() if name == "form_token"}
    pairs = scene.fuzz.pairs(form, token | kept)
    if form.method == "get":
        answer = await browser.get(form.action, params=httpx.QueryParams([_whole(*one) for one in pairs]))
    else:
        scene.reached.add(_route(scene.site, form.action))
        kind, content = encoded(pairs, scene.fuzz.files(form) if form.multipart else None)
        answer = await browser.post(form.action, content=content, headers={"content-type": kind})
    scene.answers[answer.status_code] += 1
    before, scene.counted = scene.counted, await scene.rows()
    for fault in _faults(form, answer, before, scene.counted):
        if fault not in scene.wrong:
            scene.wrong[fault] = repr(pairs)[:900]
            print(fault, scene.wrong[fault], sep="\n    ", flush=True)
    return answer


def _whole(name: str, text: str) -> tuple[str, str]:
    """What can stand in an address."""
    return name, text.encode(errors="replace").decode()[:2_000]


def _route(site: FastAPI, path: str) -> str:
    asked = {"type": "http", "method": "POST", "path": path}
    return next(getattr(route, "path", "") for route in site.routes if route.matches(asked)[0] is Match.FULL)


def _faults(form: Form, answer: httpx.Response, before: list[Any], after: list[Any]) -> Iterator[str]:
    where = f"{form.method} {form.action}"
    if answer.status_code >= 500:
        yield f"{where} is {answer.status_code}"
    if answer.status_code < 400:
        return
    if changed := [(one, two) for one, two in zip(before, after, strict=True) if one != two]:
        yield f"{where} is {answer.status_code} and has written: {changed}"
    if answer.status_code != 422:
        return
    problems = re.findall(r'<li><a href="#([^"]*)">(.*?)</a></li>', answer.text, re.DOTALL)
    if not problems:
        yield f"{where} is refused, and nobody is told why"
    for name, text in problems:
        said = html.unescape(text)
        if f'id="{name}"' not in answer.text:
            yield f"{where} names a field that is not there: {name}: {said[:200]}"
        if 'lang="zh-CN"' in answer.text[:300] and (ENGLISH.search(said) or not re.search("[一-鿿]", said)):
            yield f"{where} speaks English of {name}: {said[:200]}"
