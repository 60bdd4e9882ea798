"""What was received, and what became of it; and how a person has it dealt with again."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from domain.ground.base import Instant, Record
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.reference import parse_reference
from domain.intake.received import FOR_PEOPLE, DealAgain, Door, Ending, Kind
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_message
from starter.reading.database import CaseNotFound

if TYPE_CHECKING:
    from runtime.database import Connection, Pool
    from runtime.identity.speaking import TokenFor


class NothingReceived(LookupError):
    """There is nothing under this key."""


class Incoming(Record):
    """Something that was received. ``ending`` is the newest; ``waits`` while it is to be dealt with (again)."""

    key: str
    door: Door
    kind: Kind
    received_at: Instant
    reference: str | None
    waits: bool
    tries: int
    ending: Ending | None = None
    ended_at: Instant | None = None
    ended_on: str | None = None
    reason: str | None = None
    files: int = 0

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look at it."""
        return not self.waits and (self.ending is None or self.ending.needs_a_person)


async def list_incoming(pool: "Pool", *, everything: bool = False, limit: int = 50) -> Sequence[Incoming]:
    """What waits or needs a person, the oldest first; with *everything* the last *limit* of all, the newest first.

    What belongs to a case that is hidden from who looks is in neither.
    """
    rows = await pool.fetch(_NEWEST if everything else _OPEN, limit)
    return [Incoming(**row) for row in rows]


async def waiting_for(pool: "Pool", reference: str) -> Sequence[Incoming]:
    """What came in for the case *reference* and needs a person, the oldest first."""
    return [Incoming(**row) for row in await pool.fetch(_OF_A_CASE, reference)]


async def show_incoming(pool: "Pool", key: str) -> Incoming:
    """What is under *key* (its beginning is enough where no other begins so). Raises `NothingReceived`."""
    rows = await pool.fetch(_ONE, key.lower().replace("%", "").replace("_", "") + "%")
    if len(rows) != 1:
        found = "nothing" if not rows else "more than one thing"
        raise NothingReceived(f"there is {found} under the key {key}; `redress intake list --all` has the keys")
    return Incoming(**rows[0])


async def content_of(pool: "Pool", key: str) -> bytes:
    """What was sent, byte for byte."""
    found: bytes = await pool.fetchval("select raw from intake.received where key = $1", key)
    return found


async def replay(
    pool: "Pool",
    key: str,
    token_for: "TokenFor | None" = None,
    *,
    by: Actor,
    reason: str,
    reference: str | None = None,
    vouched: bool = False,
) -> Incoming:
    """Have it dealt with again; with *reference*, as something for that case. What cases have heard they hear once.

    *vouched*: *by* says that the customer wrote it, or somebody who may speak for them. *token_for* makes the token of
    that: workers go by what is proven, unless anybody may act.

    Raises `NothingReceived`, `InvalidReference`, `NotAllowed`, and `CaseNotFound` where the case is hidden from who
    looks.
    """
    if not by.role.is_staff:
        raise NotAllowed(f"actor: role {by.role.value} may not have it dealt with again; this is for staff")
    known = await show_incoming(pool, key)
    case = parse_reference(reference) if reference else None
    if case and await pool.fetchval(_IS_HIDDEN, case):
        raise CaseNotFound(case)
    async with pool.acquire() as connection, connection.transaction():
        said = DealAgain(message_id=str(uuid.uuid4()), actor=by, reference=case, reason=reason, vouched=vouched)
        await decide(connection, known.key, said, token_for)
        await connection.execute(_WAIT, known.key)
    return await show_incoming(pool, known.key)


async def decide(connection: "Connection", key: str, said: DealAgain, token_for: "TokenFor | None") -> None:
    """Write down what somebody decides about what is under *key*, with the token that proves it."""
    token = token_for(key, said) if token_for else None
    why = Row("intake.decisions", scope_of_message(key), key)("reason", said.reason)
    row = (key, str(said.actor), said.reference, why, said.vouched, said.message_id, token)
    await connection.execute(_DECIDE, *row)


_FOR_PEOPLE: Final = str(tuple(sorted(one.value for one in FOR_PEOPLE)))
_COLUMNS: Final = """
    select r.key, r.door, r.kind, r.received_at, r.reference, w.key is not null as waits, coalesce(w.tries, 0) as tries,
        e.ending, e.at as ended_at, e.reference as ended_on, e.reason,
        (select count(*) from intake.files f where f.key = r.key) as files
"""
_LAST_ENDING: Final = """
    left join lateral (
        select ending, at, reference, reason from intake.endings where endings.key = r.key order by id desc limit 1
    ) e on true
"""
_SEEN: Final = """
    not exists (select casefile.hidden_cases() as hidden intersect select unnest(array[r.reference, e.reference]))
"""
_OPEN: Final = f"""
    {_COLUMNS} from intake.received r left join intake.waiting w using (key) {_LAST_ENDING}
    where r.key in (
        select key from intake.waiting
        union select key from intake.endings
            where ending in {_FOR_PEOPLE}
    ) and (w.key is not null or e.ending in {_FOR_PEOPLE}) and {_SEEN}
    order by r.received_at, r.key limit $1
"""  # noqa: S608 (constants)
_OF_A_CASE: Final = f"""
    {_COLUMNS} from intake.received r left join intake.waiting w using (key) {_LAST_ENDING}
    where r.key in (select key from intake.endings where reference = $1 and ending in {_FOR_PEOPLE})
        and w.key is null and e.reference = $1 and e.ending in {_FOR_PEOPLE} and {_SEEN}
    order by r.received_at, r.key limit 50
"""  # noqa: S608 (constants)
_NEWEST: Final = f"""
    {_COLUMNS} from intake.received r left join intake.waiting w using (key) {_LAST_ENDING}
    where {_SEEN} order by r.received_at desc, r.key limit $1
"""
_ONE: Final = f"""
    {_COLUMNS} from intake.received r left join intake.waiting w using (key) {_LAST_ENDING}
    where r.key like $1 and {_SEEN} limit 2
"""
_IS_HIDDEN: Final = "select casefile.hidden($1)"
_DECIDE: Final = """
    insert into intake.decisions (key, at, actor, reference, reason, vouched, message_id, token)
    values ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7)
"""
_WAIT: Final = """
    insert into intake.waiting (key, next_at) values ($1, clock_timestamp())
    on conflict (key) do update set next_at = excluded.next_at
"""
