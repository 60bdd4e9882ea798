"""What handlers, teams and tools do with a case."""

from typing import Final

from temporalio import workflow

from domain.case.assessment import reassess
from domain.case.case import Case
from domain.case.feedback import LOW
from domain.case.identity import check_says_nothing_new, decided_by_person
from domain.case.looking_again import look_again
from domain.case.messages.evidence import Investigate
from domain.case.messages.handling import (
    Assign,
    ChooseChannel,
    CorrectContact,
    ExtendDeadline,
    NoteSign,
    Reclassify,
    RecordCause,
    RecordFeedback,
    Reopen,
    ReplanDeadlines,
    VerifyComplainant,
    Withdraw,
)
from domain.case.messages.outside import RecordReferral
from domain.case.remedies import outstanding
from domain.case.requests import RecordContact
from domain.case.resolution import check_extension, extension_key
from domain.ground.base import person_of
from domain.ground.messages import NotAllowed
from domain.ground.words import CaseEvent, LetterKind, Stage
from workflows import effects
from workflows.messages.training import must_be_trained_to_have_it
from workflows.parts.casework import Casework
from workflows.parts.hearing import Gate


def assign(work: Casework, request: Assign) -> str:
    """Give the case to a handler."""
    case = work.case
    case.handler = request.handler
    if request.team and case.assessment:
        case.assessment = case.assessment.model_copy(update={"team": request.team})
    return f"assigned to {request.handler}"


def must_not_be_kept_out(work: Casework, request: Assign) -> None:
    """Whoever is kept out gets nothing."""
    if person_of(request.handler) in work.case.kept_out:
        raise NotAllowed(f"handler: {request.handler} is kept out of this case; give it to somebody else")


async def before_assigning(work: Casework, request: Assign) -> None:
    """Whoever gets it has passed what the pack asks for."""
    await must_be_trained_to_have_it(work.case.pack.training, request.handler)


def note_sign(work: Casework, request: NoteSign) -> str:
    """Say something of a sign. Which one it is stands in the case file only, where no list shows it."""
    return f"a sign was {request.step.value}"


def reclassify(work: Casework, request: Reclassify) -> str:
    """Correct the assessment."""
    case, before = work.case, work.case.assessment
    if before is None:
        raise LookupError("no assessment")
    case.assessment = reassess(
        before,
        case.pack,
        category=request.category,
        severity=request.severity,
        complexity=request.complexity,
        in_scope=request.in_scope,
        by=str(request.actor),
    )
    urgency = case.care.of(case.assessment.priority)
    case.assessment = case.assessment.model_copy(update={"priority": urgency})
    if request.in_scope is False:
        _have_it_referred(case)
    if (case.assessment.category, case.assessment.in_scope) != (before.category, before.in_scope):
        look_again(case)
    facts = case.assessment.facts(case.complaint)
    case.counted_as = urgency
    if facts != before.facts(case.complaint):
        case.happened(CaseEvent.RECLASSIFIED, workflow.now(), facts=facts)
    return ", ".join(("now " + facts.category.value, case.assessment.severity.value, facts.complexity.value))


def _have_it_referred(case: Case) -> None:
    """Leave it to people as a draft: what turns the customer away is proposed and decided like any other no."""
    case.stop_asking()
    if case.proposal and not case.approved:
        text = f"{case.proposal.spoken}: the complaint was found to be for somebody else"
        case.note(workflow.now(), "set_aside", text, data={"round": case.rounds})
        case.proposal = None


def must_be_ours(work: Casework, request: Reclassify | Investigate | RecordReferral) -> None:
    """The complaint is not being sent elsewhere."""
    if work.is_diverted():
        raise NotAllowed(f"{request.name}: the customer is being told that the complaint is for somebody else")


def extend_deadline(work: Casework, request: ExtendDeadline) -> str:
    """Tell the customer of the extension; it counts with that."""
    case, post = work.case, work.post
    deadline = next(one for one in case.deadlines if one.clock == request.clock)
    case.extended.append(extension_key(request, deadline))
    facts = post.facts(clock=request.clock, extension=request.extension, reasons=request.reasons)
    purpose = f"extension:{len(case.extended)}"
    post.send(LetterKind.EXTENSION, facts, purpose, CaseEvent.CONTACTED, CaseEvent.EXTENDED)
    return f"{request.clock}: {request.extension} approved; it counts once the customer has been told"


