"""A referral, and what was decided before an outside body; what becomes of them is in :mod:`domain.case.referrals`."""

from typing import Any

from domain.ground.base import Identifier, Instant, Line, Record, Text
from domain.ground.words import Outcome, Remedy
from domain.money.amounts import Money


class OutsideDecision(Record):
    """What was decided, or ``agreed``, before an outside body. ``what`` is told to the customer.

    ``award`` is what the firm has still to pay by it; ``until`` by when.
    """

    referral: int
    at: Instant
    agreed: bool
    outcome: Outcome
    award: Money | None = None
    remedies: tuple[Remedy, ...] = ()
    what: Text
    until: Instant | None = None


class Referral(Record):
    """Something that is before an outside body. ``number`` is that of the event with which it began, and names it.

    ``reference`` is its number there; ``request`` the number of the event since which the file is wanted. ``binds`` is
    whether the ``decision`` binds the firm; until then the customer's answer to it is waited for. ``ended`` says how it
    ended.
    """

    number: int
    route: Identifier
    since: Instant
    reference: Identifier | None = None
    request: int | None = None
    decision: OutsideDecision | None = None
    binds: bool = False
    ended: Line | None = None

    @property
    def spoken(self) -> str:
        """Where it is and as what, in a few words."""
        return f"referral {self.number} to {self.route}"

    @property
    def state(self) -> str:
        """How far it is."""
        if self.ended:
            return "ended"
        if self.decision:
            return "to be carried out" if self.binds else "decided"
        return "file wanted" if self.request else "open"

    @property
    def noted(self) -> dict[str, Any]:
        """What the timeline keeps of it, without what anybody wrote."""
        decided = self.decision.model_dump(mode="json", include={"outcome", "award"}) if self.decision else {}
        return self.model_dump(mode="json", exclude={"decision"}) | decided | {"state": self.state}
