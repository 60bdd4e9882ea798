"""The case file in PostgreSQL: cases, timeline, deadline ledger, rejected messages. Everything is written once."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case import checkpoints
from activities.case.at_once import AtOnce
from activities.case.early_warning import add_topics, topics_in, warn
from activities.case.facts import add_facts, described
from activities.case.findable import make_findable
from activities.case.opening import (
    Linked,
    about_rules,
    add_who,
    applicant,
    complained_of_before,
    continuing,
    find_opened,
    first_entries,
    insert_case,
    linked_case,
    read_before,
    warning_of,
    words_of,
)
from activities.case.pinning import pin
from activities.case.turns import Turn, lock_case, read_standing, said_in
from activities.case.unopened import Unopened
from activities.case.writing import add_events, follow_events, led_to
from activities.case.written_once import write_contact, write_entries
from activities.people.complainants import identify_complainant
from activities.people.hands import hand_over, raise_signs
from domain.case.assessment import Assessment, assess
from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate, Recorded
from domain.case.hearing import signs_of
from domain.case.identity import IDENTIFIED, identity_of
from domain.case.requests import EarlyWarning, OpenCase, Opened, RecordContact, TakenUp, TakeUpCase
from domain.case.told import told_in
from domain.checks.choice import numbers_in, pointed_to, without_fallback
from domain.clocks.deadlines import ClockHistory, Deadline, Occurred
from domain.ground.words import CaseEvent
from domain.keys.personal import is_erased
from domain.learning.facts import facts_of
from domain.people.hands import Hands
from domain.people.matching import Identity, signs_of_identity
from domain.rules.applying import RulesFound, RulesTable, which_rules
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion
from record.customers import on_file_of, who_complains
from record.hands import read_hands
from record.histories import clock_history
from record.packs import pinned_pack
from runtime.listening import Listen, listen
from runtime.locking import locked
from runtime.policies import Packs, PolicyIncomplete, UnknownPolicyPack, find_policy, load_packs, load_table

if TYPE_CHECKING:
    from runtime.database import Connection

_LOOK_AGAIN_FOR_A_PACK: Final = timedelta(seconds=30)
RECEIPT: Final = 1
"""The number of the event that a case begins with: its receipt."""

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Begun(NamedTuple):
    """How a case stands when it was opened: by which pack, what was made of the complaint, what its receipt has led to,
    and whose hands it is in.
    """

    pack: PolicyPack
    policy_hash: str
    received_at: datetime
    complaint: Complaint
    assessment: Assessment
    identity: Identity
    found: RulesFound | None
    warning: EarlyWarning | None
    clocks: ClockHistory
    hands: Hands


class CaseFile:
    """Keeps the case file. ``clock`` gives the time as an aware datetime; ``packs`` are by default those on disk.

    ``default_policy`` is the id of the pack, or of the packs, of a complaint that names none and for which ``table``
    (by default the one on disk) finds none. ``listen`` gives a model's opinion on what a customer wrote.

    Raises :class:`runtime.shelf.PolicyError` if a policy pack on disk does not fit.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        default_policy: str | Sequence[str],
        clock: Callable[[], datetime] = utc_now,
        packs: Packs | None = None,
        table: RulesTable | None = None,
        listen: Listen = listen,
    ) -> None:
        self._pool = pool
        self._listen = listen
        self._default_policies = (default_policy,) if isinstance(default_policy, str) else tuple(default_policy)
        self._clock = clock
        self._packs = load_packs() if packs is None else packs
        self._table = load_table() if table is None else table
        self._unopened = Unopened(pool, clock)

    @activity.defn(name="OpenCase")
    async def open_case(self, request: OpenCase) -> Opened:
        """Open the case file: pin the pack, assess, start the clocks of receipt. Again, it answers what is stored.

        Of a complaint sent again under the same source and key the first version stands. Raises `ApplicationError`,
        never retried, of type ``InvalidComplaint`` (from the future), ``ReferenceTaken`` (the reference belongs to
        another complaint, or the complaint to another reference), ``AlreadyHandled`` or ``CaseClosed`` (by another
        workflow); and again and again of type ``UnknownPolicyPack`` or ``PolicyIncomplete``, until a worker has the
        pack.
        """
        try:
            return await self._opened(request)
        except (UnknownPolicyPack, PolicyIncomplete) as error:
            # Another worker may have the pack, or this one after its next start: the complaint waits, and is heard of.
            await self._unopened.note_waiting(request, str(error))
            raise ApplicationError(
                str(error), type=type(error).__name__, next_retry_delay=_LOOK_AGAIN_FOR_A_PACK
            ) from None

    async def _opened(self, request: OpenCase) -> Opened:
        async with self._pool.acquire() as connection:
            opened = await self._open(connection, request) or await self._as_stored(connection, request)
        category = opened.assessment.category.value
        log.info("case opened", reference=request.reference, policy=opened.policy.id, category=category)
        return opened

    async def _as_stored(self, connection: "Connection", request: OpenCase) -> Opened:
        """What is answered of a case that is there already."""
        async with connection.transaction():
            case = await find_opened(connection, request)
            assert case is not None  # noqa: S101 (nobody takes a case away)
            goes_on = case["goes_on"] and await checkpoints.take_up(connection, request.reference, request.run)
            known = await checkpoints.find(connection, request.reference) if goes_on else None
            clocks = await clock_history(connection, request.reference)
            begun = Begun(
                pack=await self.pack(connection, case["policy_hash"]),
                policy_hash=case["policy_hash"],
                received_at=case["received_at"],
                complaint=Complaint.recorded(case["complaint"]),
                assessment=Assessment.model_validate(case["assessment"]),
                identity=who_complains(case),
                found=RulesFound.model_validate(case["rules"]) if case["rules"] else None,
                warning=warning_of(case),
                clocks=clocks,
                hands=await read_hands(connection, request.reference, request.at),
            )
            linked = await linked_case(connection, begun.complaint)
        return _answer(request, begun, linked, known)

    @activity.defn(name="Record")
    async def record(self, update: CaseUpdate) -> Recorded:
        """Write *update* to the case file."""
        async with self._pool.acquire() as connection, self.turn(connection, update.reference, [update]) as turn:
            await turn.write(update)
            return await turn.recorded(update)

    @activity.defn(name="TakeUpCase")
    async def take_up_case(self, request: TakeUpCase) -> TakenUp:
        """Let a workflow go on with a closed case; again, it answers the same. What it goes on for, it hears itself.

        Raises `ApplicationError`, never retried, of type ``NotToBeTakenUp`` where there is no such case, where it is
        open with another workflow, or where it was erased.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_CLOSED, request.reference)
            if row is None:
                raise _not_to_be_taken_up(f"there is no case {request.reference}")
            if row["run"] != request.run:
                if row["closed_at"] is None:
                    raise _not_to_be_taken_up(f"case {request.reference} is open, and has another workflow")
                await checkpoints.await_workflow(connection, request.reference)
                await checkpoints.take_up(connection, request.reference, request.run)
            known = None if is_erased(row["complaint"]) else await checkpoints.find(connection, request.reference)
            if known is None:
                raise _not_to_be_taken_up(f"of case {request.reference} nothing is kept any more to go on from")
            state = known.model_dump(mode="json", exclude={"complaint", "policy"}, exclude_defaults=True)
            hands = await read_hands(connection, request.reference, request.at)
            return TakenUp(complaint=known.complaint, policy=known.pack, state=state, recorded=Recorded(hands=hands))

    @activity.defn(name="RecordContact")
    async def record_contact(self, request: RecordContact) -> None:
        """Letters not yet written go to the new address. What is ``None`` stays as it was."""
        async with self._pool.acquire() as connection, self.turn(connection, request.reference, []):
            await write_entries(connection, request.reference, request.entries)
            await write_contact(connection, request)
            await make_findable(connection, request.reference, whole=(request.email, request.phone))

    @asynccontextmanager
    async def turn(
        self,
        connection: "Connection",
        reference: str,
        updates: Iterable[CaseUpdate],
        *before: str,
        columns: str = "",
        values: Iterable[Any] = (),
        let_go: bool = False,
    ) -> AsyncIterator[Turn]:
        """A transaction for *updates* of a case, with the locks of whoever writes to it, after those *before*.

        Its ``row`` has other *columns* as well, whose *values* are from ``$2``. With *let_go* its end gives back the
        locks of the session.
        """
        opinions = await self._opinions(updates)
        async with locked(connection, *before, lock_case(reference), let_go=let_go):
            yield await self._turn(connection, reference, opinions, columns, values)

    async def apply(
        self,
        connection: "Connection",
        update: CaseUpdate,
        extra_events: Iterable[Occurred] = (),
        *,
        beside: AtOnce | None = None,
    ) -> Recorded:
        """Write *update* and *extra_events* within the transaction of the effect they go with.

        What is to be written *beside* them goes in the same statement. Returns what `Turn.recorded` does. Again, it
        changes nothing and answers the same, but for rounds that ended meanwhile. Updates of one case take turns.
        """
        if not connection.is_in_transaction():
            raise RuntimeError("an update is recorded in the transaction of its effect: open one first")
        events, opinions = list(extra_events), await self._opinions([update])
        await connection.execute(lock_case(update.reference))
        turn = await self._turn(connection, update.reference, opinions)
        await turn.write(update, events, beside=beside)
        return await turn.recorded(update, events)

    async def _opinions(self, updates: Iterable[CaseUpdate]) -> dict[str, Opinion]:
        """What a model makes of what the customer says in *updates*; no row is locked yet, for it may take its time."""
        return {key: await self._listen(text) for update in updates for key, text in said_in(update).items()}

    async def _turn(
        self,
        connection: "Connection",
        reference: str,
        opinions: Mapping[str, Opinion],
        columns: str = "",
        values: Iterable[Any] = (),
    ) -> Turn:
        row = await read_standing(connection, reference, columns, values)
        if row["policy_hash"] is None:
            # Only a restore takes a case away from its workflow: what is to be written waits until it is there again.
            raise ApplicationError(f"there is no case {reference}: open it first, or redress reconcile", type="NoCase")
        return Turn(connection, reference, await self.pack(connection, row["policy_hash"]), row, opinions)

    async def foresee(
        self,
        connection: "Connection",
        reference: str,
        pack: PolicyPack,
        happening: Sequence[Occurred],
        known: ClockHistory | None = None,
    ) -> list[Deadline]:
        """What each of these would lead to if it alone happened now, as the case stands, by what is *known* of it if
        that was read. Nothing is written.
        """
        if not happening:
            return []
        known = known or await clock_history(connection, reference)
        followed = [await follow_events(connection, pack, known, [occurred]) for occurred in happening]
        return [deadline for one in followed for deadline in one.planned]

    async def pack(self, connection: "Connection", policy_hash: str) -> PolicyPack:
        """The pinned pack of that hash, as it was when a case was first opened under it."""
        try:
            return await pinned_pack(connection, policy_hash)
        except LookupError as error:
            raise ApplicationError(f"policy_hash: {error}", type="NoPolicyPack") from None

    async def _open(self, connection: "Connection", request: OpenCase) -> Opened | None:
        """Open the case; ``None`` where it is there already, or somebody else opens it at the same moment."""
        complaint = request.complaint
        found = which_rules(self._table, applicant(complaint))
        try:
            self._check_times(request)
            pack = self._find_pack(complaint, found)
        except (UnknownPolicyPack, PolicyIncomplete, ApplicationError):
            if await find_opened(connection, request) is None:
                raise
            return None
        before = await read_before(connection, request, pack)
        if before["is_open"]:
            return None
        # No row is locked yet: whoever gives the opinion may take its time.
        opinion = await self._listen(words_of(complaint))
        linked = await linked_case(connection, complaint)
        assessment = assess(
            complaint,
            pack,
            earlier=complained_of_before(before, complaint),
            opinion=opinion,
            continues=linked.category if linked else None,
        )
        identity = identify_complainant(request, pack, on_file_of(before, complaint.account))
        async with connection.transaction():
            begun = await self.open_as(connection, request, pack, assessment, identity, found, opinion, before)
        return begun and _answer(request, begun, linked, None)

    async def open_as(  # noqa: PLR0917 (all that a case begins with)
        self,
        connection: "Connection",
        request: OpenCase,
        pack: PolicyPack,
        assessment: Assessment,
        identity: Identity,
        found: RulesFound | None = None,
        opinion: Opinion | None = None,
        before: asyncpg.Record | None = None,
    ) -> "Begun | None":
        """Open the case file under that *pack*, with that *assessment*, who complains, what the table of rules
        *found* for it and a model's *opinion*, within a transaction. *before* is what `read_before` has read.

        Again, it changes nothing, and returns ``None``.
        """
        complaint, reference = request.complaint, request.reference
        before = before or await read_before(connection, request, pack)
        if not before["is_pinned"]:
            await pin(connection, pack.hash, pack, self._clock())
        receipt = Occurred(
            event=CaseEvent.RECEIVED, at=complaint.received_at, number=RECEIPT, facts=assessment.facts(complaint)
        )
        if not await insert_case(connection, request, pack, assessment, receipt):
            return None
        entries = first_entries(request, pack, assessment, identity, found)
        topics = topics_in(complaint, assessment.category, before) if assessment.in_scope and pack.early_warning else ()
        writing = AtOnce()
        await add_who(writing, request)
        add_facts(writing, reference, [described(complaint, request.at), *facts_of(entries)])
        add_topics(writing, reference, complaint, topics)
        clocks = await add_events(connection, writing, reference, pack, ClockHistory(), [receipt])
        await write_entries(connection, reference, [*entries, *await continuing(connection, request)], writing)
        warning = await warn(connection, reference, complaint, topics, pack)
        await raise_signs(connection, reference, signs_of(complaint, opinion), "complaint", request.at)
        await raise_signs(connection, reference, signs_of_identity(identity), IDENTIFIED, request.at)
        hands = await hand_over(connection, reference, pack, request.at)
        return Begun(
            pack=await self.pack(connection, pack.hash),
            policy_hash=pack.hash,
            received_at=complaint.received_at,
            complaint=complaint,
            assessment=assessment,
            identity=identity_of(entries),
            found=found,
            warning=warning,
            clocks=clocks,
            hands=hands,
        )

    def _check_times(self, request: OpenCase) -> None:
        # The workflow's time may be ahead of this machine's: another host's, or that of a server that skips time.
        try:
            request.complaint.check_times(max(self._clock(), request.at))
        except ValueError as error:
            raise ApplicationError(str(error), type="InvalidComplaint", non_retryable=True) from None

    def _find_pack(self, complaint: Complaint, found: RulesFound | None) -> PolicyPack:
        # The table finds the rules; whoever sends the complaint says them only where it has no answer.
        names = (found and found.policy) or complaint.policy or self._default_policies
        try:
            return find_policy(names, complaint.received_at, self._packs)
        except (UnknownPolicyPack, PolicyIncomplete):
            raise
        except ValueError as error:
            raise ApplicationError(str(error), type="InvalidComplaint", non_retryable=True) from None


def _answer(request: OpenCase, begun: Begun, linked: Linked | None, known: Case | None) -> Opened:
    """What the workflow is told of the case; *known* is what it is to go on from after a restore."""
    words, before = words_of(begun.complaint), linked.words if linked else ""
    receipt = Occurred(event=CaseEvent.RECEIVED, at=begun.received_at, number=RECEIPT)
    recorded = led_to(begun.pack, begun.clocks, [receipt])
    return Opened(
        policy=begun.pack,
        policy_hash=begun.policy_hash,
        assessment=begun.assessment,
        recorded=recorded.model_copy(update={"hands": begun.hands}),
        early_until=begun.pack.early_until(begun.received_at),
        warning=begun.warning,
        about_rules=about_rules(begun.found, request, begun.pack),
        identity=begun.identity,
        pointed=without_fallback((*pointed_to(words), *pointed_to(before))),
        told=tuple(dict.fromkeys((*told_in(words), *told_in(before)))),
        mentioned=numbers_in(before),
        checkpoint=known.model_dump(mode="json", exclude={"complaint", "policy"}, exclude_defaults=True)
        if known
        else None,
    )


_CLOSED: Final = """
    select closed_at, complaint, checkpoints.run from casefile.cases left join casefile.checkpoints using (reference)
    where reference = $1 for no key update of cases
"""


def _not_to_be_taken_up(why: str) -> ApplicationError:
    return ApplicationError(why, type="NotToBeTakenUp", non_retryable=True)
