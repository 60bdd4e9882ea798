"""Customers on file: who holds an account, how they are reached, and who may speak for them. Personal data.

Days are calendar days, first and last included.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, EmailStr, Field, model_validator

from domain.clocks.quiet import QuietHours
from domain.ground.base import Identifier, Instant, Line, Record
from domain.ground.messages import Message
from domain.ground.people import Phone
from domain.ground.words import Scope
from domain.people.directory import Span


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("is no time zone; give one of the IANA database, such as Asia/Shanghai") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone of the IANA database."""


class Address(Record):
    """An e-mail address or a telephone number of a customer; ``how`` and when it was verified, where it was."""

    email: EmailStr | None = None
    phone: Phone | None = None
    how: Line | None = None
    at: Instant | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if (self.email is None) is (self.phone is None):
            raise ValueError("email: give either email or phone, and another address as another row")
        if (self.how is None) is not (self.at is None):
            raise ValueError("how: an address is verified at a time and somehow; give how and at, or neither")
        return self

    @property
    def verified(self) -> bool:
        return self.at is not None


class Speaker(Span):
    """Somebody who speaks for a customer in those days, and what that rests on: a power of attorney, a court order."""

    name: Line
    email: EmailStr | None = None
    phone: Phone | None = None
    authority: Line
    scope: Annotated[tuple[Scope, ...], Field(min_length=1)] = (Scope.COMPLAIN,)

    def may(self, what: Scope, day: date) -> bool:
        return what in self.scope and self.covers(day)


class Group(Record):
    """Accounts whose holders complain together, and who speaks for them; the first so many as a pack lets speak."""

    id: Identifier
    accounts: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=10_000)]
    spokespersons: Annotated[tuple[Speaker, ...], Field(max_length=100)] = ()


class Preferences(Record):
    """How a customer wants to be written to: by post or by message to their telephone, with times of which zone, and
    when not, unless a rule hurries it.
    """

    by_post: bool = False
    by_message: bool = False
    zone: Zone | None = None
    quiet_hours: QuietHours | None = None

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.by_post and self.by_message:
            raise ValueError("by_message: give by_post or by_message, not both")
        return self


class CustomerFile(Record):
    """What the firm keeps of an account's customer beside who holds it."""

    account: Identifier
    addresses: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    representatives: Annotated[tuple[Speaker, ...], Field(max_length=50)] = ()
    preferences: Preferences = Preferences()


class KeepOnFile(Message):
    """Have that be what is kept of a customer or a group, or nothing; it is signed for the account or the group."""

    name = "keep_on_file"
    kind: Literal["customer", "group"]
    record: dict[str, Any] | None = None


class OnFile(Record):
    """What the firm has on file of an account: ``name`` is its holder's.

    ``spokespersons`` are those of the groups that the account belongs to, each group's in a tuple of its own.
    """

    account: Identifier
    name: Line
    addresses: tuple[Address, ...] = ()
    representatives: tuple[Speaker, ...] = ()
    spokespersons: tuple[tuple[Speaker, ...], ...] = ()
    preferences: Preferences = Preferences()
