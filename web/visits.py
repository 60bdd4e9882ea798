"""Who looks at a page: a signed cookie with a random id, and behind it, once somebody signs in, a row.

The cookie alone is enough for forms (their tokens are derived from it); so whoever is not signed in costs no row, and
what was typed outlives a session. Signing in changes the id; the cookie keeps the one before, so that what was typed on
a page from before is not lost. Signing out forgets what was typed. The cookie also says whose the visitor's pages were
last, by a keyed hash: what was typed there since is that person's, and another who signs in begins with nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from domain.ground.base import Instant, Record
from domain.ground.words import Role
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_visits
from web.doors import Doors

COOKIE_LIFE: Final = timedelta(days=90)
IDLE: Final[dict[str, timedelta]] = {"customer": timedelta(hours=1), "staff": timedelta(hours=4)}
"""Somebody of whom nothing was heard for as long is signed out."""
LONGEST: Final[dict[str, timedelta]] = {"customer": timedelta(hours=12), "staff": timedelta(hours=12)}
_SEEN_AGAIN: Final = timedelta(minutes=1)  # how exactly it is known when somebody was last seen


class Customer(Record):
    """A customer who proved to receive what is sent to *address*."""

    kind: Literal["customer"] = "customer"
    address: str


class Staff(Record):
    """Somebody who works here: *id* as in actors, *name* to greet them, and what they may be."""

    kind: Literal["staff"] = "staff"
    id: str
    name: str = ""
    roles: tuple[Role, ...]


Person = Customer | Staff


class SignedIn(Record):
    """Who is signed in, and until when at most. It counts in the row of one visitor alone, and only as written here."""

    person: Person
    until: Instant


@dataclass
class Session:
    """A visitor: the id in their cookie, and who they are if they signed in."""

    id: str
    person: Person | None = None
    unsaved: bool = False
    """Whether the cookie has to be sent."""
    before: str = ""
    """The id before they signed in last."""
    whose: str = ""
    """Who signed in last, as a keyed hash, be it over since or not."""

    @property
    def row(self) -> bytes:
        """The key under which rows know this visitor: from it nobody makes a cookie."""
        return row_of(self.id)


def row_of(session_id: str) -> bytes:
    """The key of the rows of this visitor."""
    return hashlib.sha256(session_id.encode()).digest()


def cookie_name(doors: Doors) -> str:
    """Of the visitor's cookie: with TLS no other host can set it."""
    return "__Host-visit" if doors.secure else "visit"


def _serializer(doors: Doors) -> URLSafeSerializer:
    return URLSafeSerializer(doors.secret, salt="visit")


_KNOWN: Final = """
    select person, seen_at from web.sessions where id = $1 and expires_at > $2 and seen_at + idle > $2
"""
_SEEN: Final = "update web.sessions set seen_at = $2 where id = $1"


async def session_of(request: Request, doors: Doors) -> Session:
    """The visitor of *request*; a new one where the cookie is missing or not ours."""
    session, now = session_sealed(request.cookies.get(cookie_name(doors), ""), doors), doors.clock()
    if session is None:
        return Session(secrets.token_urlsafe(32), unsaved=True)
    row = await doors.pool.fetchrow(_KNOWN, session.row, now)
    if row and (signed_in := _signed_in(row["person"], session, doors)) and now < signed_in.until:
        session.person = signed_in.person
        if now - row["seen_at"] > _SEEN_AGAIN and not asks_by_itself(request):
            await doors.pool.execute(_SEEN, session.row, now)
    return session


def sealed_id(session: Session, doors: Doors) -> str:
    """The visitor's id as their cookie has it, signed."""
    return str(_serializer(doors).dumps(f"{session.id} {session.before} {session.whose}".strip()))


def session_sealed(text: str, doors: Doors) -> Session | None:
    """The visitor of a cookie with that *text*, nobody in particular yet; None where the cookie is not ours."""
    try:
        known = str(_serializer(doors).loads(text))
    except BadSignature:
        return None
    id_, before, whose = [*known.split(" "), "", ""][:3]
    return Session(id_, before=before, whose=whose)


def asks_by_itself(request: Request) -> bool:
    """Whether an open page asks, and nobody: who has gone is not kept signed in by it."""
    return "hx-request" in request.headers or request.headers.get("accept") == "text/event-stream"


def set_cookie(response: Response, session: Session, doors: Doors) -> None:
    """Have the visitor's browser keep the id."""
    response.set_cookie(
        cookie_name(doors),
        sealed_id(session, doors),
        max_age=int(COOKIE_LIFE.total_seconds()),
        secure=doors.secure,
        httponly=True,
        samesite="lax",
    )


