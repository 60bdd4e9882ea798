"""Letters: written once from their templates, handed to a channel until one takes them over, recorded every time."""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import structlog
from babel import Locale
from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case_file import CaseFile
from domain.base import clean
from domain.case import SYSTEM, Entry, LetterAccepted, SendLetter
from domain.complaint import Complaint
from domain.deadlines import Occurred, plan
from domain.letters import LetterFacts
from domain.money import Money
from domain.policy import PolicyPack
from domain.words import Action, LetterKind, Outcome, Remedy
from runtime.mail import Channel, Mailer, MailError, MailRefused, Outbox, compose, message_id
from runtime.paths import TEMPLATES
from runtime.settings import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

REFUSED_RETRY: Final = timedelta(minutes=15)
"""How long a refused letter waits for its next attempt, so that the address can be corrected meanwhile."""

CASE_FILE: Final = "case_file"
"""The channel of a staff notice nobody has an address for: its timeline entry is the notice."""

NEEDED: Final[dict[LetterKind, tuple[str, ...]]] = {
    LetterKind.ACKNOWLEDGEMENT: ("expected_by",),
    LetterKind.INFORMATION_REQUEST: ("questions", "reply_by"),
    LetterKind.REMINDER: ("questions", "reply_by"),
    LetterKind.PROGRESS: ("stage", "expected_by"),
    LetterKind.OVERDUE: ("expected_by",),
    LetterKind.FINAL_RESPONSE: ("outcome", "reply_by"),
    LetterKind.WITHDRAWAL: (),
    LetterKind.REFERRAL: (),
    LetterKind.FEEDBACK_REQUEST: (),
    LetterKind.STAFF_NOTICE: ("notice", "audience"),
}
"""The facts without which a letter of this kind is not written; :func:`missing_facts` knows a few more."""

