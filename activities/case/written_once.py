"""What is written once under a key: the same again changes nothing, something else is kept beside it, and is heard of.

A workflow that was reset in Temporal lives a part of its life again and gives the same keys to what happens now.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from domain.case.file import Rejected
from domain.case.requests import RecordContact
from domain.clocks.deadlines import Firing, Occurred
from domain.ground.base import clean
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry

if TYPE_CHECKING:
    from runtime.database import Connection


T = TypeVar("T", Entry, Rejected)

log = structlog.get_logger(__name__)


async def write_entries(connection: "Connection", reference: str, entries: Collection[Entry]) -> None:
    """Write lines of a case's timeline, under the lock of the case."""
    await _write(connection, reference, entries, _row_of_entry, (_ADD_ENTRIES, _OTHER_ENTRIES))


async def write_incident_entries(connection: "Connection", reference: str, entries: Collection[Entry]) -> None:
    """Write lines of an incident's timeline, under the lock of the incident."""
    await _write(connection, reference, entries, _row_of_entry, (_ADD_INCIDENT_ENTRIES, _OTHER_INCIDENT_ENTRIES))


async def write_rejected(connection: "Connection", reference: str, messages: Collection[Rejected]) -> None:
    """Write messages that did not fit, under the lock of the case."""
    await _write(connection, reference, messages, _row_of_rejected, (_ADD_REJECTED, _OTHER_REJECTED))


async def write_contact(connection: "Connection", request: RecordContact) -> None:
    """Write a customer's new address, under the lock of the case. What is ``None`` stays as it was."""
    values = (request.reference, request.at, request.email, request.phone, request.by_post)
    if await connection.fetchval(_ADD_CONTACT, request.key, *values):
        return
    if await connection.fetchval(_IS_THAT_CONTACT, request.key, request.email, request.phone, request.by_post):
        return
    key = _beside(request.reference, request.key, values)
    await connection.fetchval(_ADD_CONTACT, key, *values)


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
    row: Callable[[T], tuple[Any, ...]],
    statements: tuple[str, str],
) -> None:
    if not items:
        return
    add, other = statements
    columns = [list(column) for column in zip(*map(row, items), strict=True)]
    written = await connection.fetch(add, reference, *columns)
    if len(written) == len(items):
        return
    taken = {found["key"] for found in await connection.fetch(other, reference, *columns)}
    beside = [
        item.model_copy(update={"key": _beside(reference, item.key, item)}) for item in items if item.key in taken
    ]
    await _write(connection, reference, beside, row, statements)


def _beside(reference: str, key: str, content: object) -> str:
    """The key under which something is kept for which *key* is taken: the same for the same content."""
    text = repr(content.model_copy(update={"key": key, "journal": None}) if isinstance(content, Entry) else content)
    beside = f"{key}~{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    log.error(
        "the record has something else under this key; both are kept", reference=reference, key=key, beside=beside
    )
    return beside


def _row_of_entry(entry: Entry) -> tuple[Any, ...]:
    text, data = clean(entry.text), _storable(entry.data)
    return entry.key, entry.at, entry.kind, entry.actor, text, data, entry.journal


def _row_of_rejected(message: Rejected) -> tuple[Any, ...]:
    return message.key, message.at, clean(message.name), clean(message.reason), clean(message.payload)


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
    insert into casefile.timeline (reference, key, at, kind, actor, text, data, journal)
    select $1, new.* from unnest(
        $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[]) as new
    on conflict (reference, key) do nothing returning key
"""
_OTHER_ENTRIES: Final = """
    select new.key
    from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[])
        as new (key, at, kind, actor, text, data, journal)
    join casefile.timeline known on known.reference = $1 and known.key = new.key
    where (known.at, known.kind, known.actor, known.text, known.data)
        is distinct from (new.at, new.kind, new.actor, new.text, new.data)
"""
_ADD_INCIDENT_ENTRIES: Final = """
    insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data)
    select $1, new.key, new.at, new.kind, new.actor, new.text, new.data
    from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[])
        as new (key, at, kind, actor, text, data, journal)
    on conflict (reference, key) do nothing returning key
"""
_OTHER_INCIDENT_ENTRIES: Final = """
    select new.key
    from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[])
        as new (key, at, kind, actor, text, data, journal)
    join casefile.incident_timeline known on known.reference = $1 and known.key = new.key
    where (known.at, known.kind, known.actor, known.text, known.data)
        is distinct from (new.at, new.kind, new.actor, new.text, new.data)
"""
_ADD_REJECTED: Final = """
    insert into casefile.rejected_messages (reference, key, at, name, reason, payload)
    select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[]) as new
    on conflict (reference, key) do nothing returning key
"""
_OTHER_REJECTED: Final = """
    select new.key
    from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
        as new (key, at, name, reason, payload)
    join casefile.rejected_messages known on known.reference = $1 and known.key = new.key
    where (known.at, known.name, known.reason, known.payload)
        is distinct from (new.at, new.name, new.reason, new.payload)
"""
_ADD_CONTACT: Final = """
    insert into casefile.contacts (reference, at, key, name, email, phone)
    select reference, $3, $1, name, case when $6 then null else coalesce($4, email) end, coalesce($5, phone)
    from casefile.contacts where reference = $2 order by id desc limit 1
    on conflict (key) do nothing returning true
"""
_IS_THAT_CONTACT: Final = """
    select case when $4 then email is null else $2::text is null or email = $2 end
        and ($3::text is null or phone = $3)
    from casefile.contacts where key = $1
"""
_KNOWN_EVENT: Final = """
    select at, particulars from casefile.events where reference = $1 and number = $2 and event = $3
"""
_KNOWN_FIRING: Final = """
    select due, fired_at, breach from casefile.firings
    where reference = $1 and clock = $2 and number = $3 and rung = $4
"""
