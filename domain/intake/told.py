"""What forms, apps, chat and phone systems tell by webhook: a complaint, or something for a case."""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.case.complaint import Complaint
from domain.case.messages import CustomerReply
from domain.ground.base import LONG_TEXT, Instant, Line, Record, Text
from domain.ground.people import Actor


class Spoken(Record):
    """What somebody said in a conversation, and ``who``: the customer, somebody of the firm, or a program of it."""

    who: Literal["customer", "staff", "program"]
    text: Text
    at: Instant | None = None


class ToldReply(Record):
    """Something for the case ``reference``. ``proven``: the system that sends it signed the customer in."""

    reference: Line
    text: Annotated[str | None, Field(max_length=LONG_TEXT)] = None
    transcript: Annotated[tuple[Spoken, ...], Field(max_length=1_000)] = ()
    proven: bool = False


class Told(Record):
    """What a webhook says. The ``data`` of a ``complaint`` are those of one, but who sent it and when it came.

    A ``transcript``, a list of what was `Spoken`, may stand in place of the description or text.
    """

    type: Literal["complaint", "reply"]
    timestamp: Instant | None = None
    data: dict[str, Any]


class _Conversation(Record):
    transcript: Annotated[tuple[Spoken, ...], Field(min_length=1, max_length=1_000)]


def complaint_told(told: Told, source: str, key: str, at: Instant) -> Complaint:
    """The complaint that *source* told under its own *key*. Raises ``pydantic.ValidationError``."""
    fields = dict(told.data)
    if "transcript" in fields and "description" not in fields:
        conversation = _Conversation.model_validate({"transcript": fields.pop("transcript")})
        fields["description"] = written(conversation.transcript)
    return Complaint.model_validate({**fields, "source": source, "idempotency_key": key, "received_at": at})


def reply_told(told: Told, source: str, key: str, by: Actor) -> tuple[ToldReply, CustomerReply]:
    """What is for a case, as it was told and as the case hears it. Raises ``pydantic.ValidationError``."""
    reply = ToldReply.model_validate(told.data)
    text = reply.text or written(reply.transcript) or None
    identity = hashlib.sha256(f"{source}\n{key}".encode()).hexdigest()[:32]
    return reply, CustomerReply(message_id=identity, actor=by, text=text)


def written(transcript: tuple[Spoken, ...]) -> str:
    """A conversation as text: what the customer said as it is, others with who they are; of a long one the end."""
    lines = [one.text if one.who == "customer" else f"[{one.who}] {one.text}" for one in transcript]
    text = "\n".join(lines)
    return text if len(text) <= LONG_TEXT else "…" + text[-(LONG_TEXT - 1) :]
