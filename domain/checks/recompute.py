"""Findings made again from themselves: the same verdict, hash and cents, or exactly what is different."""

from collections.abc import Sequence

from pydantic import ValidationError

from domain.checks import interest
from domain.checks.execution.finding import execution_whenever
from domain.checks.facts import Given, LogFacts
from domain.checks.findings import Check, Finding
from domain.checks.losses import once_only, settled_before, together, without
from domain.checks.table import CHECKS
from domain.checks.tolerances import Tolerances
from domain.ground.base import Record


class Difference(Record):
    """Something that is not as it was: of which finding, in which field, and both values as text."""

    check: Check
    subject: str
    field: str
    stored: str
    computed: str


def recompute(findings: Sequence[Finding], hashes: Sequence[str] = ()) -> tuple[Difference, ...]:
    """Make *findings* of one investigation again from their own evidence; nothing when all is the same.

    *hashes* are those that were stored beside the findings, in the same order, if they were. A finding without
    evidence (an unknown account, say) holds nothing to compute and is taken as it is.
    """
    differences: list[Difference] = []
    for finding, stored in zip(findings, hashes, strict=False):
        if finding.hash != stored:
            differences.append(_different(finding, "hash", stored, finding.hash))
    again: list[Finding] = []
    broken: set[int] = set()
    for number, finding in enumerate(findings):
        if not finding.evidence:
            again.append(finding)
            continue
        try:
            again.append(_again(finding))
        except ValidationError as error:
            where = sorted({".".join(str(part) for part in problem["loc"]) for problem in error.errors()})
            differences.append(_different(finding, "evidence", "kept", f"unreadable: {', '.join(where)}"))
            again.append(finding)
            broken.add(number)
        except LookupError as error:
            differences.append(_different(finding, "given", "not kept", f"cannot be computed without {error}"))
            again.append(finding)
            broken.add(number)
    owed = [
        made if number in broken else interest.again(without(made, settled_before(finding)), finding)
        for number, (finding, made) in enumerate(zip(findings, once_only(again), strict=True))
    ]
    for number, (finding, made) in enumerate(zip(findings, together(owed), strict=True)):
        if number not in broken:
            differences += _compare(finding, made)
    return tuple(differences)


def _again(finding: Finding) -> Finding:
    facts = LogFacts.of(row for row in finding.evidence if row.table != "base_rates")  # of the interest, not the check
    if not finding.given:
        raise LookupError("the tolerances it went by")
    if finding.check is Check.EXECUTION:  # it was given no instant to look from
        return execution_whenever(finding.subject, facts, Tolerances.of(finding.given))
    return CHECKS[finding.check].run(finding.subject, facts, Given.of(finding.given))


def _compare(stored: Finding, made: Finding) -> list[Difference]:
    found = []
    for name in ("verdict", "confidence", "harm", "formula", "reference_rule", "missing"):
        was, now = getattr(stored, name), getattr(made, name)
        if was != now:
            found.append(_different(stored, name, _text(was), _text(now)))
    for name in sorted(set(stored.numbers) | set(made.numbers)):
        was, now = stored.numbers.get(name, "none"), made.numbers.get(name, "none")
        if was != now:
            found.append(_different(stored, f"numbers.{name}", was, now))
    parts = {part.key: part for part in made.parts}
    for part in stored.parts:
        other = parts.pop(part.key, None)
        if other != part:
            found.append(
                _different(stored, f"parts.{part.key}", _text(part.amount), _text(other.amount if other else None))
            )
    found += [_different(stored, f"parts.{key}", "none", _text(part.amount)) for key, part in parts.items()]
    for language in ("en", "zh"):
        if stored.reason.in_language(language) != made.reason.in_language(language):
            found.append(
                _different(
                    stored,
                    f"reason.{language}",
                    stored.reason.in_language(language),
                    made.reason.in_language(language),
                )
            )
    if not found and stored.hash != made.hash:
        found.append(_different(stored, "hash", stored.hash, made.hash))
    return found


def _different(finding: Finding, field: str, stored: str, computed: str) -> Difference:
    return Difference(check=finding.check, subject=finding.subject, field=field, stored=stored, computed=computed)


def _text(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
