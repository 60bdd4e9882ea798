"""Acting on a case: each message of a case is a form; what it will cause is shown before it is sent."""

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from domain.case.drafts import because
from domain.case.messages.deciding import DecideResolution, ProposeDraft, ProposeResolution, Resolution, ResolveEarly
from domain.case.messages.evidence import RequestInformation
from domain.case.messages.handling import Assign, ReplanDeadlines
from domain.case.messages.outside import RecordReferral
from domain.case.messages.paying import ReportPayment
from domain.case.messages.signals import Arrived, PeopleChanged
from domain.case.messages.table import SIGNALS, UPDATES
from domain.case.resolution import check_proposal, propose
from domain.case.training import asked_to_act, asked_to_have_it, lacking
from domain.case.two_persons import approvers, needs_second_person, second_person_because
from domain.ground.messages import Message, NotAllowed
from domain.ground.words import LetterKind, Role
from domain.incidents.messages import DecideIncident
from domain.learning.articles import Wording
from domain.people.directory import untrained
from domain.people.signs import care_for
from domain.rules.deciding import TrainingRule
from record.approvals import case_record
from record.directory import read_directory
from runtime.causes import load_causes
from starter.client.articles import offered_for
from starter.client.complaints import CaseClosed, CaseNotFound
from starter.reading.cases import CaseView, get_case, get_rules, get_timeline
from starter.reading.database import CaseNotFound as NoSuchCase
from starter.reading.dossier import last_draft
from starter.reading.hands import read_signs
from starter.reading.referrals import get_referrals
from starter.reading.related import mark_of
from starter.reading.remedies import get_remedies
from starter.reading.tasks import get_tasks
from web import drafts
from web.desk.forms import (
    Home,
    Sight,
    answered,
    done_page,
    form_page,
    id_of_the_form,
    said,
    sends,
    sent_or_shown,
    typed,
)
from web.desk.frame import DESK, actor, eyes, reference, speaking
from web.desk.refusals import NOT_SENT, why_not
from web.desk.seen import named_by, told_of, was_said
from web.desk.sentences import doing, in_words, spoken
from web.desk.widgets import Unfit, made, widgets
from web.pages import NotFound
from web.permissions import staff
from web.visit import FieldError, Visit

FORMS: Final[Mapping[str, type[Message]]] = {
    kind.name: kind for kind in (*SIGNALS, *UPDATES) if kind not in {ReplanDeadlines, Arrived, PeopleChanged}
}
"""What can be done about one case. Deadlines are planned anew for all cases at once; what arrives tells of itself."""

_TOLD_TO_CUSTOMERS: Final = frozenset({RequestInformation, ProposeResolution, ResolveEarly})
"""Messages whose words customers read."""

_OF_THE_CUSTOMER: Final = frozenset({"customer_reply", "record_feedback", "choose_channel", "withdraw"})
"""What customers say; whoever passes it on is named in the record as the one who acts."""


@DESK.get("/cases/{reference}/do/{form}", staff())
async def form(visit: Visit) -> Response:
    """The form of a message, empty or with what was typed before somebody had to sign on."""
    kind, case = await _asked(visit)
    typed = await drafts.draft(visit.doors, visit.session, visit.request.url.path)
    given = typed or dict(visit.request.query_params)
    if kind is ProposeDraft and not given and (known := last_draft(await get_timeline(eyes(visit), case.reference))):
        given = {"draft": known.digest}
    return await _form(visit, kind, case, given, message_id=str(uuid.uuid4()))


@DESK.post("/cases/{reference}/do/{form}", staff())
async def do(visit: Visit) -> Response:
    """Show what the message will cause; once just that was seen, send it.

    Pressed twice, a form names what its first half brought to an end: of what the record has nothing is asked again.
    """
    kind, case = await _asked(visit)
    asked, message_id, home = widgets(kind), id_of_the_form(visit), home_of(case)
    try:
        mark = await mark_of(eyes(visit), case.reference)  # before what is shown is read
        entries = await get_timeline(eyes(visit), case.reference)
        named = await named_by(visit, case, kind, entries)
        message = made(kind, asked, visit.form, message_id=message_id, actor=actor(visit), **named)
        send, ask = partial(_send, visit, case.reference, message), partial(foresee, visit, case, message)
        if sends(visit) and was_said(message, entries):
            return await send()
        await _must_be_offered(visit, case, kind)
        foreseen = sends(visit) or await ask()
        causes = await _causes(visit, case, message) + await told_of(visit, case, message, entries)
        sight = Sight(message, message.actor, causes, mark, entries)
        more = await _beside(visit, case, kind, mark)
        return await sent_or_shown(
            visit, kind, home, sight, send, message_id=message_id, foresee=ask, foreseen=foreseen, **more
        )
    except NOT_SENT as error:
        wrong = why_not(visit, error, [one.name for one in asked])
    return await _form(visit, kind, case, typed(visit), errors=wrong, message_id=message_id)


