"""Letters: written once, handed to a channel until one takes them over, recorded every time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case.case_file import CaseFile
from activities.people.notices import addressee, addresses, own_address, owner_of
from domain.case.complaint import Complaint
from domain.case.requests import LetterAccepted, LetterPreview, SendLetter
from domain.clocks.deadlines import Deadline, Occurred
from domain.ground.people import SYSTEM
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, ContactForm, LetterKind, Role
from domain.keys.personal import Personal
from domain.keys.scopes import scope_of_workflow
from domain.letters.kinds import LETTERS
from domain.letters.letter import may_be_told
from domain.people.customers import Preferences
from domain.people.matching import Identity
from domain.people.restrictions import Restriction, in_force
from record.customers import read_customer_file, read_identity
from record.restrictions import read_restrictions
from runtime.letters.letter_text import TO_VERIFY, Standing, write_letter
from runtime.mail import Channel, Mailer, MailError, MailRefused, Outbox, compose, secret_message_id
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection


REFUSED_RETRY: Final = timedelta(minutes=15)
"""How long a refused letter waits for its next attempt, so that the address can be corrected meanwhile."""

CASE_FILE: Final = "case_file"
"""The channel of a staff notice nobody has an address for: its timeline entry is the notice."""

log = structlog.get_logger(__name__)


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
        *,
        refused_retry: timedelta = REFUSED_RETRY,
    ) -> None:
        """*clock* gives the time as an aware datetime."""
        self._pool = pool
        self._case_file = case_file
        self._mailer = mailer
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        self._refused_retry = refused_retry
        # A letter keeps its connection while it talks to the mail server; a slow one must not take them all.
        self._connections = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    @activity.defn(name="SendLetter")
    async def send_letter(self, request: SendLetter) -> LetterAccepted:
        """Send one letter once, by its key; a letter accepted before is answered from the case file.

        Raises `ApplicationError` of type ``LetterIncomplete`` (not retried: a fact the letter needs is missing),
        ``LetterKeyConflict`` (not retried: the key belongs to another letter), ``LetterTooLate`` (not retried: an
        extension whose clock has ended), ``MailFailed`` (to be tried again) or
        ``MailRefused`` (to be tried again later, when the address may have been corrected). After a crash between the
        mail server's acceptance and its recording the next attempt sends again, with the same Message-ID.
        """
        async with self._alone(request.key) as connection:
            letter, customer = await self._letter(connection, request)
            accepted = await connection.fetchrow(
                "select at, channel from casefile.letter_attempts where key = $1 and outcome = 'accepted'", request.key
            )
            if accepted:
                async with connection.transaction():
                    return await self._announce(connection, request, accepted["at"], accepted["channel"])
            customer = customer or await self._customer(connection, request)
            way = await self._way(connection, request, letter["addressee"], customer)
            _check_complainant(request, customer.identity)
            if request.kind is LetterKind.EXTENSION:
                await self._check_still_true(connection, request)
            await self._deliver(connection, request, letter, way)
            accepted_at = self._clock()
            async with connection.transaction():
                await _record_attempt(connection, request.key, accepted_at, way, "accepted")
                answer = await self._announce(connection, request, accepted_at, way.name)
            log.info("letter accepted", channel=way.name, **_named(request))
            return answer

    @activity.defn(name="PreviewLetter")
    async def preview_letter(self, request: SendLetter) -> LetterPreview:
        """The letter as it would be written now. Nothing is sent or recorded."""
        async with self._connections, self._pool.acquire() as connection:
            try:
                customer = await self._customer(connection, request)
                subject, body = await self._write(connection, request, self._clock(), None, customer)
            except ApplicationError as error:
                return LetterPreview(missing=error.message)
        return LetterPreview(subject=subject, body=body)

    async def restore(self, request: SendLetter, accepted: LetterAccepted, written_at: datetime) -> None:
        """Write again what a lost case file knew of a letter that a channel has accepted. Nothing is sent.

        The text is made again from the facts of the *request*, as of *written_at*.
        """
        async with self._alone(request.key) as connection:
            await self._letter(connection, request, written_at)
            async with connection.transaction():
                await connection.execute(
                    "insert into casefile.letter_attempts (key, at, channel, outcome, detail)"
                    " values ($1, $2, $3, 'accepted', $4) on conflict do nothing",
                    request.key,
                    accepted.at,
                    accepted.channel,
                    "restored: as the workflow was told when the channel accepted it",
                )
                await self._announce(connection, request, accepted.at, accepted.channel)

    @asynccontextmanager
    async def _alone(self, key: str) -> "AsyncIterator[Connection]":
        """A connection that holds the lock on *key*; whoever else wants the letter waits and then finds it sent."""
        async with self._connections, self._pool.acquire() as connection:
            # Let go when the session ends, or when the pool resets the connection on its way back.
            await connection.execute("select pg_advisory_lock(hashtextextended('letter:' || $1, 0))", key)
            yield connection

    async def _letter(
        self, connection: "Connection", request: SendLetter, written_at: datetime | None = None
    ) -> tuple[asyncpg.Record, "_Customer | None"]:
        """The letter as it was written at its first attempt; where that is this one, what is known of the customer."""
        customer = None
        reference = request.update.reference
        letter = await connection.fetchrow("select * from casefile.letters where key = $1", request.key)
        if letter is None:
            written_at = written_at or self._clock()
            async with connection.transaction():
                # Now, not with the acceptance: a letter that cannot be delivered must not hold back the case file. And
                # before it is written: the letter tells of the case as it then stands.
                await self._case_file.apply(connection, request.update)
                to = await self._addressee(connection, request, written_at)
                customer = await self._customer(connection, request)
                way = await self._way(connection, request, to, customer)
                subject, body = await self._write(connection, request, written_at, to, customer)
                letter = await connection.fetchrow(
                    "insert into casefile.letters"
                    " (key, reference, number, kind, language, recipient, subject, body, message_id, rendered_at,"
                    " addressee) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *",
                    request.key,
                    reference,
                    request.number,
                    request.kind.value,
                    request.language,
                    Personal(reference, way.recipient),
                    Personal(reference, subject),
                    Personal(reference, body),
                    await secret_message_id(request.key, self._settings.mail_from),
                    written_at,
                    to,
                )
        assert letter is not None  # noqa: S101 (an insert returns its row)
        if (letter["reference"], letter["number"], letter["kind"]) != (reference, request.number, request.kind.value):
            raise ApplicationError(
                f"the key {request.key} already belongs to letter {letter['number']} ({letter['kind']}) of"
                f" {letter['reference']}; give letter {request.number} ({request.kind.value}) a key of its own",
                type="LetterKeyConflict",
                non_retryable=True,
            )
        return letter, customer

    async def _addressee(self, connection: "Connection", request: SendLetter, at: datetime) -> str | None:
        """The id of the member of staff whom a notice is for; ``None`` where no directory names any, and of letters."""
        if not LETTERS[request.kind].to_staff:
            return None
        reference = request.update.reference
        policy_hash = await connection.fetchval(
            "select policy_hash from casefile.cases where reference = $1", reference
        )
        pack = await self._case_file.pack(connection, policy_hash)
        if (task := request.facts.task) and (owner := await owner_of(connection, reference, task, at)):
            return owner
        return await addressee(connection, reference, pack, request.facts.audience or Role.HANDLER, at)

    async def _write(
        self, connection: "Connection", request: SendLetter, at: datetime, to: str | None, customer: "_Customer"
    ) -> tuple[str, str]:
        reference = request.update.reference
        case = await connection.fetchrow(
            "select complaint, policy_hash, name, (select max(at) from casefile.events e"
            " where e.reference = c.reference and event = 'responded') as responded_at,"
            " exists (select from casefile.events e where e.reference = c.reference and event = 'extended') as extended"
            " from casefile.cases c join casefile.contacts using (reference)"
            " where reference = $1 order by id desc limit 1",
            reference,
        )
        assert case is not None  # noqa: S101 (its update was recorded)
        pack = await self._case_file.pack(connection, case["policy_hash"])
        foreseen: list[Deadline] = []
        if request.kind is LetterKind.EXTENSION or LETTERS[request.kind].wait_ends_by:
            for occurred in _announced(request, at):
                foreseen += await self._case_file.foresee(connection, reference, pack, occurred)
        standing = await connection.fetchrow(_STANDING, reference)
        wishes = customer.wishes
        return write_letter(
            request,
            complaint=Complaint.recorded(case["complaint"]),
            name=case["name"],
            pack=pack,
            firm_name=self._settings.firm_name,
            at=at,
            foreseen=foreseen,
            responded_at=case["responded_at"],
            extended=case["extended"],
            to=to,
            verified=customer.identity.verified,
            zone=ZoneInfo(wishes.zone) if wishes.zone else None,
            pages=self._settings.web_url,
            standing=Standing.model_validate({**(standing or {}), "restrictions": customer.restrictions}),
        )

    async def _customer(self, connection: "Connection", request: SendLetter) -> "_Customer":
        """Who complains, and how they are to be written to, as it stands now."""
        reference = request.update.reference
        identity = await read_identity(connection, reference)
        account = await connection.fetchval(_ACCOUNT, reference) if identity.verified else None
        if account is None:
            return _Customer(identity, Preferences(), ())
        filed = await read_customer_file(connection, account)
        restricted = in_force(await read_restrictions(connection, account), self._clock())
        return _Customer(identity, filed.preferences, tuple(restricted))

    async def _check_still_true(self, connection: "Connection", request: SendLetter) -> None:
        """Raise rather than promise, long after it was written, an extension that would come too late by now."""
        reference = request.update.reference
        policy_hash = await connection.fetchval(
            "select policy_hash from casefile.cases where reference = $1", reference
        )
        pack = await self._case_file.pack(connection, policy_hash)
        for occurred in _announced(request, self._clock()):
            foreseen = await self._case_file.foresee(connection, reference, pack, occurred)
            if any(deadline.clock == request.facts.clock for deadline in foreseen):
                return
        raise ApplicationError(
            f"{request.kind.value} (letter {request.number}): clock {request.facts.clock} has ended meanwhile;"
            " the letter is not sent, because it promises a date that no longer holds",
            type="LetterTooLate",
            non_retryable=True,
        )

    async def _way(
        self, connection: "Connection", request: SendLetter, to: str | None, customer: "_Customer"
    ) -> "_Way":
        """Where the letter goes, as the case file and the settings have it at this moment; a notice is for *to*."""
        channel = self._mailer or self._outbox
        if LETTERS[request.kind].to_staff:
            reference, role, team = request.update.reference, request.facts.audience, request.update.summary.team
            whose: Iterable[str | None] = (role, team)
            if to:
                now = self._clock()
                whose = await addresses(connection, reference, to, role=role or Role.HANDLER, team=team, at=now)
                if address := await own_address(connection, to):
                    return _Way(channel, address, f"address of {to}")
            for name in whose:
                if name and (address := self._settings.staff_addresses.get(name)):
                    return _Way(channel, address, f"address of {name}")
            return _Way(None, None, "no address")
        contact = await connection.fetchrow(
            _CONTACT,
            request.update.reference,
        )
        if contact and contact["in_doubt"]:
            return _Way(self._outbox, None, f"contact {contact['id']}, in doubt: a letter came back")
        if contact and contact["email"] and not customer.by_post:
            return _Way(channel, contact["email"], f"contact {contact['id']}")
        return _Way(self._outbox, None, "no address")

    async def _deliver(
        self, connection: "Connection", request: SendLetter, letter: asyncpg.Record, way: "_Way"
    ) -> None:
        """Return when the channel has taken the letter over. If it has not, record the attempt and raise."""
        if way.channel is None:
            return
        reference = request.update.reference
        sender = self._settings.mail_from
        try:
            message = compose(
                self._settings,
                identity=letter["message_id"],
                thread=await secret_message_id(f"case:{reference}", sender),
                recipient=way.recipient,
                subject=letter["subject"],
                body=letter["body"],
                language=letter["language"],
                at=letter["rendered_at"],
                headers={"X-Redress-Reference": reference},
            )
            await way.channel.deliver(request.key, message)
        except MailError as error:
            refused = isinstance(error, MailRefused)
            outcome = "refused" if refused else "failed"
            await _record_attempt(connection, request.key, self._clock(), way, outcome, detail=str(error))
            log.warning("letter not delivered", channel=way.name, outcome=outcome, why=str(error), **_named(request))
            raise ApplicationError(
                f"{request.kind.value} (letter {request.number}): {error}",
                type=type(error).__name__,
                next_retry_delay=self._refused_retry if refused else None,
            ) from None

    async def _announce(
        self, connection: "Connection", request: SendLetter, at: datetime, channel: str
    ) -> LetterAccepted:
        """Record what the acceptance means. Again, it changes nothing and answers the same.

        The update is in the case file since the writing; with it the answer tells of the clocks that it moved as well.
        """
        notice = request.facts.notice
        told = f": {notice.en}" if notice and channel == CASE_FILE else ""
        to = await connection.fetchval("select addressee from casefile.letters where key = $1", request.key)
        whom = f" for {to}" if to else ""
        entry = Entry(
            key=f"{request.key}:accepted",
            at=at,
            kind="letter",
            actor=str(SYSTEM),
            text=f"{request.kind.value}{whom} accepted by {channel}{told}",
            data={"letter": request.key, "number": request.number, "kind": request.kind.value, "channel": channel},
        )
        update = request.update.model_copy(update={"entries": (*request.update.entries, entry)})
        recorded = await self._case_file.apply(connection, update, _announced(request, at))
        return LetterAccepted(at=at, channel=channel, recorded=recorded)


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


_ACCOUNT: Final = "select account from casefile.cases where reference = $1"
_CONTACT: Final = """
    select id, email, exists (
        select from intake.mails m where m.reference = c.reference and m.why = 'returned' and m.at > c.at
    ) as in_doubt
    from casefile.contacts c where reference = $1 order by id desc limit 1
