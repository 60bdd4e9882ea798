"""The case file in PostgreSQL: cases, timeline, deadline ledger, rejected messages. Everything is written once."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case import checkpoints
from activities.case.at_once import AtOnce
from activities.case.early_warning import note_topics
from activities.case.facts import add_facts, described
from activities.case.findable import make_findable
from activities.case.opening import (
    about_rules,
    add_who,
    applicant,
    complained_of_before,
    continuing,
    find_opened,
    first_entries,
    linked_case,
    warning_of,
    words_of,
)
from activities.case.pinning import pin
from activities.case.unopened import Unopened
from activities.case.writing import add_events, add_summary, follow_events, led_to, told_otherwise, write_firings
from activities.case.written_once import keep_contradictions, write_contact, write_entries, write_rejected
from activities.people.complainants import identify_complainant
from activities.people.hands import hand_over, raise_signs, settle, without_signs
from activities.people.tasks import lost_tasks
from domain.case.assessment import Assessment, assess
from domain.case.complaint import Complaint
from domain.case.file import CaseUpdate, Recorded
from domain.case.hearing import said_by_customer, signs_of
from domain.case.identity import IDENTIFIED
from domain.case.requests import OpenCase, Opened, RecordContact, TakenUp, TakeUpCase
from domain.case.told import told_in
from domain.checks.choice import numbers_in, pointed_to, without_fallback
from domain.clocks.deadlines import ClockHistory, Deadline, Occurred
from domain.clocks.planning import plan
from domain.ground.words import CaseEvent, Stage
from domain.keys.personal import COMPLAINT_READABLE, Personal, is_erased
from domain.learning.facts import facts_of
from domain.people.hands import Hands
from domain.people.matching import Identity, signs_of_identity
from domain.rules.applying import RulesFound, RulesTable, which_rules
from domain.rules.policy import PolicyPack
from domain.speech.proposing import Opinion
from record.customers import who_complains
from record.directory import LOCK_DIRECTORY
from record.hands import read_hands
from record.histories import clock_history
from record.packs import pinned_pack
from runtime.listening import Listen, listen
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
    """How a case stands when it was opened: what its receipt has led to, and whose hands it is in."""

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
        async with self._pool.acquire() as connection, connection.transaction():
            case, begun = await find_opened(connection, request), None
            if case is None:
                begun = await self._open(connection, request)
                case = await find_opened(connection, request)
            assert case is not None  # noqa: S101 (just inserted, here or by somebody else)
            goes_on = case["goes_on"] and await checkpoints.take_up(connection, request.reference, request.run)
            known = await checkpoints.find(connection, request.reference) if goes_on else None
            pack = await self.pack(connection, case["policy_hash"])
            receipt = Occurred(event=CaseEvent.RECEIVED, at=case["received_at"], number=RECEIPT)
            clocks, hands = begun or (
                await clock_history(connection, request.reference),
                await read_hands(connection, request.reference, request.at),
            )
            recorded = led_to(pack, clocks, [receipt])
            complaint = Complaint.recorded(case["complaint"])
            words, linked = words_of(complaint), await linked_case(connection, complaint)
            before = linked.words if linked else ""
            opened = Opened(
                policy=pack,
                policy_hash=case["policy_hash"],
                assessment=Assessment.model_validate(case["assessment"]),
                recorded=recorded.model_copy(update={"hands": hands}),
                early_until=pack.early_until(case["received_at"]),
                warning=warning_of(case),
                about_rules=about_rules(case, request, pack),
                identity=who_complains(case),
                pointed=without_fallback((*pointed_to(words), *pointed_to(before))),
                told=tuple(dict.fromkeys((*told_in(words), *told_in(before)))),
                mentioned=numbers_in(before),
                checkpoint=known.model_dump(mode="json", exclude={"complaint", "policy"}, exclude_defaults=True)
                if known
                else None,
            )
        log.info("case opened", reference=request.reference, policy=pack.id, category=opened.assessment.category.value)
        return opened

    @activity.defn(name="Record")
    async def record(self, update: CaseUpdate) -> Recorded:
        """Write *update* to the case file."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await self.apply(connection, update)

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
        async with self._pool.acquire() as connection, connection.transaction():
            await _lock(connection, request.reference)
            await write_entries(connection, request.reference, request.entries)
            await write_contact(connection, request)
            await make_findable(connection, request.reference, whole=(request.email, request.phone))

    async def apply(
        self,
        connection: "Connection",
        update: CaseUpdate,
        extra_events: Iterable[Occurred] = (),
        *,
        beside: AtOnce | None = None,
    ) -> Recorded:
        """Write *update* and *extra_events* within the transaction of the effect they go with.

        What is to be written *beside* them goes in the same statement.

        Returns the rounds that these events began, and those ended: by these events, or of the rounds they began, by
        any (an event with a higher number may have been written first), and of those that ``update.asked`` names.
        Again, it changes nothing and answers the same, but for rounds that ended meanwhile. Updates of one case take
        turns.
        """
        if not connection.is_in_transaction():
            raise RuntimeError("an update is recorded in the transaction of its effect: open one first")
        reference = update.reference
        # Its row is not locked yet: whoever gives the opinions may take its time.
        told = {entry.key: said_by_customer(entry.kind, entry.actor, entry.data) for entry in update.entries}
        said = {key: text for key, text in told.items() if text}
        opinions = {key: await self._listen(text) for key, text in said.items()}
        pack = await self.pack(connection, await _lock(connection, reference))
        events = [*update.events, *extra_events]
        happened = [*events, *await lost_tasks(connection, reference, update.entries)]
        known = await clock_history(connection, reference) if happened or update.asked else ClockHistory()
        writing = beside or AtOnce()
        add_facts(writing, reference, facts_of(update.entries))
        grown = await add_events(connection, writing, reference, pack, known, happened)
        add_summary(writing, update)
        checkpoints.add(writing, reference, update.checkpoint)
        news = await write_entries(connection, reference, without_signs(update.entries), writing)
        await keep_contradictions(connection, reference, told_otherwise(known, happened))
        if said:
            await make_findable(connection, reference, *said.values())
        await write_firings(connection, update)
        await write_rejected(connection, reference, update.rejected)
        hands = await settle(connection, reference, pack, update.entries, opinions, news=news)
        recorded = led_to(pack, grown, events, update.asked)
        return recorded.model_copy(update={"hands": hands}) if hands else recorded

    async def foresee(
        self, connection: "Connection", reference: str, pack: PolicyPack, happening: Sequence[Occurred]
    ) -> list[Deadline]:
        """What each of these would lead to if it alone happened now, as the case stands. Nothing is written."""
        if not happening:
            return []
        known = await clock_history(connection, reference)
        followed = [await follow_events(connection, pack, known, [occurred]) for occurred in happening]
        return [deadline for one in followed for deadline in one.planned]

    async def pack(self, connection: "Connection", policy_hash: str) -> PolicyPack:
        """The pinned pack of that hash, as it was when a case was first opened under it."""
        try:
            return await pinned_pack(connection, policy_hash)
        except LookupError as error:
            raise ApplicationError(f"policy_hash: {error}", type="NoPolicyPack") from None

    async def _open(self, connection: "Connection", request: OpenCase) -> Begun | None:
        """Write everything a case begins with; nothing if somebody else does so at the same moment."""
        complaint = request.complaint
        found = which_rules(self._table, applicant(complaint))
        pack = self._find_pack(complaint, found)
        # The workflow's time may be ahead of this machine's: another host's, or that of a server that skips time.
        try:
            complaint.check_times(max(self._clock(), request.at))
        except ValueError as error:
            raise ApplicationError(str(error), type="InvalidComplaint", non_retryable=True) from None
        # No row is locked yet: whoever gives the opinion may take its time.
        opinion = await self._listen(words_of(complaint))
        earlier = await complained_of_before(connection, complaint, pack.recurs_within_days)
        linked = await linked_case(connection, complaint)
        assessment = assess(
            complaint, pack, earlier=earlier, opinion=opinion, continues=linked.category if linked else None
        )
        identity = await identify_complainant(connection, request, pack)
        return await self.open_as(connection, request, pack, assessment, identity, found, opinion)

    async def open_as(  # noqa: PLR0917 (all that a case begins with)
        self,
        connection: "Connection",
        request: OpenCase,
        pack: PolicyPack,
        assessment: Assessment,
        identity: Identity,
        found: RulesFound | None = None,
        opinion: Opinion | None = None,
    ) -> Begun | None:
        """Open the case file under that *pack*, with that *assessment*, who complains, what the table of rules
        *found* for it and a model's *opinion*.

        Again, it changes nothing, and returns ``None``.
        """
        complaint, reference = request.complaint, request.reference
        receipt = Occurred(
            event=CaseEvent.RECEIVED, at=complaint.received_at, number=RECEIPT, facts=assessment.facts(complaint)
        )
        await pin(connection, pack.hash, pack, self._clock())
        opened = await connection.fetchval(
            _OPEN,
            reference,
            complaint.source,
            complaint.idempotency_key,
            complaint.received_at,
            request.at,
            complaint.language,
            complaint.channel,
            complaint.account,
            Personal(reference, complaint.model_dump(mode="json"), COMPLAINT_READABLE),
            pack.hash,
            Stage.RECEIVED,
            assessment.category,
            assessment.severity,
            assessment.priority,
            assessment.in_scope,
            assessment.repeat,
            assessment.team,
            min((deadline.due for deadline in plan(pack, receipt)), default=None),
            request.run,
        )
        if not opened:
            return None
        entries = first_entries(request, pack, assessment, identity, found)
        writing = AtOnce()
        await add_who(writing, request)
        add_facts(writing, reference, [described(complaint, request.at), *facts_of(entries)])
        clocks = await add_events(connection, writing, reference, pack, ClockHistory(), [receipt])
        await write_entries(connection, reference, [*entries, *await continuing(connection, request)], writing)
        await raise_signs(connection, reference, signs_of(complaint, opinion), "complaint", request.at)
        await raise_signs(connection, reference, signs_of_identity(identity), IDENTIFIED, request.at)
        hands = await hand_over(connection, reference, pack, request.at)
        if assessment.in_scope:
            await note_topics(connection, reference, complaint, assessment.category, pack)
        return Begun(clocks, hands)

    def _find_pack(self, complaint: Complaint, found: RulesFound | None) -> PolicyPack:
        # The table finds the rules; whoever sends the complaint says them only where it has no answer.
        names = (found and found.policy) or complaint.policy or self._default_policies
        try:
            return find_policy(names, complaint.received_at, self._packs)
        except (UnknownPolicyPack, PolicyIncomplete):
            raise
        except ValueError as error:
            raise ApplicationError(str(error), type="InvalidComplaint", non_retryable=True) from None


