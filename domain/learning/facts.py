"""Facts of cases: what reports count, without names, accounts and words of customers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.ground.base import Instant, Record
from domain.ground.timeline import Entry
from domain.ground.words import LetterKind, SignKind, SignStep
from domain.people.matching import Ground
from domain.rules.causes import CauseTree


class Fact(Record):
    """What is written down for reports, once under its ``key``. ``data`` holds no personal text."""

    kind: str
    at: Instant
    key: str
    data: dict[str, Any]


UNKNOWN: Final = "not_recorded"
"""What a cause is called that nobody has said and no check points to."""
_PRICED: Final = frozenset({"fills", "binary_options", "order_events"})
"""Tables whose rows name the source of a price."""


def facts_of(entries: Iterable[Entry]) -> Iterator[Fact]:
    """What the *entries* of a timeline say that reports count."""
    for entry in entries:
        said = entry.data
        match entry.kind:
            case "finding":
                data = {name: said[name] for name in ("check", "verdict", "confidence") if said.get(name)}
                rows = [row for row in said.get("evidence", ()) if row["table"] in _PRICED]
                sources = sorted({source for row in rows if (source := row["values"].get("source"))})
                yield _fact(entry, "finding", data | ({"sources": sources} if sources else {}))
            case "letter" if said.get("outcome"):
                yield _fact(entry, "answered", {"outcome": said["outcome"]})
            case "letter" if said.get("kind") == LetterKind.FEEDBACK_REQUEST:
                yield _fact(entry, "asked", {})
            case "record_feedback":
                yield _fact(entry, "feedback", {"score": said["score"]})
            case "record_cause":
                names = ("cause", "contributing", "others_touched")
                yield _fact(entry, "cause", {name: said[name] for name in names if said.get(name)})
            case "identified":
                yield _fact(entry, "represented", {"represented": _represented(said["because"])})
            case "note_sign":
                yield _fact(entry, "sign", {"kind": said["sign"]["kind"], "step": said["step"], "by": "person"})


def _represented(because: Iterable[str]) -> bool | None:
    """Whether somebody speaks for the customer, by the grounds on which it is known who complains; if they tell."""
    if not {Ground.REPRESENTATIVE, Ground.SPOKESPERSON}.isdisjoint(because):
        return True
    return False if Ground.HOLDER in because else None


def _fact(entry: Entry, kind: str, data: dict[str, Any]) -> Fact:
    return Fact(kind=kind, at=entry.at, key=entry.key, data=data)


@dataclass(frozen=True, slots=True)
class ClockFact:
    """A clock that could be missed and is done: ``missed`` where its end passed before its duty was done."""

    clock: str
    statutory: bool
    due: datetime
    at: datetime
    missed: bool


@dataclass(frozen=True, slots=True)
class Award:
    """Money posted to the customer."""

    at: datetime
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class FoundFact:
    """A finding: which check came to which verdict, and the price sources concerned."""

    check: str
    verdict: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFact:
    """All that reports know of a case, up to a cut-off. Times are aware and UTC."""

    reference: str
    received_at: datetime
    policy: str
    channel: str
    language: str = "en"
    product: str | None = None
    entity: str | None = None
    category: str = "other"
    severity: str | None = None
    priority: str | None = None
    in_scope: bool = True
    repeat: bool = False
    team: str | None = None
    handler: str | None = None
    stage: str = "received"
    outcome: str | None = None
    """As the customer was told last; once the file is closed, as it ended."""
    closed_at: datetime | None = None
    turns: tuple[tuple[str, datetime], ...] = ()
    """Events in order: acknowledged, responded, disputed, reopened, referred, settled, asked (for feedback)."""
    clocks: tuple[ClockFact, ...] = ()
    awards: tuple[Award, ...] = ()
    findings: tuple[FoundFact, ...] = ()
    cause: str | None = None
    contributing: tuple[str, ...] = ()
    score: int | None = None
    vulnerable: bool = False
    """Whether a person said or confirmed that the customer is vulnerable."""
    incident: str | None = None
    residence: str | None = None
    """The customer's country, as two letters of ISO 3166-1."""
    represented: bool | None = None
    """Whether somebody speaks for the customer; ``None`` where it is not known who complains."""

    def first(self, event: str) -> datetime | None:
        """When that event happened first."""
        return next((at for name, at in self.turns if name == event), None)


def cause_of(case: CaseFact, tree: CauseTree) -> str:
    """The cause as people recorded it, or else as the checks found it."""
    return case.cause or tree.suggested((one.check, one.verdict) for one in case.findings) or UNKNOWN


def case_of(row: Mapping[str, Any]) -> CaseFact:
    """The case of a row of ``reporting.cases_at``."""
    opened, state, described = row["opened"], row["state"] or {}, row["described"] or {}
    cause, feedback = row["cause"] or {}, row["feedback"] or {}
    missed = {(one["clock"], one["round"]) for one in row["clocks"] or () if one["kind"] == "missed"}
    return CaseFact(
        reference=row["reference"],
        received_at=row["received_at"],
        policy=opened["policy"],
        channel=opened["channel"],
        language=opened["language"],
        product=described.get("product"),
        entity=described.get("entity"),
        category=state.get("category") or "other",
        severity=state.get("severity"),
        priority=state.get("priority"),
        in_scope=state.get("in_scope", True),
        repeat=state.get("repeat", False),
        team=state.get("team"),
        handler=state.get("handler"),
        stage=state.get("stage", "received"),
        outcome=state.get("outcome"),
        closed_at=_instant(state["closed_at"]) if state.get("closed_at") else None,
        turns=tuple((kind, _instant(at)) for kind, at in row["turns"] or ()),
        clocks=tuple(_clocks(row["clocks"] or (), missed)),
        awards=tuple(Award(_instant(a["at"]), Decimal(a["amount"]), a["currency"]) for a in row["awards"] or ()),
        findings=tuple(
            FoundFact(one["check"], one["verdict"], tuple(one.get("sources", ()))) for one in row["findings"] or ()
        ),
        cause=cause.get("cause"),
        contributing=tuple(cause.get("contributing", ())),
        score=feedback.get("score"),
        vulnerable=_is_vulnerable(row["signs"] or ()),
        incident=row["incident"],
        residence=described.get("residence"),
        represented=described.get("represented"),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clocks(told: Iterable[Mapping[str, Any]], missed: set[tuple[str, int]]) -> Iterator[ClockFact]:
    """Each round once: missed where that was told, done in time where nothing else was."""
    for one in told:
        late = (one["clock"], one["round"]) in missed
        if one["kind"] == "missed" or not late:
            yield ClockFact(one["clock"], one["statutory"], _instant(one["due"]), _instant(one["at"]), late)


def _is_vulnerable(signs: Iterable[Mapping[str, Any]]) -> bool:
    """By what a person said last; what the system heard alone is no more than a hint."""
    said = [one["step"] for one in signs if one["kind"] == SignKind.VULNERABILITY and one.get("by") == "person"]
    return bool(said) and said[-1] != SignStep.WITHDRAWN
