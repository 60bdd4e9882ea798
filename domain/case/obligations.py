"""What is owed to the customer beside money, and what shows that it was done."""

from domain.ground.base import Identifier, Instant, Line, Record, StaffId
from domain.ground.spoken import REMEDIES
from domain.ground.words import Remedy
from domain.money.amounts import Money


class Proof(Record):
    """What shows that a remedy was carried out, or why it is owed no longer; by whom (``role:id``, ``trade_log``)."""

    by: StaffId
    at: Instant
    how: Line


class Obligation(Record):
    """A remedy that is owed. ``number`` is that of the event since which it is, and names it.

    ``subject`` is the row of the firm's records that it is about: a withdrawal, an account, an incident; ``amount``
    what is released. Temporary relief has an end, ``until``. ``lapsed`` is one that was ended without being carried
    out.
    """

    number: int
    kind: Remedy
    owner: StaffId
    since: Instant
    round: int
    subject: Identifier | None = None
    amount: Money | None = None
    what: Line | None = None
    until: Instant | None = None
    proof: Proof | None = None
    lapsed: bool = False

    @property
    def is_relief(self) -> bool:
        return self.until is not None

    @property
    def spoken(self) -> str:
        """What is owed in a few words, without anything personal."""
        about = " ".join(str(part) for part in (self.subject, self.amount) if part)
        return f"{self.number}: {REMEDIES[self.kind].en}{f' ({about})' if about else ''}"
