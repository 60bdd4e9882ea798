"""The two pages of every form of the desk: what it asks for, and what it will cause, shown before it counts."""

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from starlette.responses import Response

from domain.case.messages.signals import CustomerReply
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.intake.received import File
from runtime.files import MOST
from starter.client.conversation import NotAnswered
from web import drafts, held
from web.desk.frame import shown
from web.desk.sentences import line_of, spoken, who
from web.desk.widgets import Widget, kind_of, widgets
from web.visit import FieldError, Visit

TOLD: Final = "desk.told"
"""Where it is kept what the page says that a form leads back to."""
OURS: Final = frozenset({"form_token", "back", "send", "mark", "message_id", "about", "shown", "last"})
"""What the pages themselves say with a form: no message has a field of such a name."""


class Home(NamedTuple):
    """The page that a form belongs to, and what that is called."""

    path: str
    name: str


class Sight(NamedTuple):
    """What a check page shows: what was typed, as it was read, what that will cause, and by what it was looked at."""

    said: BaseModel
    """With what it names that nobody types, as the proposal that is decided about."""
    by: Actor
    causes: Sequence[str]
    mark: str = ""
    """Changes whenever that changes for which it is shown."""
    entries: Sequence[Entry] = ()
    """What has happened to it so far."""
    files: Sequence[File] = ()

    @property
    def digest(self) -> str:
        """Tells apart what check pages show. What is sent is what the last one showed, or nothing."""
        told = self.said.model_dump(mode="json", exclude={"message_id"})
        looked_at = [told, str(self.by), [*self.causes], self.mark, sorted(one.sha256 for one in self.files)]
        return hashlib.sha256(json.dumps(looked_at, sort_keys=True).encode()).hexdigest()[:24]


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


def sends(visit: Visit) -> bool:
    """Whether the button of a check page was pressed."""
    return visit.text("send") == "yes"


async def sent_or_shown(
    visit: Visit,
    kind: type[BaseModel],
    home: Home,
    sight: Sight,
    send: Callable[[], Awaitable[Response]],
    *,
    message_id: str,
    foresee: Callable[[], Awaitable[bool]] | None = None,
    foreseen: bool = True,
    **more: Any,
) -> Response:
    """The one way by which what was typed is sent: once a page showed just what it comes to now.

    Where that has changed since, nothing is sent, and the page says what is new and what holds no longer. What would be
    refused is not shown: *foresee* raises why, and is false where nobody says whether it would be, as whoever asked
    before says with *foreseen*; the page tells that. Of what is sent, whoever hears it says so.
    """
    if sends(visit) and visit.text("about") == sight.digest:
        return await send()
    if sends(visit) and foresee:  # else it was asked before what it causes was looked for
        foreseen = await foresee()
    return _check_page(visit, kind, home, sight, message_id=message_id, foreseen=foreseen, **more)


async def answered(asked: Awaitable[None]) -> bool:
    """Whether somebody said that what is *asked* about is not refused, which a stopped worker does not. Raises why."""
    try:
        await asked
    except NotAnswered:
        return False
    return True


def _check_page(
    visit: Visit, kind: type[BaseModel], home: Home, sight: Sight, *, message_id: str, **more: Any
) -> Response:
    """What was typed, and what it will cause; where that was sent already, what has changed since it was shown."""
    acts = visit.t("frame.then").join((sight.by.id, spoken(visit, sight.by.role)))
    shown_now = [*sight.causes, visit.t("desk.form.acts", who=acts), *(one.title for one in sight.files)]
    usual: dict[str, Any] = {"said": lambda one: said(visit, one), "changed": False}
    return shown(
        visit,
        "check.html",
        kind=kind,
        home=home.path,
        named=home.name,
        asked=[one for one in widgets(kind) if said(visit, one)],
        causes=sight.causes,
        acts=acts,
        about=sight.digest,
        mark=sight.mark,
        last=sight.entries[-1].key if sight.entries else "",
        shown=shown_now,
        news=_news(visit, sight, shown_now) if sends(visit) else None,
        message_id=message_id,
        typed=typed_pairs(visit),
        files=sight.files,
        **usual | more,
    )


def _news(visit: Visit, sight: Sight, shown_now: Sequence[str]) -> list[str]:
    """What is not as it was shown when it was sent: what is new, what holds no longer, what happened in between."""
    before = [" ".join(one.split()) for one in visit.form.getlist("shown") if isinstance(one, str)]
    now = [" ".join(one.split()) for one in shown_now]
    told = [visit.t("desk.form.is_new", what=one) for one in now if one not in before]
    told += [visit.t("desk.form.is_gone", what=one) for one in before if one not in now]
    keys = [one.key for one in sight.entries]
    after = keys.index(visit.text("last")) + 1 if visit.text("last") in keys else len(keys)
    return told + [_happened(visit, one) for one in sight.entries[after:]]


def _happened(visit: Visit, entry: Entry) -> str:
    """A line of the timeline."""
    what = spoken(visit, entry.text, "intent") if entry.kind == CustomerReply.name else line_of(visit, entry)
    parts = (spoken(visit, entry.kind, "Entry"), what, who(visit, entry.actor))
    return visit.t("desk.form.happened", what=visit.t("frame.then").join(dict.fromkeys(parts)))


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
