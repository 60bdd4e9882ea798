"""Taking in a complaint that came by telephone, at a branch, by letter or in public: somebody types it.

It is received as from every other door. Pictures or a PDF of the letter go along.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final, Self

from pydantic import BaseModel, EmailStr, ValidationError, model_validator
from starlette.responses import Response

from domain.case.complaint import Channel, Complainant, Complaint
from domain.ground.base import Identifier, Instant, Line, Text
from domain.ground.people import Language, Phone
from domain.ground.words import Remedy
from domain.intake.received import Door, File
from domain.money.amounts import PositiveMoney
from starter.intake.receiving import receive_complaint
from web import drafts, held
from web.adding import add_files, place_of, sent_with
from web.desk.forms import Home, Sight, done_page, files_of, form_page, id_of_the_form, sends, sent_or_shown, typed
from web.desk.frame import DESK, actor, stamp
from web.desk.refusals import why_not
from web.desk.widgets import Unfit, made, widgets
from web.permissions import staff
from web.promises import promise
from web.visit import FieldError, Visit

HOME: Final = "/desk/inbox"
PLACE: Final = "/desk/inbox/do/take_in"


class TakeIn(BaseModel):
    """What the form asks for: how and when it came, who complains, and what they say."""

    name: ClassVar[str] = "take_in"
    channel: Channel
    received_at: Instant
    customer: Line
    email: EmailStr | None = None
    phone: Phone | None = None
    language: Language
    account: Identifier | None = None
    trades: tuple[Identifier, ...] = ()
    description: Text
    occurred_from: Instant | None = None
    occurred_until: Instant | None = None
    remedy_sought: Remedy | None = None
    amount_claimed: PositiveMoney | None = None

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        if self.occurred_from and self.occurred_until and self.occurred_until < self.occurred_from:
            raise ValueError("occurred_until: it lies before the beginning")
        return self

    def complaint(self, key: str) -> Complaint:
        """The complaint as it is received; *key* makes it the same one when it is sent again."""
        return Complaint(
            source="desk",
            idempotency_key=key,
            complainant=Complainant(name=self.customer, email=self.email, phone=self.phone),
            **{name: getattr(self, name) for name in TakeIn.model_fields if name in Complaint.model_fields},
        )


@DESK.get("/inbox/do/take_in", staff())
async def form(visit: Visit) -> Response:
    """The form, empty or with what was typed before somebody had to sign on."""
    given = await drafts.draft(visit.doors, visit.session, PLACE)
    message_id = id_of_the_form(visit, given)
    files = await files_of(visit, f"{PLACE}/{message_id}")
    return form_page(visit, TakeIn, _home(visit), given or dict(visit.request.query_params), message_id, **files)


@DESK.post("/inbox/do/take_in", staff())
async def take_in(visit: Visit) -> Response:
    """Show by when the customer hears from us; once that was seen, take the complaint in. Sent twice, it is one."""
    message_id = id_of_the_form(visit)
    asked, place = widgets(TakeIn), place_of(visit, message_id)
    wrong = await add_files(visit, place)
    try:
        complaint = made(TakeIn, asked, visit.form).complaint(message_id)
        _must_have_happened(visit, complaint)
    except (Unfit, ValidationError) as error:
        wrong = why_not(visit, error, [one.name for one in asked]) + wrong
    files = await files_of(visit, place)
    if wrong:
        return form_page(visit, TakeIn, _home(visit), typed(visit), message_id, errors=wrong, **files)
    send = partial(_take, visit, complaint, place, files["files"])
    if sends(visit) and await held.is_received(visit.doors.pool, complaint.reference):
        return await send()
    sight = Sight(complaint, actor(visit), _causes(visit, complaint), files=files["files"])
    return await sent_or_shown(visit, TakeIn, _home(visit), sight, send, message_id=message_id)


async def _take(visit: Visit, complaint: Complaint, place: str, files: Sequence[File]) -> Response:
    visit.seen.append(complaint.reference)
    if not await held.is_received(visit.doors.pool, complaint.reference):
        await receive_complaint(
            visit.doors.pool,
            Door.DESK,
            complaint,
            envelope={"by": str(actor(visit))},
            files=sent_with(visit.doors, [*files], complaint.reference),
        )
        visit.doors.came_in()
    await held.drop(visit.doors, visit.session, place)
    return await done_page(visit, HOME, visit.t("desk.inbox.taken_in", reference=complaint.reference))


def _home(visit: Visit) -> Home:
    return Home(HOME, visit.t("desk.inbox.title"))


def _must_have_happened(visit: Visit, complaint: Complaint) -> None:
    """Raise `Unfit` for a moment that is still to come, or before anybody could complain of anything."""
    try:
        complaint.check_times(visit.now)
    except ValueError as error:
        field, _, what = str(error).partition(": ")
        _, _, why = what.partition(" ")
        raise Unfit([FieldError(field, "desk.wrong.unfit", {"why": f"it {why}"})]) from None


def _causes(visit: Visit, complaint: Complaint) -> list[str]:
    """By when it is confirmed and answered, by the rules that hold where the complaint names none; and how."""
    told = promise(visit.doors.settings, complaint.received_at)
    by = (("confirmed_by", told.confirmed_by), ("answered_by", told.answered_by))
    causes = [visit.t(f"desk.causes.take_in.{name}", at=stamp(visit, at)) for name, at in by if at]
    causes += [visit.t("desk.causes.take_in.late") for name, at in by[:1] if at and at < visit.now]
    causes.append(visit.t(f"desk.causes.take_in.{'written_to' if complaint.complainant.email else 'posted_to'}"))
    return causes
