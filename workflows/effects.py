"""What workflows do to the world, one row an effect: how each is asked, answered, tried and shown in Temporal's UI."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType
from typing import Any, Final, Generic, TypeVar, cast

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from domain.case.file import CaseUpdate, Recorded
from domain.case.requests import (
    AwardPromised,
    BookPayment,
    CompensationRecorded,
    FoundElsewhere,
    LetterAccepted,
    LetterPreview,
    LookElsewhere,
    LookForRemedies,
    LookForTraining,
    OpenCase,
    Opened,
    PayCompensation,
    PaymentRecorded,
    PromiseAward,
    RecordCompensation,
    RecordContact,
    RefuseStart,
    RemediesSeen,
    SendLetter,
    TakenUp,
    TakeUpCase,
    Training,
    Turn,
)
from domain.checks.findings import Investigation, InvestigationRequest
from domain.ground.base import Record
from domain.incidents.progress import Cohort
from domain.incidents.requests import (
    CasesFound,
    CompensateMember,
    FindCases,
    IncidentOpened,
    IncidentUpdate,
    ListCohort,
    LookForRecusal,
    MemberCompensated,
    MemberPaid,
    Members,
    NextMembers,
    OpenIncident,
    PayMember,
    Recused,
    TellMember,
)
from domain.intake.received import Dealt, DealWith
from domain.keys.erasure import RanOut, RunOut
from domain.keys.public import Public
from domain.learning.actions import ActionStep, MailReport, MeasureEffect, ReportMailed
from domain.learning.effects import Judged
from domain.learning.process import AskProcessReview, ChaseProcessReview, ProcessReviewAsked, ProcessReviewStands
from domain.learning.reviewing import ChaseReviews, DrawReviews, ReviewsDrawn, ReviewsOpen

Q = TypeVar("Q", bound=Record)
A = TypeVar("A")

# An outage of the database or the mail server lasts minutes or days; the case waits as long as it takes.
_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=2)
)

_TO_OPEN: Final = timedelta(seconds=4)
_NOTHING: Final = nullcontext()


def _letter(request: SendLetter) -> str:
    return f"Letter: {request.kind.value.replace('_', ' ')}"


# A worker that was silent for so long is dead, and another takes its effect over.
_DEAD_AFTER = timedelta(seconds=8)


@dataclass(frozen=True)
class Effect(Generic[Q, A]):
    """One thing that workflows do to the world: the activity *name*, what it is asked with, and what it answers.

    *summary* is what Temporal's UI shows of it. One attempt takes *within* at most, and there are as many as it takes.
    One *at_once* is first tried within the workflow task, for so long (one history event), and durably if that takes
    longer or fails: only for what writes nothing, or the same in every attempt of the task. A task that is lost with
    its worker is done again, at another time and with what arrived meanwhile, and what the lost one had written would
    stand in the record for ever.
    """

    name: str
    request: type[Q]
    answer: type[A]
    summary: str | Callable[[Q], str]
    within: timedelta = timedelta(seconds=60)
    at_once: timedelta | None = None

    async def __call__(self, request: Q, *, meanwhile: AbstractContextManager[object] = _NOTHING) -> A:
        """Have it done. Raises ``ActivityError`` where it fails for good; one *at_once* its ``ApplicationError``.

        *meanwhile* is what holds as long as it is tried within the workflow task.
        """
        summary = self.summary if isinstance(self.summary, str) else self.summary(request)
        if self.at_once is None:
            return await _durably(self.name, request, self.answer, summary, self.within)
        with meanwhile:
            done = await _at_once(self.name, request, self.answer, summary, self.at_once)
        if done is not None:
            return done
        try:
            return await _durably(self.name, request, self.answer, summary, self.within)
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                raise error.cause from None
            raise


# -- of a case -----------------------------------------------------------------------------------------------------

open_case = Effect("OpenCase", OpenCase, Opened, "Open the case file, assess, plan the deadlines", at_once=_TO_OPEN)
"""Open the case file; as long as a worker with the policy pack is missing, wait for one.

