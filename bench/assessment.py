"""How well the first assessment hears: precision and recall on sentences kept apart, both languages apart.

``python -m bench.assessment`` takes seconds and needs no server.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bench.common import forget_configuration
from domain.case.assessment import Assessment, assess
from domain.case.complaint import Complaint
from domain.ground.words import Category, Severity
from runtime.corpus import Sentence, model, sentences, training
from runtime.paths import CORPUS
from runtime.policies import find_pack

NOW = datetime(2026, 3, 2, tzinfo=UTC)
Z = 1.96
SETS = {
    "unseen": "written after the rules, by the same author; nothing was changed for it since",
    "test": "written before the rules, by the same author: what it shows is better than what is to be expected",
    "training": "the rules were written with these in view: no measure of what is to be expected",
}


def interval(right: int, of: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if not of:
        return "–"
    share, spread = right / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return f"{right}/{of} = {share:.0%} ({max(0, middle - half):.0%} to {min(1, middle + half):.0%})"


def assessed(one: Sentence) -> Assessment:
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
    return assess(complaint, find_pack("platform-default", NOW), earlier_cases=0)


def measure(rows: list[Sentence], propose: Callable[[str], Category | None]) -> dict[str, str]:
    """What is right in these *rows*."""
    heard = [(one, assessed(one)) for one in rows]
    with_category = [
        (one, result.category) for one, result in heard if one.category and one.category is not Category.OTHER
    ]
    decided = [(one, category) for one, category in with_category if category is not Category.OTHER]
    silent = [(one, propose(one.text)) for one, category in with_category if category is Category.OTHER]
    proposed = [(one, category) for one, category in silent if category]

    alone = [(one, propose(one.text)) for one, _ in with_category]

    def right(pairs: Iterable[tuple[Sentence, Category | None]]) -> int:
        return sum(one.category is category for one, category in pairs)

    figures = {
        "category by rules, recall": interval(right(decided), len(with_category)),
        "category by rules, precision": interval(right(decided), len(decided)),
        "proposals where rules are silent, precision": interval(right(proposed), len(proposed)),
        "rules or proposal, recall": interval(right(decided) + right(proposed), len(with_category)),
        "model alone, recall": interval(right(alone), len(with_category)),
    }
    critical = [(one.sign, result.severity is Severity.CRITICAL) for one, result in heard]
    severe = [(one.sign, result.severity in {Severity.CRITICAL, Severity.HIGH}) for one, result in heard]
    for name, sign, found in (
        ("danger to life, recall", "danger", critical),
        ("only sounds like danger, raised", "none", critical),
        ("vulnerability, recall", "vulnerable", severe),
        ("only sounds like it, raised to high", "none", severe),
        ("data leak, recall", "leak", severe),
        ("account taken over, recall", "intrusion", severe),
    ):
        of = [hit for its, hit in found if its == sign]
        if of:
            figures[name] = interval(sum(of), len(of))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    as_json = parser.parse_args().json
    forget_configuration()
    fitted = model()

    def propose(text: str) -> Category | None:
        proposal = fitted.propose(text)
        return proposal.category if proposal else None

    results: dict[str, dict[str, Any]] = {}
    for name, what in SETS.items():
        rows = training() if name == "training" else sentences(CORPUS / f"{name}.tsv")
        results[name] = {"what": what, "sentences": len(rows)}
        for language in ("en", "zh"):
            results[name][language] = measure([one for one in rows if one.language == language], propose)
    if as_json:
        sys.stdout.write(json.dumps(results, ensure_ascii=False, indent=2) + "\n")
        return
    for name, result in results.items():
        sys.stdout.write(f"\n{name}: {result['sentences']} sentences, {result['what']}\n")
        for language in ("en", "zh"):
            for figure, value in result[language].items():
                sys.stdout.write(f"  {language}  {figure:45} {value}\n")


if __name__ == "__main__":
    main()
