"""What the workflow of an incident asks its activities for, and what they answer."""

from typing import Any, Final

from domain.ground.base import Identifier, Instant, Record
from domain.ground.bilingual import Bilingual
from domain.ground.timeline import Entry
from domain.ground.words import IncidentStage
from domain.incidents.incident import Fault, NewIncident
from domain.incidents.progress import Progress
from domain.money.amounts import Money
from domain.money.payment import PaymentOutcome
from domain.rules.deciding import Decision, TrainingRule


class MemberCompensated(Record):
    """What is owed, and the ``rail`` that is to pay it; nothing where others had made everything good by then."""

    at: Instant
    amount: Money | None
    rail: str | None = None


class PayMember(Record):
    """Have a rail pay what is owed to one account, in this ``attempt``. Answered with :class:`MemberPaid`."""

    reference: Identifier
    account: Identifier
    attempt: int


class MemberPaid(Record):
    """How the attempt ended, and whether everything is paid; without an ``outcome`` it had been paid before."""

    at: Instant
    complete: bool
    spoken: str
    outcome: PaymentOutcome | None = None


class Standing(Record):
    """Where an incident stands, as complaints are told: its stage, and how many lists were made."""

    lists: int = 0
    stage: IncidentStage = IncidentStage.LISTING


class IncidentUpdate(Record):
    """What has changed since the incident was last written down."""

    reference: Identifier
    progress: Progress
    entries: tuple[Entry, ...] = ()
    checkpoint: dict[str, Any] | None = None
    """What another workflow would go on from, should Temporal lose this one."""

    @property
    def keys(self) -> set[str]:
        """The keys of all it carries."""
        return {entry.key for entry in self.entries}


class OpenIncident(Record):
    """Write down a new incident and pin its policy pack. Answered with :class:`IncidentOpened`.

    ``run`` is the first run of the incident's workflow, the same in every attempt.
    """

    reference: Identifier
    new: NewIncident
    at: Instant
    run: Identifier | None = None
    token: str | None = None
    """What proves who opens it."""


class IncidentOpened(Record):
    """The incident is written down; ``revision``, ``journal`` and ``lists`` tell how far it had come before."""

    policy_hash: str
    decision: Decision
    training: tuple[TrainingRule, ...] = ()
    revision: int = 0
    journal: int = 0
    lists: int = 0
    checkpoint: dict[str, Any] | None = None
    """Where it stood when its first workflow was lost, for the workflow that goes on with it."""


class ListCohort(Record):
    """List the accounts that the fault touched, as the log stands ``as_of``. Answered with
    :class:`~domain.incidents.progress.Cohort`."""

    reference: Identifier
    number: int
    fault: Fault
    policy_hash: str
    as_of: Instant


class NextMembers(Record):
    """Which harmed accounts come after ``after``, at most ``limit``. Answered with :class:`Members`."""

    reference: Identifier
    number: int
    after: str | None
    limit: int


class Members(Record):
    accounts: tuple[str, ...]


LIST_NOT_APPROVED: Final = "ListNotApproved"
"""The type of failure of whatever rests on a list that nobody approved who may."""


class CompensateMember(Record):
    """Make good what the list says of one account, once. Answered with :class:`MemberCompensated`."""

    reference: Identifier
    number: int
    account: Identifier
    approved_by: str | None = None
    """Whose approval of the list it rests on, as ``role:id``: the record may not have it yet."""


class TellMember(Record):
    """Write to the customer what happened and what was paid, once."""

    reference: Identifier
    account: Identifier
    title: Bilingual
    fault: Fault
    amount: Money
    at: Instant


class LookForRecusal(Record):
    """Whether the ``person`` is kept out of the incident at that moment: of a complaint about it, or of an account on
    list ``number`` (0 while there is none). Answered with :class:`Recused`."""

    reference: Identifier
    number: int
    person: str
    at: Instant


class Recused(Record):
    """Whether they are; why is not said, for it would be said to them."""

    kept_out: bool


class FindCases(Record):
    """Which open complaints are about the incident. Answered with :class:`CasesFound`."""

    reference: Identifier
    number: int


class CasesFound(Record):
    references: tuple[str, ...]
