"""What programs write: reports that letters did not arrive, answers of robots, what goes to many."""

from collections.abc import Iterator
from typing import Final

from domain.mail.understanding import MailKind, Why
from tests.channels.messages.making import CASE, LETTER, OURS, Part, Row, Voice, Want, file, mail, multipart, text, word

_RETURNED: Final = Want(MailKind.BOUNCE, Why.RETURNED, CASE, 3, no_answer=True)
_ORIGINAL: Final = (
    f"From: {OURS}\r\nTo: x@y.example\r\nSubject: Your complaint\r\nMessage-ID: {LETTER}\r\n\r\nDear".encode()
)
_SERVER: Final = "MAILER-DAEMON@mx.example (Mail Delivery System)"


def automatic(why: Why, *, of_the_case: bool = True) -> Want:
    """Automatic, of the case or of none."""
    reference, letter = (CASE, 3) if of_the_case else (None, None)
    return Want(MailKind.AUTOMATIC, why, reference, letter, no_answer=True)


def report(action: str, status: str, original: Part | None, *, human: str = "Your message was not delivered.") -> Part:
    """A report as RFC 3464 has it."""
    fields = f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; x@y.example\r\nAction: {action}\r\n"
    fields += f"Status: {status}\r\n"
    parts = [text(human), Part(("Content-Type: message/delivery-status",), fields.encode())]
    return multipart("report", *parts, *([original] if original else []), more="; report-type=delivery-status")


def from_a_server(
    v: Voice, part: Part | str, *more: str, subject: str = "Undelivered Mail Returned to Sender"
) -> bytes:
    """A report as a mail server sends it."""
    return mail(v, part, "Return-Path: <>", *more, subject=subject, sender=_SERVER)


def bounces(v: Voice) -> Iterator[Row]:
    """Reports of servers, by the standard."""
    whole = Part(("Content-Type: message/rfc822",), _ORIGINAL)
    head = Part(("Content-Type: text/rfc822-headers",), _ORIGINAL.partition(b"\r\n\r\n")[0] + b"\r\n")

    yield Row("bounce with the whole letter", from_a_server(v, report("failed", "5.1.1", whole)), _RETURNED)
    yield Row("bounce with the letter's header", from_a_server(v, report("failed", "5.1.1", head)), _RETURNED)
    yield Row(
        "bounce that names the letter in its own header",
        from_a_server(v, report("failed", "5.2.2", None), f"In-Reply-To: {LETTER}"),
        _RETURNED,
    )
    yield Row("bounce without an action", from_a_server(v, report("", "5.7.1", whole)), _RETURNED)
    yield Row("delay", from_a_server(v, report("delayed", "4.4.1", whole)), automatic(Why.DELAYED))
    yield Row("delivered", from_a_server(v, report("delivered", "2.0.0", whole)), automatic(Why.DELIVERED))
    yield Row(
        "bounce of something else",
        from_a_server(v, report("failed", "5.1.1", None)),
        automatic(Why.RETURNED_NOT_OURS, of_the_case=False),
    )


def older_bounces(v: Voice) -> Iterator[Row]:
    """Reports as servers wrote them before there was a standard, and as some do today."""
    quoted = (
        f"<x@y.example>: host mx said: 550 5.1.1 unknown\n\n--- Below this line is a copy.\n\nMessage-ID: {LETTER}\n"
    )
    yield Row("bounce of qmail", from_a_server(v, quoted, subject="failure notice"), _RETURNED)
    yield Row(
        "bounce of Exim",
        mail(
            v,
            f"This message was created automatically.\n\nMessage-Id: {LETTER}\n",
            "X-Failed-Recipients: x@y.example",
            subject="Mail delivery failed: returning message to sender",
            sender="Mail Delivery System <Mailer-Daemon@mx.example>",
        ),
        _RETURNED,
    )
    yield Row(
        "bounce of Exchange",
        mail(
            v,
            f"Delivery has failed.\n\nOriginal message headers:\nMessage-ID: {LETTER}\n",
            subject="Undeliverable: Your complaint",
            sender="postmaster@corp.example",
        ),
        _RETURNED,
    )
    yield Row(
        "bounce of QQ",
        mail(
            v,
            text(f"很抱歉，您的邮件被退回。\n550 用户不存在\nMessage-ID: {LETTER}", "gb18030"),
            subject="系统退信",
            sender="<PostMaster@qq.example>",
        ),
        _RETURNED,
    )
    yield Row(
        "bounce without any id",
        from_a_server(v, "550 unknown user", subject="failure notice"),
        automatic(Why.RETURNED_NOT_OURS, of_the_case=False),
    )
    yield Row(
        "warning before it gives up",
        from_a_server(v, f"still trying\nMessage-ID: {LETTER}", subject="Warning: could not send"),
        automatic(Why.DELAYED),
    )
    yield Row(
        "a person who writes of a bounce",
        mail(v, subject="failure notice"),
        Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE, text=v.text),
    )


