"""How a page is registered, and what stands before it: who may use it, and that a form is the visitor's own."""

import functools
from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeVar
from urllib.parse import quote

import structlog
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.ground.people import Actor
from domain.keys.scopes import cases_of, of_persons
from runtime.database import OUTAGES, UNFIT
from runtime.files import MOST
from runtime.keys.columns import noting_opened
from runtime.postgres import DatabaseUnavailable
from starter.reading.accesses import Access, Means, note_access
from starter.reading.theirs import is_theirs
from web import drafts
from web.adding import add_files, place_of
from web.doors import Doors
from web.permissions import Kind, Permission, declare
from web.security import TooLarge
from web.visit import Visit, language_of, local
from web.visits import Customer, Session, Staff, asks_by_itself, is_earlier_token, is_form_token, session_of, set_cookie

Handler = Callable[[Visit], Awaitable[Response]]
H = TypeVar("H", bound=Handler)
T = TypeVar("T")

FORM_TOKEN: Final = "form_token"  # noqa: S105 (the name of a field)
BACK: Final = "back"
"""Field of a form that names the page it is on; there a visitor returns who had to sign in first."""

_FILES_AT_ONCE: Final = 5 * MOST
"""More than may be added, so that whoever chooses too many is told how many they may."""
_FIELDS_AT_ONCE: Final = 200
_LONGEST_FIELD: Final = 200_000  # bytes

_SIGN_IN: Final = {Kind.CUSTOMER: "/sign-in", Kind.STAFF: "/desk/sign-on"}
_AWAY: Final = (DatabaseUnavailable, *OUTAGES)


class NotFound(Exception):
    """There is no such page for this visitor, whether it is there for others or not."""


class Pages:
    """The routes of one area of the site.

        pages = Pages("/desk")

        @pages.get("/inbox", staff())
        async def inbox(visit: Visit) -> Response:
            return visit.page("desk/inbox.html", rows=...)

    A route that changes something takes POST: no link does anything.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.routes: list[Route] = []

    def get(self, path: str, who: Permission) -> Callable[[H], H]:
        """Register a page that is looked at."""
        return self._register(path, who, "GET")

    def post(self, path: str, who: Permission) -> Callable[[H], H]:
        """Register what a form is sent to. The form carries ``form_token`` (the macro ``token()`` writes it)."""
        return self._register(path, who, "POST")

    def _register(self, path: str, who: Permission, method: str) -> Callable[[H], H]:
        def register(handler: H) -> H:
            endpoint = declare(functools.partial(_answer, handler, who, self._prefix + path), who)
            route = Route(self._prefix + path, endpoint, methods=[method], name=handler.__name__)
            wider = (place for place, one in enumerate(self.routes) if one.path_regex.match(route.path))
            self.routes.insert(next(wider, len(self.routes)), route)  # whatever module is read first
            return handler

        return register


async def _answer(handler: Handler, who: Permission, route: str, request: Request) -> Response:
    doors: Doors = request.app.state.doors
    request.state.route = route
    visit = visit_of(request)
    try:
        visit.session = await session_of(request, doors)
        response = await _before(visit, who)
        if response is None:
            with noting_opened() as opened:
                response = await handler(visit)
            await _note(visit, who, response, opened)
    except (NotFound, *UNFIT):  # what the database cannot be asked for is not there
        response = visit.error(404)
    except TooLarge:
        response = visit.error(413)
    except _AWAY as error:
        structlog.get_logger("web").warning("database away", error=type(error).__name__)
        response = visit.error(503)
    finally:
        await visit.form.close()
    if visit.session.unsaved:
        set_cookie(response, visit.session, doors)
    return response


async def _note(visit: Visit, who: Permission, response: Response, opened: Collection[str]) -> None:
    """Write into the access log what of which cases somebody who works here is about to see.

    What was *opened* for the page counts as seen: a page that says nothing of it is in the log as well.
    """
    shows = response.status_code in _SHOWN and response.media_type != _EVENTS
    if who.kind is Kind.STAFF and shows and (visit.seen or of_persons(opened)):
        actor = Actor(id=visit.staff.id, role=visit.staff.roles[0])
        what = f"{visit.request.method} {visit.request.state.route}"
        seen = [*visit.seen, *cases_of(opened)]
        await note_access(visit.doors.pool, Access(str(actor), Means.PAGES, what, seen))


_SHOWN: Final = frozenset({200, 422})
_EVENTS: Final = "text/event-stream"  # they say that something changed, not what


async def error_page(request: Request, status: int) -> Response:
    """The page for what went wrong where no page was found, for whoever asks: its forms are theirs."""
    doors: Doors = request.app.state.doors
    visit = visit_of(request)
    try:
        visit.session = await session_of(request, doors)
    except _AWAY:
        return visit.error(status)
    response = visit.error(status)
    if visit.session.unsaved:
        set_cookie(response, visit.session, doors)
    return response


def visit_of(request: Request) -> Visit:
    """A visit of nobody in particular, for pages that are shown before it is known who asks."""
    doors: Doors = request.app.state.doors
    return Visit(request, doors, Session(""), language_of(request, doors.settings.default_language))


async def _before(visit: Visit, who: Permission) -> Response | None:
    """What is answered in place of the page; None if nothing stands against it."""
    if visit.request.method == "POST":
        try:
            sent = await visit.request.form(
                max_files=_FILES_AT_ONCE, max_fields=_FIELDS_AT_ONCE, max_part_size=_LONGEST_FIELD
            )
            visit.form = FormData([(_whole(name), _whole(value)) for name, value in sent.multi_items()])
        except HTTPException:
            return visit.error(413)
        except UnicodeError:  # an encoding by which nobody reads a form
            return visit.error(403)
        token = visit.text(FORM_TOKEN) or visit.request.headers.get("x-form-token", "")
        if not is_form_token(token, visit.session, visit.doors):
            if who.kind in _SIGN_IN and is_earlier_token(token, visit.session, visit.doors):
                return await _shown_again(visit, who)
            return visit.error(403)
    if who.kind in _SIGN_IN and not _signed_in(visit, who):
        return await _to_sign_in(visit, who)
    await _admit(visit, who)
    return None


def _whole(value: T) -> T | str:
    """*value*; of a text half characters are replaced, which nothing can write down: senders may name odd encodings."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _signed_in(visit: Visit, who: Permission) -> bool:
    return isinstance(visit.person, Customer if who.kind is Kind.CUSTOMER else Staff)


