"""The two pages of every form of the desk: what it asks for, and what it will cause, shown before it counts."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from starlette.responses import Response

from domain.ground.people import Actor
from runtime.files import MOST
from web import drafts, held
from web.desk.frame import shown
from web.desk.sentences import spoken
from web.desk.widgets import Widget, kind_of, widgets
from web.visit import FieldError, Visit

TOLD: Final = "desk.told"
"""Where it is kept what the page says that a form leads back to."""
OURS: Final = frozenset({"form_token", "back", "send", "mark", "message_id", "about"})
"""What the pages themselves say with a form: no message has a field of such a name."""


class Home(NamedTuple):
    """The page that a form belongs to, and what that is called."""

    path: str
    name: str


def id_of_the_form(visit: Visit, given: Mapping[str, Any] | None = None) -> str:
    """The id that the form was given, as it was sent or *given* back; another where it is none of ours."""
    try:
        return str(uuid.UUID(str((given or {}).get("message_id", "")) or visit.text("message_id")))
    except ValueError:
        return str(uuid.uuid4())


def form_page(
    visit: Visit,
    kind: type[BaseModel],
    home: Home,
    given: Mapping[str, Any],
    message_id: str,
    *,
    errors: Sequence[FieldError] = (),
    **more: Any,
) -> Response:
    """What the form asks for, with what is *given* already."""
    usual: dict[str, Any] = {"choices": {}, "offered": (), "mark": ""}
    return shown(
        visit,
        "form.html",
        kind=kind,
        home=home.path,
        named=home.name,
        asked=widgets(kind),
        given=given,
        message_id=message_id,
        errors=errors,
        **usual | more,
    )


def check_page(
    visit: Visit, kind: type[BaseModel], home: Home, message_id: str, *, by: Actor, causes: Sequence[str], **more: Any
) -> Response:
    """What was typed, and what it will cause."""
    usual: dict[str, Any] = {"said": lambda one: said(visit, one), "about": "", "mark": "", "changed": False}
    return shown(
        visit,
        "check.html",
        kind=kind,
        home=home.path,
        named=home.name,
        asked=[one for one in widgets(kind) if said(visit, one)],
        causes=causes,
        by=by,
        message_id=message_id,
        typed=typed_pairs(visit),
        **usual | more,
    )


async def done_page(visit: Visit, home: str, told: str, *, key: str = "") -> Response:
    """Back to the page that the form belongs to, which says what was done; *key* is under what it looks for that."""
    await drafts.drop(visit.doors, visit.session, visit.request.url.path)
    await drafts.keep(visit.doors, visit.session, TOLD, {key or home: told})
    return visit.redirect(home)


async def files_of(visit: Visit, place: str) -> dict[str, Any]:
    """What a form shows with which files go: those that were chosen at *place* already."""
    return {"files": await held.files(visit.doors, visit.session, place), "most_files": MOST}


def typed_pairs(visit: Visit) -> list[tuple[str, str]]:
    """What was typed, to be sent again once it was seen what it causes."""
    return [(name, value) for name, value in visit.form.multi_items() if name not in OURS and isinstance(value, str)]


def typed(visit: Visit) -> dict[str, Any]:
    """What was typed, to be shown in the form again."""
    return {name: visit.form.getlist(name) for name in visit.form if name not in OURS}


def said(visit: Visit, widget: Widget) -> str:
    """What was typed into a field, as people read it: what counts of it, where somebody sent it twice."""
    sent = [one for one in visit.form.getlist(widget.name) if isinstance(one, str)]
    values = [one.strip() for one in (sent if widget.control == "ticks" else sent[-1:]) if one.strip()]
    if widget.control == "yes":
        return visit.t("frame.and").join(visit.t(f"desk.{value}") for value in values)
    if not widget.choices:
        return "\n".join(values)
    words = {getattr(one, "value", one): one for one in widget.choices}
    return visit.t("frame.and").join(spoken(visit, words.get(value, value), kind_of(widget)) for value in values)
