"""Letters: written once, handed to a channel until one takes them over, recorded every time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.case.at_once import AtOnce
from activities.case.case_file import CaseFile
from activities.case.turns import Turn
from activities.letters.case_of_letter import read_case_of_letter
from activities.letters.handing import Handing, add_attempt, record_attempt, tried_of
from activities.letters.ways import (
    BY_MESSAGE,
    CASE_FILE,
    PRINT_SHOP,
    Customer,
    Tried,
    Way,
    Ways,
    clocks_kept,
    due_of,
    waits_until,
)
from activities.people.notices import addressee, as_known, owner_of
from domain.case.complaint import Complaint
from domain.case.requests import LetterAccepted, LetterPreview, SendLetter
from domain.clocks.deadlines import ClockHistory, Deadline, Occurred
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, Role, Stage
from domain.keys.personal import Gone, Row
from domain.letters.kinds import LETTERS
from domain.letters.letter import may_be_told, untold
from domain.letters.truths import BEFORE_RESPONSE
from domain.people.customers import Preferences
from domain.people.restrictions import in_force
from record.customers import last_chosen, read_customer_file, who_complains
from record.restrictions import read_restrictions
from runtime.letter_hook import LetterHook
from runtime.letters.letter_text import TO_VERIFY, Standing, write_letter
from runtime.letters.way_names import NO_ADDRESS
from runtime.locking import lock_beyond
from runtime.mail import Mailer, MailError, MailRefused, Outbox, secret_message_id
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection


SENT_AGAIN: Final = "sent_again:"
"""What the keys of timeline entries begin with that tell of a copy."""
_ONCE: Final = 50.0
"""Seconds within which a letter that goes along with something else is to be taken over."""
_NEVER_RETURNED: Final = {NO_ADDRESS, PRINT_SHOP, BY_MESSAGE}
"""The ways by which nothing is returned by mail."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Going:
    """A letter that is to go: of which *case* (`read_case_of_letter`), *to* whom of staff, of which customer, and the
    ways there are now.
    """

    case: asyncpg.Record
    to: str | None
    customer: Customer
    ways: list[Way]