def bounces_of_providers(v: Voice) -> Iterator[Row]:
    """Reports as Chinese providers and Exchange write them, and what only looks like a delay."""
    for subject, sender in _CHINESE_BOUNCES.items():
        raw = mail(v, text("用户不存在"), f"In-Reply-To: {LETTER}", sender=sender, leave_out=("Subject",))
        written = raw.replace(b"MIME-Version", f"Subject: {subject}\r\nMIME-Version".encode(), 1)
        yield Row(f"bounce whose subject is raw bytes: {subject}", written, _RETURNED)
    escaped = LETTER.replace("<", "&lt;").replace(">", "&gt;")
    yield Row(
        "bounce in HTML",
        mail(
            v, text(f"<p>退回</p><p>Message-ID: {escaped}</p>", kind="html"), subject="failure notice", sender=_SERVER
        ),
        _RETURNED,
    )
    yield Row(
        "given up after a delay",
        from_a_server(v, f"452 delayed. I gave up after 5 days.\nMessage-ID: {LETTER}\n"),
        _RETURNED,
    )
    yield Row(
        "bounce of Exchange, in HTML",
        mail(
            v,
            text("<b>Your message couldn't be delivered.</b>", kind="html"),
            f"In-Reply-To: {LETTER}",
            "Auto-Submitted: auto-replied",
            subject="Undeliverable: Your complaint",
            sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@corp.example>",
        ),
        _RETURNED,
    )


_CHINESE_BOUNCES: Final = {
    "无法送达: 您的投诉": "Microsoft Outlook <postmaster@corp.example>",
    "未传递: 您的投诉": "postmaster@corp.example",
    "無法傳遞: 您的投訴": "postmaster@corp.example",
    "退信通知：您的投诉": "mailer-daemon@188.example",
}


def robots(v: Voice) -> Iterator[Row]:
    """Answers of robots and what goes to many: they end no clock, and are answered by nobody."""
    to_us = f"In-Reply-To: {LETTER}"
    away = automatic(Why.AUTOMATIC_REPLY)
    yield Row("vacation as RFC 5230 has it", mail(v, None, to_us, "Auto-Submitted: auto-replied (vacation)"), away)
    yield Row(
        "out of office of Exchange",
        mail(
            v,
            None,
            to_us,
            "X-Auto-Response-Suppress: All",
            "X-MS-Exchange-Inbox-Rules-Loop: a@b.c",
            subject="Automatic reply: Your complaint",
        ),
        away,
    )
    for subject in ("自动回复: 您的投诉", "Out of Office Re: Your complaint"):
        yield Row(
            f"out of office by its subject: {subject}", mail(v, None, to_us, subject=word(subject, "utf-8")), away
        )
    for subject in (
        "不在办公室: 您的投诉",
        "Réponse automatique : Your complaint",
        "Automatische Antwort: Your complaint",
    ):
        raw = mail(v, None, to_us, leave_out=("Subject",))
        written = raw.replace(b"MIME-Version", f"Subject: {subject}\r\nMIME-Version".encode(), 1)
        yield Row(f"out of office in raw bytes: {subject}", written, away)
    for header in ("X-Autogenerated: Reply", "X-POST-MessageClass: 9; Autoresponder"):
        yield Row(f"automatic reply that says {header}", mail(v, None, to_us, header), away)
    yield Row("automatic reply of QQ", mail(v, None, to_us, "X-QQ-AUTOREPLY: 1"), away)
    yield Row("precedence auto_reply", mail(v, None, to_us, "Precedence: auto_reply"), away)
    yield Row(
        "automatic reply to nothing",
        mail(v, None, "Auto-Submitted: auto-replied"),
        automatic(Why.AUTOMATIC_REPLY, of_the_case=False),
    )


