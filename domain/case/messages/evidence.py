"""What the firm adds to a case to learn more: evidence, checks, questions to the customer."""

from typing import Annotated

from pydantic import Field, StringConstraints

from domain.checks.findings import Check
from domain.ground.base import Identifier, Line, Record, Text
from domain.ground.messages import Message


class Attachment(Record):
    """Something that supports a statement, kept elsewhere: its title, where it is, and its SHA-256."""

    title: Line
    location: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class AddEvidence(Message):
    """Put evidence into the case file. ``trades`` are trade-log ids to be investigated as well."""

    name = "add_evidence"
    note: Text
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    account: Identifier | None = None


class Investigate(Message):
    """Run these checks on top of those the case has, on ``trades`` as well; all findings are then made anew."""

    name = "investigate"
    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=len(Check))]
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()


class RequestInformation(Message):
    """Ask the customer for missing facts. ``questions`` are in the customer's language."""

    name = "request_information"
    questions: Text
