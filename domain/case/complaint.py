"""The input of a case: one complaint as it was received."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import EmailStr, Field, StringConstraints, ValidationError, model_validator

from domain.ground.base import Identifier, Instant, Line, Record, Text
from domain.ground.json_text import field_name
from domain.ground.people import Country, Language, Phone
from domain.ground.reference import reference_for
from domain.ground.shapes import SHAPES
from domain.ground.words import ClientClass, Remedy
from domain.keys.personal import ERASED
from domain.money.amounts import PositiveMoney
from domain.rules.named import Policies

_PROBLEMS_TOLD = 10

MOST_NAMED: Final = 100
"""So many trades a complaint may name."""
FUTURE_TOLERANCE = timedelta(minutes=5)
"""Clocks of sending systems may be this far ahead of ours."""
EARLIEST: Final = datetime(1981, 1, 1, tzinfo=UTC)
"""No complaint speaks of before. Clocks that nobody set begin in 1900, 1970 or 1980, and empty dates in the year 1."""


class Channel(StrEnum):
    """How the complaint reached the firm."""

    WEB = "web"
    APP = "app"
    EMAIL = "email"
    CHAT = "chat"
    PHONE = "phone"
    POST = "post"
    BRANCH = "branch"
    SOCIAL_MEDIA = "social_media"
    REGULATOR = "regulator"


class Complainant(Record):
    """Who complains and how to reach them. Without an e-mail address letters wait in the outbox to be posted."""

    name: Line
    email: EmailStr | None = None
    phone: Phone | None = None


class ClosedCase(Record):
    """What a workflow is started with that goes on with a closed case: the reference, which is the workflow's id."""

    closed_case: Identifier


class Complaint(Record):
    """A complaint about a trade, a payment or a service.

    ``source`` and ``idempotency_key`` name it: the same two give the same reference and the same case, however often
    they are sent. ``trades`` are ids of orders, fills, positions or account entries in the trade log. ``about`` names
    the firm complained about where that may not be us. By ``entity`` (which of the firm's companies), ``residence``,
    ``product`` and ``client_class`` the firm's table finds the rules; ``policy`` is the id of a policy pack, or those
    of several, the case's own first, and goes before the table. The service's default applies where there is neither.
    ``continues`` is the reference of a closed case of the same customer, whose matter this takes up again.
    """

    source: Identifier
    idempotency_key: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    received_at: Instant
    channel: Channel
    language: Language
    complainant: Complainant
    account: Identifier | None = None
    product: Line | None = None
    about: Line | None = None
    subject: Line | None = None
    description: Text
    occurred_from: Instant | None = None
    occurred_until: Instant | None = None
    trades: Annotated[tuple[Identifier, ...], Field(max_length=MOST_NAMED)] = ()
    remedy_sought: Remedy | None = None
    amount_claimed: PositiveMoney | None = None
    entity: Identifier | None = None
    residence: Country | None = None
    client_class: ClientClass | None = None
    policy: Policies = ()
    continues: Identifier | None = None

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        if self.occurred_from and self.occurred_until and self.occurred_until < self.occurred_from:
            raise ValueError("occurred_until lies before occurred_from")
        return self

    @classmethod
    def recorded(cls, content: Mapping[str, Any]) -> Self:
        """The complaint as the record has it; of one that was erased what is left, with words that say so."""
        if ERASED not in content:
            return cls.model_validate(content)
        left = {key: value for key, value in content.items() if key != ERASED}
        gone = content[ERASED]
        return cls.model_validate(left | {"complainant": {"name": gone}, "description": gone})

    @property
    def reference(self) -> str:
        return reference_for(self.source, self.idempotency_key)

    def check_times(self, now: datetime) -> None:
        """Raise ``ValueError`` with the field that lies after *now* or before `EARLIEST`."""
        for name, instant in (
            ("received_at", self.received_at),
            ("occurred_from", self.occurred_from),
            ("occurred_until", self.occurred_until),
        ):
            if instant is not None and not EARLIEST <= instant <= now + FUTURE_TOLERANCE:
                where = f"before {EARLIEST:%Y-%m-%d}" if instant < EARLIEST else "in the future"
                raise ValueError(f"{name}: {instant.isoformat()} lies {where}; give the time it happened, with offset")


def explain(error: ValidationError) -> str:
    """*error* as one line that names each field, without quoting what was sent."""
    found = problems_in(error)
    problems = [f"{field}: {what}" for field, what in found[:_PROBLEMS_TOLD]]
    if len(found) > _PROBLEMS_TOLD:
        problems.append(f"and {len(found) - _PROBLEMS_TOLD} more")
    return "; ".join(problems)


def problems_in(error: ValidationError) -> list[tuple[str, str]]:
    """Each field of *error*, as ``compensation.amount``, with what is wrong there, without quoting what was sent."""
    found = error.errors(include_url=False, include_input=False)
    return [(field_name(problem["loc"]), _what(problem)) for problem in found]


def _what(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "string_pattern_mismatch" and (said := SHAPES.get(problem["ctx"]["pattern"])):
        return said
    message = problem["msg"].removeprefix("Value error, ")
    # What follows an invalid address lists characters of it.
    return re.sub(r"(?<=not a valid email address):.*", "", message, flags=re.DOTALL)