def notices(v: Voice) -> Iterator[Row]:
    """What programs write by themselves, what goes to many, and people who look like either."""
    to_us = f"In-Reply-To: {LETTER}"
    yield Row(
        "a ticket system's notice to the case",
        mail(v, None, to_us, "Auto-Submitted: auto-generated"),
        automatic(Why.AUTOMATIC_NOTICE),
    )
    yield Row(
        "another installation of this service",
        mail(v, None, "Auto-Submitted: auto-generated", f"X-Redress-Reference: {CASE}", to_us),
        automatic(Why.AUTOMATIC_NOTICE),
    )
    yield Row(
        "a form that somebody filled in",
        mail(v, None, "Auto-Submitted: auto-generated"),
        Want(MailKind.HELD, Why.AUTOMATIC_NOTICE, text=v.text, no_answer=True),
    )
    yield Row(
        "newsletter",
        mail(v, None, "List-Unsubscribe: <https://x.example/u>", "Precedence: bulk"),
        automatic(Why.BULK, of_the_case=False),
    )
    yield Row(
        "a person behind a list, to the case",
        mail(v, None, to_us, "Precedence: bulk"),
        Want(MailKind.REPLY, Why.ANSWERS_A_LETTER, CASE, 3, text=v.text, no_answer=True),
    )
    yield Row(
        "a person who asks for no automatic answer",
        mail(v, None, to_us, "X-Auto-Response-Suppress: OOF, AutoReply"),
        Want(MailKind.REPLY, Why.ANSWERS_A_LETTER, CASE, 3, text=v.text, no_answer=True),
    )
    yield Row(
        "a person, who says so",
        mail(v, None, to_us, "Auto-Submitted: no"),
        Want(MailKind.REPLY, Why.ANSWERS_A_LETTER, CASE, 3, text=v.text),
    )
    shown = Part(("Content-Type: message/disposition-notification",), f"Original-Message-ID: {LETTER}\r\n".encode())
    receipt = multipart("report", text("Your message was read."), shown, more="; report-type=disposition-notification")
    yield Row("receipt", mail(v, receipt, to_us), automatic(Why.RECEIPT))
    calendar = text("BEGIN:VCALENDAR", kind="calendar", more="; method=REPLY")
    yield Row(
        "appointment accepted",
        mail(v, multipart("alternative", text("ok"), calendar)),
        automatic(Why.INVITATION, of_the_case=False),
    )
    complaint = Part(("Content-Type: message/feedback-report",), b"Feedback-Type: abuse\r\n")
    feedback = multipart("report", text("abuse"), complaint, more="; report-type=feedback-report")
    yield Row("report of abuse", mail(v, feedback), Want(MailKind.HELD, Why.FEEDBACK_REPORT, no_answer=True))


def of_exchange(v: Voice) -> Iterator[Row]:
    """What Outlook and Exchange write by themselves, and a person who looks like them."""
    to_us = f"In-Reply-To: {LETTER}"
    for subject, said in _AS_OUTLOOK_HAS_IT.items():
        yield Row(
            f"of Outlook: {subject}",
            mail(v, text(said), to_us, subject=word(subject, "utf-8")),
            automatic(Why.RECEIPT),
        )
    yield Row(
        "a person whose subject looks like a receipt",
        mail(v, None, to_us, subject="Read: my complaint"),
        Want(MailKind.REPLY, Why.ANSWERS_A_LETTER, CASE, 3, text=v.text),
    )
    yield Row(
        "appointment accepted, as Exchange says it",
        mail(v, "ok", "Content-class: urn:content-classes:calendarmessage", subject="Accepted: Call"),
        automatic(Why.INVITATION, of_the_case=False),
    )


