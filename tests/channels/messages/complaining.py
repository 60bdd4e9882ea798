"""New complaints, each put together in another way."""

from collections.abc import Iterator
from typing import Final

from domain.mail.understanding import MailKind, Why
from tests.channels.messages.making import (
    Part,
    Row,
    Voice,
    Want,
    as_parameter,
    file,
    joined,
    mail,
    multipart,
    text,
    word,
)

PDF: Final = b"%PDF-1.4\n% a statement\n"
PICTURE: Final = b"\x89PNG\r\n\x1a\n" + bytes(2_000)


_INNER: Final = "From: shop@example.com\nSubject: Receipt\n\nPaid."
_FORWARD: Final = (
    "{}\n\n---------- Forwarded message ---------\nFrom: A <a@b.example>\nDate: 1\nSubject: 2\nTo: 3\n\n"
    "Your order was filled."
)


def complaint(said: str, *files: str) -> Want:
    """A new complaint that says *said*."""
    return Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE, text=said, files=files)


def complaints(v: Voice) -> Iterator[Row]:
    """New complaints, each of other parts."""
    t, c = v.text, v.charset
    html = "<p>" + t.replace("\n", "</p><p>") + "</p>"
    read = t.replace("\n", "\n\n")
    yield Row("plain text, 8bit", mail(v), complaint(t))
    yield Row("plain text, base64", mail(v, text(t, c, how="base64")), complaint(t))
    yield Row("plain text, quoted-printable", mail(v, text(t, c, how="quoted-printable")), complaint(t))
    yield Row("no MIME headers at all", _bare(v), complaint(t))
    yield Row("charset that does not exist", mail(v, _named(v, "x-none-such")), complaint(t))
    yield Row("charset said to be us-ascii", mail(v, _named(v, "us-ascii")), complaint(t))
    yield Row("charset in quotes and capitals", mail(v, _named(v, f'"{c.upper()}"')), complaint(t))
    yield Row("HTML alone", mail(v, text(f"<html><body>{html}</body></html>", c, kind="html")), complaint(read))
    both = multipart("alternative", text(t, c), text(html, c, kind="html"))
    yield Row("plain and HTML", mail(v, both), complaint(t))
    empty = multipart("alternative", text(" \n", c), text(html, c, kind="html"))
    yield Row("plain left empty beside HTML", mail(v, empty), complaint(read))
    scripted = f"<style>p{{}}</style><script>alert(1)</script>{html}<img src='https://track.example/x'>"
    yield Row("HTML with script and style", mail(v, text(scripted, c, kind="html")), complaint(read))
    table = "<table><tr><td>" + t.replace("\n", "</td></tr><tr><td>") + "</td></tr></table>"
    yield Row("HTML as a table", mail(v, text(table, c, kind="html")), complaint(read.replace("\n\n", "\n")))
    mixed = multipart("mixed", text(t, c), file("statement.pdf", PDF, "application/pdf"))
    yield Row("text with a PDF", mail(v, mixed), complaint(t, "statement.pdf"))
    chinese = multipart("mixed", text(t, c), file("x", PDF, "application/pdf", as_parameter("对账单.pdf")))
    yield Row("file name as RFC 2231 has it", mail(v, chinese), complaint(t, "对账单.pdf"))
    encoded = f'Content-Disposition: attachment; filename="{word("对账单.pdf", "gb2312")}"'
    yield Row(
        "file name as an encoded word",
        mail(v, multipart("mixed", text(t, c), file("x", PDF, "a/b", encoded))),
        complaint(t, "对账单.pdf"),
    )
    inline = file("x", PICTURE, "image/png", "Content-ID: <p1>", 'Content-Disposition: inline; filename="screen.png"')
    related = multipart("related", text(html + '<img src="cid:p1">', c, kind="html"), inline)
    yield Row("HTML with a picture within", mail(v, related), complaint(read, "screen.png"))
    dot = file("x", PICTURE[:80], "image/gif", "Content-ID: <p2>")
    yield Row(
        "HTML with a dot of its design", mail(v, multipart("related", text(html, c, kind="html"), dot)), complaint(read)
    )
    apple = multipart("mixed", text(t, c), file("photo.png", PICTURE, "image/png"), text("", c))
    yield Row("text, picture, text", mail(v, apple), complaint(t, "photo.png"))
    deep = multipart("mixed", multipart("related", both, inline, boundary="=_b2"), mixed, boundary="=_b3")
    yield Row("nested parts", mail(v, deep), complaint(f"{t}\n\n{t}", "screen.png", "statement.pdf"))
    unclosed = multipart("mixed", text(t, c), file("statement.pdf", PDF), end=False)
    yield Row("broken off before its end", mail(v, unclosed), complaint(t, "statement.pdf"))
    note = file("note.txt", t.encode(), "text/plain")
    yield Row("a text as a file", mail(v, multipart("mixed", text(t, c), note)), complaint(t, "note.txt"))
    yield Row(
        "only a file",
        mail(v, file("letter.pdf", PDF)),
        Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE, text="", files=("letter.pdf",)),
    )
    yield Row("a message within", mail(v, multipart("mixed", text(t, c), _within(v))), complaint(f"{t}\n\n{_INNER}"))


