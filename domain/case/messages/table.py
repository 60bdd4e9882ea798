"""The messages a case takes, each with its name on the wire.

Signals are for anybody and never break a case: what does not fit is kept as a rejected message. Updates are for
internal tools that must know whether it worked: what does not fit is refused to the sender.
"""

from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, ResolveEarly
from domain.case.messages.evidence import AddEvidence, Investigate, RequestInformation
from domain.case.messages.giving import FinishTask, GiveTask, ReassignTask
from domain.case.messages.handling import (
    Assign,
    ChooseChannel,
    CorrectContact,
    ExtendDeadline,
    NoteSign,
    Reclassify,
    RecordCause,
    RecordFeedback,
    Reopen,
    ReplanDeadlines,
    VerifyComplainant,
    Withdraw,
)
from domain.case.messages.outside import RecordReferral, ReportReferral
from domain.case.messages.paying import ReportPayment, RetryPayment
from domain.case.messages.putting_right import ConfirmRemedy, GrantRelief, ReassignRemedy
from domain.case.messages.signals import Arrived, CustomerReply, Escalate, PeopleChanged
from domain.ground.base import Identifier, Instant, Record
from domain.ground.messages import Message
from domain.ground.words import Stage
from domain.keys.public import Readable


class Receipt(Record, Readable):
    """The answer to an update: the message counted, and where the case stands now."""

    message_id: Identifier
    reference: str
    stage: Stage
    noted: str
    at: Instant


BY_ANYBODY: tuple[type[Message], ...] = (CustomerReply, Escalate)
"""The signals by which somebody says something: who that is, no token need prove."""
SIGNALS: tuple[type[Message], ...] = (*BY_ANYBODY, Arrived, PeopleChanged)
UPDATES: tuple[type[Message], ...] = (
    Assign,
    Reclassify,
    AddEvidence,
    Investigate,
    RequestInformation,
    ProposeResolution,
    ProposeDraft,
    DecideResolution,
    ResolveEarly,
    ExtendDeadline,
    RecordReferral,
    ReportReferral,
    ReplanDeadlines,
    RecordFeedback,
    RecordCause,
    CorrectContact,
    ChooseChannel,
    NoteSign,
    VerifyComplainant,
    Withdraw,
    Reopen,
    GrantRelief,
    ConfirmRemedy,
    ReassignRemedy,
    GiveTask,
    FinishTask,
    ReassignTask,
    RetryPayment,
    ReportPayment,
)
