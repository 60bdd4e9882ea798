"""Whose hands a case is in, as the case file answers the workflow."""

from pydantic import Field

from domain.ground.base import Record, StaffId
from domain.ground.words import ContactForm
from domain.people.recusal import Why
from domain.people.signs import Care


class Hands(Record):
    """Who has the case, who is kept out of it (by person, why), and the care that its signs ask for.

    ``handler`` is absent where no directory says who could have it; ``tasks`` says by number who has which,
    ``restricted`` to which forms contact with the customer is limited.
    ``had`` is in which round each person had the case first.
    ``version`` grows with every change, so that an answer that comes late is known for one.
    """

    version: int = 0
    handler: StaffId | None = None
    kept_out: dict[str, Why] = Field(default_factory=dict)
    care: Care = Care()
    tasks: dict[int, StaffId] = Field(default_factory=dict)
    restricted: tuple[ContactForm, ...] = ()
    had: dict[str, int] = Field(default_factory=dict)
