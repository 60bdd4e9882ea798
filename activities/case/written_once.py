"""What is written once under a key: the same again changes nothing, something else is kept beside it, and is heard of.

A workflow that was reset in Temporal lives a part of its life again and gives the same keys to what happens now.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from pydantic_core import to_json

from domain.case.approval import NotApproved, proven
from domain.case.file import Rejected
from domain.case.messages.table import BY_ANYBODY
from domain.case.requests import RecordContact
from domain.clocks.deadlines import Firing, Occurred
from domain.ground.base import clean
from domain.ground.people import SYSTEM
from domain.ground.timeline import UNPROVEN, Entry
from domain.keys.finding import found_by
from domain.keys.personal import Personal, in_timeline
from record.proofs import proofs_here
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    from runtime.database import Connection


T = TypeVar("T", Entry, Rejected)

_SAID_BY_ANYBODY: Final = {kind.name: kind for kind in BY_ANYBODY}

log = structlog.get_logger(__name__)


async def write_entries(connection: "Connection", reference: str, entries: Collection[Entry]) -> bool:
    """Write lines of a case's timeline, under the lock of the case. Returns whether any was not there yet."""
    told = [_marked(reference, entry) for entry in entries]
    return await _write(connection, reference, told, _row_of_entry, (_ADD_ENTRIES, _TOLD_ENTRIES))


def _marked(reference: str, entry: Entry) -> Entry:
    """The *entry* with a mark where it names somebody who may not have said that: anybody may say something."""
    kind = _SAID_BY_ANYBODY.get(entry.kind)
    if kind is None or (proofs := proofs_here()) is None:
        return entry
    try:
        proven(proofs, reference, entry, kind)
    except NotApproved:
        return entry.model_copy(update={"data": {**entry.data, UNPROVEN: True}, "token": None})
    return entry


async def write_incident_entries(connection: "Connection", reference: str, entries: Collection[Entry]) -> None:
    """Write lines of an incident's timeline, under the lock of the incident."""
    await _write(connection, reference, entries, _row_of_entry, (_ADD_INCIDENT_ENTRIES, _TOLD_INCIDENT_ENTRIES))


async def write_rejected(connection: "Connection", reference: str, messages: Collection[Rejected]) -> None:
    """Write messages that did not fit, under the lock of the case."""
    await _write(connection, reference, messages, _row_of_rejected, (_ADD_REJECTED, _TOLD_REJECTED))


async def write_contact(connection: "Connection", request: RecordContact) -> None:
    """Write a customer's new address, under the lock of the case. What is ``None`` stays as it was."""
    reference = request.reference
    values = (reference, request.at, request.email, request.phone, request.by_post)
    new = (reference, request.at, Personal(reference, request.email), Personal(reference, request.phone))
    key = request.key
    if not await connection.fetchval(_ADD_CONTACT, key, *new, request.by_post):
        known = await connection.fetchrow(_KNOWN_CONTACT, key)
        assert known  # noqa: S101 (no row ever goes)
        same = known["email"] is None if request.by_post else request.email in {None, known["email"]}
        if same and request.phone in {None, known["phone"]}:
            return
        await connection.fetchval(_ADD_CONTACT, _beside(reference, key, values), *new, request.by_post)
    await have_found(connection, reference, email=request.email, phone=request.phone)


async def have_found(
    connection: "Connection", scope: str, *, name: str | None = None, email: str | None = None, phone: str | None = None
) -> None:
    """Have a case found by who complains in it: each value by a keyed token, which tells nothing of it."""
    told = [(purpose, await lookup_here(purpose, value), scope) for purpose, value in found_by(name, email, phone)]
    await connection.executemany(_HAVE_FOUND, told)


async def keep_contradictions(
    connection: "Connection", reference: str, events: Iterable[Occurred] = (), firings: Iterable[Firing] = ()
) -> None:
    """Keep in the timeline those of the *events* and *firings* that the record has otherwise; there they stay so."""
    for occurred in events:
        known = await connection.fetchrow(_KNOWN_EVENT, reference, occurred.number, occurred.event)
        if known and (known["at"], known["particulars"]) != (occurred.at, particulars(occurred)):
            await _keep(connection, reference, occurred.key, occurred)
    for firing in firings:
        known = await connection.fetchrow(_KNOWN_FIRING, reference, firing.clock, firing.number, firing.rung)
        if known and (known["due"], known["fired_at"], known["breach"]) != (firing.due, firing.fired_at, firing.breach):
            await _keep(connection, reference, firing.key, firing)


