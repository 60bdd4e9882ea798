"""One request as a page sees it: who asks, in which language, what was sent, and how to answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from web.doors import Doors
from web.rendering import environment
from web.visits import Customer, Person, Session, Staff, form_token
from web.words import LANGUAGES, all_words, words

LANGUAGE_COOKIE: Final = "language"


class FieldError(NamedTuple):
    """What is wrong with a field: its name in the form, and the key of the words that say what to do.

    Where those do not say which field they are about, it is what the field is *called*.
    """

    field: str
    key: str
    facts: Mapping[str, Any] = {}
    called: str = ""


@dataclass
class Visit:
    """What a page is given, and what it answers with."""

    request: Request
    doors: Doors
    session: Session
    language: str
    form: FormData = field(default_factory=FormData)
    seen: list[str] = field(default_factory=list)
    """The cases and incidents whose data the answer shows to somebody who works here."""

    @property
    def person(self) -> Person | None:
        """Who signed in."""
        return self.session.person

    @property
    def customer(self) -> Customer:
        """The customer; for routes that are for customers only."""
        assert isinstance(self.person, Customer)  # noqa: S101 (the permission of the route)
        return self.person

    @property
    def staff(self) -> Staff:
        """Who works here; for routes that are for staff only."""
        assert isinstance(self.person, Staff)  # noqa: S101 (the permission of the route)
        return self.person

    @property
    def path(self) -> Mapping[str, str]:
        """The parts of the path that vary."""
        return self.request.path_params

    @property
    def here(self) -> str:
        """The address of the page that is shown: where a form is answered, the one that the form is on."""
        url = self.request.url
        if self.request.method == "GET":
            return f"{url.path}?{url.query}" if url.query else url.path
        asked = {"type": "http", "method": "GET", "path": url.path}
        is_page = any(route.matches(asked)[0] is Match.FULL for route in self.request.app.routes)
        return self.text("back") or (url.path if is_page else "/")

    @property
    def now(self) -> datetime:
        """This moment, in UTC."""
        return self.doors.clock()

    def text(self, name: str) -> str:
        """What was typed into the field *name*, without spaces around it; nothing if it is not there."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def files(self, name: str) -> list[UploadFile]:
        """The files chosen in the field *name*."""
        return [each for each in self.form.getlist(name) if isinstance(each, UploadFile) and each.filename]

    def t(self, key: str, /, **facts: Any) -> str:
        """The words under *key* in the visitor's language."""
        return words(key, self.language, **facts)

    def html(self, key: str, /, **facts: Any) -> Markup:
        """As `t`, where the words themselves hold markup; facts are escaped."""
        return Markup(words(key, self.language)).format(  # noqa: S704 (ours, from the tables)
            **{name: escape(value) for name, value in facts.items()}
        )

    def has(self, key: str) -> bool:
        """Whether there are words under *key*."""
        return key in all_words()

    def page(
        self, template: str, /, *, status: int = 200, errors: Sequence[FieldError] = (), **context: Any
    ) -> HTMLResponse:
        """The page that *template* makes of *context*; with *errors* it answers 422: the form has to be mended."""
        text = (
            environment()
            .get_template(template)
            .render(
                visit=self,
                t=self.t,
                html=self.html,
                language=self.language,
                other_language=next(each for each in LANGUAGES if each != self.language),
                csrf=form_token(self.session, self.doors),
                errors=self._told(errors),
                listed=[(each.field, self._summed(each)) for each in errors],
                **context,
            )
        )
        return HTMLResponse(text, status_code=422 if errors and status == 200 else status)

    def _told(self, errors: Sequence[FieldError]) -> Mapping[str, Markup]:
        """What is wrong with each field: all of it, as of several files that were chosen, a line each."""
        told: dict[str, list[str]] = {}
        for each in errors:
            told.setdefault(each.field, []).append(self.t(each.key, **each.facts))
        return {name: Markup("<br>").join(lines) for name, lines in told.items()}

    def _summed(self, error: FieldError) -> str:
        """What is wrong, as it stands above the form, far from its field."""
        said = self.t(error.key, **error.facts)
        between = "：" if self.language == "zh-CN" else ": "
        return f"{error.called}{between}{said}" if error.called else said

    def redirect(self, path: str) -> Response:
        """Send the browser on to *path* of ours, with a GET. Other sites are never gone to."""
        return RedirectResponse(local(path), status_code=303)

    def error(self, status: int) -> HTMLResponse:
        """The page for what went wrong, in plain words: at the desk with the ways that the desk has."""
        known = f"error.{status}.title" in all_words()
        at_the_desk = f"{self.request.url.path}/".startswith("/desk/")
        template = "desk/error.html" if at_the_desk else "error.html"
        return self.page(template, status=status, kind=str(status) if known else "500")


def local(path: str, otherwise: str = "/") -> str:
    """*path* if it is one of this site, else *otherwise*."""
    return path if re.fullmatch(r"/([^/\\].*)?", path) and path.isprintable() else otherwise


def language_of(request: Request, default: str) -> str:
    """What the visitor chose, else the first of ours that their browser asks for, else *default*."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return default
