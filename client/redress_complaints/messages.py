"""The messages: two signals, which anybody may send, and updates, which are answered with a receipt."""

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
from domain.case.messages.signals import CustomerReply, Escalate
from domain.case.messages.table import SIGNALS, UPDATES, Receipt
from domain.checks.findings import Check
from domain.ground.messages import Message
from domain.incidents.messages import (
    INCIDENT_UPDATES,
    DecideIncident,
    IncidentReceipt,
    PauseIncident,
    ResumeIncident,
    RetryMember,
)

__all__ = [
    "INCIDENT_UPDATES",
    "SIGNALS",
    "UPDATES",
    "AddEvidence",
    "Assign",
    "Check",
    "ChooseChannel",
    "ConfirmRemedy",
    "CorrectContact",
    "CustomerReply",
    "DecideIncident",
    "DecideResolution",
    "Escalate",
    "ExtendDeadline",
    "FinishTask",
    "GiveTask",
    "GrantRelief",
    "IncidentReceipt",
    "Investigate",
    "Message",
    "NoteSign",
    "PauseIncident",
    "ProposeDraft",
    "ProposeResolution",
    "ReassignRemedy",
    "ReassignTask",
    "Receipt",
    "Reclassify",
    "RecordCause",
    "RecordFeedback",
    "RecordReferral",
    "Reopen",
    "ReplanDeadlines",
    "ReportPayment",
    "ReportReferral",
    "RequestInformation",
    "ResolveEarly",
    "ResumeIncident",
    "RetryMember",
    "RetryPayment",
    "VerifyComplainant",
    "Withdraw",
]
