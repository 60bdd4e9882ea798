"""The contract with other languages: the JSON Schema of everything that is sent to a case and that it answers.

``redress schema`` writes these documents to ``docs/contracts/``; a test keeps the folder current.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from domain.case import Closed, Entry, Status
from domain.complaint import Complaint
from domain.findings import Investigation, InvestigationRequest
from domain.incident import WORKFLOW as INCIDENT_WORKFLOW
from domain.incident import Fault, NewIncident
from domain.incident_work import (
    INCIDENT_UPDATES,
    DecideIncident,
    IncidentChanged,
    IncidentReceipt,
    PauseIncident,
    Progress,
    ResumeIncident,
    RetryMember,
)
from domain.messages import (
    SIGNALS,
    UPDATES,
    AddEvidence,
    Assign,
    CorrectContact,
    CustomerReply,
    DecideResolution,
    Escalate,
    ExtendDeadline,
    Investigate,
    Message,
    ProposeResolution,
    Receipt,
    Reclassify,
    RecordFeedback,
    RecordReferral,
    Reopen,
    ReplanDeadlines,
    ReportPayment,
    RequestInformation,
    ResolveEarly,
    RetryPayment,
    Withdraw,
)
from domain.reference import ALPHABET, INCIDENT, reference_for
from domain.words import WORKFLOW, SearchAttribute

_SIGNALS: Final[tuple[type[Message], ...]] = (*SIGNALS, IncidentChanged)
_OF_INCIDENTS: Final[tuple[type[Message], ...]] = (*INCIDENT_UPDATES, IncidentChanged)

INVESTIGATION: Final = "Investigation"
"""The workflow type of an investigation without a case."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
INDEX: Final = "index.json"

TYPES: Final[Mapping[SearchAttribute, str]] = {
    SearchAttribute.STAGE: "Keyword",
    SearchAttribute.CATEGORY: "Keyword",
    SearchAttribute.SEVERITY: "Keyword",
    SearchAttribute.PRIORITY: "Keyword",
    SearchAttribute.TEAM: "Keyword",
    SearchAttribute.HANDLER: "Keyword",
    SearchAttribute.POLICY: "Keyword",
    SearchAttribute.OUTCOME: "Keyword",
    SearchAttribute.PAYMENT: "Keyword",
    SearchAttribute.ESCALATION_LEVEL: "Int",
    SearchAttribute.BREACHED: "Bool",
    SearchAttribute.NEXT_DEADLINE: "Datetime",
    SearchAttribute.INCIDENT: "KeywordList",
}
"""The types of the search attributes, as Temporal calls them."""

_REFERENCE: Final = reference_for("web-form", "2026-000123")
_FAULT: Final = {
    "kind": "quote",
    "symbol": "XAUUSD",
    "since": "2026-03-01T23:29:30Z",
    "until": "2026-03-01T23:30:30Z",
    "source": "LP-A",
}
_INCIDENT: Final = reference_for("incident", Fault.model_validate(_FAULT).key, prefix=INCIDENT)
_HANDLER: Final = {"id": "h-17", "role": "handler"}
_TEAM_LEAD: Final = {"id": "tl-2", "role": "team_lead"}
_APPROVER: Final = {"id": "a-3", "role": "approver"}
_CUSTOMER: Final = {"id": "customer", "role": "customer"}


@dataclass(frozen=True)
class Contract:
    """One document: a model, which way it travels, and an example of it.

    What we answer (``ours``) may gain fields later: its schema lets unknown ones pass, where that of what others send
    does not.
    """

    name: str
    title: str
    model: Any
    example: Any
    ours: bool = False
    description: str = ""
    """Where the model has no words of its own."""

    @property
    def file(self) -> str:
        return f"{self.name}.json"

    @property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.model)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12), with title, description and an example."""
        schema = self.adapter.json_schema(
            mode="serialization" if self.ours else "validation", schema_generator=_Generator
        )
        head = {"$schema": DIALECT, "title": self.title, "description": self.description}
        tidied: dict[str, Any] = _tidy(head | schema | {"title": self.title}, open_ended=self.ours)
        definitions = tidied.pop("$defs", None)
        return tidied | ({"$defs": definitions} if definitions else {}) | {"examples": [self.example]}


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """A title that only repeats the field's name says nothing."""
        return False

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        """Money and prices: better as text, which no program on the way rounds."""
        generated = super().decimal_schema(schema)
        sign = "" if schema.get("gt", schema.get("ge", -1)) >= 0 else "-?"
        text = {"type": "string", "pattern": f"^{sign}[0-9]+(\\.[0-9]+)?$"}
        if self.mode == "serialization":
            return text
        numbers = [choice for choice in generated.get("anyOf", []) if choice.get("type") == "number"]
        return {"anyOf": [text, *numbers]}


