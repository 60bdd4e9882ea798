"""Options and arguments that several commands share, and how what is typed becomes what is meant."""

import re
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

import typer

from domain.clocks.local_times import readings
from starter.cli.program import InvalidInput, invalid

if TYPE_CHECKING:
    from domain.ground.people import Actor
    from domain.money.amounts import PositiveMoney

BRING_IN = "Bring in"


E = TypeVar("E", bound=StrEnum)

ACTOR_VARIABLE: Final = "REDRESS_ACTOR"

Reference = Annotated[str, typer.Argument(metavar="REF", help="The case, such as RD-K7M4-9QXT-2VBHC.")]
By = Annotated[
    str | None,
    typer.Option("--as", metavar="ROLE:ID", envvar=ACTOR_VARIABLE, help="Who acts, such as handler:h-17."),
]
MessageId = Annotated[
    str | None,
    typer.Option("--message-id", metavar="ID", help="Repeat a message with the same id, and it counts once."),
]


class Tongue(StrEnum):
    """The languages in which findings give their reasons."""

    EN = "en"
    ZH = "zh-CN"


Language = Annotated[Tongue, typer.Option("--language", help="Language of the findings' reasons.")]


def actor(text: str | None) -> "Actor":
    """The actor that *text*, ``ROLE:ID``, names. Raises :class:`InvalidInput`."""
    from pydantic import ValidationError

    from domain.case.complaint import explain
    from domain.ground.people import Actor
    from domain.ground.words import Role

    roles = ", ".join(Role)
    if not text:
        raise InvalidInput(
            f"--as: who acts is not known; give --as ROLE:ID, or set {ACTOR_VARIABLE} (roles: {roles}; "
            "such as handler:h-17)"
        )
    role, colon, name = text.partition(":")
    if not colon or role not in set(Role):
        invalid("--as", f"it must be ROLE:ID such as handler:h-17; the roles are {roles}")
    try:
        return Actor(id=name, role=Role(role))
    except ValidationError as error:
        invalid("--as", f"the part after the colon is no id: {explain(error)}")


_AMOUNT: Final = re.compile(r"([A-Za-z]{3})\s*(-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?)")


def money(text: str, option: str) -> "PositiveMoney":
    """The sum that *text*, such as ``USD 1234.50``, names. Raises :class:`InvalidInput` naming *option*."""
    from pydantic import ValidationError

    from domain.case.complaint import explain
    from domain.money.amounts import PositiveMoney

    written = _AMOUNT.fullmatch(text.strip())
    if not written:
        invalid(option, 'it must be a currency and an amount with a decimal point, such as "USD 1234.50"')
    currency, amount = written.groups()
    try:
        return PositiveMoney(amount=Decimal(amount.replace(",", "")), currency=currency)
    except ValidationError as error:
        invalid(option, explain(error))


def one_of(kind: type[E], text: str, option: str) -> E:
    """The member of *kind* that *text* names. Raises :class:`InvalidInput` naming those there are."""
    try:
        return kind(text)
    except ValueError:
        invalid(option, f"{text!r} is not one of {', '.join(kind)}")


_SPAN: Final = re.compile(r"([0-9]{1,6})\s*(m|h|d|w)")
_LONGEST_SPAN: Final = timedelta(days=3660)


def span(text: str, option: str) -> timedelta:
    """The length of time that *text*, such as ``90m``, ``24h``, ``7d`` or ``2w``, names."""
    written = _SPAN.fullmatch(text.strip().lower())
    if not written:
        invalid(option, f"{text!r} is no length of time; give a number and m, h, d or w, such as 90m, 24h, 7d, 2w")
    number, unit = written.groups()
    length = (
        int(number) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(1), "w": timedelta(7)}[unit]
    )
    if length > _LONGEST_SPAN:
        invalid(option, "it is longer than ten years")
    return length


def moment(text: str, option: str) -> datetime:
    """The moment that *text* names in ISO 8601, local where it has no offset."""
    try:
        named = datetime.fromisoformat(text.strip())
        named - _LONGEST_SPAN, named + _LONGEST_SPAN  # what lies around it can be told too
    except (ValueError, OverflowError):
        invalid(option, f"{text!r} is no moment; write it as 2026-12-23T16:00, with an offset or as local time")
    return named


def instant(text: str, zone: ZoneInfo, option: str) -> datetime:
    """The moment that *text* names in ISO 8601; without an offset it is local time in *zone*, if that has it once."""
    named = moment(text, option)
    if named.tzinfo:
        return named
    meant = readings(named, zone)
    if len(meant) != 1:
        how = "shows it twice" if meant else "skips it"
        invalid(option, f"the clock of {zone.key} {how}: write {text!r} with the offset that is meant, as +02:00")
    return meant[0].astimezone(zone)


def words(text: str | None, option: str) -> str | None:
    """*text*; ``-`` stands for what comes in on standard input."""
    return decoded(sys.stdin.buffer.read(LIMIT + 1), option) if text == "-" else text


LIMIT: Final = 10_000_000
"""The longest input that is read, in bytes."""


def decoded(content: bytes, what: str) -> str:
    """*content* as text. Raises :class:`InvalidInput` naming *what* if it is too long or not UTF-8."""
    if len(content) > LIMIT:
        invalid(what, f"longer than {LIMIT // 1_000_000} MB; split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        invalid(what, f"line {line} is not UTF-8; save it as UTF-8")


def content_of(path: Path) -> tuple[str, str]:
    """The text of a file, or of standard input for ``-``, and what to call it. Raises :class:`InvalidInput`."""
    if str(path) == "-":
        return decoded(sys.stdin.buffer.read(LIMIT + 1), "standard input"), "standard input"
    try:
        with path.open("rb") as file:
            return decoded(file.read(LIMIT + 1), str(path)), str(path)
    except OSError as error:
        invalid(str(path), f"cannot be read: {error.strerror}")
