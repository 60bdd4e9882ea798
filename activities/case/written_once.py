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

from activities.case.at_once import AtOnce
from domain.case.approval import NotApproved, proven
from domain.case.file import Rejected
from domain.case.messages.table import BY_ANYBODY
from domain.case.requests import RecordContact
from domain.clocks.deadlines import Firing, Occurred
from domain.ground.base import clean
from domain.ground.people import SYSTEM
from domain.ground.timeline import UNPROVEN, Entry
from domain.keys.finding import found_by
from domain.keys.personal import Gone, Personal, Row, in_timeline, ours
from record.proofs import proofs_here
from runtime.keys.here import lookup_here

if TYPE_CHECKING:
    from runtime.database import Connection


T = TypeVar("T", Entry, Rejected)

_SAID_BY_ANYBODY: Final = {kind.name: kind for kind in BY_ANYBODY}

log = structlog.get_logger(__name__)


async def write_entries(
    connection: "Connection", reference: str, entries: Collection[Entry], beside: AtOnce | None = None
) -> set[str]:
    """Write lines of a case's timeline, under the lock of the case, and what goes *beside* them in one statement.

    Returns the keys of those lines that were not there yet.
    """
    told = [_marked(reference, entry) for entry in entries]
    return await _write(connection, reference, told, _row_of_entry, _ADD_ENTRIES, beside or AtOnce())


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


async def write_incident_entries(
    connection: "Connection", reference: str, entries: Collection[Entry], beside: AtOnce | None = None
) -> None:
    """Write lines of an incident's timeline, under the lock of the incident, and what goes *beside* them."""
    await _write(connection, reference, entries, _row_of_incident_entry, _ADD_INCIDENT_ENTRIES, beside or AtOnce())


async def write_rejected(connection: "Connection", reference: str, messages: Collection[Rejected]) -> None:
    """Write messages that did not fit, under the lock of the case."""
    await _write(connection, reference, messages, _row_of_rejected, _ADD_REJECTED, AtOnce())


async def write_contact(connection: "Connection", request: RecordContact) -> None:
    """Write a customer's new address, under the lock of the case. What is ``None`` stays as it was."""
    reference, key = request.reference, request.key
    values = (reference, request.at, request.email, request.phone, request.by_post)
    if not await _add_contact(connection, request, key):
        known = await connection.fetchrow(_KNOWN_CONTACT, key)
        assert known  # noqa: S101 (no row ever goes)
        same = known["email"] is None if request.by_post else request.email in {None, known["email"]}
        if same and request.phone in {None, known["phone"]}:
            return
        await _add_contact(connection, request, _beside(reference, key, values))
    writing = AtOnce()
    await add_found_by(writing, reference, email=request.email, phone=request.phone)
    await writing.run(connection)


async def _add_contact(connection: "Connection", request: RecordContact, key: str) -> bool:
    """Write it beside what was known last, sealed for this row. What nobody with keys wrote is not taken over."""
    reference = request.reference
    contacts = await connection.fetch(_CONTACTS, reference)
    last = next(one for one in contacts if isinstance(one["name"], Gone) or ours(one["name"], reference) is not None)
    row = Row("casefile.contacts", reference, key)
    email = ours(last["email"], reference) if request.email is None else request.email
    phone = ours(last["phone"], reference) if request.phone is None else request.phone
    reach = row("name", last["name"]), row("email", None if request.by_post else email), row("phone", phone)
    return bool(await connection.fetchval(_ADD_CONTACT, reference, request.at, key, *reach))


async def add_found_by(
    writing: AtOnce, scope: str, *, name: str | None = None, email: str | None = None, phone: str | None = None
) -> None:
    """Add to what is written by whom a case is found who complains in it."""
    await add_lookups(writing, scope, found_by(name, email, phone))


async def add_lookups(writing: AtOnce, scope: str, values: Iterable[tuple[str, str]]) -> None:
    """Add to what is written by what a case is found: each value with its purpose, by a keyed token, which tells
    nothing of it.
    """
    told = [(purpose, await lookup_here(purpose, value)) for purpose, value in values]
    if told:
        writing.add(_HAVE_FOUND, scope, *(list(column) for column in zip(*told, strict=True)))


async def keep_contradictions(
    connection: "Connection", reference: str, told_otherwise: Iterable[Occurred | Firing]
) -> None:
    """Keep in the timeline what was *told otherwise* than the record has it; there it stays as it was."""
    await write_entries(connection, reference, [_contradiction(reference, told) for told in told_otherwise])