def texts(v: Voice) -> Iterator[Row]:
    """New complaints whose text, or whose header, is written in unusual ways."""
    t, c = v.text, v.charset
    signed = multipart("signed", text(t, c), file("signature.asc", b"x", "application/pgp-signature"))
    yield Row("signed", mail(v, signed), complaint(t))
    yield Row("signature below", mail(v, f"{t}\n\n-- \n{v.name}\n+86 10"), complaint(t))
    yield Row("the device's own line", mail(v, f"{t}\n\n{v.sent}"), complaint(t))
    flowed = text("One line that \ngoes on.\n", "utf-8", more="; format=flowed")
    yield Row("format flowed", mail(v, flowed), complaint("One line that goes on."))
    yield Row("line ends of Unix", mail(v).replace(b"\r\n", b"\n"), complaint(t))
    yield Row("a mailbox's line before it", b"From x@y Mon Nov 23 10:00:00 2026\r\n" + mail(v), complaint(t))
    yield Row("subject of raw bytes", _raw_subject(v), complaint(t))
    yield Row("a colon missing in the header", mail(v, None, "this is no header field"), complaint(t))
    yield Row(
        "forwarded by a person",
        mail(
            v,
            f"{t}\n\n---------- Forwarded message ---------\nFrom: A <a@b.example>\n"
            "Date: 1\nSubject: 2\nTo: 3\n\nYour order was filled.",
        ),
        complaint(_FORWARD.format(t)),
    )
    yield Row("name with a comma", mail(v, sender=f"Berg, {v.name} <{v.address}>"), complaint(t))


def odd(v: Voice) -> Iterator[Row]:
    """New complaints whose charset is another than is said, or whose parts are put together strangely."""
    t, c = v.text, v.charset
    with_files = multipart("mixed", text("Paid."), file("bill.pdf", PDF), boundary="=_b4")
    inner = Part(
        ("Content-Type: message/rfc822",), b"Subject: Receipt\r\n" + joined(with_files.head) + b"\r\n" + with_files.body
    )
    yield Row(
        "a message with a file within",
        mail(v, multipart("mixed", text(t, c), inner)),
        complaint(f"{t}\n\nSubject: Receipt\n\nPaid.", "bill.pdf"),
    )
    yield from broken(v)
    yield from quoting(v)
    yield from answering_nothing(v)
    spaced = text(f"{t[:3]} \n{t[3:]}", c, more="; format=flowed; delsp=yes")
    yield Row("format flowed, without the space", mail(v, spaced), complaint(t))
    yield Row(
        "a byte order mark",
        mail(v, Part(("Content-Type: text/plain; charset=utf-8",), b"\xef\xbb\xbf" + t.encode())),
        complaint(t),
    )
    for wrong in ("gb2312", "big5", "iso-8859-1", "windows-1252", "utf-8"):
        yield Row(f"charset said to be {wrong}", mail(v, _named(v, wrong)), complaint(t))
        utf8 = Part((f"Content-Type: text/plain; charset={wrong}",), t.encode())
        yield Row(f"UTF-8 said to be {wrong}", mail(v, utf8), complaint(t))


def broken(v: Voice) -> Iterator[Row]:
    """Several parts, and nothing says what stands between them, or it says it wrongly; names of files as bytes."""
    t, c = v.text, v.charset
    two = multipart("mixed", text(t, c), file("statement.pdf", PDF))
    for name, head in {"no": "multipart/mixed", "another": 'multipart/mixed; boundary="other"'}.items():
        part = Part((f"Content-Type: {head}",), two.body)
        yield Row(f"parts with {name} boundary said", mail(v, part), complaint(t, "statement.pdf"))
    bare = Part(("Content-Type: multipart/mixed",), text(t, c).body)
    yield Row("said to be parts, and is one text", mail(v, bare), complaint(t))
    raw = mail(v, multipart("mixed", text(t, c), file("NAME.pdf", PDF)))
    name = {"gb2312": "对账单明细", "big5": "對帳單明細"}.get(c, "relevé détaillé")
    yield Row("file name as bytes", raw.replace(b"NAME", name.encode(c)), complaint(t, f"{name}.pdf"))
    stub = text("This message requires an HTML mail reader.", c)
    yield Row(
        "plain text that only asks for HTML",
        mail(v, multipart("alternative", stub, text(f"<p>{t}</p>", c, kind="html"))),
        complaint(t.replace("\n", " ")),
    )