Raises ``ApplicationError`` if the complaint cannot be taken on.
"""
take_up_case = Effect("TakeUpCase", TakeUpCase, TakenUp, "Take up the closed case")
"""Learn where a closed case stood, to go on with it. Fails for good where there is no such case to go on with."""
record = Effect("Record", CaseUpdate, Recorded, "Write to the case file")
record_contact = Effect("RecordContact", RecordContact, NoneType, "Correct the customer's address")
investigate = Effect(
    "Investigate",
    InvestigationRequest,
    Investigation,
    lambda request: "Query the trade log: " + ", ".join(check.value.replace("_", " ") for check in request.checks),
    at_once=timedelta(seconds=1),  # the customer's words wait as long
)
"""Look at the trade log. Raises ``ApplicationError`` or ``ActivityError`` if it fails for good.

Written is only that the case is about an incident, which is so whoever finds it.
"""
send_letter = Effect("SendLetter", SendLetter, LetterAccepted, _letter)
"""Have a channel accept a letter, for as long as that takes."""
preview_letter = Effect("PreviewLetter", SendLetter, LetterPreview, "Write the letter of a draft, for people to see")
"""Write a letter as it would be sent now. Nothing is sent or recorded."""
record_compensation = Effect(
    "RecordCompensation",
    RecordCompensation,
    CompensationRecorded,
    lambda request: f"Record compensation {request.award}",
)
"""Post an award to the compensation ledger."""
look_elsewhere = Effect(
    "LookElsewhere", LookElsewhere, FoundElsewhere, "Look whether it is promised or paid elsewhere already"
)
"""Look whether others promise or have paid what a case has found. Nothing is changed."""
look_for_training = Effect(
    "LookForTraining", LookForTraining, Training, "Look whether who acts has passed what the pack asks for"
)
"""Look which courses somebody lacks, as the directory stands now. Nothing is changed."""
promise_award = Effect(
    "PromiseAward",
    PromiseAward,
    AwardPromised,
    lambda request: f"Promise the award. {_letter(request.letter)}" if request.letter else "Promise the award",
)
"""Promise what a final response gives, unless it is promised or paid elsewhere, and try the response itself."""
pay_compensation = Effect(
    "PayCompensation", PayCompensation, PaymentRecorded, lambda request: f"Pay {request.order.amount}"
)
"""Have a rail pay, for as long as that takes: it is asked again and again, which costs no history."""
book_payment = Effect(
    "BookPayment", BookPayment, PaymentRecorded, lambda request: f"Payment reported as {request.state.value}"
)
"""Put into the ledger what somebody reports of a payment."""

look_for_remedies = Effect(
    "LookForRemedies", LookForRemedies, RemediesSeen, "Look whether the remedies that are owed were carried out"
)

# -- of what is received -------------------------------------------------------------------------------------------

deal_with = Effect("DealWith", DealWith, Dealt, "Open its case, or put it on the one it belongs to")
"""Deal with what was received, for as long as that takes. Repeated, it answers as the first time."""

# -- of what is kept ----------------------------------------------------------------------------------------------

run_out = Effect("RunOut", RunOut, RanOut, "Erase what is kept no longer", within=timedelta(minutes=10))
"""Erase the cases whose pack has them kept no longer, so many at once."""

# -- of an incident ------------------------------------------------------------------------------------------------

open_incident = Effect("OpenIncident", OpenIncident, IncidentOpened, "Write down the incident", at_once=_TO_OPEN)
"""Write down a new incident. Raises ``ApplicationError`` if it cannot be taken on."""
record_incident = Effect("RecordIncident", IncidentUpdate, NoneType, "Write down how far the incident is")
list_cohort = Effect(
    "ListCohort",
    ListCohort,
    Cohort,
    lambda request: f"List {request.number}: {request.fault.spoken}",
    within=timedelta(hours=12),
)
"""List the accounts that a fault touched, however many."""
next_members = Effect("NextMembers", NextMembers, Members, "The next accounts of the list")
compensate_member = Effect("CompensateMember", CompensateMember, MemberCompensated, "Compensate an account of the list")
"""Make good what the list says of one account."""
pay_member = Effect("PayMember", PayMember, MemberPaid, "Pay an account of the list")
"""Have a rail pay what is owed to one account, for as long as that takes."""
tell_member = Effect("TellMember", TellMember, NoneType, "Letter: what went wrong, and what was paid")
"""Have a channel accept the letter to one customer, for as long as that takes."""
look_for_recusal = Effect(
    "LookForRecusal", LookForRecusal, Recused, "Look whether who acts is kept out of one of its accounts"
)
"""Look whether somebody may act on the incident, as the record and the directory stand now. Nothing is changed."""
find_cases = Effect("FindCases", FindCases, CasesFound, "Find the complaints about it")

# -- of what follows from complaints -------------------------------------------------------------------------------

note_action = Effect("NoteAction", ActionStep, NoneType, lambda request: f"Action {request.step}")
measure_effect = Effect("MeasureEffect", MeasureEffect, Judged, "Count the cause before and after")
mail_report = Effect("MailReport", MailReport, ReportMailed, "Make and mail the report", within=timedelta(minutes=30))
"""Make the report of the period before, and have a channel accept it."""
draw_reviews = Effect(
    "DrawReviews", DrawReviews, ReviewsDrawn, "Draw closed cases for review", within=timedelta(minutes=30)
)
chase_reviews = Effect(
    "ChaseReviews", ChaseReviews, ReviewsOpen, lambda request: f"Reviews of {request.period} that wait"
)
ask_process_review = Effect(
    "AskProcessReview", AskProcessReview, ProcessReviewAsked, "Ask for a review of the complaints process"
)
chase_process_review = Effect(
    "ChaseProcessReview", ChaseProcessReview, ProcessReviewStands, lambda request: f"Process review of {request.period}"
)

# -- of both -------------------------------------------------------------------------------------------------------

refuse_start = Effect("RefuseStart", RefuseStart, NoneType, "Write down why there is no case")
"""Write down what was started or sent and can be no case."""
take_turn = Effect("TakeTurn", Turn, NoneType, "Take the next turn")
"""Go on in a step of its own, after everything that reached the worker before.