def documents() -> dict[str, dict[str, Any]]:
    """Every document of the contract by file name."""
    return {contract.file: contract.schema() for contract in contracts()} | {INDEX: _index()}


def write(folder: Path) -> list[Path]:
    """Write the documents that *folder* does not have as they are now. Returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    outdated = stale(folder)
    texts = _texts()
    for path in outdated:
        path.write_bytes(texts[path.name])
    return outdated


def stale(folder: Path) -> list[Path]:
    """The documents that *folder* lacks or has otherwise."""
    paths = {folder / name: text for name, text in _texts().items()}
    return [path for path, text in paths.items() if not path.is_file() or path.read_bytes() != text]


def _texts() -> dict[str, bytes]:
    return {
        name: (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
        for name, document in documents().items()
    }


def _tidy(node: Any, *, open_ended: bool) -> Any:
    """Without Sphinx's marks; and for what we answer, without the promise that there will never be another field."""
    match node:
        case dict():
            tidied = {
                key: _plain(value)
                if key == "description" and isinstance(value, str)
                else _tidy(value, open_ended=open_ended)
                for key, value in node.items()
            }
            if open_ended and tidied.get("additionalProperties") is False:
                del tidied["additionalProperties"]
            return tidied
        case list():
            return [_tidy(item, open_ended=open_ended) for item in node]
        case _:
            return node


