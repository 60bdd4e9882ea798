"""How well the first assessment hears: precision and recall on sentences kept apart, both languages apart.

``python -m bench.assessment`` takes seconds and needs no server.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bench.common import forget_configuration
from domain.case.assessment import Assessment, assess
from domain.case.complaint import Complaint
from domain.case.hearing import signs_heard
from domain.ground.words import Category, Severity
from domain.speech.proposing import Opinion
from runtime.corpus import Said, Sentence, authored, model, said
from runtime.ear import ear, installed
from runtime.paths import CORPUS
from runtime.policies import find_pack

NOW = datetime(2026, 3, 2, tzinfo=UTC)
Z = 1.96
NONE = "–"
SETS = {
    "blind_life": "danger to life and what only sounds like it, by another author who saw neither rules nor corpus; "
    "never read",
    "blind_everyday": "complaints of every category, by that author; never read by whoever made rules and model",
    "life": "danger to life and what only sounds like it, by an author who saw neither rules nor corpus; "
    "one line was read",
    "everyday": "complaints of every category, by the author of life; never read by whoever made rules and model",
    "test": "whole complaints by another such author; six of them were read, because the rules raised them",
    "voices": "by one who had not seen the rules then and worked on them afterwards; never looked at since",
    "many_kinds": "one half, by lot, of what its author wrote before reading the rules; never looked at",
    "first": "by that author, but read while the model was made, and learned from since: no measure",
}
SAID = "sentences about other signs, meant, denied, asked or supposed; written before rules and corpus were read"


def interval(right: int, of: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if not of:
        return NONE
    share, spread = right / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return f"{right}/{of} = {share:.0%} ({max(0, middle - half):.0%} to {min(1, middle + half):.0%})"


def assessed(one: Sentence, opinion: Opinion | None = None) -> Assessment:
    complaint = Complaint.model_validate(
        {
            "source": "bench",
            "idempotency_key": "1",
            "received_at": NOW,
            "channel": "web",
            "language": one.language,
            "complainant": {"name": "-"},
            "description": one.text,
        }
    )
    return assess(complaint, find_pack("platform-default", NOW), earlier=(), opinion=opinion)


def measure(rows: list[Sentence]) -> dict[str, str]:
    """What is right in these *rows*."""
    fitted = model()
    rules = [assessed(one) for one in rows]
    by_words = [one.category is its.category for one, its in named(rows, rules) if its.category is not Category.OTHER]
    figures = {
        "category by rules alone, recall": interval(sum(by_words), len(named(rows, rules))),
        "category by rules alone, precision": interval(sum(by_words), len(by_words)),
    }
    dangers = [one.sign == "danger" for one in rows]
    if any(dangers):
        figures |= ear_of("danger to life by rules", dangers, [its.severity is Severity.CRITICAL for its in rules])
    listeners: dict[str, Callable[[str], Opinion]] = {"the model": fitted.listen}
    if installed():
        listeners["the model with the ear"] = lambda text: ear().hear(text, fitted)
    for who, listen in listeners.items():
        opinions = [listen(one.text) for one in rows]
        both = [assessed(one, opinion) for one, opinion in zip(rows, opinions, strict=True)]
        figures |= categories_by(who, rows, both)
        if any(dangers):
            figures |= ear_of(f"danger to life by {who}", dangers, [opinion.alarm for opinion in opinions])
            critical = [its.severity is Severity.CRITICAL for its in both]
            figures |= ear_of(f"danger to life by rules and {who}", dangers, critical)
        harmless = [
            (one.severity, its.severity)
            for one, its in zip(rows, both, strict=True)
            if one.severity and one.sign != "danger"
        ]
        figures[f"other severity with {who}, exact"] = interval(
            sum(told is its for told, its in harmless), len(harmless)
        )
    return figures


def named(rows: list[Sentence], found: list[Assessment]) -> list[tuple[Sentence, Assessment]]:
    """Those of *rows* that have a category, each with what was *found*."""
    return [each for each in zip(rows, found, strict=True) if each[0].category not in {None, Category.OTHER}]


def categories_by(who: str, rows: list[Sentence], found: list[Assessment]) -> dict[str, str]:
    """How many categories are right with *who* proposing where words do not decide."""
    of = named(rows, found)
    decided = [one.category is its.category for one, its in of if its.category is not Category.OTHER]
    proposed = [one.category is its.proposal.category for one, its in of if its.proposal]
    return {
        f"category decided with {who}, precision": interval(sum(decided), len(decided)),
        f"category proposed by {who}, precision": interval(sum(proposed), len(proposed)),
        f"category decided or proposed by {who}, recall": interval(sum(decided) + sum(proposed), len(of)),
    }


def ear_of(what: str, meant: list[bool], raised: list[bool]) -> dict[str, str]:
    """How many of those *meant* were *raised* (recall), of those raised how many are meant (precision), and how many
    were raised of those not meant.
    """
    both = sum(one and other for one, other in zip(meant, raised, strict=True))
    return {
        f"{what}, recall": interval(both, sum(meant)),
        f"{what}, precision": interval(both, sum(raised)),
        f"{what}, raised where there is none": interval(sum(raised) - both, len(meant) - sum(meant)),
    }


def measure_signs(rows: list[Said]) -> dict[str, str]:
    """How the signs in these *rows* are heard that are no danger to life."""
    figures: dict[str, str] = {}
    for sign in (None, *sorted({one.sign for one in rows})):
        of = [one for one in rows if sign in {None, one.sign}]
        raised = [any(heard.kind is one.sign for heard in signs_heard(one.text)) for one in of]
        figures |= ear_of(sign.value if sign else "all signs", [one.meant for one in of], raised)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    forget_configuration()
    version = f"{model().version}+{ear().version}" if installed() else model().version
    results: dict[str, dict[str, Any]] = {}
    for name, what in SETS.items():
        rows = authored(CORPUS / "authored" / f"{name}.jsonl")
        results[name] = {"what": what, "model": version, "sentences": len(rows)}
        for language in ("en", "zh"):
            results[name][language] = measure([one for one in rows if one.language == language])
    spoken = said(CORPUS / "authored" / "signs.jsonl")
    results["signs"] = {"what": SAID, "model": "rules", "sentences": len(spoken)}
    for language in ("en", "zh"):
        results["signs"][language] = measure_signs([one for one in spoken if one.language == language])
    if as_json:
        sys.stdout.write(json.dumps(results, ensure_ascii=False, indent=2) + "\n")
        return
    for name, result in results.items():
        sys.stdout.write(f"\n{name}: {result['sentences']}, {result['what']}; model {result['model']}\n")
        for language in ("en", "zh"):
            for figure, value in result[language].items():
                if value == NONE:
                    continue
                sys.stdout.write(f"  {language}  {figure:72} {value}\n")


if __name__ == "__main__":
    main()
