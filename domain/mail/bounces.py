"""Reports that a message did not arrive: by the standard (RFC 3464), and as servers wrote them before it."""

import re
from email.message import Message
from enum import StrEnum
from typing import Final, NamedTuple

from domain.mail.addresses import addresses_in
from domain.mail.decoding import header_text, text_of
from domain.mail.parts import own_parts, parts_of, payload, readable, walked

_MESSAGE_ID: Final = re.compile(r"<[^<>@\s]{1,200}@[^<>\s]{1,200}>")
_STATUS_PARTS: Final = {"message/delivery-status", "message/global-delivery-status"}
_STATUS: Final = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_CODE: Final = re.compile(r"\b([45])\d\d[ -]")
_FROM_SERVERS: Final = re.compile(
    r"^(?:(?:mailer-daemon|postmaster|mail-daemon|mdaemon|post_?office|bounces?|mailsystem)\b"
    r"|microsoftexchange[0-9a-f]{32}@)",
    re.I,
)
_SUBJECT: Final = re.compile(
    r"undeliver(?:ed|able)|delivery (?:status notification|failure|failed|has failed|incomplete|delayed)"
    r"|returned mail|mail delivery (?:failed|failure|system)|failure notice|could not be delivered"
    r"|message (?:delayed|not delivered)|delayed mail|warning: could not send|non[- ]?delivery"
    r"|系统退信|退信|投递失败|无法(?:投递|送达|传递)|未(?:能)?(?:送达|传递|投递)|投递状态通知|退回|投遞失敗|無法(?:傳遞|投遞|送達)",
    re.IGNORECASE,
)
_DELAY: Final = re.compile(
    r"\bdelay(?:ed)?\b|warning|still (?:trying|being retried)|will (?:be retried|keep trying)|延迟|仍在尝试", re.I
)
_ENDED: Final = re.compile(r"\bgave up|giv(?:en|ing) up|permanent|已放弃|永久", re.IGNORECASE)


class Delivery(StrEnum):
    """What a report says of a message."""

    FAILED = "failed"
    DELAYED = "delayed"
    DONE = "done"
    """It was delivered, relayed or expanded."""


class Bounce(NamedTuple):
    """What a report says: of the messages with these ids, and by which status code, where it gives one."""

    delivery: Delivery
    of: tuple[str, ...]
    status: str | None


def bounce_in(message: Message) -> Bounce | None:
    """The report that *message* is, if it is one."""
    kind = message.get_content_type()
    report = str(message.get_param("report-type") or "").lower() if kind == "multipart/report" else ""
    status_part = next((each for each in own_parts(message) if each.get_content_type() in _STATUS_PARTS), None)
    if status_part is not None and report in {"", "delivery-status", "global-delivery-status"}:
        return _by_the_standard(message, status_part)
    return None if report else _as_before_it(message)


def _by_the_standard(message: Message, part: Message) -> Bounce:
    fields = _fields(part)
    actions = [value.lower() for name, value in fields if name == "action" and value]
    statuses = [value for name, value in fields if name == "status" and _STATUS.search(value)]
    if any(each.startswith("failed") for each in actions):
        delivery = Delivery.FAILED
    elif any(each.startswith("delayed") for each in actions):
        delivery = Delivery.DELAYED
    elif actions:
        delivery = Delivery.DONE
    else:
        delivery = Delivery.DELAYED if any(each.strip().startswith("4") for each in statuses) else Delivery.FAILED
    return Bounce(delivery, _ids(message, part), _status(" ".join(statuses)))


def _as_before_it(message: Message) -> Bounce | None:
    writers = addresses_in([*message.get_all("from", []), *message.get_all("sender", [])])
    by_a_server = any(_FROM_SERVERS.match(each.address) for each in writers) or _is_from_nobody(message)
    subject = header_text(message.get("subject", ""))
    told = str(message.get("x-failed-recipients", ""))
    if not (by_a_server and _SUBJECT.search(subject)) and not told:
        return None
    text = parts_of(message).text
    own = text[:4_000]
    status = _status(own)
    ended = (status or "").startswith("5") or _ENDED.search(own[:1_000])
    delayed = _DELAY.search(subject) or (_DELAY.search(own[:1_000]) and not ended)
    return Bounce(Delivery.DELAYED if delayed else Delivery.FAILED, _ids(message, None), status)


def _is_from_nobody(message: Message) -> bool:
    return str(message.get("return-path", "x")).strip() == "<>"


def _fields(part: Message) -> list[tuple[str, str]]:
    """The fields of a report, of all its recipients."""
    inner = part.get_payload()
    if isinstance(inner, list):
        blocks = [each for each in inner if isinstance(each, Message)]
        return [(name.lower(), str(value)) for block in blocks for name, value in block.items()]
    lines = text_of(payload(part), None).split("\n")
    return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _ids(message: Message, status_part: Message | None) -> tuple[str, ...]:
    """The ids of messages that are quoted in a report: in its parts, and in its text."""
    found: list[str] = []
    for part in walked(message):
        if part is not message:
            found += _MESSAGE_ID.findall(str(part.get("message-id", "")))
        if not part.is_multipart() and part is not status_part:
            # In HTML the id has entities in place of its brackets.
            text = readable(part) if part.get_content_type() == "text/html" else text_of(payload(part), None)
            found += [found_id for line in _headers_quoted(text) for found_id in _MESSAGE_ID.findall(line)]
    for name in ("in-reply-to", "references", "x-original-message-id"):
        found += _MESSAGE_ID.findall(str(message.get(name, "")))
    return tuple(dict.fromkeys(found))


def _headers_quoted(text: str) -> list[str]:
    unfolded = re.sub(r"\n[ \t>]+(?=<)", " ", text)
    return [
        line for line in unfolded.split("\n") if re.match(r"^[\s>|*]*(?:x-ms-exchange-)?message-?id\s*:", line, re.I)
    ]


def _status(text: str) -> str | None:
    if found := _STATUS.search(text):
        return found.group()
    code = _CODE.search(text)
    return f"{code.group(1)}.0.0" if code else None