def must_be_extendable(work: Casework, request: ExtendDeadline) -> None:
    """The pack grants it, and the actor may."""
    check_extension(work.case, request, workflow.now())
    check_says_nothing_new(work.case, "reasons", request.reasons)


def replan_deadlines(work: Casework, request: ReplanDeadlines) -> str:
    """Have the case file count anew what was provisional."""
    work.case.happened(CaseEvent.REPLANNED, workflow.now(), calendar=request.calendar)
    return f"on calendar {request.calendar[:12]}"


def record_feedback(work: Casework, request: RecordFeedback) -> str:
    """The customer has said how satisfied they are."""
    hear_score(work, request.score)
    return f"{request.score} of 5"


def must_be_of_what_stands(work: Casework, request: RecordFeedback) -> None:
    """Who says how satisfied they are has seen the response that stands."""
    request.check_of(work.case.rounds)


def hear_score(work: Casework, score: int) -> None:
    """Who is not satisfied is called."""
    work.case.happened(CaseEvent.FEEDBACK_GIVEN, workflow.now())
    if score <= LOW:
        work.tasks.have_called_back()


def record_cause(work: Casework, request: RecordCause) -> str:
    """Whoever decided says what the root cause was."""
    work.case.cause = request.cause
    return request.cause


def must_be_known_causes(work: Casework, request: RecordCause) -> None:
    """The causes are of the tree that the case's rules have."""
    rule = work.case.pack.causes
    unknown = [one for one in (request.cause, *request.contributing) if rule and rule.known and one not in rule.known]
    if unknown:
        raise NotAllowed(f"cause: {unknown[0]} is not in the tree of causes; `redress cause list` shows it")


def correct_contact(work: Casework, request: CorrectContact) -> str:
    """Letters go to another address from now on."""
    work.case.address_in_doubt = 0
    return "address corrected"


def choose_channel(work: Casework, request: ChooseChannel) -> str:
    """Letters go by it from now on: whoever writes them reads the last such message in the case file."""
    work.case.written_in = request.language or work.case.written_in
    ways = [request.channel and f"by {_CHANNELS[request.channel]}", request.language and _LANGUAGES[request.language]]
    return f"to be written to {', '.join(filter(None, ways))}"


_CHANNELS: Final = {"email": "e-mail", "post": "post", "message": "message to the telephone"}
_LANGUAGES: Final = {"en": "in English", "zh-CN": "in Chinese"}


async def write_contact(work: Casework, request: CorrectContact) -> None:
    """The address is in the case file before its sender hears that it counts.

    Where nobody of the staff vouches for it, so is that it proves nothing: letters with more in them wait for that.
    """
    reference = work.case.reference
    doubted = work.doubt_address() if request.email and not request.actor.role.is_staff else ()
    await effects.record_contact(
        RecordContact(
            key=f"{reference}:contact:{request.message_id}",
            reference=reference,
            at=workflow.now(),
            email=request.email,
            phone=request.phone,
            by_post=request.by_post,
            entries=doubted,
        )
    )


def verify_complainant(work: Casework, request: VerifyComplainant) -> str:
    """Whoever has looked at the proof says who complains. What a rule may decide only then, is looked at again."""
    case, before = work.case, work.case.identity
    case.identity = decided_by_person(request).model_copy(update={"at": workflow.now()})
    if case.identity.verified and not before.verified and case.stage is Stage.DECIDING and case.proposal is None:
        look_again(case)
    return "verified" if case.identity.verified else "not who is on file"


def withdraw(work: Casework, request: Withdraw) -> str:
    """The customer takes the complaint back."""
    work.case.withdrawn = True
    return "withdrawn"


def reopen(work: Casework, request: Reopen) -> str:
    """Take the case up again."""
    work.reopen(request.actor)
    return "reopened"


def reopening(work: Casework) -> Gate:
    """An award that the ledger never takes has no other way out; and while a remedy is waited for, facts may be new."""
    if outstanding(work.case) and work.case.blocked is None:
        return Gate(stages=frozenset({Stage.FOLLOWING_UP, Stage.SETTLING}))
    if work.case.blocked is None:
        return Gate(stages=frozenset({Stage.FOLLOWING_UP}))
    return Gate(stages=frozenset({Stage.FOLLOWING_UP, Stage.SETTLING}), though_withdrawn=True)
