"""Reviews by compliance at the desk: the cases that were drawn, and the checklist of one."""

from typing import Final

from pydantic import ValidationError
from starlette.responses import Response

from domain.ground.messages import NotAllowed
from domain.learning.reviewing import Kept, Review, ReviewFinding
from runtime.causes import load_causes
from starter.client.reviews import Reviews
from web.desk.frame import DESK, actor, eyes, reference, shown, speaker
from web.desk.refusals import why_not
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit

_MOST: Final = 500


@DESK.get("/reviews", staff())
async def reviews(visit: Visit) -> Response:
    """The cases that were drawn for review, and what was found by theme."""
    client = Reviews(eyes(visit))
    found = (await client.all())[:_MOST]
    visit.seen += [one.reference for one in found if one.reviewed]
    return shown(visit, "reviews.html", reviews=found, notes=await client.notes())


@DESK.get("/reviews/{period}/{reference}", staff())
async def review(visit: Visit) -> Response:
    """The checklist of one review."""
    return await _page(visit)


@DESK.post("/reviews/{period}/{reference}", staff())
async def record(visit: Visit) -> Response:
    """Write down what a review found."""
    known = await _review(visit)
    try:
        answers = {name: Kept(visit.text(f"answer.{name}")) for name in _asked(known)}
    except ValueError:
        missing = next(name for name in _asked(known) if visit.text(f"answer.{name}") not in set(Kept))
        return await _page(visit, FieldError(f"answer.{missing}", "desk.wrong.missing"))
    try:
        findings = [
            ReviewFinding.model_validate({"question": name, "note": note, "cause": visit.text(f"cause.{name}") or None})
            for name in _asked(known)
            if (note := visit.text(f"note.{name}"))
        ]
        client = Reviews(eyes(visit), visit.doors.token_for(speaker(visit)))
        await client.record(known.reference, known.period, answers, findings, by=actor(visit))
    except (NotAllowed, ValidationError) as error:
        return await _page(visit, *why_not(visit, error, [f"answer.{name}" for name in _asked(known)]))
    return visit.redirect("/desk/reviews")


def _asked(known: Review) -> list[str]:
    return [one.name for one in known.rule.checklist] if known.rule else []


async def _review(visit: Visit) -> Review:
    found = await Reviews(eyes(visit)).all(visit.path["period"], reference(visit))
    if not found or found[0].rule is None:
        raise NotFound
    return found[0]


async def _page(visit: Visit, *errors: FieldError) -> Response:
    causes = load_causes()
    titles = [(one, said.in_language(visit.language)) for one in causes.ids if (said := causes.title(one))]
    return shown(
        visit, "review.html", review=await _review(visit), kept=list(Kept), causes=[("", ""), *titles], errors=errors
    )