_SIGN_IN: Final = """
    insert into web.sessions (id, person, created_at, seen_at, idle, expires_at) values ($1, $2, $3, $3, $4, $5)
"""
_SIGN_OUT: Final = "delete from web.sessions where id = $1"
_CLEAR: Final = "delete from web.sessions where expires_at < $1"
_FORGET_DRAFTS: Final = "delete from web.drafts where visitor = $1"
_FORGET_FILES: Final = "delete from web.held_files where visitor = $1"
_DRAFTS: Final = "select place, content from web.drafts where visitor = $1"
_MOVE_DRAFT: Final = "update web.drafts set visitor = $3, content = $4 where visitor = $1 and place = $2"
_FILES: Final = "select place, name from web.held_files where visitor = $1"
_FILE: Final = "select title, content from web.held_files where (visitor, place, name) = ($1, $2, $3)"
_MOVE_FILE: Final = """
    update web.held_files set visitor = $4, title = $5, content = $6 where (visitor, place, name) = ($1, $2, $3)
"""


async def sign_in(session: Session, person: Person, doors: Doors) -> None:
    """Make the visitor *person*, under a new id; what they had typed and chosen goes with them.

    What somebody else had typed who signed in before them is forgotten, and their pages are no longer those of this
    visitor.
    """
    old, now, whose = session.row, doors.clock(), _mark_of(person, doors)
    anothers = session.whose not in {"", whose}
    session.before, session.whose = "" if anothers else session.id, whose
    session.id, session.person, session.unsaved = secrets.token_urlsafe(32), person, True
    ends = now + LONGEST[person.kind]
    await doors.pool.execute(_CLEAR, now)
    await doors.pool.execute(_SIGN_OUT, old)
    if anothers:
        await _forget_typed(old, doors)
    await _take_along(old, session.row, doors)
    vouched = doors.vouched(_purpose(session), SignedIn(person=person, until=ends).model_dump_json())
    content = Row("web.sessions", scope_of_visits(now), session.row.hex())("person", vouched.encode())
    await doors.pool.execute(_SIGN_IN, session.row, content, now, IDLE[person.kind], ends)


async def _take_along(old: bytes, new: bytes, doors: Doors) -> None:
    """Make what was typed and chosen under the row *old* that of *new*, for which it is sealed anew: file by file."""
    scope, pool = scope_of_visits(doors.clock()), doors.pool
    for draft in await pool.fetch(_DRAFTS, old):
        row = Row("web.drafts", scope, f"{new.hex()}/{draft['place']}")
        await pool.execute(_MOVE_DRAFT, old, draft["place"], new, row("content", draft["content"]))
    for place, name in await pool.fetch(_FILES, old):
        if file := await pool.fetchrow(_FILE, old, place, name):
            row = Row("web.held_files", scope, f"{new.hex()}/{place}/{name}")
            anew = row("title", file["title"]), row("content", file["content"])
            await pool.execute(_MOVE_FILE, old, place, name, new, *anew)


def _purpose(session: Session) -> str:
    return f"session {session.row.hex()}"


def _signed_in(content: bytes, session: Session, doors: Doors) -> SignedIn | None:
    known = doors.proven(_purpose(session), content.decode(errors="replace"))
    return SignedIn.model_validate_json(known) if known else None


async def sign_out(session: Session, doors: Doors) -> None:
    """Forget who the visitor is, and what they had typed.

    They keep their id: what is still being typed on another page is kept when it is sent, until they sign in again.
    """
    await doors.pool.execute(_SIGN_OUT, session.row)
    await _forget_typed(session.row, doors)
    session.person = None


async def _forget_typed(row: bytes, doors: Doors) -> None:
    for forget in (_FORGET_DRAFTS, _FORGET_FILES):
        await doors.pool.execute(forget, row)


def _mark_of(person: Person, doors: Doors) -> str:
    """What tells whether two are the same person, and nothing of who it is."""
    return doors.keyed("person", person.address if isinstance(person, Customer) else f"{person.kind} {person.id}")[:32]


def form_token(session: Session, doors: Doors) -> str:
    """What every form of this visitor carries, so that no other site can send one in their name."""
    return doors.keyed("form", session.id)


def is_form_token(token: str, session: Session, doors: Doors) -> bool:
    """Whether *token* was given to this visitor."""
    return secrets.compare_digest(token.encode(), form_token(session, doors).encode())


def is_earlier_token(token: str, session: Session, doors: Doors) -> bool:
    """Whether *token* was given to this visitor before they signed in: nothing is done by it, but what was typed is
    kept.
    """
    return bool(session.before) and is_form_token(token, Session(session.before), doors)