class Letters:
    """Sends letters. ``mailer`` is ``None`` where no SMTP server is configured: letters then go to the outbox."""

    def __init__(  # noqa: PLR0917 (collaborators)
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        case_file: CaseFile,
        mailer: Mailer | None,
        outbox: Outbox,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        """*clock* gives the time as an aware datetime."""
        self._pool = pool
        self._case_file = case_file
        hook = LetterHook(settings, clock) if settings.letter_webhook_url else None
        self._ways = Ways(mailer, outbox, hook, settings)
        self._handing = Handing(settings, clock)
        self._settings = settings
        self._clock = clock
        # A letter keeps its connection while it talks to the mail server; a slow one must not take them all.
        self._connections = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    @activity.defn(name="SendLetter")
    async def send_letter(self, request: SendLetter) -> LetterAccepted:
        """Send one letter once, by its key; a letter accepted before is answered from the case file.

        A way that refuses it, or fails for too long, is followed by the next (`activities.letters.ways`). Raises
        `ApplicationError` of type ``LetterIncomplete`` (not retried: a fact the letter needs is missing),
        ``LetterKeyConflict`` (not retried: the key belongs to another letter), ``LetterTooLate`` (not retried: an
        extension whose clock has ended), ``QuietHours`` (to be tried again at their end) or ``MailFailed`` (to be tried
        again). After a crash between the
        mail server's acceptance and its recording the next attempt sends again, with the same Message-ID.
        """
        reference, alone = request.update.reference, lock_beyond(_lock(request.key))
        async with self._connections, self._pool.acquire() as connection:
            async with self._case_file.turn(
                connection, reference, [request.update], alone, columns=_IS_WRITTEN, values=[request.key]
            ) as turn:
                letter = await self._found(connection, request) if turn.row["written"] else None
                tried = await tried_of(connection, request.key) if letter else Tried()
                # Now, not with the acceptance: a letter that cannot be delivered must not hold back the case file. Of
                # one that was written before, another run may have more to say.
                await turn.write(request.update)
                if letter and letter["accepted_at"]:
                    return await self._announce(turn, request, letter, tried, letter["accepted_at"], letter["channel"])
                going = await self._prepare(turn, request, letter)
                quiet = await self._quiet_until(connection, request, going)
                if letter is None and quiet is None:
                    letter = await self._write_down(turn, request, self._clock(), going)
            if quiet:
                raise _waits(request, quiet, self._clock())
            assert letter is not None  # noqa: S101 (it is written where it does not wait)
            _check_complainant(request, going)
            if request.kind is LetterKind.EXTENSION:
                await self._check_still_true(connection, request, going.case)
            way, tried = await self._carry(connection, request, letter, going, tried)
            accepted_at = self._clock()
            async with self._case_file.turn(connection, reference, [request.update], let_go=True) as turn:
                turn.bears_on(request.update)
                beside = AtOnce()
                add_attempt(beside, request.key, accepted_at, way, "accepted")
                answer = await self._announce(turn, request, letter, tried, accepted_at, way.name, beside)
            log.info("letter accepted", channel=way.name, **_named(request))
            return answer

    async def try_once(self, request: SendLetter) -> LetterAccepted | None:
        """Send it as `send_letter` does; ``None`` where that fails or takes long, and it is to be sent by itself."""
        try:
            async with asyncio.timeout(_ONCE):
                return await self.send_letter(request)
        except (
            Exception
        ) as error:  # what it goes along with is done: whatever is wrong with it, is told where it is sent
            log.info("letter not sent at once", why=type(error).__name__, **_named(request))
            return None

    async def send_again(self, reference: str, number: int) -> None:
        """Have a letter that came back go by the next way, as a copy, once for each way; its address is in doubt.

        What the case was told of its acceptance stays. Where it is not known any more who complains, and the letter
        tells of the account, nothing goes to the address there is now: whoever corrects that writes again. Raises
        `ApplicationError` where nothing takes it now.
        """
        key = await self._pool.fetchval(_KEY_OF, reference, number)
        if key is None:
            return
        async with self._alone(key) as connection:
            letter = await connection.fetchrow("select * from casefile.letters where key = $1", key)
            tried = await tried_of(connection, key)
            if letter is None or isinstance(letter["body"], Gone) or tried.taken in {None, *_NEVER_RETURNED}:
                return
            case = await read_case_of_letter(connection, reference)
            customer = await self._customer(connection, case)
            ways = await self._ways.to_customer(connection, case, customer)
            # Of what was written again after a restore it is not known which way it was.
            taken = tried.taken or ways[0].whose
            if taken not in tried.closed:
                gone = Way(None, None, taken)
                await record_attempt(connection, key, self._clock(), gone, "returned", channel="email", in_doubt=True)
                tried = await tried_of(connection, key)
            if not customer.identity.verified and LETTERS[LetterKind(letter["kind"])].tells:
                return
            for way in tried.left(ways, self._clock(), None):
                try:
                    await self._handing.hand(connection, letter, way, customer, copy=True)
                except MailError as error:
                    await self._handing.note_failure(connection, letter, way, error)
                    continue
                async with connection.transaction():
                    await record_attempt(connection, key, self._clock(), way, "sent_again")
                    await connection.execute(_NOTE, *_sent_again(letter, way, self._clock()))
                log.info("letter sent again", reference=reference, number=number, channel=way.name)
                return
            raise ApplicationError(f"letter {number} came back, and no channel takes it now", type="MailFailed")

    @activity.defn(name="PreviewLetter")
    async def preview_letter(self, request: SendLetter) -> LetterPreview:
        """The letter as it would be written now. Nothing is sent or recorded."""
        async with self._connections, self._pool.acquire() as connection:
            try:
                case = await read_case_of_letter(connection, request.update.reference)
                going = Going(case, None, await self._customer(connection, case), [])
                subject, body = await self._write(connection, request, self._clock(), going)
            except ApplicationError as error:
                return LetterPreview(missing=error.message)
        return LetterPreview(subject=subject, body=body)

    async def restore(self, request: SendLetter, accepted: LetterAccepted, written_at: datetime) -> None:
        """Write again what a lost case file knew of a letter that a channel has accepted. Nothing is sent.

        The text is made again from the facts of the *request*, as of *written_at*.
        """
        async with self._alone(request.key) as connection:
            letter = await self._found(connection, request)
            async with self._case_file.turn(connection, request.update.reference, [request.update]) as turn:
                await turn.write(request.update)
                if letter is None:
                    going = await self._prepare(turn, request, None)
                    letter = await self._write_down(turn, request, written_at, going)
                await connection.execute(
                    "insert into casefile.letter_attempts (key, at, channel, outcome, detail)"
                    " values ($1, $2, $3, 'accepted', $4) on conflict do nothing",
                    request.key,
                    accepted.at,
                    accepted.channel,
                    "restored: as the workflow was told when the channel accepted it",
                )
                tried = await tried_of(connection, request.key)
                await self._announce(turn, request, letter, tried, accepted.at, accepted.channel)

    @asynccontextmanager
    async def _alone(self, key: str) -> "AsyncIterator[Connection]":
        """A connection that holds the lock on *key*; whoever else wants the letter waits and then finds it sent."""
        async with self._connections, self._pool.acquire() as connection:
            # Let go when the session ends, or when the pool resets the connection on its way back.
            await connection.execute(lock_beyond(_lock(key)))
            yield connection

    async def _found(self, connection: "Connection", request: SendLetter) -> asyncpg.Record | None:
        """The letter as it was written at its first attempt, with its acceptance, if there was one."""
        letter = await connection.fetchrow(_LETTER, request.key)
        if letter is None:
            return None
        its, reference = (letter["reference"], letter["number"], letter["kind"]), request.update.reference
        if its != (reference, request.number, request.kind.value):
            raise ApplicationError(
                f"the key {request.key} already belongs to letter {letter['number']} ({letter['kind']}) of"
                f" {letter['reference']}; give letter {request.number} ({request.kind.value}) a key of its own",
                type="LetterKeyConflict",
                non_retryable=True,
            )
        return letter

    async def _prepare(self, turn: Turn, request: SendLetter, letter: asyncpg.Record | None) -> Going:
        """What it is written of and where it can go, as the case file and the settings have it at this moment."""
        connection, reference = turn.connection, turn.reference
        await turn.settle()  # before it is written: the letter tells of the case as it then stands
        case = await read_case_of_letter(connection, reference)
        to = letter["addressee"] if letter else await self._addressee(connection, request, case, self._clock())
        customer = await self._customer(connection, case)
        if LETTERS[request.kind].to_staff:
            ways = await self._ways.to_staff(connection, request, to, self._clock())
        else:
            ways = await self._ways.to_customer(connection, case, customer)
        return Going(case, to, customer, ways)

    async def _write_down(self, turn: Turn, request: SendLetter, written_at: datetime, going: Going) -> asyncpg.Record:
        connection, reference = turn.connection, turn.reference
        subject, body = await self._write(connection, request, written_at, going, turn.history)
        row = Row("casefile.letters", reference, request.key)
        letter = await connection.fetchrow(
            "insert into casefile.letters"
            " (key, reference, number, kind, language, recipient, subject, body, message_id, rendered_at,"
            " addressee) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *",
            request.key,
            reference,
            request.number,
            request.kind.value,
            request.language,
            row("recipient", going.ways[0].recipient),
            row("subject", subject),
            row("body", body),
            await secret_message_id(request.key, self._settings.mail_from),
            written_at,
            going.to,
        )
        assert letter is not None  # noqa: S101 (an insert returns its row)
        return letter

    async def _addressee(
        self, connection: "Connection", request: SendLetter, case: asyncpg.Record, at: datetime
    ) -> str | None:
        """The id of the member of staff whom a notice is for; ``None`` where no directory names any, and of letters."""
        if not LETTERS[request.kind].to_staff:
            return None
        reference = request.update.reference
        pack = await self._case_file.pack(connection, case["policy_hash"])
        if (person := request.facts.person) and (told := await as_known(connection, reference, person, at)):
            return told
        if (task := request.facts.task) and (owner := await owner_of(connection, reference, task, at)):
            return owner
        return await addressee(connection, reference, pack, request.facts.audience or Role.HANDLER, at)

    async def _write(
        self,
        connection: "Connection",
        request: SendLetter,
        at: datetime,
        going: Going,
        known: ClockHistory | None = None,
    ) -> tuple[str, str]:
        case, customer = going.case, going.customer
        pack = await self._case_file.pack(connection, case["policy_hash"])
        foreseen: list[Deadline] = []
        if request.kind in {LetterKind.EXTENSION, LetterKind.HOLDING} or LETTERS[request.kind].wait_ends_by:
            announced = _announced(request, at)
            foreseen = await self._case_file.foresee(connection, case["reference"], pack, announced, known)
        stands = {name: case[name] for name in Standing.model_fields.keys() - {"restrictions"}}
        wishes = customer.wishes
        return write_letter(
            _as_it_stands(request, case),
            complaint=Complaint.recorded(case["complaint"]),
            name=case["name"],
            pack=pack,
            firm_name=self._settings.firm.in_language(request.language),
            at=at,
            foreseen=foreseen,
            responded_at=case["responded_at"],
            extended=case["extended"],
            to=going.to,
            verified=customer.identity.verified,
            zone=ZoneInfo(wishes.zone) if wishes.zone else None,
            pages=self._settings.web_url,
            standing=Standing.model_validate({**stands, "restrictions": customer.restrictions}),
        )

    async def _customer(self, connection: "Connection", case: asyncpg.Record) -> Customer:
        """Who complains, and how they are to be written to, as it stands now."""
        identity = who_complains(case)
        account = case["account"] if identity.verified else None
        if account is None:
            return Customer(identity, Preferences(), ())
        wishes = (await read_customer_file(connection, account)).preferences if case["filed"] else Preferences()
        if channel := last_chosen(case["chosen"], "channel"):
            # What was said of this case goes before what is on file of all.
            wishes = wishes.model_copy(update={"by_post": channel == "post", "by_message": channel == "message"})
        restrictions = await read_restrictions(connection, account) if case["restrictable"] else []
        return Customer(identity, wishes, tuple(in_force(restrictions, self._clock())), account)

    async def _check_still_true(self, connection: "Connection", request: SendLetter, case: asyncpg.Record) -> None:
        """Raise rather than promise, long after it was written, an extension that would come too late by now."""
        reference = request.update.reference
        pack = await self._case_file.pack(connection, case["policy_hash"])
        foreseen = await self._case_file.foresee(connection, reference, pack, _announced(request, self._clock()))
        if any(deadline.clock == request.facts.clock for deadline in foreseen):
            return
        raise ApplicationError(
            f"{request.kind.value} (letter {request.number}): clock {request.facts.clock} has ended meanwhile;"
            " the letter is not sent, because it promises a date that no longer holds",
            type="LetterTooLate",
            non_retryable=True,
        )

    async def _carry(
        self, connection: "Connection", request: SendLetter, letter: asyncpg.Record, going: Going, tried: Tried
    ) -> tuple[Way, Tried]:
        """The way that has taken the letter over, and what was *tried* by then. Raise where it may be taken later.

        Each way that has not taken it is recorded.
        """
        due, ways = None, going.ways
        while True:
            if tried.failing and due is None:
                pack = await self._case_file.pack(connection, going.case["policy_hash"])
                due = (await due_of(connection, request.update.reference, clocks_kept(pack, request))).at
            way = next(tried.left(ways, self._clock(), due))
            try:
                await self._handing.hand(connection, letter, way, going.customer, copy=tried.may_have_arrived(way))
            except MailError as error:
                await self._handing.note_failure(connection, letter, way, error)
                if not isinstance(error, MailRefused) or way is ways[-1]:
                    raise ApplicationError(
                        f"{request.kind.value} (letter {request.number}): {error}", type=type(error).__name__
                    ) from None
                tried = await tried_of(connection, request.key)
            else:
                return way, tried

    async def _quiet_until(self, connection: "Connection", request: SendLetter, going: Going) -> datetime | None:
        """The end of the quiet hours for which a letter waits; it is not written before. ``None`` where it does not."""
        if LETTERS[request.kind].to_staff:
            return None
        wishes, pack = going.customer.wishes, await self._case_file.pack(connection, going.case["policy_hash"])
        if not (wishes.quiet_hours or pack.quiet_hours):
            return None
        due = await due_of(connection, request.update.reference, clocks_kept(pack, request))
        return waits_until(request, going.ways, wishes, pack, due, self._clock())

    async def _announce(  # noqa: PLR0917 (what was accepted, when and how)
        self,
        turn: Turn,
        request: SendLetter,
        letter: asyncpg.Record,
        tried: Tried,
        at: datetime,
        channel: str,
        beside: AtOnce | None = None,
    ) -> LetterAccepted:
        """Record what the acceptance means, and what goes *beside* it. Again, it changes nothing and answers the same.

        The case file has the update of the request; with it the answer tells of the clocks that it moved as well.
        """
        notice = request.facts.notice
        told = f": {notice.en}" if notice and channel == CASE_FILE else ""
        whom = f" for {letter['addressee']}" if letter["addressee"] else ""
        data = {"letter": request.key, "number": request.number, "kind": request.kind.value, "channel": channel}
        if told and notice:
            data["notice"] = notice.zh  # beside the English of the line
        if request.kind in _DECISIONS and request.facts.outcome:
            data["outcome"] = request.facts.outcome.value  # reports count it from now on
        entry = Entry(
            key=f"{request.key}:accepted",
            at=at,
            kind="letter",
            actor=str(SYSTEM),
            text=f"{request.kind.value}{whom} accepted by {channel}{told}",
            data=data,
        )
        events = _announced(request, at)
        # Its state is kept once more: a restore writes it with the acceptance, too.
        update = request.update.emptied.model_copy(
            update={"entries": (entry,), "checkpoint": request.update.checkpoint}
        )
        await turn.write(update, events, beside=beside)
        recorded = await turn.recorded(request.update, events)
        return LetterAccepted(at=at, channel=channel, recorded=recorded, in_doubt=tried.in_doubt)


_DECISIONS: Final = frozenset({LetterKind.SUMMARY_RESOLUTION, LetterKind.FINAL_RESPONSE, LetterKind.OUTSIDE_DECISION})
"""The letters that tell the customer how their complaint was decided."""


def _as_it_stands(request: SendLetter, case: asyncpg.Record) -> SendLetter:
    """The *request* with how far the *case* is by now, where that went on while an interim letter waited."""
    summary, now = request.update.summary, Stage(case["stage"])
    if not LETTERS[request.kind].interim or case["revision"] <= summary.revision:
        return request
    facts = {"stage": now} if now in BEFORE_RESPONSE else {"stage": now, "expected_by": None}
    stands = {"stage": now, **{name: case[name] for name in ("handler", "escalation_level", "breached")}}
    return request.model_copy(
        update={
            "facts": request.facts.model_copy(update=facts),
            "update": request.update.model_copy(update={"summary": summary.model_copy(update=stands)}),
        }
    )


def _announced(request: SendLetter, at: datetime) -> list[Occurred]:
    """The events that the letter's acceptance *at* that instant means."""
    facts = request.facts
    particulars = {
        CaseEvent.EXTENDED: {"clock": facts.clock, "extension": facts.extension},
        CaseEvent.HELD: {"letter": facts.letter},
    }
    return [
        Occurred(event=event, at=at, number=request.number, **particulars.get(event, {})) for event in request.announces
    ]


_KEY_OF: Final = """
    select key from casefile.letters where (reference, number) = ($1, $2) and kind <> 'staff_notice'
    order by rendered_at desc limit 1
"""
_IS_WRITTEN: Final = "exists (select from casefile.letters where key = $2) as written"
_LETTER: Final = """
    select l.*, a.at as accepted_at, a.channel
    from casefile.letters l left join casefile.letter_attempts a on a.key = l.key and a.outcome = 'accepted'
    where l.key = $1
"""
_NOTE: Final = """
    insert into casefile.timeline (reference, key, at, kind, actor, text, data)
    values ($1, $2, $3, 'letter', $4, $5, $6) on conflict do nothing
"""


def _lock(key: str) -> str:
    """The name of the lock on the letter of *key*."""
    return f"letter:{key}"


def _check_complainant(request: SendLetter, going: Going) -> None:
    """Raise where who complains is not known any more: the address may have been changed since it was written."""
    identity = going.customer.identity
    if identity.verified or LETTERS[request.kind].to_staff:
        return
    words = " ".join(filter(None, (request.facts.reasons, request.facts.questions)))
    told = may_be_told(request.kind, request.facts, verified=False)
    if not told or untold(words, Complaint.recorded(going.case["complaint"]).model_dump_json()):
        raise ApplicationError(
            f"{request.kind.value} (letter {request.number}) waits: {identity.spoken.en}"
            f" ({TO_VERIFY} {request.update.reference})",
            type="LetterIncomplete",
            non_retryable=True,
        )


def _waits(request: SendLetter, until: datetime, now: datetime) -> ApplicationError:
    """What has Temporal try again *until* then, by its timer of the next attempt."""
    return ApplicationError(
        f"{request.kind.value} (letter {request.number}) waits for the end of quiet hours, {until:%H:%M} UTC",
        type="QuietHours",
        next_retry_delay=until - now,
        category=ApplicationErrorCategory.BENIGN,
    )


def _sent_again(letter: asyncpg.Record, way: Way, at: datetime) -> tuple[Any, ...]:
    """The row of the timeline that tells of it."""
    key, number, kind = letter["key"], letter["number"], letter["kind"]
    data = {"letter": key, "number": number, "kind": kind, "channel": way.name, "again": True}
    said = f"{kind} (letter {number}) came back; a copy of it was accepted by {way.name}"
    return letter["reference"], f"{SENT_AGAIN}{number}:{way.whose}", at, str(SYSTEM), said, data


def _named(request: SendLetter) -> dict[str, Any]:
    """What a log line says of a letter."""
    return {"reference": request.update.reference, "number": request.number, "kind": request.kind.value}
