"""Bring what was received to its case, and say in one word what came of it."""

from domain.case.complaint import Complaint
from domain.ground.messages import Message
from domain.ground.people import SYSTEM
from domain.intake.received import Dealt, Ending
from starter.client.complaints import CaseClosed, CaseNotFound, Complaints, InvalidComplaint
from starter.client.conversation import Refused


class Delivery:
    """Over a client of complaints. What may pass (Temporal away, no answer yet) is raised: it is to be tried again."""

    def __init__(self, complaints: Complaints, ours: Complaints) -> None:
        """*complaints* vouches for customers; by *ours* the service says what it has to say itself."""
        self._complaints = complaints
        self._ours = ours

    async def submit(self, complaint: Complaint) -> Dealt:
        """Start the case of *complaint*."""
        try:
            submitted = await self._complaints.submit(complaint)
        except InvalidComplaint as error:
            return Dealt(ending=Ending.UNREADABLE, reason=str(error))
        ending = Ending.ALREADY_KNOWN if submitted.already_known else Ending.CASE_OPENED
        return Dealt(ending=ending, reference=submitted.reference)

    async def send(self, reference: str, message: Message) -> Dealt | None:
        """Give *message* to the case; None where there is no such case."""
        try:
            await (self._ours if message.actor == SYSTEM else self._complaints).send(reference, message)
        except Refused as error:
            return Dealt(ending=Ending.REFUSED, reference=reference, reason=str(error))
        except CaseClosed as error:
            return Dealt(ending=Ending.CASE_CLOSED, reference=reference, reason=str(error))
        except CaseNotFound:
            return None
        return Dealt(ending=Ending.ON_CASE, reference=reference)
