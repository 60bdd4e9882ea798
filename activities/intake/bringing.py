"""Bring complaints and messages to their cases, with the files that came along."""

from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from temporalio.exceptions import ApplicationError

from domain.case.complaint import MOST_NAMED, Complainant, Complaint
from domain.case.messages.evidence import Attachment
from domain.case.messages.signals import Arrived, CustomerReply
from domain.case.recurrence import takes_up
from domain.ground.messages import Message
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Role
from domain.intake.received import LOCATION, Dealt, Ending
from domain.keys.personal import is_erased, ours
from domain.speech.asking import asks_how_far
from record.accounts import ACCOUNT, TRADES

if TYPE_CHECKING:
    from runtime.database import Pool

CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)


class Delivers(Protocol):
    """Brings complaints and messages to cases. What may pass is raised."""

    async def submit(self, complaint: Complaint) -> Dealt:
        """Start the case of *complaint*."""

    async def send(self, reference: str, message: Message) -> Dealt | None:
        """Give *message* to the case; None where there is no such case."""


class SendsAgain(Protocol):
    """Has letters that came back go by another way."""

    async def send_again(self, reference: str, number: int) -> None:
        """Have letter *number* of a case go by the next way on file, once; its address is in doubt."""


class SendsMemberAgain(Protocol):
    """Has letters to customers whom an incident hurt go by another way."""

    async def send_again(self, key: str) -> None:
        """Have the letter of that *key* go by the next way on file, once for each."""


class NoCaseYet(ApplicationError):
    """The case is still to be opened."""


class Bringing:
    """What deals with things that were received has them brought to cases by this."""

    def __init__(self, pool: "Pool", delivery: Delivers) -> None:
        self._pool = pool
        self._delivery = delivery

    async def open(self, key: str, complaint: Complaint) -> Dealt:
        """Start the case of *complaint*, and have it hear of the files that came with it."""
        files = await self.files(key)
        dealt = await self._delivery.submit(complaint)
        if files and dealt.reference:
            # Of a repeated submission the case knows them: the id is the same.
            reply = CustomerReply(message_id=f"{key}-files", actor=CUSTOMER, attachments=files)
            await self.send(dealt.reference, reply, complaint.received_at)
        return dealt

    async def send(self, reference: str, message: Message, received_at: datetime) -> Dealt:
        """Have the case hear *message*; where it is closed, another that goes on from it, if there is something new.

        Raises `NoCaseYet` while its complaint is on its way.
        """
        message = _understood(message)
        # Asked before the case is: afterwards its complaint may have been dealt with meanwhile.
        on_its_way = await self._pool.fetchval(_ON_ITS_WAY, reference)
        dealt = await self._delivery.send(reference, message)
        if dealt and dealt.ending is Ending.CASE_CLOSED and isinstance(message, CustomerReply):
            return await self._taken_up(reference, message, received_at) or dealt
        if dealt:
            return dealt
        if on_its_way:
            raise NoCaseYet("its complaint is not dealt with yet", type="NoCaseYet")
        return Dealt(ending=Ending.SET_ASIDE, reason=f"there is no case {reference}")

    async def _taken_up(self, reference: str, reply: CustomerReply, received_at: datetime) -> Dealt | None:
        """Open a case that goes on from the closed one, if the *reply* is something to go on with."""
        row = await self._pool.fetchrow(_CLOSED, reference)
        if row is None or is_erased(row["complaint"]):
            return None
        who = Complainant(name=row["name"], email=ours(row["email"], reference), phone=ours(row["phone"], reference))
        closed = Complaint.model_validate(row["complaint"])
        trades = tuple(dict.fromkeys(row["trades"]))[:MOST_NAMED]
        closed = closed.model_copy(update={"account": row["account"], "trades": trades})
        complaint = takes_up(closed, who, reply, received_at)
        if complaint is None:
            return None
        dealt = await self._delivery.submit(complaint)
        if reply.attachments and dealt.reference:
            more = CustomerReply(
                message_id=f"{reply.message_id}-files", actor=reply.actor, attachments=reply.attachments
            )
            await self._delivery.send(dealt.reference, more)
        return dealt

    async def keep_unproven(self, key: str, reference: str, received_at: datetime) -> Dealt:
        """Tell the case that something waits of which nobody knows whether the customer said it, and not what."""
        news = Arrived(message_id=f"{key}-unproven", actor=SYSTEM, what="unproven")
        dealt = await self.send(reference, news, received_at)
        if dealt.ending is not Ending.ON_CASE:
            return dealt
        return Dealt(ending=Ending.UNPROVEN, reference=reference, reason="it is not proven that the customer wrote it")

    async def files(self, key: str) -> tuple[Attachment, ...]:
        """The files that came with what is kept under *key*, as a message names them."""
        rows = await self._pool.fetch(_FILES, key)
        return tuple(
            Attachment(title=row["title"], location=LOCATION + row["name"], sha256=row["sha256"]) for row in rows
        )


def _understood(message: Message) -> Message:
    """*message*; where its words ask how far the complaint is, and nothing else, as that question.

    It is decided here, and not in the case: what a workflow commands must not hang on lists of words.
    """
    if isinstance(message, CustomerReply) and message.intent == "information":
        brings = message.attachments or message.trades
        if message.text and not brings and asks_how_far(message.text):
            return message.model_copy(update={"intent": "progress"})
    return message


_FILES: Final = "select name, title, sha256 from intake.files where key = $1 order by number"
_CLOSED: Final = f"""
    select complaint, contacts.name, contacts.email, contacts.phone,
        {ACCOUNT} as account, {TRADES} as trades
    from casefile.cases c join casefile.contacts using (reference)
    where reference = $1 and closed_at is not null order by contacts.id desc limit 1
"""  # noqa: S608 (constants)
_ON_ITS_WAY: Final = """
    select exists (
        select from intake.received r join intake.waiting using (key) where r.reference = $1 and r.kind = 'complaint'
    )
"""