"""
_STANDING: Final = """
    select
        exists (select from casefile.timeline where reference = $1 and kind = 'finding') as looked,
        coalesce((
            select kind in ('propose_resolution', 'proposed') from casefile.timeline
            where reference = $1 and kind in ('propose_resolution', 'proposed', 'decide_resolution', 'investigate',
                'request_information', 'set_aside')
            order by at desc, journal desc nulls last, id desc limit 1), false) as proposed,
        coalesce((
            select event = 'information_requested' from casefile.events
            where reference = $1 and event in ('information_requested', 'customer_replied', 'wait_ended')
            order by number desc limit 1), false) as asked,
        (select count(*) from casefile.events where reference = $1 and event = 'overdue_noted')::integer as new_dates,
        exists (select from casefile.timeline where reference = $1 and kind = 'continues') as continues
"""


@dataclass(frozen=True)
class _Customer:
    """Who complains. Of wishes and restrictions nothing is known before it is known that they are the customer."""

    identity: Identity
    wishes: Preferences
    restrictions: Sequence[Restriction]

    @property
    def by_post(self) -> bool:
        """Whether letters go by post: by the customer's wish, or by a restriction that is in force."""
        return self.wishes.by_post or any(one.form is ContactForm.BY_POST for one in self.restrictions)


