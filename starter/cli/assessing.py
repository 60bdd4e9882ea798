"""The command about the first assessment: what a text would be assessed as, and why a case was."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.cli.access import read
from starter.cli.program import Answer, InvalidInput, app, command
from starter.reading.layout import facts, line, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXPLAIN = "explain"


@command(app, "assess", panel="Look")
def assess(
    *,
    words: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="What somebody wrote; or: explain REF, for a case.")
    ],
) -> Answer:
    """What a text would be assessed as and which words decide; with ``explain REF`` why a case was."""
    if words[0] == _EXPLAIN and len(words) == 2:
        return _explained(words[1])
    text = " ".join(words).strip()
    if not text:
        raise InvalidInput("assess: TEXT is empty; give what the customer wrote, or: explain REF")
    return _assessed(text)


def _assessed(text: str) -> Answer:
    from domain.case.assessment import assess as by_rules
    from domain.case.complaint import Complaint
    from domain.ground.words import Category
    from runtime.corpus import model
    from runtime.policies import find_pack
    from runtime.settings import load_settings

    now = datetime.now(UTC)
    complaint = Complaint.model_validate(
        {
            "source": "command-line",
            "idempotency_key": "assess",
            "received_at": now,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "-"},
            "description": text,
        }
    )
    assessment = by_rules(complaint, find_pack(load_settings().default_policy, now), earlier_cases=0)
    silent = assessment.category is Category.OTHER
    proposal = model().propose(text) if silent else None
    data = {"assessment": assessment, "proposal": proposal}
    shown = _page(assessment.model_dump(mode="json"))
    if proposal:
        shown.append(
            line(
                f"No words decide. The model proposes {proposal.category.value} "
                f"(confidence {proposal.confidence:.0%}): for a person to judge.",
                "yellow",
            )
        )
    elif silent:
        shown.append(line("No words decide, and the model is not sure enough to propose anything.", "yellow"))
    return Answer(data, shown)


def _explained(reference: str) -> Answer:
    from domain.ground.reference import parse_reference
    from starter.reading.cases import get_timeline

    reference = parse_reference(reference)
    entries = [
        entry
        for entry in read(lambda pool: get_timeline(pool, reference))
        if entry.data and "grounds" in entry.data and "category" in entry.data
    ]
    shown: list[RenderableType] = []
    for entry in entries:
        shown += [line(f"{entry.at:%Y-%m-%d %H:%M} UTC, {entry.kind}, by {entry.actor}", "bold"), *_page(entry.data)]
    return Answer(entries, shown or [line("The file of the case holds no assessment.")])


def _page(assessment: Any) -> "list[RenderableType]":
    made = table("Rule", "Rests on")
    for ground in assessment["grounds"]:
        made.add_row(ground["rule"], ", ".join(ground["words"]))
    told = {name: line(str(assessment[name])) for name in ("category", "severity", "priority", "team")}
    return [facts({**told, "ours": line("yes" if assessment["in_scope"] else "no")}), made]