def _plain(text: str) -> str:
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", "\n\n".join(paragraphs)).replace("``", "`")


@cache
def contracts() -> tuple[Contract, ...]:
    """Everything that travels: the complaint, the messages, the answers."""
    return (
        Contract("complaint", "Complaint", Complaint, _EXAMPLES[Complaint]),
        *(Contract(kind.name, f"Message {kind.name}", kind, _example(kind)) for kind in (*SIGNALS, *UPDATES)),
        Contract("receipt", "Answer to an update", Receipt, _EXAMPLES[Receipt], ours=True),
        Contract("status", "Answer to the query status", Status, _EXAMPLES[Status], ours=True),
        Contract(
            "timeline",
            "Answer to the query timeline",
            list[Entry],
            [_EXAMPLES[Entry]],
            ours=True,
            description="The last entries of the timeline, the oldest first; the case file has them all.",
        ),
        Contract("closed", "Result of a case", Closed, _EXAMPLES[Closed], ours=True),
        Contract(
            "investigation_request",
            "What to look for in the trade log",
            InvestigationRequest,
            _EXAMPLES[InvestigationRequest],
        ),
        Contract("investigation", "Findings of an investigation", Investigation, _EXAMPLES[Investigation], ours=True),
        Contract("incident", "Incident", NewIncident, _EXAMPLES[NewIncident]),
        *(Contract(kind.name, f"Message {kind.name}", kind, _example(kind)) for kind in _OF_INCIDENTS),
        Contract(
            "incident_receipt",
            "Answer to an update of an incident",
            IncidentReceipt,
            _EXAMPLES[IncidentReceipt],
            ours=True,
        ),
        Contract("progress", "Answer to the query progress, and result", Progress, _EXAMPLES[Progress], ours=True),
    )


def _example(kind: type[Message]) -> dict[str, Any]:
    return {"message_id": f"crm-4711-{kind.name}", **_EXAMPLES[kind]}


_EXAMPLES: Final[Mapping[type, Any]] = {
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
    DecideResolution: {"actor": _APPROVER, "decision": "approve"},
    ResolveEarly: {
        "actor": _HANDLER,
        "outcome": "upheld",
        "compensation": {"amount": "20.00", "currency": "USD"},
        "reasons": "You told us on the telephone that the refund of the fee settles the matter.",
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
    ReplanDeadlines: {"actor": {"id": "c-1", "role": "compliance_officer"}, "calendar": "0" * 64},
    RecordFeedback: {"actor": _CUSTOMER, "score": 4, "comment": "Fair, but slow."},
    CorrectContact: {"actor": _HANDLER, "email": "new-address@example.com"},
    Withdraw: {"actor": _CUSTOMER, "reason": "The matter was settled by telephone."},
    Reopen: {"actor": _CUSTOMER, "reason": "A second position was closed by the same quote."},
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
        "fault": _FAULT,
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
    Progress: {
        "reference": _INCIDENT,
        "stage": "compensating",
        "fault": _FAULT,
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


def _index() -> dict[str, Any]:
    """What there is to start, send and ask, and where its schema is."""
    return {
        "title": "How other programs start complaints and talk to their cases",
        "description": "Every payload is one JSON value in the encoding json/plain. README.md explains.",
        "task_queue": "redress",
        "workflows": {
            WORKFLOW: {
                "description": "One complaint, from receipt to closure.",
                "workflow_id": "the complaint's reference, derived as told below",
                "workflow_id_conflict_policy": "Fail",
                "workflow_id_reuse_policy": "AllowDuplicateFailedOnly",
                "input": "complaint.json",
                "result": "closed.json",
                "signals": {kind.name: {"input": f"{kind.name}.json"} for kind in _SIGNALS},
                "updates": {kind.name: {"input": f"{kind.name}.json", "result": "receipt.json"} for kind in UPDATES},
                "queries": {"status": {"result": "status.json"}, "timeline": {"result": "timeline.json"}},
            },
            INCIDENT_WORKFLOW: {
                "description": "One fault, and every account it touched: listed, approved as a whole, made good once.",
                "workflow_id": "the incident's reference, derived as told below",
                "workflow_id_conflict_policy": "Fail",
                "workflow_id_reuse_policy": "AllowDuplicateFailedOnly",
                "input": "incident.json",
                "result": "progress.json",
                "signals": {},
                "updates": {
                    kind.name: {"input": f"{kind.name}.json", "result": "incident_receipt.json"}
                    for kind in INCIDENT_UPDATES
                },
                "queries": {"progress": {"result": "progress.json"}},
            },
            INVESTIGATION: {
                "description": "An investigation of the trade log without a case.",
                "workflow_id": "any, new each time",
                "input": "investigation_request.json",
                "result": "investigation.json",
            },
        },
        "reference": {
            "description": "A complaint's reference, its workflow's id, follows from source and idempotency_key.",
            "alphabet": ALPHABET,
            "steps": [
                "text = source + '\\n' + idempotency_key, in UTF-8",
                "number = the first 16 bytes of SHA-256(text), as a big-endian unsigned integer, modulo 30^12",
                "body = number as 12 digits of base 30 in the alphabet, most significant first, leading zeros (2) kept",
                "check (ISO 7064, hybrid system MOD 31,30) = 15; for each digit of body: "
                "if check is 0, check = 30; check = ((check * 2) mod 31 + value of the digit) mod 30",
                "if check is 0, check = 30; check character = alphabet[(1 - (check * 2) mod 31) mod 30], "
                "mod giving 0 to 29",
                "reference = 'RD-' + body[0:4] + '-' + body[4:8] + '-' + body[8:12] + check character",
            ],
            "test_vectors": [
                {"source": source, "idempotency_key": key, "reference": reference_for(source, key)}
                for source, key in (
                    ("web-form", "2026-000123"),
                    ("crm", "4711"),
                    ("app", "a b/c"),
                    ("phone", "投诉-001"),
                    ("web-form", "🙂"),
                )
            ],
        },
        "incident_reference": {
            "description": "As a complaint's, but text = 'incident\\n' + key and it begins with 'IN-'. The key is the"
            " fault's fields kind, symbol, since, until, source, price_from, price_to and checks (with commas between),"
            " with | between them, empty where not given; instants in UTC as 2026-03-01T23:29:30Z.",
            "test_vectors": [
                {"key": fault.key, "reference": reference_for("incident", fault.key, prefix=INCIDENT)}
                for fault in (
                    Fault.model_validate(_FAULT),
                    Fault.model_validate(_FAULT | {"source": None, "price_from": "1900", "price_to": "1925.50"}),
                )
            ],
        },
        "search_attributes": {attribute.value: TYPES[attribute] for attribute in SearchAttribute},
    }