def _check_complainant(request: SendLetter, identity: Identity) -> None:
    """Raise where who complains is not known any more: the address may have been changed since it was written."""
    if not may_be_told(request.kind, request.facts, verified=identity.verified):
        raise ApplicationError(
            f"{request.kind.value} (letter {request.number}) waits: {identity.spoken.en}"
            f" ({TO_VERIFY} {request.update.reference})",
            type="LetterIncomplete",
            non_retryable=True,
        )


@dataclass(frozen=True)
class _Way:
    """A channel (``None``: the case file itself), the address, and in words without personal data whose it is."""

    channel: Channel | None
    recipient: str | None
    whose: str

    @property
    def name(self) -> str:
        return self.channel.name if self.channel else CASE_FILE


async def _record_attempt(
    connection: "Connection", key: str, at: datetime, way: _Way, outcome: str, *, detail: str = ""
) -> None:
    await connection.execute(
        "insert into casefile.letter_attempts (key, at, channel, outcome, detail) values ($1, $2, $3, $4, $5)",
        key,
        at,
        way.name,
        outcome,
        Personal(scope_of_workflow(key), f"{way.whose}: {detail}" if detail else way.whose),
    )


def _named(request: SendLetter) -> dict[str, Any]:
    """What a log line says of a letter."""
    return {"reference": request.update.reference, "number": request.number, "kind": request.kind.value}
