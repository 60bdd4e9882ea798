"""Complaints in the files that regulators hand to firms: the CSV of the US consumer bureau (CFPB)."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from domain.case.complaint import Channel, Complainant, Complaint, explain
from domain.ground.base import LONG_TEXT, SHORT_TEXT, clean, clean_or_empty
from domain.intake.received import Unreadable, happened

SOURCE: Final = "cfpb"
NEEDED: Final = ("Complaint ID", "Date received", "Product", "Issue", "Consumer complaint narrative", "Company")
"""The columns without which it is no such file; others are left alone."""
_SENT: Final = "Date sent to company"
_LONGEST_FIELD: Final = 1_000_000


def complaints_in_csv(text: str, now: datetime) -> Iterator[Complaint | Unreadable]:
    """Each complaint of the file, or what is wrong with its line. Raises `Unreadable` where it is no such file.

    The file has days, and no time of day: received is the beginning of the day, in UTC, on which it was sent to us.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        rows.fieldnames = [_AS_NEEDED.get(_plain(name), name) for name in rows.fieldnames or ()]
        if missing := [name for name in NEEDED if name not in (rows.fieldnames or ())]:
            raise Unreadable(f"it lacks the columns {', '.join(missing)}")
        for row in rows:
            yield _complaint(row, rows.line_num, now)
    except csv.Error as error:
        raise Unreadable(f"line {rows.line_num}: {error}") from None


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


_AS_NEEDED: Final = {_plain(name): name for name in (*NEEDED, _SENT, "Sub-product", "Sub-issue")}


def _day(written: str) -> datetime:
    """The beginning of a day, in UTC, as the bureau writes it: 2026-03-02, with a time behind it, or 03/02/26.

    Raises ``ValueError``.
    """
    day = written.partition("T")[0]
    form = "%Y-%m-%d" if "-" in day else "%m/%d/%Y" if len(day.rpartition("/")[2]) > len("26") else "%m/%d/%y"
    return datetime.strptime(day, form).replace(tzinfo=UTC)


def _complaint(row: Mapping[str | None, str | None], line: int, now: datetime) -> Complaint | Unreadable:
    def said(name: str) -> str:
        return " ".join(clean(row.get(name) or "").split())

    number = said("Complaint ID")
    kind = " / ".join(filter(None, map(said, ("Product", "Sub-product", "Issue", "Sub-issue"))))
    narrative = clean_or_empty(row.get("Consumer complaint narrative") or "").strip()[:LONG_TEXT]
    day = said(_SENT) or said("Date received")
    try:
        received_at = _day(day)
        complaint = Complaint(
            source=SOURCE,
            idempotency_key=number,
            received_at=received_at,
            channel=Channel.REGULATOR,
            language="en",
            complainant=Complainant(name=f"Consumer (CFPB {number})"),
            product=said("Product")[:SHORT_TEXT] or None,
            about=said("Company")[:SHORT_TEXT] or None,
            subject=said("Issue")[:SHORT_TEXT] or None,
            description=narrative or kind,
            residence="US",
        )
    except ValidationError as error:
        return Unreadable(f"line {line}: {explain(error)}")
    except ValueError:
        return Unreadable(
            f"line {line}: Date sent to company, Date received: neither is a day such as 2026-03-02 or 03/02/26"
        )
    return happened(complaint, f"line {line}", _SENT if said(_SENT) else "Date received", now)
