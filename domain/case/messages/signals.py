"""Signals: for anybody, and they never break a case. What does not fit is kept as a rejected message."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.case.messages.evidence import Attachment
from domain.ground.base import Identifier, Text
from domain.ground.messages import Message, OfAResponse


class CustomerReply(OfAResponse):
    """The customer says something: information, a question, or accepts or disputes the final response.

    Who asks for ``progress`` only wants to know how far the complaint is, and is told by letter from the record. Who
    accepts or disputes names the ``response`` that they saw: of another nothing follows, and somebody reads it.
    """

    name = "customer_reply"
    intent: Literal["information", "accept", "dispute", "progress"] = "information"
    text: Text | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    trades: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.intent == "information" and not (self.text or self.attachments or self.trades):
            raise ValueError("text: an information reply needs a text, an attachment or trades")
        if self.intent == "progress" and (self.attachments or self.trades):
            raise ValueError("intent: who asks for progress brings nothing; files and trades are information")
        return self


class Escalate(Message):
    """Raise the case one level (or to ``level``) of the pack's escalation ladder."""

    name = "escalate"
    reason: Text
    level: Annotated[int, Field(ge=1, le=10)] | None = None


class Arrived(Message):
    """Something came in that the case does not hear, and its handler is told: nothing of what it says is passed on.

    What is ``unproven`` may not be the customer's own: it waits in the intake until somebody vouches for it. What is
    ``returned`` is a ``letter`` that a mail server sent back, so that the address is in doubt.
    """

    name = "arrived"
    what: Literal["unproven", "returned"]
    letter: Annotated[int, Field(ge=1)] | None = None


class PeopleChanged(Message):
    """Who works here has changed, or how the customer is dealt with: whose hands the case is in is looked at again."""

    name = "people_changed"
