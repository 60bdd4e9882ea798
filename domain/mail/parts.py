"""The parts of a message: what is to be read, and the files that came with it."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import collapse_rfc2231_value
from functools import partial
from typing import Final, NamedTuple

from domain.mail.decoding import header_text, text_of
from domain.mail.html import text_of_html

_DEEPEST: Final = 30
_MOST_PARTS: Final = 300
_MOST_LINES: Final = 3_000
"""Lines of a header that are looked at."""
_DECORATION: Final = 1_500
"""A picture within the text that has fewer bytes is a line or a dot of the design."""


_READ: Final = {"text/plain", "text/html"}
_ENRICHED: Final = {"text/enriched", "text/richtext"}
_READ_UNNAMED: Final = _ENRICHED | {"text/markdown", "text/x-markdown"}
"""What is to be read unless it has a name, as a file has."""


class TooDeep(ValueError):
    """Its parts are nested so deeply, or are so many, that no mail program wrote it."""


class MailFile(NamedTuple):
    """A file that came with a message, as its sender called it and as it came."""

    title: str
    content: bytes


class Parts(NamedTuple):
    """What a message says, and its files. ``forwarded`` are messages within it, as text."""

    text: str
    files: tuple[MailFile, ...]
    forwarded: tuple[str, ...] = ()


def parsed(raw: bytes) -> Message:
    """The message in *raw*, whatever is wrong with it. Raises `TooDeep`."""
    # Not the policy that reads headers for us: at some that are broken it raises, and the whole message is lost.
    try:
        return message_from_bytes(_without_stray_lines(raw.lstrip(b"\r\n")))
    except RecursionError:
        raise TooDeep("nested too deeply") from None


_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]|From ")


def _without_stray_lines(raw: bytes) -> bytes:
    """*raw* without lines in its header that are no fields, where fields follow: the parser would stop at the first."""
    end = re.search(rb"\r?\n\r?\n", raw)
    head = raw[: end.start()] if end else raw
    lines = head.split(b"\n")[:_MOST_LINES]
    last = max((at for at, line in enumerate(lines) if _FIELD.match(line)), default=0)
    kept = [line for at, line in enumerate(lines) if at > last or _FIELD.match(line)]
    return b"\n".join(kept) + (raw[end.start() :] if end else b"")


_ADDED_ON_THE_WAY: Final = re.compile(
    rb"(?:received|return-path|delivered-to|x-original-to|envelope-to|x-envelope-\w+|authentication-results|arc-[\w-]+"
    rb"|received-spf|x-spam[\w-]*|x-virus[\w-]*)[ \t]*:",
    re.IGNORECASE,
)


def essence(raw: bytes) -> bytes:
    """Of *raw* what its writer sent, without what servers add on the way: the same whenever it comes."""
    end = re.search(rb"\r?\n\r?\n", raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    fields = re.split(rb"\r?\n(?![ \t])", head)
    kept = [field for field in fields if not _ADDED_ON_THE_WAY.match(field)]
    return b"\n".join(kept) + b"\n\n" + body.replace(b"\r\n", b"\n").rstrip(b"\n")


def walked(message: Message, depth: int = 0) -> Iterator[Message]:
    """Every part of *message*, itself first. Raises `TooDeep`."""
    if depth > _DEEPEST:
        raise TooDeep("nested too deeply")
    yield message
    if message.is_multipart():
        for part in _children(message):
            yield from walked(part, depth + 1)


def own_parts(message: Message) -> Iterator[Message]:
    """Every part of *message* but what stands within another message: that is what its writer passes on."""
    yield message
    if message.get_content_maintype() != "message":
        for part in _children(message):
            yield from own_parts(part)


def parts_of(message: Message) -> Parts:
    """What is to be read of *message*, and its files. Raises `TooDeep`."""
    for count, _ in enumerate(walked(message)):
        if count > _MOST_PARTS:
            raise TooDeep("too many parts")
    texts: list[str] = []
    files: list[MailFile] = []
    forwarded: list[str] = []
    _read(message, texts, files, forwarded, first=True)
    return Parts("\n\n".join(text for text in texts if text.strip()), tuple(files), tuple(forwarded))


def _read(part: Message, texts: list[str], files: list[MailFile], forwarded: list[str], *, first: bool = False) -> None:
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        _read_one_of(_children(part), texts, files, forwarded)
    elif kind == "message/rfc822":
        for each in _children(part):
            forwarded.append(_as_text(each))
            files.extend(parts_of(each).files)
    elif part.get_content_maintype() == "multipart":
        for each in _children(part) or _children(_by_its_own_boundary(part)):
            _read(each, texts, files, forwarded)
    elif (kind in _READ or (kind in _READ_UNNAMED and not title_of(part))) and not _is_file(part, first=first):
        texts.append(readable(part))
    elif (file := _file(part)) and not _is_decoration(part, file):
        files.append(file)


def _by_its_own_boundary(part: Message) -> Message:
    """Several parts whose header does not say what stands between them, or says it wrongly, by what stands there.

    Where nothing does they are one text.
    """
    content = payload(part)
    found = re.match(rb"\s*--([^\s\"]{1,70})[ \t]*\r?$", content, re.MULTILINE)
    kind = b'multipart/mixed; boundary="' + found[1] + b'"' if found else b"text/plain"
    one = message_from_bytes(b"Content-Type: " + kind + b"\n\n" + content)
    if one.is_multipart():
        return one
    whole = Message()
    whole.set_payload([one])
    return whole


def _read_one_of(children: list[Message], texts: list[str], files: list[MailFile], forwarded: list[str]) -> None:
    """Of versions of the same text the plain one, where it says anything; the files of all."""
    versions: list[tuple[bool, str]] = []
    for each in children:
        own: list[str] = []
        _read(each, own, files, forwarded)
        text = "\n\n".join(own)
        plain = each.get_content_type() == "text/plain"
        versions.append((plain, text))
    said = [text for plain, text in versions if plain and _says_something(text)]
    said = said or [text for _, text in versions if text.strip()][::-1]
    texts.extend(said[:1])


def _says_something(text: str) -> bool:
    """Whether it is more than the word of a program that cannot show plain text."""
    return bool(text.strip()) and not re.search(
        r"(?:does|do|can)(?: ?not|n't) (?:support|display|read|show) html|enable html|view (?:this|it) in (?:a|an) html"
        r"|requires? (?:a|an) html|html[- ](?:mail|capable|compatible|enabled) |不支持html|请使用支持html",
        text[:400],
        re.I,
    )


def readable(part: Message) -> str:
    """The text of a part of type ``text/plain`` or ``text/html``."""
    text = text_of(payload(part), _parameter(part, "charset"))
    if part.get_content_type() == "text/html" or _is_html(text):
        return text_of_html(text)
    if part.get_content_type() in _ENRICHED:
        return re.sub(r"<[^<>\n]{1,60}>", "", text)
    if (_parameter(part, "format") or "").lower() != "flowed":
        return text
    return _unflowed(text, without_space=(_parameter(part, "delsp") or "").lower() == "yes")


def payload(part: Message) -> bytes:
    """The bytes of a part, out of base64 or quoted-printable."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _is_html(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith(("<html", "<!doctype html"))


