"""Which names and words of a case a reader of its evidence pack does not see."""

from collections.abc import Iterable
from typing import Any

from domain.case.messages.evidence import AddEvidence
from domain.checks.findings import EvidenceRow
from domain.ground.words import Role
from starter.evidence.reading import CaseFacts
from starter.evidence.redaction import IDS, Reader, Redaction, letters
from starter.evidence.words import Words


def redaction_of(facts: CaseFacts, reader: Reader, words: Words) -> Redaction:
    """What *reader* may not see of *facts*."""
    # Only the one that stands: another, typed by mistake, may be another customer's.
    corrected = (entry.data.get("account") for entry in facts.entries if entry.kind == AddEvidence.name)
    stated = [facts.complaint.account, *corrected]
    named = [account for account in stated if isinstance(account, str)]
    evidence = [row for stored in facts.findings for row in stored.finding.evidence]
    return Redaction(
        reader,
        own=named[-1:],
        accounts={*named, *(row.values["account"] for row in evidence if "account" in row.values)},
        staff=_staff(facts, evidence, words),
        sources={
            source: words("alias", "source", letter=letter)
            for source, letter in zip(sorted(_sources(facts, evidence)), letters(), strict=False)
        },
        ids={
            *facts.complaint.trades,
            *(value for row in evidence for name, value in row.values.items() if name in IDS),
        },
    )


def _staff(facts: CaseFacts, evidence: Iterable[EvidenceRow], words: Words) -> dict[str, str]:
    """The ids of those who acted for the firm, people and programs, and their role in words."""
    found: dict[str, str] = {}
    actors = [entry.actor for entry in facts.entries]
    for actor in actors:
        role, _, name = actor.partition(":")
        if name and role in set(Role) and role != Role.CUSTOMER and name not in {"redress", *Role}:
            found[actor] = found[name] = words("role", role)
    named: list[Any] = [facts.handler, *(entry.data.get("handler") for entry in facts.entries)]
    named += [row.values.get("decided_by") for row in evidence if row.table == "cancellations"]
    for one in named:
        if isinstance(one, str) and one and one not in set(Role):
            found.setdefault(one, words("role", Role.HANDLER))
    return found


def _sources(facts: CaseFacts, evidence: Iterable[EvidenceRow]) -> set[str]:
    found = {row.values["source"] for row in evidence if "source" in row.values}
    return found | {quote.source for chart in facts.charts for quote in chart.quotes}