async def _asked(visit: Visit) -> tuple[type[Message], CaseView]:
    """The kind of message and the case that the address names. Raises `NotFound`."""
    kind = FORMS.get(visit.path["form"])
    if kind is None:
        raise NotFound
    try:
        return kind, await get_case(eyes(visit), reference(visit))
    except NoSuchCase:
        raise NotFound from None


async def _form(
    visit: Visit,
    kind: type[Message],
    case: CaseView,
    given: Mapping[str, Any],
    *,
    message_id: str,
    errors: Sequence[FieldError] = (),
) -> Response:
    return form_page(
        visit,
        kind,
        home_of(case),
        given,
        message_id,
        errors=errors,
        choices=await _choices(visit, case, kind),
        mark=visit.text("mark") or await mark_of(eyes(visit), case.reference),
        offered=await _offered(visit, case) if kind in _TOLD_TO_CUSTOMERS else [],
    )


def home_of(case: CaseView) -> Home:
    """The page of *case*."""
    return Home(f"/desk/cases/{case.reference}", case.reference)


async def _offered(visit: Visit, case: CaseView) -> list[Wording]:
    """What customers are told about such a complaint, in the language of this one."""
    complaint = case.complaint
    return await offered_for(eyes(visit), complaint.description, complaint.language, visit.now)


async def _must_be_offered(visit: Visit, case: CaseView, kind: type[Message]) -> None:
    """Raise `Unfit` where the form names somebody or something that is not there (any more), as who has left."""
    choices = await _choices(visit, case, kind)
    wrong = [name for name, known in choices.items() if known and visit.text(name) not in {"", *known}]
    if wrong:
        raise Unfit([FieldError(name, "desk.wrong.typed.enum") for name in wrong])


async def foresee(visit: Visit, case: CaseView, message: Message) -> bool:
    """Raise what the case would answer if it refuses *message*: what it causes is shown of none that it refuses.

    False if no worker says so in time.
    """
    pack, _, _ = await get_rules(eyes(visit), case.reference)
    await must_be_trained(visit, pack.training, message)
    if isinstance(message, SIGNALS):
        return True  # refused to nobody
    try:
        return await answered((await speaking(visit)).foresee(case.reference, message))
    except (CaseClosed, CaseNotFound):
        if not isinstance(message, RecordReferral):  # with that a case goes on, however long it has been closed
            raise CaseClosed(case.reference) from None
    return True


async def must_be_trained(visit: Visit, rules: Sequence[TrainingRule], message: Message) -> None:
    """Raise `NotAllowed` where *message* gives a case to, or has something decided by, who lacks a course for it."""
    day = visit.now.date()
    match message:
        case Assign():
            field, role, asked = "handler", Role.HANDLER, asked_to_have_it(rules, message.handler, day)
        case Resolution() | ProposeDraft() | DecideResolution() | DecideIncident():
            field, role, asked = "actor", message.actor.role, asked_to_act(rules, message.actor, day)
        case _:
            return
    if asked is None:
        return
    async with visit.doors.pool.acquire() as connection:
        missing = lacking(await read_directory(connection), asked)
    if missing:
        raise NotAllowed(f"{field}: {untrained(asked.person, role, missing)}")


async def _beside(visit: Visit, case: CaseView, kind: type[Message], mark: str) -> dict[str, Any]:
    """How the page that shows what is sent says what was chosen, and whether the case changed since it was typed."""
    choices, since = await _choices(visit, case, kind), visit.text("mark")
    return {
        "said": lambda one: choices.get(one.name, {}).get(said(visit, one)) or said(visit, one),
        "changed": bool(since) and since != mark,
    }


async def _choices(visit: Visit, case: CaseView, kind: type[Message]) -> dict[str, dict[str, str]]:
    """What fields that name something of this firm or its rules can be, each with how people know it."""
    async with visit.doors.pool.acquire() as connection:
        people = {one.id: one.id for one in (await read_directory(connection)).people}
    pack, _, _ = await get_rules(eyes(visit), case.reference)
    remedies = await get_remedies(eyes(visit), visit.now, reference=case.reference)
    tasks = await get_tasks(eyes(visit), visit.now, reference=case.reference)
    causes = load_causes()
    named = {
        "handler": people,
        "owner": people,
        "team": {team.name: spoken(visit, team.name, "Team") for team in pack.teams},
        "clock": {clock.name: spoken(visit, clock.name, "Clock") for clock in pack.clocks if clock.extensions},
        "extension": {
            one.name: spoken(visit, one.name, "Extension") for clock in pack.clocks for one in clock.extensions
        },
        "route": {route.name: route.title.in_language(visit.language) for route in pack.routes},
        "cause": {
            one: f"{said.in_language(visit.language)} ({one})" for one in causes.ids if (said := causes.title(one))
        },
        "remedy": {
            str(one.remedy.number): f"{one.remedy.number}. {spoken(visit, one.remedy.kind)}"
            for one in remedies
            if one.state in {"owed", "overdue"}
        },
        "task": {str(one.number): f"{one.number}. {spoken(visit, one.kind)}" for one in tasks if one.state != "ended"},
        "referral": {
            str(one.number): f"{one.number}. {one.route}"
            for one in await get_referrals(eyes(visit), reference=case.reference)
            if one.ended is None
        },
    }
    if kind is ReportPayment:
        del named["cause"]  # why a payment failed is another thing
    return named