Two workflow tasks that end without a command are handed to a worker which has forgotten the case as one, with the
update of the second before the timer of the first; a replay hands over one by one (temporalio/sdk-python#1591).
What an update does therefore waits for an answer that has its own place in the history.
"""

EFFECTS: Final[dict[str, Effect[Any, Any]]] = {
    each.name: each for each in list(globals().values()) if isinstance(each, Effect)
}
"""Every row above, by the name of its activity."""


async def _at_once(name: str, request: Record, answer: type[A], summary: str, within: timedelta) -> A | None:
    """What it answers within the workflow task; ``None`` where it is to be done durably."""
    try:
        done = await workflow.execute_local_activity(
            name,
            request,
            result_type=answer,
            schedule_to_close_timeout=within,
            retry_policy=RetryPolicy(maximum_attempts=1),
            summary=Public(summary),
        )
        return cast(A, done)
    except FailureError as error:  # when replayed, a timeout comes without the ActivityError around it
        cause = error.cause if isinstance(error, ActivityError) else error
        if isinstance(cause, ApplicationError) and cause.non_retryable:
            raise cause from None
        return None


async def _durably(name: str, request: Record, answer: type[A], summary: str, within: timedelta) -> A:
    done = await workflow.execute_activity(
        name,
        request,
        result_type=answer,
        start_to_close_timeout=within,
        heartbeat_timeout=_DEAD_AFTER,
        retry_policy=_PATIENT,
        summary=Public(summary),
    )
    return cast(A, done)
