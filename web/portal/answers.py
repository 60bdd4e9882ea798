"""What a customer answers while they complain: one question a page, and how each answer is read."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from domain.case.complaint import EARLIEST, Channel, Complainant, Complaint
from domain.ground.base import SHORT_TEXT, Identifier, Line, Text
from domain.ground.people import Phone
from domain.ground.words import Remedy
from domain.money.amounts import PositiveMoney
from web.visit import FieldError, Visit

SOURCE: Final = "pages"
"""The source of complaints that are made on the pages."""

Answers = dict[str, Any]
Errors = list[FieldError]

_WHERE_DAYS_BEGIN: Final = timezone(timedelta(hours=14))
"""Where it is today first: nobody is told that their today lies in the future, whatever zone the rules have."""
_LONGEST: Final = 20_000
_MOST_TRADES: Final = 100


@dataclass(frozen=True)
class Question:
    """One page: its name, the fields on it, and what is wrong with what was typed, if anything."""

    name: str
    fields: tuple[str, ...]
    wrong: Callable[[Mapping[str, str], datetime, ZoneInfo], Errors]


def fits(kind: Any, value: Any) -> bool:
    """Whether *value* is one of this *kind*."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def _what(typed: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> Errors:
    if not typed["description"]:
        return [FieldError("description", "complain.what.missing")]
    if not fits(Text, typed["description"]):
        return [FieldError("description", "complain.what.too_long", {"most": _LONGEST})]
    return []


def _when(typed: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Errors:
    if not any(typed.values()):
        return []
    day = day_of(typed)
    if typed["year"].isdecimal() and len(typed["year"]) < 4:
        return [FieldError("day", "complain.when.short_year")]
    if day is None or day <= EARLIEST.date():
        return [FieldError("day", "complain.when.no_date")]
    if day > now.astimezone(_WHERE_DAYS_BEGIN).date():
        return [FieldError("day", "complain.when.future")]
    return []


def _account(typed: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> Errors:
    errors = []
    if typed["account"] and not fits(Identifier, typed["account"]):
        errors.append(FieldError("account", "complain.account.wrong"))
    trades = trades_of(typed)
    if any(not fits(Identifier, each) for each in trades):
        errors.append(FieldError("trades", "complain.account.trades_wrong"))
    elif len(trades) > _MOST_TRADES:
        errors.append(FieldError("trades", "complain.account.trades_many", {"most": _MOST_TRADES}))
    return errors


def _sought(typed: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> Errors:
    errors = []
    if not fits(Remedy, typed["remedy"]):
        errors.append(FieldError("remedy", "complain.sought.missing"))
    if typed["amount"] and amount_of(typed) is None:
        errors.append(FieldError("amount", "complain.sought.amount_wrong"))
    return errors


def _you(typed: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> Errors:
    errors = []
    if not typed["name"]:
        errors.append(FieldError("name", "complain.you.name_missing"))
    elif not fits(Line, typed["name"]):
        errors.append(FieldError("name", "complain.you.name_wrong", {"most": SHORT_TEXT}))
    if not typed["email"]:
        errors.append(FieldError("email", "complain.you.email_missing"))
    elif not fits(Complainant, {"name": "x", "email": typed["email"]}):
        errors.append(FieldError("email", "complain.you.email_wrong"))
    if typed["phone"] and not fits(Phone, typed["phone"]):
        errors.append(FieldError("phone", "complain.you.phone_wrong"))
    return errors


QUESTIONS: Final = (
    Question("what", ("description",), _what),
    Question("when", ("day", "month", "year"), _when),
    Question("account", ("account", "trades"), _account),
    Question("sought", ("remedy", "amount", "currency"), _sought),
    Question("you", ("name", "email", "phone"), _you),
    Question("files", (), lambda _typed, _now, _zone: []),
)
BY_NAME: Final = {each.name: each for each in QUESTIONS}
FIELDS: Final = tuple(field for each in QUESTIONS for field in each.fields)
CURRENCIES: Final = ("USD", "CNY", "HKD", "EUR", "GBP", "AUD", "JPY", "SGD", "CHF")


WHEN: Final = "when_asked"
"""When the day was typed: what happened that day had happened by then."""


def typed_in(visit: Visit, question: Question) -> dict[str, str]:
    """What was typed into the fields of *question*."""
    return {field: visit.text(field) if field in _IN_WORDS else plain(visit.text(field)) for field in question.fields}


_IN_WORDS: Final = frozenset({"description", "name"})


def plain(text: str) -> str:
    """A number, date or address as it is meant: full-width as Chinese keyboards have it, or with marks that nobody sees
    from where it was copied.
    """
    seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", seen).strip()


def unanswered(answers: Answers, now: datetime, zone: ZoneInfo) -> str | None:
    """The first question that has no fitting answer yet."""
    for question in QUESTIONS:
        typed = {field: str(answers.get(field, "")) for field in question.fields}
        if question.wrong(typed, now, zone):
            return question.name
    return None


def day_of(typed: Mapping[str, Any]) -> date | None:
    """The day that was typed, if there is such a day."""
    try:
        return date(int(typed["year"]), int(typed["month"]), int(typed["day"]))
    except (KeyError, ValueError):
        return None


def trades_of(typed: Mapping[str, Any]) -> list[str]:
    """The numbers that were typed, with spaces, commas or lines between them."""
    text = str(typed.get("trades", ""))
    for mark in ",;，；、\n\t":
        text = text.replace(mark, " ")
    return list(dict.fromkeys(text.split()))


def amount_of(typed: Mapping[str, Any]) -> PositiveMoney | None:
    """The sum that was typed, if it is one."""
    try:
        number = Decimal(_BESIDE_A_NUMBER.sub("", str(typed.get("amount", ""))))
        adapter: TypeAdapter[PositiveMoney] = TypeAdapter(PositiveMoney)
        return adapter.validate_python({"amount": number, "currency": typed.get("currency") or "USD"})
    except (InvalidOperation, ValidationError):
        return None


_BESIDE_A_NUMBER: Final = re.compile(r"[\s,，¥￥$€£元]")


def complaint_of(answers: Answers, draft: str, language: str, now: datetime, zone: ZoneInfo) -> Complaint:
    """The complaint that *answers* make, sent *now*; *draft* is the id of what was typed."""
    day = day_of(answers)
    # Not by this moment: sent twice at once it has to be the same complaint.
    typed_at = datetime.fromisoformat(answers[WHEN]) if WHEN in answers else now
    since = min(datetime.combine(day, time(), zone), typed_at) if day else None
    until = min(since + timedelta(days=1), typed_at) if since else None
    return Complaint.model_validate(
        {
            "source": SOURCE,
            "idempotency_key": draft,
            "received_at": now,
            "channel": Channel.WEB,
            "language": language,
            "complainant": {
                "name": answers["name"],
                "email": answers["email"],
                "phone": answers.get("phone") or None,
            },
            "account": answers.get("account") or None,
            "description": answers["description"],
            "occurred_from": since,
            "occurred_until": until,
            "trades": tuple(trades_of(answers)),
            "remedy_sought": answers["remedy"],
            "amount_claimed": amount_of(answers) if answers.get("amount") else None,
        }
    )