async def _causes(visit: Visit, case: CaseView, message: Message) -> list[str]:
    """What the message will cause, in sentences. Raises `NotAllowed` for what could not be paid as it stands."""
    told = [visit.t(f"desk.causes.{message.name}")] if visit.has(f"desk.causes.{message.name}") else []
    if isinstance(message, Resolution):
        told += await _of_resolution(visit, case, message)
    if isinstance(message, ProposeDraft):
        told += await _of_draft(visit, case)
    answers = isinstance(message, Resolution | ProposeDraft)
    if isinstance(message, DecideResolution):
        told, answers = [visit.t(f"desk.causes.{message.decision}")], message.decision == "approve"
    if answers:
        told += await _sent_besides(visit, case, message)
    if message.name in _OF_THE_CUSTOMER:
        told.append(visit.t("desk.causes.passed_on"))
    return told


async def _sent_besides(visit: Visit, case: CaseView, message: Message) -> list[str]:
    """What the rules have enclosed with the letter that follows: it carries no files, so somebody sends it besides."""
    pack, _, _ = await get_rules(eyes(visit), case.reference)
    kind = LetterKind.SUMMARY_RESOLUTION if isinstance(message, ResolveEarly) else LetterKind.FINAL_RESPONSE
    rules = (pack.narrowed(case.summary.category) if case.summary.category else pack).letter_rules(kind)
    what = [one.encloses.in_language(visit.language) for one in rules if one.encloses]
    return [visit.t("desk.causes.encloses", what=one) for one in dict.fromkeys(what)]


async def _of_resolution(visit: Visit, case: CaseView, message: Resolution) -> list[str]:
    """Who has to approve a proposal, by the rules that will be applied when it comes."""
    async with eyes(visit).acquire() as connection:
        record = await case_record(connection, case.reference)
    rounds = max((int(entry.data.get("round", 0)) for entry in record.entries), default=0) or 1
    as_it_is = record.as_of(rounds)
    as_it_is.care = care_for(await read_signs(eyes(visit), case.reference), visit.now)
    check_proposal(as_it_is, message)
    proposal = propose(as_it_is, message, visit.now)
    told = [visit.t("desk.causes.outcome", what=spoken(visit, message.outcome))]
    if proposal.compensation:
        told.append(visit.t("desk.causes.sum", sum=str(proposal.compensation)))
    if not isinstance(message, ProposeResolution):
        return told
    if needs_second_person(as_it_is, proposal):
        roles: list[Role] = approvers(as_it_is, proposal)
        why = because(second_person_because(as_it_is, proposal), proposal.compensation).in_language(visit.language)
        named = visit.t("frame.and").join(spoken(visit, role) for role in roles)
        told.append(visit.t("desk.causes.second", roles=named, why=why))
    else:
        told.append(visit.t("desk.causes.at_once"))
    return told


async def _of_draft(visit: Visit, case: CaseView) -> list[str]:
    """What the draft gives, and who has to approve it."""
    draft = last_draft(await get_timeline(eyes(visit), case.reference))
    if draft is None or draft.outcome is None:
        return []
    told = [visit.t("desk.causes.outcome", what=spoken(visit, draft.outcome))]
    if draft.compensation:
        told.append(visit.t("desk.causes.sum", sum=str(draft.compensation)))
    if not draft.second_person:
        return [*told, visit.t("desk.causes.at_once")]
    roles, _, why = draft.second_person.partition(", because ")
    facts = {"roles": in_words(visit, roles, fact=True), "why": in_words(visit, why, fact=True)}
    return [*told, visit.t("desk.causes.second", **facts)]


async def _send(visit: Visit, known: str, message: Message) -> Response:
    complaints = await speaking(visit)
    receipt = await complaints.send(known, message)
    told = done(visit, message, receipt.noted) if receipt else visit.t("desk.told.sent")
    return await done_page(visit, f"/desk/cases/{known}", told, key=known)


def done(visit: Visit, message: Message, noted: str) -> str:
    """What is said of a message that counted: what the record *noted* of it, which is in English."""
    return noted if visit.language == "en" else visit.t("desk.told.done", what=doing(visit, message.name))
