"""Receive: what came in is committed, and only then is it accepted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.case.complaint import Complaint
from domain.ground.messages import Message
from domain.intake.received import DealAgain, Door, File, Kind, Said, key_of
from domain.keys.personal import ENVELOPE_READABLE, Row
from domain.keys.scopes import scope_of_message
from runtime.keys.here import proof_of_receipt
from starter.reading.intake import decide

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor


class Vouched(NamedTuple):
    """What somebody says who vouches for something, and what makes the token of that."""

    said: DealAgain
    token_for: "TokenFor | None"


class Received(NamedTuple):
    """The receipt: what it is kept under, and whether it was there before."""

    key: str
    already_known: bool


_RECEIVE: Final = """
    insert into intake.received (key, door, kind, received_at, reference, sender, envelope, raw, proof)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (key) do nothing returning key
"""
_WAIT: Final = "insert into intake.waiting (key, next_at) values ($1, clock_timestamp())"
_FILE: Final = """
    insert into intake.files (name, key, reference, number, title, media_type, size, sha256, added_at, content)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def receive(
    pool: "Pool",
    door: Door,
    kind: Kind,
    content: bytes,
    *,
    at: datetime,
    reference: str | None,
    sender: str | None = None,
    envelope: Mapping[str, Any] | None = None,
    files: Sequence[File] = (),
    essence: bytes | None = None,
    vouched: "Vouched | None" = None,
) -> Received:
    """Commit *content* with its *files*. The same content by the same way counts once, and answers as the first time.

    *essence* is what of it is the same whenever it is sent again, where that is not all of it. *sender* is a keyed hash
    of the address of who sent it; *envelope* says how it came. What is personal is sealed under a key of its own. By
    *vouched* somebody says at once that the customer wrote it.
    """
    key = key_of(door, content if essence is None else essence)
    scope = scope_of_message(key)
    proof = await proof_of_receipt(key, content, at, door, kind, reference)
    async with pool.acquire() as connection, connection.transaction():
        came_in = Row("intake.received", scope, key)
        came = came_in("envelope", dict(envelope or {}), ENVELOPE_READABLE), came_in("raw", content)
        new = await connection.fetchval(_RECEIVE, key, door, kind, at, reference, sender, *came, proof)
        if new is None:
            return Received(key, already_known=True)
        for number, file in enumerate(files, start=1):
            sealed = Row("intake.files", scope, file.name)
            row = (sealed("title", file.title), file.media_type, len(file.content), file.sha256, at)
            await connection.execute(_FILE, file.name, key, reference, number, *row, sealed("content", file.content))
        if vouched:
            await decide(connection, key, *vouched)
        await connection.execute(_WAIT, key)
    return Received(key, already_known=False)


async def receive_complaint(pool: "Pool", door: Door, complaint: Complaint, **more: Any) -> Received:
    """Commit a complaint. When it was received is not part of the content: sent again, it is the same."""
    content = content_of(complaint)
    return await receive(
        pool, door, Kind.COMPLAINT, content, at=complaint.received_at, reference=complaint.reference, **more
    )


def content_of(complaint: Complaint) -> bytes:
    """What is committed of *complaint*: all but when it was received."""
    return complaint.model_dump_json(exclude={"received_at"}, exclude_none=True).encode()


async def receive_note(pool: "Pool", reference: str, note: Message, *, at: datetime, **more: Any) -> Received:
    """Keep a *note* of the firm's own to the case *reference* with its files; whoever wrote it tells the case."""
    content = Said.of(reference, note).model_dump_json(exclude_defaults=True).encode()
    return await receive(pool, Door.DESK, Kind.NOTE, content, at=at, reference=reference, **more)


class UsedBefore(ValueError):
    """The id of the message was used for one that said something else."""


async def receive_message(
    pool: "Pool",
    door: Door,
    reference: str,
    message: Message,
    *,
    at: datetime,
    proven: bool = True,
    mark: str | None = None,
    envelope: Mapping[str, Any] | None = None,
    **more: Any,
) -> Received:
    """Commit a message for the case *reference*; *proven*, whether it is the customer's.

    *mark* is a keyed hash of the id that its sender gave it: what says something else under the same one would be
    accepted, and refused by the case when nobody listens any more. Raises `UsedBefore`.
    """
    said = Said.of(reference, message)
    content = said.model_copy(update={"proven": proven}).model_dump_json(exclude_defaults=True).encode()
    if mark and await pool.fetchval(_OTHERWISE, reference, door, mark, key_of(door, content)):
        raise UsedBefore
    came = {**(envelope or {}), **({"mark": mark} if mark else {})}
    return await receive(pool, door, Kind.MESSAGE, content, at=at, reference=reference, envelope=came, **more)


_OTHERWISE: Final = """
    select exists (select from intake.received
                   where reference = $1 and door = $2 and kind = 'message' and envelope ->> 'mark' = $3 and key <> $4)
"""
