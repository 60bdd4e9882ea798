"""What a case does to the world, by name: how each activity is called, retried, and shown in the Temporal UI."""

from datetime import timedelta
from typing import TypeVar, cast

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from domain.case.file import CaseUpdate, Recorded
from domain.case.requests import (
    BookPayment,
    CompensationRecorded,
    LetterAccepted,
    OpenCase,
    Opened,
    PayCompensation,
    PaymentRecorded,
    RecordCompensation,
    RecordContact,
    RefuseStart,
    SendLetter,
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
    MemberCompensated,
    MemberPaid,
    Members,
    NextMembers,
    OpenIncident,
    PayMember,
    TellMember,
)

R = TypeVar("R")

# An outage of the database or the mail server lasts minutes or days; the case waits as long as it takes.
_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=2)
)

# A worker that was silent for so long is dead, and another takes its effect over.
_DEAD_AFTER = timedelta(seconds=8)


async def open_case(request: OpenCase) -> Opened:
    """Open the case file; as long as a worker with the policy pack is missing, wait for one.

    Raises ``ApplicationError`` if the complaint cannot be taken on.
    """
    return await _at_once("OpenCase", request, Opened, "Open the case file, assess, plan the deadlines")


async def record(update: CaseUpdate) -> Recorded:
    """Write to the case file what happened."""
    return await _durably("Record", update, Recorded, "Write to the case file")


async def record_contact(request: RecordContact) -> None:
    """Write the customer's new address to the case file."""
    await _durably("RecordContact", request, type(None), "Correct the customer's address")


async def investigate(request: InvestigationRequest) -> Investigation:
    """Query the trade log."""
    checks = ", ".join(check.value.replace("_", " ") for check in request.checks)
    return await _durably("Investigate", request, Investigation, f"Query the trade log: {checks}")


async def send_letter(request: SendLetter) -> LetterAccepted:
    """Have a channel accept a letter, for as long as that takes."""
    return await _durably("SendLetter", request, LetterAccepted, f"Letter: {request.kind.value.replace('_', ' ')}")


async def record_compensation(request: RecordCompensation) -> CompensationRecorded:
    """Post an award to the compensation ledger."""
    return await _durably("RecordCompensation", request, CompensationRecorded, f"Record compensation {request.award}")


async def open_incident(request: OpenIncident) -> IncidentOpened:
    """Write down a new incident. Raises ``ApplicationError`` if it cannot be taken on."""
    return await _at_once("OpenIncident", request, IncidentOpened, "Write down the incident")


async def record_incident(update: IncidentUpdate) -> None:
    """Write down what happened with an incident."""
    await _durably("RecordIncident", update, type(None), "Write down how far the incident is")


async def list_cohort(request: ListCohort) -> Cohort:
    """List the accounts that a fault touched, however many."""
    summary = f"List {request.number}: {request.fault.spoken}"
    return await _durably("ListCohort", request, Cohort, summary, within=timedelta(hours=12))


async def next_members(request: NextMembers) -> Members:
    """The accounts to be made good next."""
    return await _durably("NextMembers", request, Members, "The next accounts of the list")


async def compensate_member(request: CompensateMember) -> MemberCompensated:
    """Make good what the list says of one account."""
    return await _durably("CompensateMember", request, MemberCompensated, "Compensate an account of the list")


async def pay_member(request: PayMember) -> MemberPaid:
    """Have a rail pay what is owed to one account, for as long as that takes."""
    return await _durably("PayMember", request, MemberPaid, "Pay an account of the list")


async def tell_member(request: TellMember) -> None:
    """Have a channel accept the letter to one customer, for as long as that takes."""
    await _durably("TellMember", request, type(None), "Letter: what went wrong, and what was paid")


async def find_cases(request: FindCases) -> CasesFound:
    """The open complaints that are about an incident."""
    return await _durably("FindCases", request, CasesFound, "Find the complaints about it")


async def pay_compensation(request: PayCompensation) -> PaymentRecorded:
    """Have a rail pay, for as long as that takes: it is asked again and again, which costs no history."""
    return await _durably("PayCompensation", request, PaymentRecorded, f"Pay {request.order.amount}")


async def book_payment(request: BookPayment) -> PaymentRecorded:
    """Put into the ledger what somebody reports of a payment."""
    return await _durably("BookPayment", request, PaymentRecorded, f"Payment reported as {request.state.value}")


async def refuse_start(request: RefuseStart) -> None:
    """Write down what was started or sent and can be no case."""
    await _durably("RefuseStart", request, type(None), "Write down why there is no case")


async def take_turn(turn: Turn) -> None:
    """Go on in a step of its own, after everything that reached the worker before.

    Two workflow tasks that end without a command are handed to a worker which has forgotten the case as one, with the
    update of the second before the timer of the first; a replay hands over one by one (temporalio/sdk-python#1591).
    What an update does therefore waits for an answer that has its own place in the history.
    """
    await _durably("TakeTurn", turn, type(None), "Take the next turn")


async def _at_once(name: str, request: Record, result: type[R], summary: str) -> R:
    """A short effect within this workflow task (one history event), or durably if that is slow or fails.

    Only for what is the same in every attempt of the task: a task that is lost with its worker is done again, at
    another time and with what arrived meanwhile, and what the lost one had written would stand in the record for ever.
    """
    try:
        done = await workflow.execute_local_activity(
            name,
            request,
            result_type=result,
            schedule_to_close_timeout=timedelta(seconds=4),
            retry_policy=RetryPolicy(maximum_attempts=1),
            summary=summary,
        )
        return cast(R, done)
    except FailureError as error:  # when replayed, a timeout comes without the ActivityError around it
        cause = error.cause if isinstance(error, ActivityError) else error
        if isinstance(cause, ApplicationError) and cause.non_retryable:
            raise cause from None
    try:
        return await _durably(name, request, result, summary)
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError):
            raise error.cause from None
        raise


async def _durably(
    name: str, request: Record, result: type[R], summary: str, *, within: timedelta = timedelta(seconds=60)
) -> R:
    """Run an activity, again and again until it succeeds or fails for good; one attempt takes *within* at most."""
    done = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        start_to_close_timeout=within,
        heartbeat_timeout=_DEAD_AFTER,
        retry_policy=_PATIENT,
        summary=summary,
    )
    return cast(R, done)
