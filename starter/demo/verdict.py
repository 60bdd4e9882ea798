"""Did every case of the demo end as it should? Told by the case file and by Temporal, not by what the demo did."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starter.client.complaints import Complaints
from starter.demo.stories import Story
from starter.reading.cases import CaseView, WrittenLetter, get_case, get_letters, get_timeline
from starter.reading.database import CaseNotFound
from starter.reading.deadlines import get_deadlines

if TYPE_CHECKING:
    from runtime.database import Pool


@dataclass(frozen=True)
class Ended:
    """How one case ended: the clocks that were a duty, met and missed; and what is wrong with it."""

    story: Story
    case: CaseView | None = None
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    letters: tuple[WrittenLetter, ...] = ()
    history_events: int = 0
    wrong: tuple[str, ...] = ()


async def judge(pool: "Pool", complaints: Complaints, story: Story) -> Ended:
    """How the case of *story* ended, against how it had to."""
    reference = story.complaint.reference
    try:
        case = await get_case(pool, reference)
    except CaseNotFound:
        return Ended(story, wrong=("there is no case file",))
    rows = await get_deadlines(pool, reference)
    timeline = await get_timeline(pool, reference)
    letters = await get_letters(pool, reference)
    execution = await complaints.client.get_workflow_handle(reference).describe()

    met = tuple(row.clock for row in rows if row.kept)
    missed = tuple(row.clock for row in rows if row.kept is False)
    summary = case.summary
    wrong = [
        f"{what}: {found or 'none'}, not {wanted or 'none'}"
        for what, found, wanted in (
            ("stage", summary.stage.value, "closed"),
            ("category", summary.category, story.category),
            ("outcome", summary.outcome, story.outcome),
            ("compensation", summary.compensation and str(summary.compensation), story.compensation),
            ("deadlines met", _listed(met), _listed(story.met)),
            ("deadlines missed", _listed(missed), _listed(story.missed)),
            ("messages that did not fit", case.rejected_messages, story.rejected),
            ("workflow", execution.status and execution.status.name.lower(), "completed"),
        )
        if found != wanted
    ]
    wrong += [
        f"the timeline shows no {kind} {text}".rstrip()
        for kind, text in story.shows
        if not any(entry.kind == kind and entry.text.startswith(text) for entry in timeline)
    ]
    wrong += [f"{entry.kind}: {entry.text}" for entry in timeline if entry.kind == "fault"]
    wrong += [
        f"letter {letter.number} ({letter.kind.value}) was not delivered"
        for letter in letters
        if not any(attempt.outcome == "accepted" for attempt in letter.attempts)
    ]
    return Ended(story, case, met, missed, tuple(letters), execution.history_length, tuple(wrong))


def _listed(clocks: Iterable[str]) -> str:
    return ", ".join(sorted(clocks))
