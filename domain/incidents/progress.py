"""How far an incident is, and the accounts it touched, counted."""

from domain.ground.base import Instant, Record
from domain.ground.words import IncidentStage
from domain.incidents.incident import Fault
from domain.keys.public import Readable
from domain.money.amounts import Money


class Cohort(Record):
    """The accounts that an incident touched, counted. ``hash`` is what is approved: it covers every member.

    ``harm`` has the total for each currency; ``doubtful`` counts harmed accounts with a finding that is doubtful.
    ``gained`` is what accounts gained by the same fault: told, never charged.
    """

    number: int
    hash: str
    as_of: Instant
    accounts: int
    harmed: int
    unharmed: int
    unclear: int
    doubtful: int
    harm: tuple[Money, ...]
    gained: tuple[Money, ...] = ()


class Progress(Record, Readable):
    """How far an incident is: the answer to the query ``progress``.

    ``done`` of ``cohort.harmed`` accounts are finished: ``paid`` is what went to them under it, ``elsewhere`` counts
    those whose losses a case or another incident had made good by then. ``failed`` need a person.
    """

    reference: str
    stage: IncidentStage
    fault: Fault
    cohort: Cohort | None
    paused: bool
    per_minute: int
    done: int
    elsewhere: int
    failed: int
    under_way: int
    untold: int
    """Accounts compensated whose letter no channel has accepted yet."""
    left: int
    """Accounts that failed and were left to people."""
    paid: tuple[Money, ...]
    cases: int
    opened_at: Instant
    opened_by: str
    approved_by: str | None
    revision: int = 0
