"""Deal with a message that came by mail: to its case, if it has one and the customer wrote it; else to a person."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from activities.intake.bringing import CUSTOMER, Bringing, SendsAgain, SendsMemberAgain
from domain.case.complaint import Channel, Complainant, Complaint, explain
from domain.case.messages.signals import Arrived, CustomerReply
from domain.ground.base import SHORT_TEXT, clean, clean_or_empty
from domain.ground.people import SYSTEM
from domain.intake.received import Dealt, Ending, Unreadable
from domain.keys.finding import EMAIL
from domain.keys.personal import Row, ours
from domain.keys.scopes import scope_of_message
from domain.mail.parts import MailFile, TooDeep
from domain.mail.understanding import (
    Known,
    Mail,
    MailKind,
    OfCase,
    OfIncident,
    Taken,
    Why,
    fitting,
    language_of,
    read_mail,
    take,
)
from domain.mail.words import SPOKEN
from domain.people.speaking import speaks
from domain.rules.policy import PolicyPack
from domain.speech.asking import asks_how_far
from record.customers import read_on_file
from runtime.files import MOST, FileRefused, harmless_in_turn
from runtime.keys.here import lookup_here
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.database import Pool

SOURCE: Final = "mail"
"""The source of complaints that come by mail."""
MOST_AT_ONCE: Final = 2
"""So many complaints of one address a day are opened without a person: programs that answer each other stop then."""
MOST_CASES: Final = 5
"""Of so many cases whoever asks how far "my complaint" is gets to know."""
_A_DAY: Final = timedelta(days=1)


class Mails:
    """Deals with mail. *settings* name our receiving servers and our own address; *clock* gives aware datetimes."""

    def __init__(
        self,
        pool: "Pool",
        bringing: Bringing,
        settings: Settings,
        clock: Callable[[], datetime],
        letters: SendsAgain | None = None,
        *,
        incident_letters: SendsMemberAgain | None = None,
    ) -> None:
        """Without *letters* and *incident_letters* what came back is not sent again."""
        self._pool = pool
        self._incident_letters = incident_letters
        self._letters = letters
        self._bringing = bringing
        self._settings = settings
        self._clock = clock

    async def deal(self, row: Any) -> Dealt:
        """What became of the message in *row*, of which ``assigned`` and ``vouched`` say what a person decided."""
        key, assigned, vouched = row["key"], row["assigned"], row["vouched"]
        vouching = self._settings.receiving_servers if row["here"] else ()
        try:
            mail = await asyncio.to_thread(read_mail, row["raw"], vouching)
        except (TooDeep, RecursionError):
            return await self._ended(key, Taken(MailKind.HELD, Why.TOO_DEEP, assigned), None, Ending.HELD)
        known = await self._known(mail)
        taken = take(mail, known)
        if assigned:
            taken = taken._replace(reference=assigned)
        sender = (await lookup_here("sender", mail.writer.address)).hex() if mail.writer else None
        if taken.kind is MailKind.BOUNCE and taken.reference:
            if self._letters and taken.letter:
                await self._letters.send_again(taken.reference, taken.letter)
            news = Arrived(message_id=f"{key}-returned", actor=SYSTEM, what="returned", letter=taken.letter)
            dealt = await self._bringing.send(taken.reference, news, self._clock())
            return await self._ended(key, taken, sender, Ending.RETURNED, dealt=dealt)
        if taken.why is Why.RETURNED_OF_INCIDENT and mail.bounce and (letter := known.of_incident(mail.bounce.of)):
            return await self._came_back(key, taken, sender, letter)
        if taken.kind is MailKind.REFUSED and not (assigned or vouched):
            return await self._ended(key, taken, sender, Ending.REFUSED)
        if taken.kind is MailKind.AUTOMATIC and not (assigned or vouched):
            return await self._ended(key, taken, sender, Ending.AUTOMATIC)
        if taken.kind is MailKind.HELD and not (assigned or vouched):
            return await self._ended(key, taken, sender, Ending.HELD)
        if taken.reference:
            proven = vouched or await self._is_proven(mail, taken.reference)
            return await self._for_case(row, mail, taken, sender, proven=proven)
        if mail.writer is None:
            return await self._ended(key, taken._replace(why=Why.NO_WRITER), sender, Ending.HELD)
        if asks_how_far(mail.text) and not mail.files and (theirs := await self._open_cases_of(mail)):
            return await self._tell_how_far(row, mail, theirs, sender)
        return await self._complaint(row, mail, taken, sender, by_a_person=vouched)

    async def _came_back(self, key: str, taken: Taken, sender: str | None, letter: OfIncident) -> Dealt:
        """Have a letter about an incident go by the next way: it has no case whose handler could be told."""
        if self._incident_letters:
            await self._incident_letters.send_again(letter.key)
        why = f"a mail server returned a letter about {letter.reference}; a copy goes by the next way"
        return await self._ended(key, taken, sender, Ending.RETURNED, why=why)

    async def _for_case(self, row: Any, mail: Mail, taken: Taken, sender: str | None, *, proven: bool) -> Dealt:
        assert taken.reference  # noqa: S101
        key = row["key"]
        if not proven:
            dealt = await self._bringing.keep_unproven(key, taken.reference, self._clock())
            return await self._ended(key, taken, sender, Ending.UNPROVEN, dealt=dealt)
        left = await self._keep_files(key, mail.files, taken.reference)
        text = fitting(mail.text or mail.whole) or None
        files = await self._bringing.files(key)
        if text is None and not files:
            return await self._ended(key, taken._replace(why=Why.NOTHING_SAID), sender, Ending.HELD)
        reply = CustomerReply(message_id=key, actor=CUSTOMER, text=text, attachments=files)
        dealt = await self._bringing.send(taken.reference, reply, row["received_at"])
        return await self._ended(key, taken, sender, Ending.ON_CASE, dealt=dealt, left=left, proven=True)

    async def _complaint(self, row: Any, mail: Mail, taken: Taken, sender: str | None, *, by_a_person: bool) -> Dealt:
        key = row["key"]
        if not by_a_person and await self._pool.fetchval(_LATELY, sender, self._clock() - _A_DAY, key) >= MOST_AT_ONCE:
            return await self._ended(
                key, taken, sender, Ending.HELD, why=f"more than {MOST_AT_ONCE} in a day came from it"
            )
        complaint = _complaint_in(key, mail, row["received_at"])
        left = await self._keep_files(key, mail.files, complaint.reference)
        dealt = await self._bringing.open(key, complaint)
        return await self._ended(
            key, taken._replace(reference=dealt.reference), sender, dealt.ending, dealt=dealt, left=left
        )

    async def _tell_how_far(self, row: Any, mail: Mail, theirs: Sequence[str], sender: str | None) -> Dealt:
        """Have each of their cases tell how far it is: who asks for "my complaint" names none."""
        for number, reference in enumerate(theirs, start=1):
            identity = row["key"] if number == 1 else f"{row['key']}-{number}"
            reply = CustomerReply(message_id=identity, actor=CUSTOMER, intent="progress", text=mail.text)
            dealt = await self._bringing.send(reference, reply, row["received_at"])
        taken = Taken(MailKind.REPLY, Why.ASKS_HOW_FAR, theirs[0])
        return await self._ended(row["key"], taken, sender, Ending.ON_CASE, dealt=dealt, proven=True)

    async def _open_cases_of(self, mail: Mail) -> list[str]:
        """The open cases, the newest first, that whoever wrote *mail* is proven to speak for."""
        if mail.writer is None or not mail.authentic:
            return []
        token = await lookup_here(EMAIL, mail.writer.address.casefold())
        rows = await self._pool.fetch(_OPEN_CASES, token, MOST_CASES)
        return [row["reference"] for row in rows if await self._is_proven(mail, row["reference"])]

    async def _known(self, mail: Mail) -> Known:
        ids = [*mail.ids, *(mail.bounce.of if mail.bounce else ()), *filter(None, [mail.message_id])]
        letters = {
            row["message_id"]: OfCase(row["reference"], row["number"]) for row in await self._pool.fetch(_LETTERS, ids)
        }
        cases = {row["reference"] for row in await self._pool.fetch(_CASES, list(mail.named))}
        incidents = {
            row["message_id"]: OfIncident(row["reference"], row["key"])
            for row in await self._pool.fetch(_INCIDENT_LETTERS, ids)
        }
        return Known(letters, cases, {self._settings.mail_from.lower()}, incidents)

    async def _is_proven(self, mail: Mail, reference: str) -> bool:
        """Whether the receiving server vouches for the address, and whoever has it speaks for the customer."""
        if mail.writer is None or not mail.authentic:
            return False
        async with self._pool.acquire() as connection:
            case = await connection.fetchrow(_CASE, reference)
            if case is None:
                return False
            on_file = await read_on_file(connection, case["account"])
        most = PolicyPack.model_validate(case["content"]).spokespersons
        return speaks(mail.writer.address, ours(case["email"], reference), on_file, self._clock().date(), most)

    async def _keep_files(self, key: str, files: Sequence[MailFile], reference: str) -> int:
        """Keep the *files*, made harmless; how many are left in the original alone."""
        kept, scope = 0, scope_of_message(key)
        for number, each in enumerate(files, start=1):
            try:
                file = await harmless_in_turn(each.title, each.content, str, scanner=self._settings.clamav_address)
            except FileRefused:
                continue
            name = (await lookup_here("file", f"{key}:{number}:{file.sha256}")).hex()
            if kept < MOST:
                kept += 1
                sealed = Row("intake.files", scope, name)
                row = (sealed("title", file.title), file.media_type, len(file.content), file.sha256, self._clock())
                await self._pool.execute(_FILE, name, key, reference, number, *row, sealed("content", file.content))
        return len(files) - kept

    async def _ended(
        self,
        key: str,
        taken: Taken,
        sender: str | None,
        ending: Ending,
        *,
        dealt: Dealt | None = None,
        why: str | None = None,
        left: int = 0,
        proven: bool = False,
    ) -> Dealt:
        """Write down what it was taken for; what became of it, unless the case had its own word for it in *dealt*."""
        await self._pool.execute(
            _TAKEN, key, self._clock(), taken.kind, taken.why, taken.reference, taken.letter, sender, proven
        )
        if dealt and dealt.ending not in {Ending.ON_CASE, ending}:
            return dealt
        said = [why or SPOKEN[taken.why], f"{left} of its files are in the original alone" if left else ""]
        return Dealt(ending=ending, reference=taken.reference, reason="; ".join(filter(None, said)))


def _complaint_in(key: str, mail: Mail, received_at: datetime) -> Complaint:
    """Raises `Unreadable`."""
    assert mail.writer  # noqa: S101
    text = fitting(mail.text or mail.whole) or mail.subject or "(files only)"
    name = clean_or_empty(mail.writer.name or mail.writer.address.partition("@")[0]).strip()[:SHORT_TEXT]
    try:
        return Complaint(
            source=SOURCE,
            idempotency_key=key,
            received_at=received_at,
            channel=Channel.EMAIL,
            language=language_of(text),
            complainant=Complainant(name=name or mail.writer.address, email=mail.writer.address),
            subject=clean(mail.subject) or None,
            description=text,
        )
    except ValidationError as error:
        raise Unreadable(explain(error)) from None


_LETTERS: Final = """
    select message_id, reference, number from casefile.letters where message_id = any($1) and kind <> 'staff_notice'
"""
_INCIDENT_LETTERS: Final = """
    select message_id, reference, key from casefile.incident_letters where message_id = any($1)
"""
_CASES: Final = """
    select reference from casefile.cases where reference = any($1)
    union select reference from intake.received where reference = any($1) and kind = 'complaint'
"""
_CASE: Final = """
    select c.account, p.content, (
        select email from casefile.contacts k where k.reference = c.reference order by id desc limit 1
    ) as email
    from casefile.cases c join casefile.policy_packs p on p.hash = c.policy_hash where c.reference = $1
"""
_OPEN_CASES: Final = """
    select c.reference from casefile.lookups l join casefile.cases c on c.reference = l.scope
    where (l.purpose, l.token) = ('email', $1) and c.closed_at is null
    order by c.received_at desc limit $2
"""
_LATELY: Final = """
    select count(distinct m.key) from intake.mails m join intake.endings e using (key)
    where m.sender = $1 and m.at > $2 and m.key <> $3 and e.ending = 'case_opened'
"""
_FILE: Final = """
    insert into intake.files (name, key, reference, number, title, media_type, size, sha256, added_at, content)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing
"""
_TAKEN: Final = """
    insert into intake.mails (key, at, kind, why, reference, letter, sender, proven)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
