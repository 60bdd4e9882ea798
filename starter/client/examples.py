"""An example of everything that is sent to a case or an incident and that it answers."""

from collections.abc import Mapping
from typing import Any, Final

from domain.case.answers import Closed, Status
from domain.case.complaint import Complaint
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
from domain.case.messages.table import Receipt
from domain.checks.findings import Investigation, InvestigationRequest
from domain.ground.messages import Intended, Message, Refusal
from domain.ground.reference import INCIDENT, reference_for
from domain.ground.timeline import Entry
from domain.incidents.incident import Fault, NewIncident
from domain.incidents.messages import (
    DecideIncident,
    IncidentChanged,
    IncidentReceipt,
    PauseIncident,
    ResumeIncident,
    RetryMember,
)
from domain.incidents.progress import Progress

_REFERENCE: Final = reference_for("web-form", "2026-000123")
FAULT: Final = {
    "kind": "quote",
    "symbol": "XAUUSD",
    "since": "2026-03-01T23:29:30Z",
    "until": "2026-03-01T23:30:30Z",
    "source": "LP-A",
}
_INCIDENT: Final = reference_for("incident", Fault.model_validate(FAULT).key, prefix=INCIDENT)
_HANDLER: Final = {"id": "h-17", "role": "handler"}
_TEAM_LEAD: Final = {"id": "tl-2", "role": "team_lead"}
_APPROVER: Final = {"id": "a-3", "role": "approver"}
_CUSTOMER: Final = {"id": "customer", "role": "customer"}


def example_of(kind: type[Message]) -> dict[str, Any]:
    """An example of a message, with an id of its own."""
    return {"message_id": f"crm-4711-{kind.name}", **EXAMPLES[kind]}


