"""The inbox: what is on somebody's desk, each case with the one next thing to do; and the search."""

import unicodedata
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response

from domain.ground.base import Instant, Record
from domain.ground.reference import INCIDENT, InvalidReference, parse_reference
from domain.ground.words import Category, Priority, SignKind, Stage
from domain.people.inbox import NextStep
from starter.reading.database import CaseNotFound, must_see
from starter.reading.inbox import read_refreshers
from starter.reading.search import search
from starter.reading.tasks import get_tasks
from starter.reading.worklist import Filters, Page, Place, View, count_worklist, most_counted, read_worklist
from web import drafts
from web.desk.forms import TOLD
from web.desk.frame import DESK, eyes, shown
from web.desk.tasks import form_of
from web.permissions import staff
from web.visit import Visit

_AT_ONCE: Final = 50
_FORMS: Final = {
    NextStep.TAKE: "assign",
    NextStep.HAND_ON: "assign",
    NextStep.DECIDE: "decide_resolution",
    NextStep.PROPOSE: "propose_resolution",
}
"""The form by which a next step is taken; the others are taken on the page of the case."""


@DESK.get("", staff())
async def desk(visit: Visit) -> Response:
    """Where somebody begins who works here."""
    return visit.redirect("/desk/inbox")


@DESK.get("/inbox", staff())
async def inbox(visit: Visit) -> Response:
    """Open cases, by next duty."""
    asked = visit.request.query_params
    view = View(asked["view"]) if asked.get("view") in set(View) else View.MINE
    filters, pool, after = _filters(visit), eyes(visit), _place(visit)
    page = await read_worklist(pool, visit.staff.id, view, visit.now, filters=filters, after=after, limit=_AT_ONCE)
    is_counted = view is View.APPROVAL and filters == Filters() and not after and most_counted(view) <= _AT_ONCE
    approval = len(page.items) if is_counted else None
    counts = await count_worklist(pool, visit.staff.id, visit.now, approval=approval)
    tasks = await get_tasks(pool, visit.now, owner=visit.staff.id, limit=_AT_ONCE) if view is View.MINE else []
    visit.seen += [one.reference for one in tasks if one.what]
    told = (await drafts.draft(visit.doors, visit.session, TOLD)).get(visit.request.url.path)
    if told:
        await drafts.drop(visit.doors, visit.session, TOLD)
    training = await read_refreshers(pool, visit.staff.id, visit.now) if view is View.MINE else []
    return shown(
        visit,
        "inbox.html",
        told=told,
        training=training,
        view=view,
        views=list(View),
        counts=counts,
        most_counted=most_counted,
        filters=filters,
        choices=_CHOICES,
        items=page.items,
        tasks=tasks,
        most=_AT_ONCE,
        form_of_task=form_of,
        further=_further(visit, page),
        to_view=lambda one: "/desk/inbox?" + urlencode({**_given(filters), "view": one.value}),
        form_of=lambda item: _FORMS.get(item.step),
    )


@DESK.get("/find", staff())
async def find(visit: Visit) -> Response:
    """A case or an incident by its reference; cases by words, name, account, address or telephone number."""
    wanted = visit.request.query_params.get("q", "").strip()[:200]
    asked = unicodedata.normalize("NFKC", wanted)
    try:
        if asked.upper().startswith(INCIDENT):
            return visit.redirect(f"/desk/incidents/{parse_reference(asked, prefix=INCIDENT)}")
        known = parse_reference(asked)
        await must_see(eyes(visit), known)
        return visit.redirect(f"/desk/cases/{known}")
    except (InvalidReference, CaseNotFound):
        found = await search(eyes(visit), wanted)
        visit.seen += [one.reference for one in found]
    return shown(visit, "find.html", wanted=wanted, found=found)


_CHOICES: Final[dict[str, Any]] = {"priority": Priority, "stage": Stage, "category": Category, "sign": SignKind}
_YES: Final = ("overdue", "breached")


def _filters(visit: Visit) -> Filters:
    """What the address asks for; what is no such word asks for nothing."""
    asked = visit.request.query_params
    given: dict[str, Any] = {name: asked[name] for name, words in _CHOICES.items() if asked.get(name) in set(words)}
    given |= dict.fromkeys((name for name in _YES if asked.get(name)), True)
    return Filters(**given)


def _given(filters: Filters) -> dict[str, str]:
    return {name: "yes" if value is True else str(value) for name, value in filters if value is not None}


class _Marked(Record):
    repeat: bool
    duty: Instant | None
    priority: str
    reference: str


def _place(visit: Visit) -> Place | None:
    text = visit.request.query_params.get("after")
    if not text:
        return None
    try:
        marked = _Marked.model_validate_json(text)
    except ValidationError:
        return None
    return Place(marked.repeat, marked.duty, marked.priority, marked.reference)


def _further(visit: Visit, page: Page) -> str | None:
    """The address of the page that follows."""
    if page.end is None:
        return None
    marked = _Marked(**page.end._asdict()).model_dump_json()
    kept = {name: value for name, value in visit.request.query_params.items() if name != "after"}
    return "/desk/inbox?" + urlencode({**kept, "after": marked})
