"""Signs: what whoever handles a case should know of the customer, and what it rests on.

They change order and care, never the outcome, and never stand in search attributes, logs or letters.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.ground.base import Identifier, Instant, Line, Record, Text
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Confidence, Driver, Priority, SignKind, SignStep


class Sign(Record):
    """A sign: its ``kind``, of vulnerability with its ``driver``, and the words or facts it rests on.

    ``valid_until`` is when it is to be looked at again; without one it stays until somebody withdraws it.
    """

    kind: SignKind
    driver: Driver | None = None
    rests_on: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
    confidence: Confidence = Confidence.DOUBTFUL
    valid_until: Instant | None = None

    @model_validator(mode="after")
    def _driver_goes_with_vulnerability(self) -> Self:
        if (self.driver is None) is (self.kind is SignKind.VULNERABILITY):
            raise ValueError("driver: a sign of vulnerability has one, and no other sign does")
        return self

    @property
    def key(self) -> str:
        """Names the sign within a case: there is one of a kind, and of vulnerability one of a driver."""
        return f"{self.kind.value}:{self.driver.value}" if self.driver else self.kind.value


class SignChange(Record):
    """Somebody raised, confirmed or withdrew a sign. To confirm says it anew, as it is now; the last one counts."""

    step: SignStep
    sign: Sign
    by: Actor
    at: Instant
    reason: Text | None = None


class StandingSign(Record):
    """A sign as it stands: when it was raised, and who has confirmed it since."""

    key: Identifier
    sign: Sign
    raised_at: Instant
    raised_by: Actor
    confirmed_by: Actor | None = None

    def in_force(self, at: datetime) -> bool:
        return self.sign.valid_until is None or at < self.sign.valid_until


def standing(changes: Iterable[SignChange]) -> list[StandingSign]:
    """The signs that were raised and not withdrawn, in the order in which they were raised.

    What the system raises again changes nothing that a person said: it neither brings back what was withdrawn nor
    replaces what was confirmed.
    """
    signs: dict[str, StandingSign] = {}
    settled: set[str] = set()
    for change in changes:
        key, by_rule = change.sign.key, change.by == SYSTEM
        if by_rule and key in settled:
            continue
        if not by_rule:
            settled.add(key)
        before = signs.get(key)
        if change.step is SignStep.WITHDRAWN:
            signs.pop(key, None)
            continue
        signs[key] = StandingSign(
            key=key,
            sign=change.sign,
            raised_at=before.raised_at if before else change.at,
            raised_by=before.raised_by if before else change.by,
            confirmed_by=None if by_rule else change.by,
        )
    return list(signs.values())


class Care(Record):
    """What signs change: how soon, by whom, and that nothing is done without a person."""

    first: bool = False
    """It goes before all others of its priority's rank."""
    skilled: bool = False
    """Somebody with the skill of caring for vulnerable customers has it."""
    second_person: bool = False
    """A second person looks at what is decided."""
    by_people: bool = False
    """Nothing is decided by rule."""
    alarm: bool = False
    """A named person is told at once."""
    open: bool = False
    """The customer's silence closes nothing."""

    def of(self, priority: Priority) -> Priority:
        """The priority with that care."""
        return Priority.P1 if self.first or self.alarm else priority


_CARE = {
    SignKind.DANGER_TO_LIFE: Care(first=True, skilled=True, second_person=True, by_people=True, alarm=True),
    SignKind.VULNERABILITY: Care(skilled=True),
    SignKind.HIGH_EMOTION: Care(),
    SignKind.FRAUD: Care(second_person=True, by_people=True),
    SignKind.IMPERSONATION: Care(second_person=True, by_people=True),
    SignKind.MALICE: Care(second_person=True),
    SignKind.MEDIA: Care(second_person=True),
    SignKind.LEGAL: Care(second_person=True),
    SignKind.REGULATOR: Care(second_person=True),
}


def care_for(signs: Iterable[StandingSign], at: datetime) -> Care:
    """The care that the *signs* in force *at* that moment ask for, all together.

    What is doubtful and nobody has confirmed has only a more suitable person look at it, except danger to life. It is
    open all the same until somebody says what it is; of high emotion there is nothing to say.
    """
    held = [one for one in signs if one.in_force(at)]
    needed = [_care_of(one) for one in held]
    care = Care(**{name: any(getattr(care, name) for care in needed) for name in Care.model_fields})
    return care.model_copy(update={"open": any(one.sign.kind is not SignKind.HIGH_EMOTION for one in held)})


def _care_of(one: StandingSign) -> Care:
    sure = one.confirmed_by is not None or one.sign.confidence is not Confidence.DOUBTFUL
    care = _CARE[one.sign.kind]
    return care if sure or care.alarm else Care(skilled=care.skilled)
