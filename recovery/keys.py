"""What stands in the file, by keys: what a workflow has had written, and what the database has."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from activities.incidents.incident_payments import payment_key
from domain.case.file import CaseUpdate
from domain.case.requests import BookPayment, PayCompensation, PromiseAward, RecordCompensation, SendLetter
from domain.ground.words import CaseEvent, PaymentState
from domain.incidents.requests import PayMember
from recovery.history import LEAVES_NOTHING, Step

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record] | asyncpg.Pool[asyncpg.Record]

KEPT: Final = "kept:"
"""How the key of a line of the timeline begins whose own key was taken by another."""


def written_by(steps: Iterable[Step]) -> set[str]:
    """The keys that the file has for certain, if nothing was lost, after *steps* that were done."""
    return {key for step in steps if step.done is not None for key in _certain(step)}


def perhaps_by(steps: Iterable[Step]) -> set[str]:
    """The keys that the file may have after *steps*, done or under way."""
    keys: set[str] = set()
    for step in steps:
        certain = _certain(step)
        keys |= certain | {key.replace("payment:", "order:", 1) for key in certain if key.startswith("payment:")}
        match step.request:
            case RecordCompensation() as award:
                keys |= _of_update(award.then) if award.then else set()
                keys |= {f"event:{award.number}:{event}" for event in (*award.announces, "payment_due")}
            case PromiseAward() as promise if promise.letter:
                keys |= _of_letter(promise.letter)
            case _:
                pass
    return keys


def forgotten_by(steps: Iterable[Step]) -> set[str]:
    """The keys that the file may have after *steps* of a life that a reset has forgotten: it ended the tasks, too."""
    keys = perhaps_by(steps)
    given = f":{CaseEvent.TASK_GIVEN}"
    return keys | {key.removesuffix(given) + f":{CaseEvent.TASK_ENDED}" for key in keys if key.endswith(given)}


def plain(key: str) -> str:
    """The *key* that was given, where something else was kept beside what stood under it."""
    return key.rpartition("~")[0] or key


def ordered_by(steps: Iterable[Step]) -> set[str]:
    """The keys of payments under way: a rail may have been told of them, so that the file must know it."""
    keys = set()
    for step in steps:
        match step.request:
            case PayCompensation() as pay if step.done is None:
                keys.add(f"order:{pay.order.key}")
            case PayMember() as pay if step.done is None:
                keys.add(f"order:{payment_key(pay.reference, pay.account, pay.attempt)}")
            case _:
                pass
    return keys


async def in_the_file(connection: "Connection", references: Sequence[str]) -> dict[str, set[str]]:
    """The keys in the file, by case and incident; nothing of those that it does not have."""
    found: dict[str, set[str]] = {}
    for row in await connection.fetch(_IN_THE_FILE, list(references)):
        if not row["key"].startswith(_BY_THE_FILE):
            found.setdefault(row["reference"], set()).add(row["key"])
    return found


def _certain(step: Step) -> set[str]:
    request, result = step.request, step.result
    match step.name:
        case "OpenCase":
            reference = request.reference
            return {"case", "event:1:received", "timeline:received", "timeline:assessed", "timeline:identified"} | {
                f"contact:{reference}:contact:received"
            }
        case "Record":
            return _of_update(request)
        case "RecordContact":
            return {f"contact:{request.key}"}
        case "SendLetter":
            return _of_letter(request)
        case "RecordCompensation":
            elsewhere = result and result.already and not result.already < request.award.rounded()
            return _of_update(request.update) | (set() if elsewhere else {f"posting:{request.key}"})
        case "PayCompensation" | "BookPayment":
            return _of_update(request.update) | _of_payment(request, result.outcome.paid.amount if result else 0)
        case "OpenIncident":
            return {"incident"}
        case "RecordIncident":
            return {f"timeline:{entry.key}" for entry in request.entries}
        case "ListCohort":
            return {f"list:{request.number}"}
        case "CompensateMember":
            key = f"posting:{request.reference}:compensation:{request.account}"
            return {f"result:{request.account}"} | ({key} if result and result.amount else set())
        case "PayMember":
            if result and result.outcome is None:
                return set()  # paid before
            key = payment_key(request.reference, request.account, request.attempt)
            paid = result and result.outcome.paid.amount
            return {f"payment:{key}"} | ({f"posting:{key}"} if paid else set())
        case "TellMember":
            return {f"letter:{request.reference}:letter:{request.account}"}
        case "PromiseAward":
            if result and not result.promised:
                return _of_update(request.update)
            letter = _of_letter(request.letter) if result and result.letter else set()
            return _of_update(request.update) | _of_update(request.then) | {f"promise:{request.round}"} | letter
        case "Investigate" | "FindCases":
            return set()  # what they write has no key of its own in the file
        case name if name in LEAVES_NOTHING:
            return set()
        case _:
            raise LookupError(f"{step.name}: it is not known what this effect leaves in the file")


def _of_update(update: CaseUpdate) -> set[str]:
    return {
        *(f"timeline:{entry.key}" for entry in update.entries),
        *(f"event:{event.number}:{event.event.value}" for event in update.events),
        *(f"firing:{firing.clock}:{firing.number}:{firing.rung}" for firing in update.firings),
        *(f"rejected:{rejected.key}" for rejected in update.rejected),
    }


def _of_letter(request: SendLetter) -> set[str]:
    events = {f"event:{request.number}:{event.value}" for event in request.announces}
    return _of_update(request.update) | events | {f"letter:{request.key}", f"timeline:{request.key}:accepted"}


def _of_payment(request: PayCompensation | BookPayment, paid: object) -> set[str]:
    if isinstance(request, BookPayment) and request.state is PaymentState.REVERSED:
        key = f"{request.key}:reversed"
        return {f"reversal:{request.key}", f"posting:{key}", f"timeline:{key}"}
    key = request.key if isinstance(request, BookPayment) else request.order.key
    keys = {f"payment:{key}", f"timeline:{key}:outcome"}
    return keys | {f"posting:{key}"} if paid else keys


_BY_THE_FILE: Final = (
    f"timeline:{KEPT}",
    "timeline:assigned:",
    "timeline:kept_out:",
    "timeline:task_owner:",
    "timeline:task_lost:",
    "timeline:sent_again:",
    "timeline:rules",
    "timeline:erased:",
)
"""What the file writes by itself into a timeline, and no workflow asks for."""
_IN_THE_FILE: Final = """
    select reference, 'case' as key from casefile.cases where reference = any($1)
    union all
    select reference, 'incident' from casefile.incidents where reference = any($1)
    union all
    select reference, 'timeline:' || key from casefile.timeline where reference = any($1)
    union all
    select reference, 'timeline:' || key from casefile.incident_timeline where reference = any($1)
    union all
    select reference, 'event:' || number || ':' || event from casefile.events where reference = any($1)
    union all
    select reference, 'firing:' || clock || ':' || number || ':' || rung from casefile.firings
    where reference = any($1)
    union all
    select reference, 'rejected:' || key from casefile.rejected_messages where reference = any($1)
    union all
    select reference, 'contact:' || key from casefile.contacts where reference = any($1)
    union all
    select reference, 'letter:' || key from casefile.letters join casefile.letter_attempts using (key)
    where reference = any($1) and outcome = 'accepted'
    union all
    select reference, 'letter:' || key from casefile.incident_letters join casefile.incident_letter_attempts using (key)
    where reference = any($1) and outcome = 'accepted'
    union all
    select coalesce(reference, incident), 'posting:' || key from casefile.postings
    where reference = any($1) or incident = any($1)
    union all
    select reference, 'promise:' || round from casefile.promises where reference = any($1)
    union all
    select reference, 'order:' || key from payments.orders where reference = any($1)
    union all
    select reference, 'payment:' || key from payments.outcomes join payments.orders using (key)
    where reference = any($1)
    union all
    select reference, 'reversal:' || key from payments.reversals join payments.orders using (key)
    where reference = any($1)
    union all
    select reference, 'list:' || number from casefile.cohorts where reference = any($1)
    union all
    select reference, 'result:' || account from casefile.incident_results where reference = any($1)
"""
