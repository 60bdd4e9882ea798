"""The command about the first assessment: what a text would be assessed as, why a case was, and learning."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import Seen, read
from starter.cli.program import Answer, InvalidInput, app, command
from starter.reading.layout import facts, line, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_EXPLAIN: Final = "explain"
_TRAIN: Final = "train"


@command(app, "assess", panel="Look")
def assess(
    *,
    words: Annotated[
        list[str],
        typer.Argument(metavar="TEXT", help="What somebody wrote; or: explain REF, for a case; or: train FILE."),
    ],
    corpus_only: Annotated[
        bool, typer.Option("--corpus-only", help="Of train: learn from the corpus alone, not from closed cases.")
    ] = False,
    vectors: Annotated[
        bool, typer.Option("--ear", help="Of train: learn the ear over sentence vectors, from the corpus alone.")
    ] = False,
) -> Answer:
    """What a text would be assessed as and which words decide; with ``explain REF`` why a case was.

    ``train FILE`` learns a model from the corpus and the firm's own closed cases and writes it to FILE.
    """
    if words[0] == _EXPLAIN and len(words) == 2:
        return _explained(words[1])
    if words[0] == _TRAIN and len(words) <= 2:
        if len(words) == 1:
            raise InvalidInput("assess train: name the FILE that the model is to be written to, such as model.json.gz")
        file = Path(words[1])
        return _trained_ear(file) if vectors else _trained(file, corpus_only=corpus_only)
    text = " ".join(words).strip()
    if not text:
        raise InvalidInput("assess: TEXT is empty; give what the customer wrote, or: explain REF")
    return _assessed(text)


def _assessed(text: str) -> Answer:
    import asyncio

    from domain.case.assessment import assess as by_rules
    from domain.case.complaint import Complaint
    from domain.ground.words import Category
    from runtime.listening import listener
    from runtime.policies import find_pack
    from runtime.settings import load_settings

    now, settings = datetime.now(UTC), load_settings()
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
    opinion = asyncio.run(listener(settings)(text))
    assessment = by_rules(complaint, find_pack(settings.default_policy, now), earlier=(), opinion=opinion)
    proposal = assessment.proposal
    data = {"assessment": assessment, "proposal": proposal, "opinion": opinion}
    shown = _page(assessment.model_dump(mode="json"))
    if proposal:
        shown.append(
            line(
                f"No words decide. The model {proposal.model} proposes {proposal.category.value} "
                f"(confidence {proposal.confidence:.0%}): for a person to judge.",
                "yellow",
            )
        )
    elif assessment.category is Category.OTHER:
        shown.append(line("No words decide, and the model is not sure enough to propose anything.", "yellow"))
    return Answer(data, shown)


def _trained(file: Path, *, corpus_only: bool) -> Answer:
    from runtime.corpus import Sentence, training
    from runtime.learning import UNHEARD, learn
    from starter.reading.labelled import closed_complaints

    own: list[Sentence] = []
    if not corpus_only:
        cases = read(
            closed_complaints, lambda found: Seen("closed complaints, to learn from", [one.reference for one in found])
        )
        own = [Sentence(one.language[:2], one.category, UNHEARD, one.text) for one in cases]
    learned = learn([*training(), *own])
    try:
        file.write_bytes(learned.weights.packed())
    except OSError as error:
        raise InvalidInput(f"assess train: {file} cannot be written ({error.strerror})") from None
    told = {
        "model": learned.weights.version,
        "file": str(file),
        "sentences": learned.sentences,
        "of them closed cases": len(own),
    }
    shares = {
        "category right": learned.right,
        "proposed": learned.proposed,
        "of the proposed right": learned.proposed_right,
        "danger to life found": learned.danger_found,
        "false alarms": learned.false_alarms,
    }
    return Answer(
        told | {name: round(share, 3) for name, share in shares.items()},
        [
            facts({name: line(str(value)) for name, value in told.items()}),
            line("Of sentences left out in turn:"),
            facts({name: line(f"{share:.0%}") for name, share in shares.items()}),
            line("Set REDRESS_ASSESSMENT_MODEL to the file and start the workers again to use it."),
        ],
    )


def _trained_ear(file: Path) -> Answer:
    from runtime.ear import learn_ear

    learned = learn_ear()
    try:
        file.write_bytes(learned.packed())
    except OSError as error:
        raise InvalidInput(f"assess train: {file} cannot be written ({error.strerror})") from None
    told = {"ear": learned.version, "file": str(file), "sentences kept": len(learned.weights)}
    return Answer(told, [facts({name: line(str(value)) for name, value in told.items()})])


def _explained(reference: str) -> Answer:
    from domain.ground.reference import parse_reference
    from starter.cli.pages import none_of
    from starter.reading.cases import get_timeline

    reference = parse_reference(reference)
    timeline = read(lambda pool: get_timeline(pool, reference))
    entries = [entry for entry in timeline if entry.data and "grounds" in entry.data and "category" in entry.data]
    shown: list[RenderableType] = []
    for entry in entries:
        shown += [line(f"{entry.at:%Y-%m-%d %H:%M} UTC, {entry.kind}, by {entry.actor}", "bold"), *_page(entry.data)]
    return Answer(entries, shown or [none_of("assessment", timeline)])


def _page(assessment: Any) -> "list[RenderableType]":
    made = table("Rule", "Rests on")
    for ground in assessment["grounds"]:
        made.add_row(ground["rule"], ", ".join(ground["words"]))
    told = {name: line(str(assessment[name])) for name in ("category", "severity", "priority", "team")}
    return [facts({**told, "ours": line("yes" if assessment["in_scope"] else "no")}), made]
