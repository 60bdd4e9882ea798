"""What a case says of itself: what is proposed and asked, how it stands and how it ended."""

from domain.case.summary import CaseSummary
from domain.ground.base import Instant, Record
from domain.ground.people import Actor
from domain.ground.words import Outcome, Remedy
from domain.keys.public import Readable
from domain.money.amounts import Money
from domain.money.parts import Entered


class Proposal(Record):
    """A proposed resolution and who proposed it. ``reasons`` is ``None`` when the findings are the reasons.

    ``compensation`` is the whole sum: what makes good the loss, and ``awards`` for what no formula measures. The first
    is what the findings come to where it was proposed ``as_found``.
    """

    outcome: Outcome
    compensation: Money | None
    remedies: tuple[Remedy, ...]
    reasons: str | None
    proposed_by: Actor
    at: Instant
    awards: tuple[Entered, ...] = ()
    as_found: bool = False
    incident: str | None = None
    """The incident under which the loss is made good; the case then pays nothing of it."""
    digest: str = ""
    """Names the message that proposed it, for whoever decides on it; empty where it was decided by rule."""

    @property
    def spoken(self) -> str:
        """Outcome and sum in a few words."""
        outcome = self.outcome.value.replace("_", " ")
        if self.compensation is None:
            return outcome
        awards = ", ".join(f"{award.amount} {award.kind.value}" for award in self.awards)
        return f"{outcome}, {self.compensation}" + (f" (with {awards})" if awards else "")


class Question(Record):
    """What the customer was asked; ``answered`` once they replied or the wait ended."""

    number: int
    questions: str
    by_rule: bool
    answered: bool = False


class Closed(Record, Readable):
    """How the case ended: the result of the workflow."""

    reference: str
    outcome: Outcome | None
    compensation: Money | None
    breached: bool


class Status(Record, Readable):
    """The answer to the query ``status``. ``proposal`` is the one made, or else the ``draft``, each with its digest."""

    reference: str
    policy: str | None
    summary: CaseSummary
    waiting_for: str | None
    letters_on_their_way: tuple[str, ...]
    proposal: str | None
    proposal_digest: str | None = None
    draft: str | None = None
    payment: str | None = None
    """What a payment rail has paid and has still to pay, where there is one."""
