"""Why a message that was typed was not sent: at the field of its form, in the language of who typed it."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from domain.ground.messages import NotAllowed
from domain.people.actors import NotProven
from runtime.connection import TemporalUnavailable
from starter.client.complaints import CaseClosed
from starter.client.conversation import NotAnswered, Refused
from web.desk.sentences import in_words
from web.desk.widgets import Unfit, unfit
from web.visit import FieldError, Visit

NOT_SENT: Final = (Unfit, Refused, NotAllowed, NotProven, NotAnswered, TemporalUnavailable, CaseClosed)


def why_not(
    visit: Visit, error: Exception, fields: Sequence[str], *, ended: str = "desk.wrong.closed"
) -> list[FieldError]:
    """What is said of one of :data:`NOT_SENT`, or of a ``ValidationError``, in a form with these *fields*.

    It stands at the field that it names, else at the first; it is *ended* where nothing more is taken.
    """
    match error:
        case Unfit():
            return [_in_words(visit, one) for one in error.errors]
        case ValidationError():
            return why_not(visit, Unfit(unfit(error, fields)), fields)
        case NotAnswered() | TemporalUnavailable():
            sent = visit.text("send") == "yes"  # else the case was only asked what it would cause
            return [FieldError(fields[0], "desk.wrong.away" if sent else "desk.wrong.not_asked")]
        case CaseClosed():
            return [FieldError(fields[0], ended)]
        case _:
            field = str(error).partition(": ")[0].partition(", ")[0]
            place = next((one for one in fields if one == field or one.startswith(f"{field}.")), fields[0])
            return [FieldError(place, "desk.wrong.refused", {"why": in_words(visit, str(error))})]


def _in_words(visit: Visit, error: FieldError) -> FieldError:
    facts = {name: in_words(visit, fact) if isinstance(fact, str) else fact for name, fact in error.facts.items()}
    return error._replace(facts=facts)