def _unflowed(text: str, *, without_space: bool) -> str:
    """Lines that a program broke, joined (RFC 3676); *without_space*, the space at the break is the program's own."""
    joined: list[str] = []
    soft = False
    for line in text.split("\n"):
        quoted = line.startswith(">")
        body = line[1:] if line.startswith(" ") else line
        if soft and not quoted:
            joined[-1] = (joined[-1].removesuffix(" ") if without_space else joined[-1]) + body
        else:
            joined.append(body)
        soft = line.endswith(" ") and line != "-- " and not quoted
    return "\n".join(line.rstrip() if line != "-- " else line for line in joined)


def _children(part: Message) -> list[Message]:
    inner = part.get_payload()
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def _parameter(part: Message, name: str) -> str | None:
    try:
        value = part.get_param(name)
    except (LookupError, ValueError, TypeError):
        return None
    return None if value is None else collapse_rfc2231_value(value)


def _disposition(part: Message) -> str:
    return str(part.get("content-disposition", "")).partition(";")[0].strip().lower()


def title_of(part: Message) -> str:
    """What the sender called a file; empty where they did not."""
    try:
        name = part.get_filename()
    except (LookupError, ValueError, TypeError):
        name = None
    if name and "\ufffd" in name:  # of bytes beyond ASCII the parser leaves nothing
        name = next(filter(None, map(partial(_raw_title, part), ("content-disposition", "content-type"))), name)
    return header_text(name or "")[:200]


def _raw_title(part: Message, header: str) -> str:
    """The name of a file in *header*, where it stands there in bytes of its sender's charset."""
    found = re.search(r"name\s*=\s*(?:\"([^\"]+)\"|([^;\s]+))", header_text(part.get(header, "")), re.IGNORECASE)
    return (found[1] or found[2]) if found else ""


def _is_file(part: Message, *, first: bool) -> bool:
    """Whether a text was sent as a file and not to be read; the one text of a message is to be read."""
    return _disposition(part) == "attachment" and (not first or bool(title_of(part)))


def _file(part: Message) -> MailFile | None:
    content = payload(part)
    kind = part.get_content_type()
    if not content or kind in {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }:
        return None
    return MailFile(title_of(part) or f"file.{part.get_content_subtype()}"[:40], content)


def _is_decoration(part: Message, file: MailFile) -> bool:
    within = part.get("content-id") is not None and _disposition(part) != "attachment"
    return within and part.get_content_maintype() == "image" and len(file.content) < _DECORATION


def _as_text(message: Message) -> str:
    names = ("From", "To", "Date", "Subject")
    head = [f"{name}: {header_text(message[name])}" for name in names if message[name]]
    inner = parts_of(message)
    return "\n".join([*head, "", inner.text, *inner.forwarded]).strip()
