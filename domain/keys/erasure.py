"""Erasure of a person: who may ask for it and approve it, what stands against it, and what is certified."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from domain.ground.base import Identifier, Instant, Record, Text
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.scopes import scope_of_customer, scope_of_message

APPROVERS: Final = frozenset({Role.COMPLIANCE_OFFICER, Role.EXECUTIVE})
LOOK_AGAIN: Final = timedelta(days=90)
"""When a refusal is looked at again, where nothing says from when on it will be possible."""


class RequestErasure(Message):
    """Ask for a customer to be erased: ``subject`` is an account, or a case of somebody without one.

    ``cases`` are others of the same person, beside those of the account.
    """

    name: ClassVar[str] = "request_erasure"
    subject: Identifier
    cases: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    reason: Text

    @property
    def erasure(self) -> str:
        """What the erasure is called: the same for the same message."""
        return "ER-" + hashlib.sha256(f"{self.subject}\0{self.message_id}".encode()).hexdigest()[:12]


class DecideErasure(Message):
    """Approve an erasure, or decline it."""

    name: ClassVar[str] = "decide_erasure"
    approve: bool
    reason: Text


class Hold(Message):
    """Keep what there is of somebody from being erased, or no longer; it is signed for the account or the case."""

    name: ClassVar[str] = "hold"
    placed: bool
    reason: Text


class Against(StrEnum):
    """What stands against an erasure."""

    OPEN_CASE = "open_case"
    OPEN_INCIDENT = "open_incident"
    OPEN_PAYMENT = "open_payment"
    WAITING = "waiting"
    """Something that came in is not dealt with yet."""
    HOLD = "hold"
    RETENTION = "retention"
    """The file must be kept until then."""


class Obstacle(Record):
    """One thing that stands against an erasure: of which case or account, and until when where that is known."""

    why: Against
    of: str
    until: Instant | None = None


class Certificate(Record):
    """What was erased: whose, when, under whose keys, and what remains where.

    ``backups_until`` is the day from which on no backup of the keys has them any more. ``remains`` names the places
    where something readable may be left; ``cases`` and ``scopes`` name and hold nothing personal.
    """

    erasure: str
    subject: str
    cases: tuple[str, ...]
    scopes: tuple[str, ...]
    erased_at: Instant
    requested_by: str
    approved_by: str
    backups_until: date
    index_rows: int
    files: int
    rejected_rows: int = 0
    remains: tuple[str, ...] = ()


class RunOut(Record):
    """The request of an activity: erase what is kept no longer; *after* so many were in this run."""

    after: int = 0


class RanOut(Record):
    """The cases that were erased."""

    erased: tuple[str, ...]


REMAINS: Final = (
    "letters as they were delivered, with who has them",
    "the platform's trade log: accounts, and what was said on the platform (schema tradelog)",
    "histories of workflows that another program started or told something in plain JSON, until Temporal removes them",
    "what those who work here wrote elsewhere: in notes of incidents, of causes and of the process, in cases of others",
    "backups of the keys, until the day named here",
    "files that people made: evidence packs, exports, what an import rejected on another machine (*.rejects.csv)",
)
"""Where something readable may be left, in words for the certificate."""


def check_request(request: RequestErasure) -> None:
    """Raises `NotAllowed` unless somebody of staff asks."""
    _staff(request.actor)


def check_decision(request: RequestErasure, decision: DecideErasure) -> None:
    """Raises `NotAllowed` unless a second person decides who may."""
    _staff(decision.actor)
    if decision.actor.role not in APPROVERS:
        roles = " or ".join(sorted(role.value for role in APPROVERS))
        raise NotAllowed(f"actor: role {decision.actor.role.value} decides on no erasure; {roles} does")
    if decision.actor.person == request.actor.person:
        raise NotAllowed("actor: who asked for it does not decide on it; a second person does")


def review_on(obstacles: Iterable[Obstacle], now: datetime) -> date:
    """The day on which a refusal is looked at again: when the last obstacle that ends has ended."""
    ends = [one.until for one in obstacles if one.until]
    return (max([*ends, now]) if ends else now + LOOK_AGAIN).date() + timedelta(days=bool(ends))


def person_scopes(account: str | None, cases: Sequence[str], messages: Iterable[str]) -> tuple[str, ...]:
    """Whose keys an erasure destroys."""

    customer = [scope_of_customer(account)] if account else []
    return (*cases, *customer, *map(scope_of_message, messages))


def _staff(actor: Actor) -> None:
    if not actor.role.is_staff:
        raise NotAllowed(f"actor: role {actor.role.value} may not; this is for staff")
