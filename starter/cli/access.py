"""How commands reach PostgreSQL and Temporal: those of the settings, or of the stack that runs in the state folder."""

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from starter.cli.options import ACTOR_VARIABLE, actor
from starter.cli.program import COMMAND

if TYPE_CHECKING:
    from runtime.database import Pool
    from runtime.identity.speaking import TokenFor
    from starter.client.complaints import Complaints
    from starter.client.incidents import Incidents
    from starter.client.service import C


PURPOSE_VARIABLE: Final = "REDRESS_PURPOSE"
"""What personal data is looked at for, as the access log keeps it."""

T = TypeVar("T")


@asynccontextmanager
async def database() -> "AsyncIterator[Pool]":
    """Connections to the database in use, as whoever ``REDRESS_ACTOR`` names may see it.

    Raises ``DatabaseUnavailable``.
    """
    from record.proofs import hold_proofs
    from runtime.database import LONG_PATIENCE, close_pool, open_pool
    from runtime.identity.verifying import Verifier
    from runtime.keys.here import hold_keys
    from runtime.postgres import find_database
    from runtime.settings import load_settings

    settings = load_settings()
    hold_keys(settings)
    hold_proofs(Verifier.here(settings))
    pool = await open_pool(find_database(settings), max_size=3, patience=LONG_PATIENCE, viewer=viewer())
    try:
        yield pool
    finally:
        await close_pool(pool)


def viewer() -> str | None:
    """The person who looks: who acts by default, if somebody is named."""
    named = os.environ.get(ACTOR_VARIABLE)
    return actor(named).person if named else None


class Seen(NamedTuple):
    """What of personal data a command shows: its name, and of which cases."""

    what: str
    references: "Sequence[str]" = ()


async def note(pool: "Pool", seen: Seen) -> None:
    """Write into the access log that whoever gave the command sees that."""
    from starter.reading.accesses import Access, Means, note_access

    named = os.environ.get(ACTOR_VARIABLE)
    who = str(actor(named)) if named else f"os:{getpass.getuser()}"
    purpose = os.environ.get(PURPOSE_VARIABLE) or None
    await note_access(pool, Access(who, Means.COMMAND_LINE, seen.what, seen.references, purpose))


def read(query: "Callable[[Pool], Awaitable[T]]", seen: "Callable[[T], Seen | None] | None" = None) -> T:
    """What *query* finds in the database; where that is personal, *seen* says what is written into the access log.

    Without *seen* that is the command, and the cases and incidents of which something sealed was opened for it; where
    *seen* returns ``None``, nothing of that is shown.
    """
    from domain.keys.scopes import cases_of, of_persons
    from runtime.keys.columns import noting_opened

    async def connected() -> T:
        async with database() as pool:
            with noting_opened() as opened:
                found = await query(pool)
            if seen:
                if shown := seen(found):
                    await note(pool, shown)
            elif of_persons(opened):
                await note(pool, Seen(COMMAND.get(), cases_of(opened)))
            return found

    return asyncio.run(connected())


def signs() -> "TokenFor | None":
    """What signs for whoever a message names; ``None`` where there is no key."""
    from runtime.identity.issuing import TokenIssuer
    from runtime.settings import load_settings

    return TokenIssuer.voice(load_settings())


def talk(action: "Callable[[Complaints], Awaitable[T]]") -> T:
    """What *action* does with the cases in Temporal. Raises ``TemporalUnavailable``."""
    from starter.client.complaints import Complaints

    return _with(Complaints, action)


def talk_of_incidents(action: "Callable[[Incidents], Awaitable[T]]") -> T:
    """What *action* does with the incidents in Temporal. Raises ``TemporalUnavailable``."""
    from starter.client.incidents import Incidents

    return _with(Incidents, action)


def _with(client: "type[C]", action: "Callable[[C], Awaitable[T]]") -> T:
    from runtime.temporal import run
    from starter.client.service import connected

    async def act() -> T:
        return await action(await connected(client))

    return run(act())