_AS_OUTLOOK_HAS_IT: Final = {
    "Read: Your complaint": "Your message\n\n  To: Anna\n  Sent: Monday\n\nwas read on Monday.",
    "已读: 您的投诉": "您的邮件\n\n收件人: 李雷\n\n已于 2026年11月23日 9:05 阅读。",
    "Recall: Your complaint": "Anna would like to recall the message.",
    "撤回: 您的投诉": "李雷 想要撤回邮件。",
}


def doubtful(v: Voice) -> Iterator[Row]:
    """What a person has to look at, and what is refused."""
    pgp = multipart("encrypted", Part(("Content-Type: application/pgp-encrypted",), b"Version: 1"), text("x"))
    yield Row("encrypted by PGP", mail(v, pgp), Want(MailKind.HELD, Why.ENCRYPTED))
    smime = Part(
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "Content-Transfer-Encoding: base64"),
        b"MIAGCSqGSIb3DQEHA6CAMIACAQAx\r\n",
    )
    yield Row("encrypted by S/MIME", mail(v, smime), Want(MailKind.HELD, Why.ENCRYPTED))
    within = multipart("mixed", smime, text("This mail was scanned."))
    armour = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5vJ\n=abcd\n-----END PGP MESSAGE-----"
    for name, part in {
        "S/MIME, with a line of a server": within,
        "S/MIME, as a file": multipart("mixed", text("See below."), file("smime.p7m", b"0\x80\x06")),
        "PGP, within the text": text(armour),
    }.items():
        yield Row(f"encrypted by {name}", mail(v, part), Want(MailKind.HELD, Why.ENCRYPTED))
    yield Row("marked as spam", mail(v, None, "X-Spam-Flag: YES"), Want(MailKind.HELD, Why.SPAM))
    yield Row("marked as infected", mail(v, None, "X-Virus-Status: Infected (Eicar)"), Want(MailKind.HELD, Why.SPAM))
    yield Row(
        "two writers", mail(v, sender=f"{v.address}, other@example.com"), Want(MailKind.HELD, Why.SEVERAL_WRITERS)
    )
    yield Row(
        "two headers that say who wrote",
        mail(v, None, "From: ceo@firm.example"),
        Want(MailKind.HELD, Why.SEVERAL_WRITERS),
    )
    yield Row(
        "an address in place of the name",
        mail(v, sender=f"boss@firm.example <{v.address}>"),
        Want(MailKind.HELD, Why.SEVERAL_WRITERS),
    )
    yield Row("nobody wrote it", mail(v, sender="", leave_out=("From",)), Want(MailKind.REFUSED, Why.NO_WRITER))
    yield Row("no address", mail(v, sender="undisclosed"), Want(MailKind.REFUSED, Why.NO_WRITER))
    yield Row("from ourselves", mail(v, sender=OURS), Want(MailKind.REFUSED, Why.OUR_OWN))
    own = mail(v, leave_out=("Message-ID",)).replace(
        b"MIME-Version", f"Message-ID: {LETTER}\r\nMIME-Version".encode(), 1
    )
    yield Row("a letter of ours that came back as it was", own, Want(MailKind.REFUSED, Why.OUR_OWN))
    part = text(v.text, v.charset)
    for number in range(60):
        part = multipart("mixed", part, boundary=f"=_deep{number}")
    yield Row("nested sixty times", mail(v, part), Want(MailKind.HELD, Why.TOO_DEEP))
    many = multipart("mixed", *[text("x")] * 400)
    yield Row("four hundred parts", mail(v, many), Want(MailKind.HELD, Why.TOO_DEEP))
    yield Row("no mail at all", b"\x00\x01\x02\xff" * 20, Want(MailKind.REFUSED, Why.NO_MAIL))
    yield Row("nothing", b"", Want(MailKind.REFUSED, Why.NO_MAIL))