def _contradiction(reference: str, told: Occurred | Firing) -> Entry:
    at = told.at if isinstance(told, Occurred) else told.fired_at
    return Entry(
        key=_beside(reference, told.key, told),
        at=at,
        kind="contradiction",
        actor=str(SYSTEM),
        text=f"{told.key} was told again as of {at:%Y-%m-%d %H:%M:%S} UTC, otherwise; what was written first stands",
        data=told.model_dump(mode="json", exclude_none=True),
    )


def particulars(occurred: Occurred) -> dict[str, Any] | None:
    """What is stored of an event beside its name, number and time."""
    return occurred.model_dump(mode="json", exclude={"event", "at", "number"}, exclude_none=True) or None


async def _write(  # noqa: PLR0917 (rows of one kind)
    connection: "Connection",
    reference: str,
    items: Collection[T],
    as_row: Callable[[str, T], tuple[Any, ...]],
    add: str,
    at_once: AtOnce,
) -> set[str]:
    """Write *items* and what is to be written *at once* with them; *add* answers with those that were there before.

    Returns the keys of those that were not.
    """
    if not items:
        await at_once.run(connection)
        return set()
    rows = [as_row(reference, item) for item in items]
    found = await at_once.fetch(connection, add, reference, *(list(column) for column in zip(*rows, strict=True)))
    known = {key: (key, *rest) for key, *rest in found}
    written = {key for key, *_ in rows} - known.keys()
    beside: list[tuple[str, T]] = []
    for item, row in zip(items, map(_in_the_clear, rows), strict=True):
        stands = known.setdefault(row[0], row)
        if stands != row[: len(stands)]:
            beside.append((item.key, item.model_copy(update={"key": _beside(reference, item.key, item)})))
    new = await _write(connection, reference, [item for _, item in beside], as_row, add, at_once)
    return written | {key for key, item in beside if item.key in new}


def _beside(reference: str, key: str, content: object) -> str:
    """The key under which something is kept for which *key* is taken: the same for the same content."""
    text = repr(content.model_copy(update={"key": key, "journal": None}) if isinstance(content, Entry) else content)
    beside = f"{key}~{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    log.error(
        "the record has something else under this key; both are kept", reference=reference, key=key, beside=beside
    )
    return beside


def _row_of_entry(reference: str, entry: Entry, table: str = "casefile.timeline") -> tuple[Any, ...]:
    row = Row(table, reference, f"{reference}/{entry.key}")
    text, data = in_timeline(row, entry.kind, clean(entry.text), _storable(entry.data))
    return entry.key, entry.at, entry.kind, entry.actor, text, data, entry.journal, entry.token


def _row_of_incident_entry(reference: str, entry: Entry) -> tuple[Any, ...]:
    return _row_of_entry(reference, entry, "casefile.incident_timeline")


def _row_of_rejected(reference: str, message: Rejected) -> tuple[Any, ...]:
    row = Row("casefile.rejected_messages", reference, f"{reference}/{message.key}")
    said = row("reason", clean(message.reason)), row("payload", clean(message.payload))
    return message.key, message.at, clean(message.name), *said


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


# What a statement itself has added it does not see.
_ADD_ENTRIES: Final = """
    with added as (
        insert into casefile.timeline (reference, key, at, kind, actor, text, data, journal, token)
        select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
            $8::integer[], $9::text[]) as new
        on conflict (reference, key) do nothing
    )
    select key, at, kind, actor, text, data from casefile.timeline where reference = $1 and key = any($2)
"""
_ADD_INCIDENT_ENTRIES: Final = """
    with added as (
        insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data, token)
        select $1, new.key, new.at, new.kind, new.actor, new.text, new.data, new.token
        from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::integer[],
            $9::text[]) as new (key, at, kind, actor, text, data, journal, token)
        on conflict (reference, key) do nothing
    )
    select key, at, kind, actor, text, data from casefile.incident_timeline where reference = $1 and key = any($2)
"""
_ADD_REJECTED: Final = """
    with added as (
        insert into casefile.rejected_messages (reference, key, at, name, reason, payload)
        select $1, new.* from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[]) as new
        on conflict (reference, key) do nothing
    )
    select key, at, name, reason, payload from casefile.rejected_messages where reference = $1 and key = any($2)
"""
_ADD_CONTACT: Final = """
    insert into casefile.contacts (reference, at, key, name, email, phone) values ($1, $2, $3, $4, $5, $6)
    on conflict (key) do nothing returning true
"""
_CONTACTS: Final = "select name, email, phone from casefile.contacts where reference = $1 order by id desc"
_KNOWN_CONTACT: Final = "select email, phone from casefile.contacts where key = $1"
_HAVE_FOUND: Final = """
    insert into casefile.lookups (scope, purpose, token)
    select $1, new.* from unnest($2::text[], $3::bytea[]) as new on conflict do nothing
"""
