"""Letters to customers whose accounts an incident hurt, each sent once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.case.case_file import utc_now
from activities.incidents.known_incidents import pack_of
from domain.checks.findings import Finding
from domain.incidents.requests import TellMember
from domain.keys.personal import Gone, Row, ours
from domain.keys.scopes import scope_of_customer, scope_of_workflow
from domain.money.amounts import total
from record.customers import read_customer_file, read_on_file
from runtime.database import still_holds, while_it_holds
from runtime.keys.here import erased_here
from runtime.letters.letter_text import as_a_copy, write_incident_letter
from runtime.letters.way_names import NO_ADDRESS, way_on_file
from runtime.mail import Channel, Mailer, MailError, MailRefused, Outbox, compose, secret_message_id
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Connection


log = structlog.get_logger(__name__)


class IncidentLetters:
    """Writes to customers whose accounts an incident hurt. Without a mail server letters go to the outbox."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        mailer: Mailer | None,
        outbox: Outbox,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pool = pool
        self._channel: Channel = mailer or outbox
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        # A letter keeps its connection while it talks to the mail server; a slow one must not take them all.
        self._connections = asyncio.Semaphore(max(1, pool.get_max_size() // 4))

    @activity.defn(name="TellMember")
    async def tell_member(self, request: TellMember) -> None:
        """Send the letter once, by incident and account. Raises `ApplicationError` of type ``MailFailed``, to be tried
        again, or ``QuietHours``, to be tried at their end. Where no address is known, or the mail server refuses it,
        the letter waits in the outbox to be posted. Of who was erased there is nobody left to write to.
        """
        key = f"{request.reference}:letter:{request.account}"
        async with self._connections, self._pool.acquire() as connection:
            await connection.execute("SELECT pg_advisory_lock(hashtextextended('letter:' || $1, 0))", key)
            if await connection.fetchval(
                "SELECT EXISTS (SELECT FROM casefile.incident_letter_attempts WHERE key = $1 AND outcome = 'accepted')",
                key,
            ):
                return
            if await erased_here([scope_of_customer(request.account)]):
                await self._write_to_nobody(connection, key, request)
                return
            await self._respect_quiet_hours(connection, request)
            letter = await self._letter(connection, key, request)
            await self._deliver(connection, letter, await self._ways(connection, letter), "accepted", of=key)

    async def _respect_quiet_hours(self, connection: "Connection", request: TellMember) -> None:
        """Raise ``QuietHours`` where the letter, which no clock hurries, waits for the end of those."""
        pack, now = await pack_of(connection, request.reference), self._clock()
        wishes = (await read_customer_file(connection, request.account)).preferences
        quiet = wishes.quiet_hours or pack.quiet_hours
        zone = ZoneInfo(wishes.zone) if wishes.zone else pack.calendar.zone
        if isinstance(self._channel, Mailer) and quiet and (until := quiet.until(now, zone)):
            raise ApplicationError(
                f"the letter waits for the end of quiet hours, {until:%H:%M} UTC",
                type="QuietHours",
                next_retry_delay=until - now,
                category=ApplicationErrorCategory.BENIGN,
            )

    async def send_again(self, key: str) -> None:
        """Have a letter that came back go by the next way, as a copy, once for each; the last is the outbox, to be
        posted. Raises `ApplicationError` of type ``MailFailed`` where nothing takes it now.
        """
        async with self._connections, self._pool.acquire() as connection:
            await connection.execute("SELECT pg_advisory_lock(hashtextextended('letter:' || $1, 0))", key)
            letter = await connection.fetchrow("SELECT * FROM casefile.incident_letters WHERE key = $1", key)
            attempts = await connection.fetch(_ATTEMPTS, key)
            taken = next((one for one in reversed(attempts) if one["outcome"] in {"accepted", "sent_again"}), None)
            if letter is None or isinstance(letter["body"], Gone) or taken is None:
                return
            way = taken["way"]
            if way is None and letter["recipient"] and taken["channel"] != self._outbox.name:
                way = await way_on_file(letter["reference"], letter["recipient"])
            if way in {None, NO_ADDRESS}:  # what is posted does not come back
                return
            closed = {way, *(one["way"] for one in attempts if one["outcome"] in {"returned", "refused"})}
            await self._attempted(connection, key, self._channel, "returned", Way(None, way))
            copy = {"body": as_a_copy(letter["body"], letter["reference"], letter["language"]), "key": f"{key}:copy"}
            ways = [one for one in await self._ways(connection, letter) if one.name not in closed]
            await self._deliver(connection, {**letter, **copy}, ways, "sent_again", of=key)

    async def restore(self, request: TellMember, accepted_at: datetime) -> None:
        """Write again what a lost case file knew of a letter that a channel has accepted. Nothing is sent."""
        key = f"{request.reference}:letter:{request.account}"
        async with self._pool.acquire() as connection, connection.transaction():
            if await erased_here([scope_of_customer(request.account)]):
                await self._write_to_nobody(connection, key, request)
                return
            await self._letter(connection, key, request)
            await connection.execute(
                "INSERT INTO casefile.incident_letter_attempts (key, at, channel, outcome, detail)"
                " VALUES ($1, $2, 'not known', 'accepted', $3) ON CONFLICT DO NOTHING",
                key,
                accepted_at,
                "restored: as the workflow was told when the letter was accepted",
            )

    async def _letter(self, connection: "Connection", key: str, request: TellMember) -> asyncpg.Record:
        letter = await connection.fetchrow("SELECT * FROM casefile.incident_letters WHERE key = $1", key)
        if letter is not None:
            return letter
        customer = await _customer(connection, request.account)
        language = customer.language or self._settings.default_language
        at = self._clock()
        pack = await pack_of(connection, request.reference)
        subject, body = write_incident_letter(
            request,
            name=customer.name,
            language=language,
            zone=pack.calendar.zone,
            firm_name=self._settings.firm.in_language(language),
            at=at,
            findings=await _found(connection, request),
        )
        row = Row("casefile.incident_letters", scope_of_customer(request.account), key)
        letter = await connection.fetchrow(
            f"{_ADD} RETURNING *",
            key,
            request.reference,
            request.account,
            language,
            row("recipient", customer.email),
            row("subject", subject),
            row("body", body),
            await secret_message_id(key, self._settings.mail_from),
            at,
        )
        assert letter is not None  # noqa: S101 (an insert returns its row)
        return letter

    async def _write_to_nobody(self, connection: "Connection", key: str, request: TellMember) -> None:
        """Note, with nothing personal, that no letter was written: the incident goes on without."""
        scope, told = request.reference, "who holds the account was erased"
        identity = await secret_message_id(key, self._settings.mail_from)
        language, at = self._settings.default_language, self._clock()
        row = Row("casefile.incident_letters", scope, key)
        words = (None, row("subject", told), row("body", told))
        values = (key, request.reference, request.account, language, *words, identity, at)
        await connection.execute(f"{_ADD} ON CONFLICT DO NOTHING", *values)
        detail = Row("casefile.incident_letter_attempts", scope, key)("detail", told)
        await connection.execute(f"{_ATTEMPTED} ON CONFLICT DO NOTHING", key, at, "none", "accepted", detail, None)

    async def _ways(self, connection: "Connection", letter: "Letter") -> "list[Way]":
        """The addresses it can go to, the newest that the firm has first, then those that were verified; then none."""
        account, reference = letter["account"], letter["reference"]
        on_file = await read_on_file(connection, account)
        verified = [one.email for one in on_file.addresses if one.verified] if on_file else []
        emails = [email for email in ((await _customer(connection, account)).email, *verified) if email]
        known = {email.casefold(): email for email in reversed(emails)}
        ordered = dict.fromkeys(email.casefold() for email in emails)
        return [*[Way(known[one], await way_on_file(reference, one)) for one in ordered], Way(None, NO_ADDRESS)]

    async def _deliver(
        self, connection: "Connection", letter: "Letter", ways: "Sequence[Way]", outcome: str, *, of: str
    ) -> None:
        """Hand the *letter* to the first of the *ways* that takes it; the attempts are those of the letter *of*."""
        sender, reference = self._settings.mail_from, letter["reference"]
        for way in ways:
            channel = self._channel if way.email else self._outbox
            try:
                message = compose(
                    self._settings,
                    identity=letter["message_id"],
                    thread=await secret_message_id(f"incident:{of}", sender),
                    recipient=way.email,
                    subject=letter["subject"],
                    body=letter["body"],
                    language=letter["language"],
                    at=letter["rendered_at"],
                    headers={"X-Redress-Reference": reference},
                )
                await while_it_holds(
                    connection, channel.deliver(letter["key"], message, partial(still_holds, connection))
                )
            except MailRefused as error:
                await self._attempted(connection, of, channel, "refused", way, str(error))
            except MailError as error:
                await self._attempted(connection, of, channel, "failed", way, str(error))
                log.warning("letter not delivered", incident=reference, channel=channel.name, why=str(error))
                raise ApplicationError(str(error), type=type(error).__name__) from None
            else:
                await self._attempted(connection, of, channel, outcome, way)
                return

    async def _attempted(  # noqa: PLR0917 (a row)
        self, connection: "Connection", key: str, channel: Channel, outcome: str, way: "Way", error: str = ""
    ) -> None:
        whose = "no address that works" if way.name == NO_ADDRESS else "address of the customer"
        row = Row("casefile.incident_letter_attempts", scope_of_workflow(key), key)
        detail = row("detail", f"{whose}: {error}" if error else whose)
        await connection.execute(
            f"{_ATTEMPTED} ON CONFLICT DO NOTHING", key, self._clock(), channel.name, outcome, detail, way.name
        )


Letter = asyncpg.Record | Mapping[str, Any]


class Way(NamedTuple):
    """An address, ``None`` for the outbox, and what it is called on record."""

    email: str | None
    name: str


async def _found(connection: "Connection", request: TellMember) -> tuple[Finding, ...]:
    """The findings that the amount is the sum of; none where part of it was made good otherwise before."""
    rows = await connection.fetchval(_FOUND, request.reference, request.account)
    known = tuple(Finding.listed(row) for row in rows or ())
    harmful = [each for each in known if each.verdict.for_the_customer and each.harm and each.harm.amount > 0]
    told = total(each.harm for each in harmful if each.harm)
    return tuple(harmful) if told is not None and told.rounded() == request.amount else ()


@dataclass(frozen=True)
class _Customer:
    """What is known of a customer; nothing where nobody ever told."""

    name: str | None
    email: str | None
    language: str | None


async def _customer(connection: "Connection", account: str) -> _Customer:
    rows = await connection.fetch(_CUSTOMER, account)

    def first(field: str) -> str | None:
        return next((row[field] for row in rows if row[field]), None)

    email = next((one for row in rows if (one := ours(row["email"], row["scope"]))), None)
    return _Customer(name=first("name"), email=email, language=first("language"))


_ADD: Final = """
    INSERT INTO casefile.incident_letters
        (key, reference, account, language, recipient, subject, body, message_id, rendered_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_ATTEMPTED: Final = """
    INSERT INTO casefile.incident_letter_attempts (key, at, channel, outcome, detail, way)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_ATTEMPTS: Final = "SELECT channel, outcome, way FROM casefile.incident_letter_attempts WHERE key = $1 ORDER BY id"

# Of the list by which the account was paid: its posting tells which.
_FOUND: Final = """
    select findings from casefile.cohort_members as member
    join casefile.postings as award on award.incident = member.reference and award.account = member.account
        and award.number = member.number and award.kind = 'award'
    where member.reference = $1 and member.account = $2
"""

# The firm's register knows best; else what the customer gave with the latest complaint.
_CUSTOMER: Final = """
    (
        select 'customer:' || account as scope, name, email, language, 1 as rank
        from casefile.customers where account = $1 order by id desc limit 1
    )
    union all
    (
        select reference, contacts.name, contacts.email, cases.language, 2
        from casefile.cases join casefile.contacts using (reference)
        where cases.account = $1 order by cases.received_at desc, contacts.id desc limit 1
    )
    order by rank
"""