def quoting(v: Voice) -> Iterator[Row]:
    """What looks like a quotation and is what somebody wants to be read."""
    t, c = v.text, v.charset
    for teller in ("On 3 March 2026 your trader Smith wrote:", "2026年3月3日你们的客服写道："):
        told = f"{teller}\n{t}"
        yield Row(f"tells what somebody wrote: {teller[:2]}", mail(v, text(told)), complaint(told))
    below = f"{t}\n\n-----Original Message-----\nFrom: A <a@b.example>\nSent: 1\nTo: 2\n\n> Where is W-17?"
    for prefix in ("Fw:", "FWD:", "WG:", "转发：", "轉寄:", "Re: Fw:"):
        yield Row(f"passed on by Outlook, {prefix}", mail(v, text(below), subject=f"{prefix} x"), complaint(below))
    head, foot = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n", "\n-----BEGIN PGP SIGNATURE-----\n\niQ\n=a\n"
    signed = f"{head}{t}{foot}-----END PGP SIGNATURE-----"
    yield Row("signed within the text", mail(v, text(signed, c)), complaint(t))


def answering_nothing(v: Voice) -> Iterator[Row]:
    """New messages, which quote nothing of ours: what looks so is theirs."""
    t, c = v.text, v.charset
    heads = {
        "the head of a letter": "From: A. Berg, 12 High Street\nTo: The firm\nDate: 3 March\nSubject: payout",
        "the head of a letter, in Chinese": "发件人：李雷\n收件人：贵公司\n主题：出金\n日期：三月三日",
        "a conversation that was pasted": "> Where is it?\n> We do not pay.",
        "what somebody else wrote to them": "-----Original Message-----\nFrom: Trader\nSent: Monday\nTo: You",
        "a list with two dashes": "-- \nFirst.\n-- \nSecond.",
    }
    for name, above in heads.items():
        yield Row(name, mail(v, text(f"{above}\n\n{t}")), complaint(f"{above}\n\n{t}".replace("-- ", "--")))
    below = f"{t}\n-- \n{v.name}\n\n-----Original Message-----\nFrom: Trader\nSent: Monday\n\nNo."
    yield Row("signed above what somebody else wrote", mail(v, text(below)), complaint(below.replace("-- ", "--")))
    yield Row("Markdown", mail(v, text(f"**{t}**", c, kind="markdown")), complaint(f"**{t}**"))
    yield Row("enriched text", mail(v, text(f"<bold>{t}</bold>", c, kind="enriched")), complaint(t))
    for name, head, body in (
        ("a bounce", 'multipart/report; report-type=delivery-status; boundary="=_b5"', _BOUNCE),
        ("an invitation", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
    ):
        inner = Part(("Content-Type: message/rfc822",), f"Subject: x\r\nContent-Type: {head}\r\n\r\n".encode() + body)
        passed_on = multipart("mixed", text(t, c), inner)
        yield Row(f"{name} that somebody passes on", mail(v, passed_on), Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE))


_BOUNCE: Final = (
    b"--=_b5\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n"
    b"Status: 5.1.1\r\n\r\n--=_b5--\r\n"
)


def _within(v: Voice) -> Part:
    inner = b"From: shop@example.com\r\nSubject: Receipt\r\n\r\nPaid.\r\n"
    return Part(("Content-Type: message/rfc822",), inner)


def _bare(v: Voice) -> bytes:
    head = f"From: {v.address}\r\nTo: complaints@firm.example\r\nSubject: x\r\n\r\n"
    return head.encode() + v.text.replace("\n", "\r\n").encode(v.charset)


def _named(v: Voice, charset: str) -> Part:
    return Part((f"Content-Type: text/plain; charset={charset}",), v.text.encode(v.charset))


def _raw_subject(v: Voice) -> bytes:
    """Both the subject and the name before the address stand there as bytes, as some web forms send them."""
    raw = mail(v, subject="SUBJECT", sender=f"NAME <{v.address}>")
    return raw.replace(b"SUBJECT", v.subject.encode(v.charset)).replace(b"NAME", v.name.encode(v.charset))
