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

from domain.case.answers import Closed, Status
from domain.case.complaint import Complaint
from domain.case.messages.table import SIGNALS, UPDATES, Receipt
from domain.checks.findings import Investigation, InvestigationRequest
from domain.ground.messages import Intended, Message, Refusal
from domain.ground.reference import ALPHABET, INCIDENT, reference_for
from domain.ground.timeline import Entry
from domain.ground.words import WORKFLOW, SearchAttribute
from domain.incidents.incident import WORKFLOW as INCIDENT_WORKFLOW
from domain.incidents.incident import Fault, NewIncident
from domain.incidents.messages import INCIDENT_UPDATES, IncidentChanged, IncidentReceipt
from domain.incidents.progress import Progress
from starter.client.examples import EXAMPLES, FAULT, example_of

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
    SearchAttribute.NEXT_TASK: "KeywordList",
    SearchAttribute.TASK_DUE: "Datetime",
    SearchAttribute.INCIDENT: "KeywordList",
}
"""The types of the search attributes, as Temporal calls them."""


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
            mode="serialization" if self.ours else "validation", schema_generator=SchemaOfContracts
        )
        head = {"$schema": DIALECT, "title": self.title, "description": self.description}
        tidy: dict[str, Any] = tidied(head | schema | {"title": self.title}, open_ended=self.ours)
        definitions = tidy.pop("$defs", None)
        return tidy | ({"$defs": definitions} if definitions else {}) | {"examples": [self.example]}


class SchemaOfContracts(GenerateJsonSchema):
    """How the models are told of: money as text, and no titles that say nothing."""

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


def tidied(node: Any, *, open_ended: bool) -> Any:
    """Without Sphinx's marks; and for what we answer, without the promise that there will never be another field."""
    match node:
        case dict():
            tidy = {
                key: _plain(value)
                if key == "description" and isinstance(value, str)
                else tidied(value, open_ended=open_ended)
                for key, value in node.items()
            }
            if open_ended and tidy.get("additionalProperties") is False:
                del tidy["additionalProperties"]
            return tidy
        case list():
            return [tidied(item, open_ended=open_ended) for item in node]
        case _:
            return node


def _plain(text: str) -> str:
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", "\n\n".join(paragraphs)).replace("``", "`")


@cache
def contracts() -> tuple[Contract, ...]:
    """Everything that travels: the complaint, the messages, the answers."""
    return (
        Contract("complaint", "Complaint", Complaint, EXAMPLES[Complaint]),
        *(Contract(kind.name, f"Message {kind.name}", kind, example_of(kind)) for kind in (*SIGNALS, *UPDATES)),
        Contract("receipt", "Answer to an update", Receipt, EXAMPLES[Receipt], ours=True),
        Contract("status", "Answer to the query status", Status, EXAMPLES[Status], ours=True),
        Contract(
            "timeline",
            "Answer to the query timeline",
            list[Entry],
            [EXAMPLES[Entry]],
            ours=True,
            description="The last entries of the timeline, the oldest first; the case file has them all.",
        ),
        Contract("intended", "Argument of the query refusal", Intended, EXAMPLES[Intended]),
        Contract("refusal", "Answer to the query refusal", Refusal, EXAMPLES[Refusal], ours=True),
        Contract("closed", "Result of a case", Closed, EXAMPLES[Closed], ours=True),
        Contract(
            "investigation_request",
            "What to look for in the trade log",
            InvestigationRequest,
            EXAMPLES[InvestigationRequest],
        ),
        Contract("investigation", "Findings of an investigation", Investigation, EXAMPLES[Investigation], ours=True),
        Contract("incident", "Incident", NewIncident, EXAMPLES[NewIncident]),
        *(Contract(kind.name, f"Message {kind.name}", kind, example_of(kind)) for kind in _OF_INCIDENTS),
        Contract(
            "incident_receipt",
            "Answer to an update of an incident",
            IncidentReceipt,
            EXAMPLES[IncidentReceipt],
            ours=True,
        ),
        Contract("progress", "Answer to the query progress, and result", Progress, EXAMPLES[Progress], ours=True),
    )


_REFUSAL: Final = {"input": "intended.json", "result": "refusal.json"}


def _index() -> dict[str, Any]:
    """What there is to start, send and ask, and where its schema is."""
    return {
        "title": "How other programs start complaints and talk to their cases",
        "description": "Every payload is one JSON value in the encoding json/plain. README.md explains.",
        "task_queue": "redress",
        "workflows": _workflows(),
        "reference": _reference(),
        "incident_reference": _incident_reference(),
        "search_attributes": {attribute.value: TYPES[attribute] for attribute in SearchAttribute},
    }


def _workflows() -> dict[str, Any]:
    """What can be started, and what each takes and answers."""
    return {
        WORKFLOW: {
            "description": "One complaint, from receipt to closure.",
            "workflow_id": "the complaint's reference, derived as told below",
            "workflow_id_conflict_policy": "Fail",
            "workflow_id_reuse_policy": "AllowDuplicateFailedOnly",
            "input": "complaint.json",
            "result": "closed.json",
            "signals": {kind.name: {"input": f"{kind.name}.json"} for kind in _SIGNALS},
            "updates": {kind.name: {"input": f"{kind.name}.json", "result": "receipt.json"} for kind in UPDATES},
            "queries": {
                "status": {"result": "status.json"},
                "timeline": {"result": "timeline.json"},
                "refusal": _REFUSAL,
            },
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
            "queries": {"progress": {"result": "progress.json"}, "refusal": _REFUSAL},
        },
        INVESTIGATION: {
            "description": "An investigation of the trade log without a case.",
            "workflow_id": "any, new each time",
            "input": "investigation_request.json",
            "result": "investigation.json",
        },
    }


def _reference() -> dict[str, Any]:
    """How the reference of a complaint is derived."""
    return {
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
    }


def _incident_reference() -> dict[str, Any]:
    """How that of an incident is."""
    return {
        "description": "As a complaint's, but text = 'incident\\n' + key and it begins with 'IN-'. The key is the"
        " fault's fields kind, symbol, since, until, source, price_from, price_to and checks (with commas between),"
        " with | between them, empty where not given; instants in UTC as 2026-03-01T23:29:30Z.",
        "test_vectors": [
            {"key": fault.key, "reference": reference_for("incident", fault.key, prefix=INCIDENT)}
            for fault in (
                Fault.model_validate(FAULT),
                Fault.model_validate(FAULT | {"source": None, "price_from": "1900", "price_to": "1925.50"}),
            )
        ],
    }
