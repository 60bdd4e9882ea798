"""How the messages of the table are put together, byte by byte, as mail programs and servers do it."""

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

from domain.ground.reference import reference_for
from domain.mail.understanding import Known, MailKind, OfCase, Why

CASE: Final = reference_for("letters", "1")
OTHER: Final = reference_for("letters", "2")
NOBODYS: Final = reference_for("letters", "3")
LETTER: Final = "<5f0c1d2e3a4b5968@complaints.example>"
OTHER_LETTER: Final = "<77aa88bb99cc00dd@complaints.example>"
OURS: Final = "complaints@firm.example"
SERVER: Final = "mx.firm.example"
KNOWN: Final = Known(
    {LETTER: OfCase(CASE, 3), OTHER_LETTER: OfCase(OTHER, 2)}, {CASE, OTHER}, {OURS, "no-reply@firm.example"}
)


class Voice(NamedTuple):
    """Somebody who writes, in a language and the charset that their program uses."""

    name: str
    address: str
    charset: str
    subject: str
    text: str
    sent: str


VOICES: Final = (
    Voice("Anna Berg", "anna@example.org", "utf-8", "Withdrawal missing",
          "My withdrawal of 3 November has not arrived.\nPlease tell me where it is.", "Sent from my iPhone"),
    Voice("李雷", "lilei@example.cn", "gb2312", "出金未到账",
          "我的出金三周仍未到账。\n请尽快处理。", "发自我的iPhone"),
    Voice("林美", "lin.mei@example.tw", "big5", "出金尚未入帳",
          "我的出金三週仍未入帳。\n請儘快處理。", "從我的 iPhone 傳送"),
)  # fmt: skip


@dataclass(frozen=True)
class Want:
    """What a message is to be taken for, and what is to be read of it; None where the table does not say."""

    kind: MailKind
    why: Why
    reference: str | None = None
    letter: int | None = None
    text: str | None = None
    files: tuple[str, ...] = ()
    authentic: bool = False
    no_answer: bool = False


class Row(NamedTuple):
    """One message of the table."""

    structure: str
    raw: bytes
    want: Want


class Part(NamedTuple):
    """A part of a message: lines of its header, and its body."""

    head: tuple[str, ...]
    body: bytes


def word(text: str, charset: str, how: str = "B") -> str:
    """*text* as an encoded word."""
    try:
        content = text.encode(charset)
    except UnicodeEncodeError:
        charset, content = "utf-8", text.encode()
    inner = base64.b64encode(content).decode() if how == "B" else "".join(f"={byte:02X}" for byte in content)
    return f"=?{charset}?{how}?{inner}?="


def text(content: str, charset: str = "utf-8", *, how: str = "8bit", kind: str = "plain", more: str = "") -> Part:
    """A text part."""
    body = content.replace("\n", "\r\n").encode(charset, "xmlcharrefreplace" if kind == "html" else "strict")
    if how == "base64":
        body = base64.encodebytes(body)
    elif how == "quoted-printable":
        body = quopri.encodestring(body)
    return Part((f"Content-Type: text/{kind}; charset={charset}{more}", f"Content-Transfer-Encoding: {how}"), body)


def file(title: str, content: bytes, kind: str = "application/octet-stream", *head: str) -> Part:
    """An attachment; *head* in place of its usual disposition."""
    usual = (f'Content-Disposition: attachment; filename="{title}"',)
    return Part(
        (f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *(head or usual)), base64.encodebytes(content)
    )


def multipart(kind: str, *parts: Part, more: str = "", boundary: str = "=_b1", end: bool = True) -> Part:
    """Several parts in one."""
    lines = b""
    for part in parts:
        lines += f"--{boundary}\r\n".encode() + joined(part.head) + b"\r\n" + part.body + b"\r\n"
    return Part(
        (f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}',),
        lines + (f"--{boundary}--\r\n".encode() if end else b""),
    )


def joined(head: Sequence[str]) -> bytes:
    """Lines of a header, as bytes."""
    return b"".join(line.encode("utf-8", "surrogateescape") + b"\r\n" for line in head)


def mail(
    voice: Voice,
    part: Part | str | None = None,
    *more: str,
    subject: str | None = None,
    sender: str | None = None,
    leave_out: Sequence[str] = (),
) -> bytes:
    """A whole message of *voice*; *more* are lines of its header."""
    said = voice.subject if subject is None else subject
    head = {
        "From": sender if sender is not None else f"{word(voice.name, voice.charset)} <{voice.address}>",
        "To": OURS,
        "Subject": said if said.isascii() else word(said, voice.charset),
        "Date": "Mon, 23 Nov 2026 10:00:00 +0800",
        "Message-ID": "<a1b2c3@mail.example>",
        "MIME-Version": "1.0",
    }
    body = part if isinstance(part, Part) else text(voice.text if part is None else part, voice.charset)
    lines = [f"{name}: {value}" for name, value in head.items() if name not in leave_out]
    return joined([*lines, *more, *body.head]) + b"\r\n" + body.body


def as_parameter(title: str) -> str:
    """The disposition of a file whose name is written as RFC 2231 has it."""
    return f"Content-Disposition: attachment; filename*=UTF-8''{quote(title)}"
