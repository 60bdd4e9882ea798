"""Whom a notice to staff reaches: somebody named, and never who is kept out of the case."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from activities.people.hands import need_of
from domain.case.approval import PROPOSING
from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.routing import route
from domain.rules.policy import PolicyPack
from record.directory import read_directory
from record.hands import read_hands

if TYPE_CHECKING:
    from runtime.database import Connection


async def addressee(connection: "Connection", reference: str, pack: PolicyPack, role: Role, at: datetime) -> str | None:
    """The id of who is to be told something that is for *role*; ``None`` where no directory has anybody for it.

    Who has the case, if they hold that role and are not away; else who would get it. Who has proposed what is to be
    decided is told of no decision to take.
    """
    directory = await read_directory(connection)
    if not directory.people:
        return None
    hands = await read_hands(connection, reference, at)
    out: dict[str, str] = {person: why.value for person, why in hands.kept_out.items()}
    if role is not Role.HANDLER:
        proposers = await connection.fetch(_PROPOSERS, reference, list(PROPOSING))
        out |= {Actor.named(row["actor"]).person: "proposed" for row in proposers}
    holder = directory.find(hands.handler) if hands.handler else None
    # What is for the handler is for whoever has the case, whatever they are.
    fits = holder is not None and (role is Role.HANDLER or role in holder.roles)
    if holder and fits and holder.person not in out and not holder.away(at.date()):
        return holder.id
    return route(await need_of(connection, reference, pack, directory, out, role, at), directory).person


async def owner_of(connection: "Connection", reference: str, task: int, at: datetime) -> str | None:
    """The id of who has that task and may be told of it; ``None`` where nobody named has."""
    owner = await connection.fetchval(_OWNER, reference, task)
    return await as_known(connection, reference, owner, at) if owner else None


async def as_known(connection: "Connection", reference: str, person: str, at: datetime) -> str | None:
    """The id of *person* as the directory has it; ``None`` where it has them no more, or they are kept out."""
    if person_of(person) in (await read_hands(connection, reference, at)).kept_out:
        return None
    one = (await read_directory(connection)).find(person)
    return one.id if one else None


async def own_address(connection: "Connection", person: str) -> str | None:
    """The address of that member of staff, as the directory has it."""
    one = (await read_directory(connection)).find(person)
    return one.address if one else None


async def addresses(
    connection: "Connection", reference: str, person: str, *, role: Role, team: str | None, at: datetime
) -> list[str]:
    """Under which names an address of *person* is looked for, the best first: of theirs, then of those who share one.

    An address that is shared is none for this case where somebody shares it who is kept out.
    """
    directory = await read_directory(connection)
    out = set((await read_hands(connection, reference, at)).kept_out)
    sharing = {
        role.value: {one.person for one in directory.holders(role)},
        team: {one.person for one in directory.people if team in one.teams},
    }
    return [person, *(name for name, persons in sharing.items() if name and not persons & out)]


_OWNER: Final = "select owner from casefile.tasks where (reference, number) = ($1, $2)"
_PROPOSERS: Final = """
    select actor from casefile.timeline t where reference = $1 and kind = any($2)
        and not exists (select from casefile.timeline later where later.reference = t.reference
            and later.kind = 'decide_resolution' and later.id > t.id)
"""