_OPEN: Final = f"""
    insert into casefile.cases (
        reference, source, idempotency_key, received_at, opened_at, language, channel, account, complaint,
        policy_hash, revision, stage, stage_since, category, severity, priority, in_scope, repeat, team,
        escalation_level, next_deadline, breached, run)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $5, $12, $13, $14, $15, $16, $17, 0, $18, false,
        $19)
    on conflict do nothing returning true, {LOCK_DIRECTORY}
"""  # noqa: S608 (a constant)
_CLOSED: Final = """
    select closed_at, complaint, checkpoints.run from casefile.cases left join casefile.checkpoints using (reference)
    where reference = $1 for no key update of cases
"""


def _not_to_be_taken_up(why: str) -> ApplicationError:
    return ApplicationError(why, type="NotToBeTakenUp", non_retryable=True)


async def _lock(connection: "Connection", reference: str) -> str:
    """Have whoever else changes the case wait for this transaction's end. Returns the hash of the pinned pack.

    Locks are taken in one order: a letter or a payment by its key, an account, the case or the incident, the directory,
    what follows from its rows. A transaction that writes to a case begins with this, or with those before it; the
    triggers of its tables take it too before they touch another row. Of several cases, by reference.

    Not FOR UPDATE: that would wait for transactions which have added a row of the case, and they in turn for this one.
    """
    policy_hash = await connection.fetchval(
        f"select policy_hash, {LOCK_DIRECTORY} from (select policy_hash from casefile.cases"  # noqa: S608 (a constant)
        " where reference = $1 for no key update) as locked",
        reference,
    )
    if policy_hash is None:
        # Only a restore takes a case away from its workflow: what is to be written waits until it is there again.
        raise ApplicationError(f"there is no case {reference}: open it first, or redress reconcile", type="NoCase")
    return str(policy_hash)
