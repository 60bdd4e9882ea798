"""Why a message that was typed was not sent, at the field of its form."""

from typing import Final

from domain.ground.messages import NotAllowed
from domain.people.actors import NotProven
from runtime.connection import TemporalUnavailable
from starter.client.complaints import CaseClosed
from starter.client.conversation import NotAnswered, Refused
from web.desk.widgets import Unfit
from web.visit import FieldError

NOT_SENT: Final = (Unfit, Refused, NotAllowed, NotProven, NotAnswered, TemporalUnavailable, CaseClosed)


def why_not(error: Exception, field: str, *, ended: str = "desk.wrong.closed") -> list[FieldError]:
    """What is said of one of :data:`NOT_SENT`, at *field* where it names none; *ended* where nothing more is taken."""
    match error:
        case Unfit():
            return error.errors
        case NotAnswered() | TemporalUnavailable():
            return [FieldError(field, "desk.wrong.away")]
        case CaseClosed():
            return [FieldError(field, ended)]
        case _:
            return [FieldError(field, "desk.wrong.refused", {"why": str(error)})]
