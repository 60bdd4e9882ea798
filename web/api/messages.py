"""Everything that can be said to a case: one route for each message of the client.

What a service passes on for a customer goes through the intake, so it is accepted while Temporal is away. All else is
answered by the case itself.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.responses import Response

from domain.case.messages.evidence import AddEvidence
from domain.case.messages.paying import ReportPayment
from domain.case.messages.putting_right import ConfirmRemedy
from domain.case.messages.signals import Escalate
from domain.case.messages.table import SIGNALS, UPDATES, Receipt
from domain.ground.base import Record
from domain.ground.messages import Message, NotAllowed, OfAResponse
from domain.ground.words import Role
from domain.intake.received import BY_CUSTOMERS
from starter.client.complaints import CaseNotFound
from starter.reading.responses import response_of
from starter.upkeep.api_keys import Scope
from web.api.callers import THE_CUSTOMER
from web.api.complaints import Accepted, accepted, of_the_caller
from web.api.frame import API, Call, Operation
from web.api.problems import Problem, refused
from web.api.taking_in import take_in
from web.permissions import Permission, program, staff

FILLED: Final = ("message_id", "actor")
BY_SERVICES: Final[tuple[type[Message], ...]] = (AddEvidence, ConfirmRemedy, ReportPayment)
"""What the firm's systems tell a case. What is decided about a complaint, and who has it, people decide."""


class As(Record):
    """In which role somebody acts who has several; without it in the first of them."""

    role: Annotated[Role | None, Field(alias="as")] = None


def who_may(kind: type[Message]) -> Permission:
    """Who may send a message of this *kind*."""
    if kind in BY_CUSTOMERS or kind is Escalate:
        return program(Scope.CUSTOMER)
    return program(Scope.ACT) if kind in BY_SERVICES else staff()


def _saying(kind: type[Message]) -> Callable[[Call], Awaitable[Any]]:
    async def say(call: Call) -> Receipt | Response:
        known = await of_the_caller(call)
        asked: As = call.query
        for_customer = not call.caller.staff and who_may(kind).scopes == {Scope.CUSTOMER}
        actor = THE_CUSTOMER if for_customer else call.caller.actor(asked.role)
        message: Message = await call.body({"message_id": call.message_id, "actor": actor})
        if isinstance(message, OfAResponse) and message.response is not None:
            await _must_stand(call, known, message)
        if for_customer and kind in BY_CUSTOMERS:
            return await take_in(call, known, message)
        complaints = await call.doors.spoken_for(call.caller.person)
        try:
            receipt = await complaints.send(known, message)
        except CaseNotFound:
            raise Problem("away", f"the case of {known} is not open yet") from None
        return receipt or accepted(Accepted(reference=known, already_known=False))

    return say


async def _must_stand(call: Call, known: str, message: OfAResponse) -> None:
    """Raise `Problem` where *message* is about another final response than the one that the customer has."""
    try:
        message.check_of(await response_of(call.doors.pool, known))
    except NotAllowed as error:
        raise refused(str(error), type(message).model_fields, FILLED) from None


def _operation(kind: type[Message]) -> Operation:
    is_signal, by_intake = kind in SIGNALS, kind in BY_CUSTOMERS
    return Operation(
        "POST",
        f"/complaints/{{reference}}/messages/{kind.name}",
        _saying(kind),
        who_may(kind),
        query=As,
        body=kind,
        filled=FILLED,
        answer=Accepted if is_signal else Receipt,
        status=202 if is_signal else 200,
        also={202: Accepted} if by_intake and not is_signal else {},
        summary=(kind.__doc__ or kind.name).strip().split("\n")[0],
        name=kind.name,
        once=True,
    )


for _kind in (*SIGNALS, *UPDATES):
    API.add(_operation(_kind))
