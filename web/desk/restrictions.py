"""Contact restrictions at the desk: those of a case's customer, proposed here, decided here by a second person."""

from datetime import UTC, datetime
from typing import Final

from starlette.responses import Response

from domain.ground.base import LONG_TEXT
from domain.ground.messages import NotAllowed
from domain.ground.words import ContactForm
from domain.people.restrictions import RestrictionStep
from starter.client.restrictions import Restrictions
from starter.reading.cases import CaseView, get_case
from starter.reading.database import CaseNotFound
from web.desk.frame import DESK, actor, eyes, reference, shown, speaker
from web.desk.refusals import why_not
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit


@DESK.get("/cases/{reference}/restrictions", staff())
async def restrictions(visit: Visit) -> Response:
    """How the customer of the case is dealt with, and what can be done about that."""
    return await _page(visit, await _case(visit))


@DESK.post("/cases/{reference}/restrictions", staff())
async def restrict(visit: Visit) -> Response:
    """Propose a restriction, or decide on one."""
    case = await _case(visit)
    if missing := _missing(visit):
        return await _page(visit, case, FieldError(missing, "desk.wrong.missing"))
    try:
        await _take(visit, case)
    except NotAllowed as error:
        return await _page(visit, case, *why_not(visit, error, _FIELDS))
    except ValueError:
        return await _page(visit, case, FieldError("until", "desk.wrong.moment"))
    return visit.redirect(f"/desk/cases/{case.reference}/restrictions")


def _missing(visit: Visit) -> str | None:
    """The first field that is not filled in, or not with one of its choices."""
    if visit.text("step") not in set(RestrictionStep):
        return "step"
    proposes = visit.text("step") == RestrictionStep.PROPOSED
    if proposes and visit.text("form") not in set(ContactForm):
        return "form"
    if not proposes and not visit.text("number").isdecimal():
        return "number"
    return None if 0 < len(visit.text("reasons")) <= LONG_TEXT else "reasons"


_FIELDS: Final = ("reasons", "until", "contact", "form")
_DECISIONS: Final = tuple(step for step in RestrictionStep if step is not RestrictionStep.PROPOSED)


async def _take(visit: Visit, case: CaseView) -> None:
    """Do what the form says. Raises ``NotAllowed``, or ``ValueError`` for a moment that is none."""
    client = Restrictions(eyes(visit), visit.doors.token_for(speaker(visit)))
    step, reasons = RestrictionStep(visit.text("step")), visit.text("reasons")
    if step is RestrictionStep.PROPOSED:
        until = datetime.fromisoformat(visit.text("until"))
        await client.propose(
            case.reference,
            ContactForm(visit.text("form")),
            reasons,
            until=until if until.tzinfo else until.replace(tzinfo=UTC),
            by=actor(visit),
            contact=visit.text("contact") or None,
            at=visit.now,
        )
    elif case.complaint.account:
        number = int(visit.text("number"))
        await client.decide(case.complaint.account, number, step, reasons, by=actor(visit), at=visit.now)


async def _case(visit: Visit) -> CaseView:
    try:
        return await get_case(eyes(visit), reference(visit))
    except CaseNotFound:
        raise NotFound from None


async def _page(visit: Visit, case: CaseView, *errors: FieldError) -> Response:
    account = case.complaint.account
    found = await Restrictions(eyes(visit)).show(account) if account else {}
    open_ = [one for one in found.get(account or "", []) if not one.ended and visit.now < one.ends]
    asked = ("number", "step", "reasons") if open_ else _FIELDS
    return shown(
        visit,
        "restrictions.html",
        case=case,
        restrictions=found.get(account or "", []),
        open=open_,
        forms=list(ContactForm),
        decisions=_DECISIONS,
        errors=[one if one.field in asked else one._replace(field="reasons") for one in errors],
    )