async def _keep(connection: "Connection", reference: str, key: str, told: Occurred | Firing) -> None:
    at = told.at if isinstance(told, Occurred) else told.fired_at
    told_again = Entry(
        key=_beside(reference, key, told),
        at=at,
        kind="contradiction",
        actor=str(SYSTEM),
        text=f"{key} was told again as of {at:%Y-%m-%d %H:%M:%S} UTC, otherwise; what was written first stands",
        data=told.model_dump(mode="json", exclude_none=True),
    )
    await write_entries(connection, reference, [told_again])


def particulars(occurred: Occurred) -> dict[str, Any] | None:
    """What is stored of an event beside its name, number and time."""
    return occurred.model_dump(mode="json", exclude={"event", "at", "number"}, exclude_none=True) or None


async def _write(
    connection: "Connection",
    reference: str,
    items: Collection[T],
    as_row: Callable[[str, T], tuple[Any, ...]],
    statements: tuple[str, str],
) -> bool:
    if not items:
        return False
    add, told = statements
    rows = [as_row(reference, item) for item in items]
    written = await connection.fetch(add, reference, *(list(column) for column in zip(*rows, strict=True)))
    if len(written) == len(items):
        return True
    found = await connection.fetch(told, reference, [key for key, *_ in rows])
    known = {key: (key, *rest) for key, *rest in found}
    taken = {
        row[0] for row in map(_in_the_clear, rows) if row[0] in known and known[row[0]] != row[: len(known[row[0]])]
    }
    beside = [
        item.model_copy(update={"key": _beside(reference, item.key, item)}) for item in items if item.key in taken
    ]
    return await _write(connection, reference, beside, as_row, statements) or bool(written)


def _beside(reference: str, key: str, content: object) -> str:
    """The key under which something is kept for which *key* is taken: the same for the same content."""
    text = repr(content.model_copy(update={"key": key, "journal": None}) if isinstance(content, Entry) else content)
    beside = f"{key}~{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    log.error(
        "the record has something else under this key; both are kept", reference=reference, key=key, beside=beside
    )
    return beside


def _row_of_entry(reference: str, entry: Entry) -> tuple[Any, ...]:
    text, data = in_timeline(reference, entry.kind, clean(entry.text), _storable(entry.data))
    return entry.key, entry.at, entry.kind, entry.actor, text, data, entry.journal, entry.token


def _row_of_rejected(reference: str, message: Rejected) -> tuple[Any, ...]:
    reason, payload = (Personal(reference, clean(one)) for one in (message.reason, message.payload))
    return message.key, message.at, clean(message.name), reason, payload


def _in_the_clear(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row as it will be read."""
    return tuple(_as_read(one.value if isinstance(one, Personal) else one) for one in row)


def _as_read(value: Any) -> Any:
    """A value as JSON brings it back."""
    return json.loads(to_json(value), parse_float=Decimal) if isinstance(value, dict | list) else value


def _storable(value: Any) -> Any:
    """*value* with every text in it as PostgreSQL takes it."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(key): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
        case _:
            return value


_ADD_ENTRIES: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data, journal, token)
    select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
        $8::integer[], $9::text[]) as new
    on conflict (reference, key) do nothing returning key
"""
_TOLD_ENTRIES: Final = """
    select key, at, kind, actor, text, data from casefile.timeline where reference = $1 and key = any($2)
"""
_ADD_INCIDENT_ENTRIES: Final = """
    insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data, token)
    select $1, new.key, new.at, new.kind, new.actor, new.text, new.data, new.token
    from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[],
        $9::text[]) as new (key, at, kind, actor, text, data, journal, token)
    on conflict (reference, key) do nothing returning key
"""
_TOLD_INCIDENT_ENTRIES: Final = """
    select key, at, kind, actor, text, data from casefile.incident_timeline where reference = $1 and key = any($2)
"""
_ADD_REJECTED: Final = """
    insert into casefile.rejected_messages (reference, key, at, name, reason, payload)
    select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[]) as new
    on conflict (reference, key) do nothing returning key
"""
_TOLD_REJECTED: Final = """
    select key, at, name, reason, payload from casefile.rejected_messages where reference = $1 and key = any($2)
"""
_ADD_CONTACT: Final = """
    insert into casefile.contacts (reference, at, key, name, email, phone)
    select reference, $3, $1, name, case when $6 then null else coalesce($4, email) end, coalesce($5, phone)
    from casefile.contacts where reference = $2 order by id desc limit 1
    on conflict (key) do nothing returning true
"""
_KNOWN_CONTACT: Final = "select email, phone from casefile.contacts where key = $1"
_HAVE_FOUND: Final = """
    insert into casefile.lookups (purpose, token, scope) values ($1, $2, $3) on conflict do nothing
"""
_KNOWN_EVENT: Final = """
    select at, particulars from casefile.events where reference = $1 and number = $2 and event = $3
"""
_KNOWN_FIRING: Final = """
    select due, fired_at, breach from casefile.firings
    where reference = $1 and clock = $2 and number = $3 and rung = $4
"""