EXAMPLES: Final[Mapping[type, Any]] = {
    Complaint: {
        "source": "web-form",
        "idempotency_key": "2026-000123",
        "received_at": "2026-03-02T09:15:00Z",
        "channel": "web",
        "language": "en",
        "complainant": {"name": "The Customer", "email": "customer@example.com", "phone": "+852 5550 0100"},
        "account": "70012345",
        "subject": "Stopped out on a wrong price",
        "description": "My long position in XAUUSD was closed at 1920.96 although gold never traded there.",
        "occurred_from": "2026-03-02T01:25:00+02:00",
        "occurred_until": "2026-03-02T01:35:00+02:00",
        "trades": ["P-100234"],
        "remedy_sought": "compensation",
        "amount_claimed": {"amount": "3165.81", "currency": "USD"},
    },
    CustomerReply: {
        "actor": _CUSTOMER,
        "intent": "information",
        "text": "The position was P-100234; a screenshot is attached.",
        "attachments": [
            {
                "title": "Screenshot of the platform",
                "location": "https://files.example.com/c/4711/1.png",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        ],
        "trades": ["P-100234"],
    },
    Escalate: {"actor": _CUSTOMER, "reason": "I have waited for two weeks."},
    Arrived: {"actor": {"id": "redress", "role": "system"}, "what": "returned", "letter": 2},
    PeopleChanged: {"actor": {"id": "redress", "role": "system"}},
    Assign: {"actor": _TEAM_LEAD, "handler": "h-17", "team": "dealing"},
    Reclassify: {
        "actor": _HANDLER,
        "reason": "This is about a late withdrawal, not about a price.",
        "category": "withdrawal",
        "severity": "high",
    },
    AddEvidence: {
        "actor": _HANDLER,
        "note": "The provider's report on its bad minute.",
        "attachments": [{"title": "Provider's report", "location": "dms://incidents/2026-03-02/report.pdf"}],
        "trades": ["P-100234"],
    },
    Investigate: {"actor": _HANDLER, "checks": ["stop_out", "off_market"], "trades": ["P-100234"]},
    RequestInformation: {"actor": _HANDLER, "questions": "Which of your positions does the complaint concern?"},
    ProposeResolution: {
        "actor": _HANDLER,
        "outcome": "upheld",
        "compensation": {"amount": "3165.81", "currency": "USD"},
        "awards": [
            {
                "kind": "distress",
                "amount": {"amount": "150.00", "currency": "USD"},
                "reason": "Your account was without margin for three weeks.",
            }
        ],
        "remedies": ["compensation", "apology"],
        "reasons": "The stop-out was triggered by a quote that no other source confirms.",
    },
    ProposeDraft: {"actor": _HANDLER, "draft": "5b1f0c3a9d7e"},
    DecideResolution: {"actor": _APPROVER, "decision": "approve", "proposal": "8c1e5b7f2a90"},
    ResolveEarly: {
        "actor": _HANDLER,
        "outcome": "upheld",
        "compensation": {"amount": "20.00", "currency": "USD"},
        "reasons": "The fee of 12 March is paid back.",
        "told": "On the telephone on 14 March: the refund of the fee settles the matter.",
    },
    ExtendDeadline: {
        "actor": {"id": "e-1", "role": "executive"},
        "clock": "response",
        "extension": "special",
        "reasons": "The exchange has not yet answered our question about its prices.",
    },
    RecordReferral: {
        "actor": _HANDLER,
        "route": "fos",
        "referred_at": "2026-05-04T10:00:00Z",
        "outside_reference": "F-2026-4711",
    },
    ReportReferral: {
        "actor": _HANDLER,
        "referral": 21,
        "step": "decided",
        "at": "2026-08-03T09:00:00Z",
        "until": "2026-08-31T15:59:59Z",
        "what": "The firm should not have closed the position on a price that no other source had.",
        "outcome": "upheld",
        "award": {"amount": "3165.81", "currency": "USD"},
        "remedies": ["compensation"],
        "accepted": True,
    },
    ReplanDeadlines: {"actor": {"id": "c-1", "role": "compliance_officer"}, "calendar": "0" * 64},
    RecordFeedback: {"actor": _CUSTOMER, "score": 4, "comment": "Fair, but slow."},
    RecordCause: {"actor": _HANDLER, "cause": "pricing/provider_quote", "others_touched": "not_known"},
    ChooseChannel: {"actor": _CUSTOMER, "channel": "post"},
    CorrectContact: {"actor": _HANDLER, "email": "new-address@example.com"},
    VerifyComplainant: {"actor": _HANDLER, "result": "verified", "how": "Called back on the number on file."},
    NoteSign: {
        "actor": _HANDLER,
        "step": "confirmed",
        "sign": {
            "kind": "vulnerability",
            "driver": "health",
            "rests_on": ["said on the telephone that he is in hospital until the 20th"],
            "confidence": "certain",
            "valid_until": "2026-04-20T00:00:00Z",
        },
    },
    Withdraw: {"actor": _CUSTOMER, "reason": "The matter was settled by telephone."},
    Reopen: {"actor": _CUSTOMER, "reason": "A second position was closed by the same quote."},
    GrantRelief: {
        "actor": {"id": "t-2", "role": "team_lead"},
        "kind": "unfreeze",
        "what": "The account may be used while the blocked transfer is looked into.",
        "until": "2026-06-30T00:00:00Z",
    },
    ConfirmRemedy: {
        "actor": _HANDLER,
        "remedy": 14,
        "proof": "The address was corrected, change 4711.",
    },
    ReassignRemedy: {
        "actor": {"id": "t-2", "role": "team_lead"},
        "remedy": 14,
        "owner": "h-21",
        "reason": "h-17 is away.",
    },
    GiveTask: {
        "actor": _HANDLER,
        "kind": "consult",
        "what": "Was the notice of the new margin rates in time?",
        "role": "compliance_officer",
    },
    FinishTask: {"actor": {"id": "c-1", "role": "compliance_officer"}, "task": 9, "result": "It was, by two days."},
    ReassignTask: {"actor": {"id": "t-2", "role": "team_lead"}, "task": 9, "owner": "c-2", "reason": "c-1 is away."},
    RetryPayment: {
        "actor": _APPROVER,
        "reason": "The customer has given us another account in the same name.",
        "payee": "70054321",
    },
    ReportPayment: {
        "actor": _APPROVER,
        "state": "reversed",
        "bank_reference": "B-2026-0815",
        "cause": "account_closed",
    },
    Receipt: {
        "message_id": "crm-4711-assign",
        "reference": _REFERENCE,
        "stage": "investigating",
        "noted": "assigned to h-17",
        "at": "2026-03-02T09:20:00Z",
    },
    Status: {
        "reference": _REFERENCE,
        "policy": "platform-default@1",
        "summary": {
            "revision": 14,
            "stage": "deciding",
            "stage_since": "2026-03-02T09:15:03Z",
            "category": "execution",
            "severity": "high",
            "priority": "p2",
            "in_scope": True,
            "repeat": False,
            "team": "dealing",
            "handler": "h-17",
            "escalation_level": 0,
            "outcome": None,
            "compensation": None,
            "next_deadline": "2026-03-09T15:59:59Z",
            "breached": False,
            "closed_at": None,
        },
        "waiting_for": "a decision",
        "letters_on_their_way": [],
        "proposal": "upheld, USD 3,165.81",
    },
    Entry: {
        "key": "assign:3",
        "at": "2026-03-02T09:20:00Z",
        "kind": "assign",
        "actor": "team_lead:tl-2",
        "text": "assigned to h-17",
        "data": {"handler": "h-17", "team": "dealing"},
    },
    Closed: {
        "reference": _REFERENCE,
        "outcome": "upheld",
        "compensation": {"amount": "3165.81", "currency": "USD"},
        "breached": False,
    },
    NewIncident: {
        "fault": FAULT,
        "title": {"en": "A provider's quote of gold was wrong", "zh": "一家报价商的黄金报价有误"},
        "opened_by": _HANDLER,
        "note": "Three complaints in an hour.",
        "per_minute": 60,
    },
    IncidentChanged: {
        "actor": {"id": "redress", "role": "system"},
        "incident": _INCIDENT,
        "stage": "compensating",
        "checks": ["off_market"],
    },
    DecideIncident: {"actor": _APPROVER, "decision": "approve", "cohort": "4b7c7a5d4f3e"},
    PauseIncident: {"actor": _HANDLER, "reason": "The payments team asked for it."},
    ResumeIncident: {"actor": _HANDLER, "per_minute": 120},
    RetryMember: {"actor": _HANDLER, "account": "70012345"},
    IncidentReceipt: {
        "message_id": "crm-4711-decide_incident",
        "reference": _INCIDENT,
        "stage": "compensating",
        "noted": "approve",
        "at": "2026-03-02T11:20:00Z",
    },
    Intended: {
        "name": "confirm_remedy",
        "message": {"message_id": "m-0042", "actor": _HANDLER, "remedy": 7, "proof": "The account is open again."},
    },
    Refusal: {"why": "remedy: 7 is not owed; owed are: none (redress remedy list)"},
    Progress: {
        "reference": _INCIDENT,
        "stage": "compensating",
        "fault": FAULT,
        "cohort": {
            "number": 1,
            "hash": "4b7c7a5d4f3e" + "0" * 52,
            "as_of": "2026-03-02T11:00:00Z",
            "accounts": 31,
            "harmed": 29,
            "unharmed": 1,
            "unclear": 1,
            "doubtful": 0,
            "harm": [{"amount": "38117.60", "currency": "USD"}],
        },
        "paused": False,
        "per_minute": 60,
        "done": 12,
        "elsewhere": 1,
        "failed": 0,
        "under_way": 3,
        "untold": 1,
        "left": 0,
        "paid": [{"amount": "14458.40", "currency": "USD"}],
        "cases": 3,
        "opened_at": "2026-03-02T10:58:00Z",
        "opened_by": "handler:h-17",
        "approved_by": "approver:a-3",
        "revision": 40,
    },
    InvestigationRequest: {
        "checks": ["execution"],
        "account": "70012345",
        "trades": ["P-100234"],
        "as_of": "2026-03-02T09:15:00Z",
        "tolerances": {"price": "0.30", "quote_window_seconds": 2},
    },
    Investigation: {
        "findings": [
            {
                "check": "execution",
                "subject": "P-100234",
                "verdict": "provider_fault",
                "reason": {
                    "en": "The closing price lies 14.29 below the valid bid.",
                    "zh": "平仓价较有效的客户卖出价（Bid）低 14.29。",
                },
                "harm": {"amount": "3165.81", "currency": "USD"},
                "numbers": {"difference": "14.29"},
                "missing": [],
                "evidence": [{"table": "positions", "key": "P-100234", "values": {"close_price": "1920.96"}}],
                "formula": "wrongful-stop-out/1",
            }
        ]
    },
}
