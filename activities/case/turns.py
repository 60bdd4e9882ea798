"""A case's turn: a transaction in which nobody else writes to the case, what is known of it by then, and the writing.

Locks are taken in one order: a letter or a payment by its key, an account, the case or the incident, the directory,
what follows from its rows. A transaction that writes to a case begins with these, as far as it needs them; the triggers
of its tables take the lock of the case too before they touch another row. Of several cases, by reference.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from temporalio.exceptions import ApplicationError

from activities.case import checkpoints
from activities.case.at_once import AtOnce
from activities.case.facts import add_facts
from activities.case.findable import add_findable
from activities.case.writing import add_events, add_summary, led_to, told_otherwise, write_firings
from activities.case.written_once import keep_contradictions, write_entries, write_rejected
from activities.people.hands import settle, without_signs
from activities.people.tasks import lost_tasks
from domain.case.file import CaseUpdate, Recorded
from domain.case.hearing import said_by_customer
from domain.clocks.deadlines import Occurred
from domain.ground.timeline import Entry
from domain.learning.facts import facts_of
from domain.people.hands import Hands
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion
from record.directory import LOCK_DIRECTORY
from record.hands import HANDS_COLUMNS, WhoseHands, whose_hands
from record.histories import HISTORY_COLUMNS, history_of
from runtime.locking import as_sql

if TYPE_CHECKING:
    from runtime.database import Connection


def lock_case(reference: str) -> str:
    """The statement that has whoever else changes the case wait for this transaction's end; the directory as well.

    Not FOR UPDATE: that would wait for transactions which have added a row of the case, and they in turn for this one.
    """
    case = f"select from casefile.cases where reference = {as_sql(reference)} for no key update"
    return f"select {LOCK_DIRECTORY} from ({case}) as locked"  # noqa: S608 (as SQL)


async def read_standing(
    connection: "Connection", reference: str, columns: str = "", values: Iterable[Any] = ()
) -> asyncpg.Record:
    """How a case stands that is locked: ``policy_hash``, ``None`` where there is no such case, what a turn is made of,
    and other *columns*, whose *values* are from ``$2``.
    """
    row = await connection.fetchrow(f"{_STANDING}{f', {columns}' if columns else ''}", reference, *values)
    assert row is not None  # noqa: S101 (one row, whatever there is)
    return row


class Turn:
    """What is known of a case by whoever has it locked, and what they write of it.

    ``row`` is what `read_standing` has read, *opinions* what a model makes of what the customer says in the entries
    that are to be written, by their keys.
    """

    def __init__(
        self,
        connection: "Connection",
        reference: str,
        pack: PolicyPack,
        row: asyncpg.Record,
        opinions: Mapping[str, Opinion],
    ) -> None:
        self.connection, self.reference, self.pack, self.row = connection, reference, pack, row
        self._opinions = opinions
        self.history = history_of(row)
        """All that happened in the case, and all that its clocks have come to, with what was written."""
        self._unsettled: list[Entry] = []
        self._news: set[str] = set()
        self._held: WhoseHands | None = whose_hands(row)
        self._hands: Hands | None = None
        self._revision: int = row["revision"]

    async def write(
        self, update: CaseUpdate, extra_events: Sequence[Occurred] = (), *, beside: AtOnce | None = None
    ) -> None:
        """Write *update* and *extra_events*; what is to be written *beside* them goes in the same statement.

        Again, it changes nothing. Raises `ApplicationError`, never retried, of type ``OtherCase`` for one of another
        case, which is not locked.
        """
        if update.reference != self.reference:
            told = f"an update of {update.reference} comes in the turn of {self.reference}"
            raise ApplicationError(told, type="OtherCase", non_retryable=True)
        newer = update.summary.revision > self._revision
        kept = self.row["kept"] is not None and self.row["kept"] >= self._revision
        if not (newer or update.keys or extra_events or beside) and (kept or update.checkpoint is None):
            return  # all of it was recorded with something else
        connection, reference, known = self.connection, self.reference, self.history
        happened = [*update.events, *extra_events, *await lost_tasks(connection, reference, update.entries)]
        writing = beside or AtOnce()
        add_facts(writing, reference, facts_of(update.entries))
        self.history = await add_events(connection, writing, reference, self.pack, known, happened)
        if newer:
            add_summary(writing, update)
            self._revision, self._held = update.summary.revision, None
        checkpoints.add(writing, reference, update.checkpoint)
        if said := said_in(update):
            await add_findable(writing, reference, *said.values())
        self._news |= await write_entries(connection, reference, without_signs(update.entries), writing)
        self._unsettled += update.entries
        await keep_contradictions(connection, reference, told_otherwise(known, happened))
        await write_firings(connection, update)
        await write_rejected(connection, reference, update.rejected)

    def bears_on(self, update: CaseUpdate) -> None:
        """Have `settle` reckon with *update*, which was written in another turn."""
        self._unsettled += update.entries

    async def settle(self) -> Hands | None:
        """See that the case is in the right hands by what was written; whose those are, ``None`` where nothing of that
        bears on it.

        Who is kept out and what is to be looked after stand in the record from then on: whoever judges by these in this
        turn does so after it.
        """
        told = (self.pack, self._unsettled, self._opinions)
        hands = await settle(self.connection, self.reference, *told, news=self._news, held=self._held)
        self._unsettled = []
        if hands:
            self._hands, self._held = hands, None
        return self._hands

    async def recorded(self, update: CaseUpdate, extra_events: Sequence[Occurred] = ()) -> Recorded:
        """What *update* and *extra_events* led to, and whose hands the case is in once all is written.

        The rounds that these events began, and those ended: by these events, or of the rounds they began, by any (an
        event with a higher number may have been written first), and of those that ``update.asked`` names. Again, it
        answers the same, but for rounds that ended meanwhile.
        """
        hands = await self.settle()
        recorded = led_to(self.pack, self.history, [*update.events, *extra_events], update.asked)
        return recorded.model_copy(update={"hands": hands}) if hands else recorded


def said_in(update: CaseUpdate) -> dict[str, str]:
    """What the customer says in the entries of *update*, by their keys."""
    told = {entry.key: said_by_customer(entry.kind, entry.actor, entry.data) for entry in update.entries}
    return {key: text for key, text in told.items() if text}


_STANDING: Final = f"""
    select (select policy_hash from casefile.cases where reference = $1) as policy_hash,
        (select revision from casefile.cases where reference = $1) as revision,
        (select revision from casefile.checkpoints where reference = $1 and state is not null) as kept,
        {HISTORY_COLUMNS}, {HANDS_COLUMNS}
"""  # noqa: S608 (constants)
