"""Whether a program wrote a message, and whether it may be answered by one (RFC 3834, 5230, 8098, 5965; Exchange)."""

import re
from email.message import Message
from enum import StrEnum
from typing import Final

from domain.mail.decoding import header_text
from domain.mail.parts import walked


class Robot(StrEnum):
    """What kind of program wrote it."""

    REPLY = "automatic_reply"
    """It answers whatever comes: somebody is away, or a ticket was opened."""
    NOTICE = "automatic_notice"
    """A program has something to say: a form, a monitor, another installation of this service."""
    BULK = "bulk"
    """It went to many."""
    RECEIPT = "receipt"
    """It says that a message was shown to somebody, or deleted."""
    FEEDBACK = "feedback_report"
    """A provider says that somebody took a message for spam."""
    INVITATION = "invitation"
    """It answers or asks for an appointment."""


_AWAY: Final = re.compile(
    r"^\s*(?:re:\s*)?(?:auto(?:matic)?[- ]?(?:reply|response)|autoreply|out of (?:the )?office|ooo\b|vacation"
    r"|away from my mail|自动回复|自動回覆|自动答复|自動回復|假期自动回复|外出自动|休假回复)",
    re.IGNORECASE,
)
_YES: Final = {"yes", "true", "1", "replied"}
_REPLY_HEADERS: Final = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoreply-from", "x-mail-autoreply",
                         "x-qq-autoreply", "x-ms-exchange-inbox-rules-loop")  # fmt: skip


def robot_in(message: Message) -> Robot | None:
    """What kind of program wrote *message*; None if a person did, as far as it says."""
    kind, report = message.get_content_type(), str(message.get_param("report-type") or "").lower()
    if kind == "multipart/report" and report == "disposition-notification":
        return Robot.RECEIPT
    if kind == "multipart/report" and report == "feedback-report":
        return Robot.FEEDBACK
    submitted = header_text(message.get("auto-submitted", "")).partition(";")[0].strip().lower()
    if submitted.startswith("auto-replied") or any(message.get(name) is not None for name in _REPLY_HEADERS):
        return Robot.REPLY
    if _AWAY.match(header_text(message.get("subject", ""))):
        return Robot.REPLY
    if message.get("x-redress-reference") is not None or (submitted and submitted != "no"):
        return Robot.NOTICE
    if _precedence(message) == "auto_reply":
        return Robot.REPLY
    if any(each.get_content_type() == "text/calendar" and each.get_param("method") for each in walked(message)):
        return Robot.INVITATION
    if _precedence(message) in {"bulk", "junk", "list"} or any(
        message.get(name) is not None for name in ("list-id", "list-unsubscribe", "feedback-id")
    ):
        return Robot.BULK
    return None


def wants_no_answer(message: Message) -> bool:
    """Whether the sender asks that no program answers: by itself, or because a program wrote it."""
    suppressed = {each.strip().lower() for each in str(message.get("x-auto-response-suppress", "")).split(",")}
    from_nobody = str(message.get("return-path", "x")).strip() == "<>"
    return robot_in(message) is not None or bool(suppressed & {"all", "autoreply", "oof"}) or from_nobody


def is_spam(message: Message) -> bool:
    """Whether the receiving server says that it is spam or carries something harmful."""
    flags = [str(message.get(name, "")).strip().lower() for name in ("x-spam-flag", "x-virus-found", "x-virus-status")]
    return flags[0] in _YES or flags[1] in _YES or flags[2].startswith("infected")


def _precedence(message: Message) -> str:
    return str(message.get("precedence", "")).strip().lower()