async def _to_sign_in(visit: Visit, who: Permission) -> Response:
    back = visit.here
    if asks_by_itself(visit.request):
        # A page that asks by itself stays as it is, with what is being typed there: sending that leads to the sign-in.
        return Response(status_code=401)
    if visit.request.method == "POST":
        await _keep_typed(visit)
        back = local(visit.text(BACK))
    return visit.redirect(f"{_SIGN_IN[who.kind]}?next={quote(back)}")


async def _shown_again(visit: Visit, who: Permission) -> Response:
    """The form once more with what was typed, of a page from before somebody signed in."""
    if not _signed_in(visit, who):
        return await _to_sign_in(visit, who)
    await _admit(visit, who)
    await _keep_typed(visit)
    return visit.redirect(local(visit.text(BACK)))


async def _keep_typed(visit: Visit) -> None:
    typed: dict[str, str | list[str]] = {}
    for name in visit.form.keys() - {FORM_TOKEN, BACK}:
        if values := [value for value in visit.form.getlist(name) if isinstance(value, str)]:
            typed[name] = values if len(values) > 1 else values[0]  # several boxes may be ticked
    await drafts.keep(visit.doors, visit.session, visit.request.url.path, typed)
    await add_files(visit, place_of(visit))


async def _admit(visit: Visit, who: Permission) -> None:
    """Raise `NotFound` for what is not this person's: whoever guesses addresses learns nothing."""
    if who.kind is Kind.STAFF and who.roles and who.roles.isdisjoint(visit.staff.roles):
        raise NotFound
    if who.kind is Kind.CUSTOMER and "reference" in visit.path:
        pool, reference, address = visit.doors.pool, visit.path["reference"], visit.customer.address
        if not await is_theirs(pool, reference, address, visit.doors.keyed("sender", address)):
            raise NotFound