_ENDS_WAIT: Final = {
    LetterKind.INFORMATION_REQUEST: Action.STOP_WAITING,
    LetterKind.FINAL_RESPONSE: Action.ACCEPT_SILENCE,
}

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
        ``LetterKeyConflict`` (not retried: the key belongs to another letter), ``MailFailed`` (to be tried again) or
        ``MailRefused`` (to be tried again later, when the address may have been corrected). After a crash between the
        mail server's acceptance and its recording the next attempt sends again, with the same Message-ID.
        """
        async with self._alone(request.key) as connection:
            letter = await self._letter(connection, request)
            accepted = await connection.fetchrow(
                "select at, channel from casefile.letter_attempts where key = $1 and outcome = 'accepted'", request.key
            )
            if accepted:
                async with connection.transaction():
                    return await self._announce(connection, request, accepted["at"], accepted["channel"])
            way = await self._way(connection, request)
            await self._deliver(connection, request, letter, way)
            accepted_at = self._clock()
            async with connection.transaction():
                await _record_attempt(connection, request.key, accepted_at, way, "accepted")
                answer = await self._announce(connection, request, accepted_at, way.name)
            log.info("letter accepted", channel=way.name, **_named(request))
            return answer

    @asynccontextmanager
    async def _alone(self, key: str) -> "AsyncIterator[Connection]":
        """A connection that holds the lock on *key*; whoever else wants the letter waits and then finds it sent."""
        async with self._connections, self._pool.acquire() as connection:
            # Let go when the session ends, or when the pool resets the connection on its way back.
            await connection.execute("select pg_advisory_lock(hashtextextended('letter:' || $1, 0))", key)
            yield connection

    async def _letter(self, connection: "Connection", request: SendLetter) -> asyncpg.Record:
        """The letter as it was written at its first attempt, which may be this one."""
        reference = request.update.reference
        letter = await connection.fetchrow("select * from casefile.letters where key = $1", request.key)
        if letter is None:
            written_at = self._clock()
            subject, body = await self._write(connection, request, written_at)
            way = await self._way(connection, request)
            async with connection.transaction():
                letter = await connection.fetchrow(
                    "insert into casefile.letters"
                    " (key, reference, number, kind, language, recipient, subject, body, message_id, rendered_at)"
                    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *",
                    request.key,
                    reference,
                    request.number,
                    request.kind.value,
                    request.language,
                    way.recipient,
                    subject,
                    body,
                    message_id(request.key, self._settings.mail_from),
                    written_at,
                )
                # Now, not with the acceptance: a letter that cannot be delivered must not hold back the case file.
                await self._case_file.apply(connection, request.update)
        assert letter is not None  # noqa: S101 (an insert returns its row)
        if (letter["reference"], letter["number"], letter["kind"]) != (reference, request.number, request.kind.value):
            raise ApplicationError(
                f"the key {request.key} already belongs to letter {letter['number']} ({letter['kind']}) of"
                f" {letter['reference']}; give letter {request.number} ({request.kind.value}) a key of its own",
                type="LetterKeyConflict",
                non_retryable=True,
            )
        return letter

    async def _write(self, connection: "Connection", request: SendLetter, at: datetime) -> tuple[str, str]:
        reference = request.update.reference
        row = await connection.fetchrow(
            "select complaint, name from casefile.cases join casefile.contacts using (reference)"
            " where reference = $1 order by id desc limit 1",
            reference,
        )
        if row is None:
            raise ApplicationError(
                f"there is no case {reference}: open it before its first letter", type="NoCase", non_retryable=True
            )
        return write_letter(
            request,
            complaint=Complaint.model_validate(row["complaint"]),
            name=row["name"],
            pack=await self._case_file.pack(connection, request.update.policy_hash),
            firm_name=self._settings.firm_name,
            at=at,
        )

    async def _way(self, connection: "Connection", request: SendLetter) -> "_Way":
        """Where the letter goes, as the case file and the settings have it at this moment."""
        channel = self._mailer or self._outbox
        if request.kind.to_staff:
            for whose in (request.facts.audience, request.update.summary.team):
                if whose and (address := self._settings.staff_addresses.get(whose)):
                    return _Way(channel, address, f"address of {whose}")
            return _Way(None, None, "no address")
        contact = await connection.fetchrow(
            "select id, email from casefile.contacts where reference = $1 order by id desc limit 1",
            request.update.reference,
        )
        if contact and contact["email"]:
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
                identity=letter["message_id"],
                thread=message_id(f"case:{reference}", sender),
                sender_name=_one_line(self._settings.firm_name),
                sender=sender,
                recipient=way.recipient,
                subject=letter["subject"],
                body=letter["body"],
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
        entry = Entry(
            key=f"{request.key}:accepted",
            at=at,
            kind="letter",
            actor=str(SYSTEM),
            text=f"{request.kind.value} accepted by {channel}{told}",
            data={"letter": request.key, "number": request.number, "kind": request.kind.value, "channel": channel},
        )
        update = request.update.model_copy(update={"entries": (*request.update.entries, entry)})
        events = [Occurred(event=event, at=at, number=request.number) for event in request.announces]
        recorded = await self._case_file.apply(connection, update, events)
        if request.then and not await connection.fetchval(
            "select stage = 'closed' from casefile.cases where reference = $1", request.update.reference
        ):
            await self._case_file.apply(connection, request.then.dated(at))
        return LetterAccepted(at=at, channel=channel, recorded=recorded)


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
        f"{way.whose}: {detail}" if detail else way.whose,
    )


def _named(request: SendLetter) -> dict[str, Any]:
    """What a log line says of a letter."""
    return {"reference": request.update.reference, "number": request.number, "kind": request.kind.value}


def missing_facts(kind: LetterKind, facts: LetterFacts) -> list[str]:
    """The names of the facts that a letter of this kind needs and *facts* does not have."""
    missing = [name for name in NEEDED[kind] if getattr(facts, name) is None]
    if kind is LetterKind.FINAL_RESPONSE:
        if not facts.reasons and not facts.findings:
            missing.append("reasons or findings")
        if facts.outcome is Outcome.UPHELD and not facts.compensation and not facts.remedies:
            missing.append("compensation or remedies")
    return missing


def write_letter(
    request: SendLetter, *, complaint: Complaint, name: str, pack: PolicyPack, firm_name: str, at: datetime
) -> tuple[str, str]:
    """Subject and text of a letter, in its language, with instants in the time zone of *pack*.

    A staff notice is told nothing of *complaint* and *name*. Raises `ApplicationError` of type ``LetterIncomplete``
    that names what is missing: no letter goes out with a gap or a guess in it.
    """
    kind, summary = request.kind, request.update.summary
    facts = _with_reply_by(request, pack, at)
    missing = missing_facts(kind, facts)
    if request.language not in LANGUAGES:
        missing.append(f"templates in the language {request.language!r} (there are {', '.join(LANGUAGES)})")
    if missing:
        raise ApplicationError(
            f"{kind.value} (letter {request.number}) cannot be written without {', '.join(missing)}",
            type="LetterIncomplete",
            non_retryable=True,
        )
    stationery = _stationery(request.language)
    words, zone = stationery.words, pack.calendar.zone
    known: dict[str, Any] = {
        "reference": request.update.reference,
        "firm": _one_line(firm_name),
        "zone": zone,
        "today": format_date(at.astimezone(zone), words["day"], locale=stationery.locale),
        "facts": facts,
        "summary": summary,
        "category": facts.category or summary.category,
        "stage": facts.stage or summary.stage,
        "late": facts.expected_by is not None and facts.expected_by <= at,
    }
    if facts.notice:
        known["notice"] = facts.notice.in_language(request.language)
    if not kind.to_staff:
        award = facts.compensation if facts.compensation and facts.compensation.amount > 0 else None
        known |= {
            "name": name,
            "complaint": complaint,
            "timetable": pack.timetable.in_language(request.language),
            "rights": pack.rights.in_language(request.language),
            "referral": pack.referral.in_language(request.language),
            "reasons": [finding.reason.in_language(request.language) for finding in facts.findings],
            "award": award,
            "losses": _losses(facts, award),
            "remedies": [
                words["remedy"][item] for item in facts.remedies if item is not Remedy.COMPENSATION or not award
            ],
        }
    text = clean(stationery.templates.get_template(f"{kind.value}.txt").render(known))
    subject, _, body = text.partition("\n")
    return subject.strip(), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"


def _with_reply_by(request: SendLetter, pack: PolicyPack, at: datetime) -> LetterFacts:
    """The facts, with the end of the wait for an answer that starts when a letter written at *at* is accepted.

    The clock itself starts with the acceptance, so that whoever gets the letter late is still waited for long enough.
    """
    facts, ends = request.facts, _ENDS_WAIT.get(request.kind)
    if facts.reply_by or ends is None:
        return facts
    waits = [
        deadline.due
        for event in request.announces
        for deadline in plan(pack, Occurred(event=event, at=at, number=request.number))
        if ends in deadline.actions
    ]
    return facts.model_copy(update={"reply_by": min(waits, default=None)})


def _losses(facts: LetterFacts, award: Money | None) -> list[Money]:
    """The losses found, if the award is exactly their sum: only then may the letter say how it was computed."""
    losses = [
        finding.harm
        for finding in facts.findings
        if finding.verdict.for_the_customer and finding.harm and finding.harm.amount > 0
    ]
    if award is None or any(loss.currency != award.currency for loss in losses):
        return []
    return losses if sum(loss.amount for loss in losses) == award.amount else []


@dataclass(frozen=True)
class _Stationery:
    """The templates of one language, its words, and its locale."""

    templates: Environment
    words: dict[str, Any]
    locale: Locale


@cache
def _stationery(language: str) -> _Stationery:
    folder = TEMPLATES / language
    locale = Locale.parse(language, sep="-")
    words = tomllib.loads((folder / "words.toml").read_text(encoding="utf-8"))

    @pass_context
    def moment(context: Context, at: datetime) -> str:
        return format_datetime(at, words["moment"], tzinfo=context["zone"], locale=locale)

    def money(amount: Money) -> str:
        return amount.localised(language)

    templates = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (plain text, never HTML)
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"moment": moment, "money": money}
    templates.globals["words"] = words
    return _Stationery(templates, words, locale)


LANGUAGES: Final = tuple(sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir()))
"""The languages letters can be written in."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
