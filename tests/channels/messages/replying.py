"""Replies to letters: what the usual programs quote, in their languages, and which case a reply belongs to."""

from collections.abc import Iterator
from typing import Final

from domain.mail.understanding import MailKind, Why
from tests.channels.messages.complaining import PDF
from tests.channels.messages.making import (
    CASE,
    LETTER,
    NOBODYS,
    OTHER,
    OTHER_LETTER,
    SERVER,
    Part,
    Row,
    Voice,
    Want,
    file,
    mail,
    multipart,
    text,
)

_ANSWERS: Final = (f"In-Reply-To: {LETTER}", f"References: <thread@complaints.example> {LETTER}")
_LETTER_TEXT: Final = "Dear customer,\nwe look into it.\n-- \nThe firm"


def reply(said: str, *files: str, why: Why = Why.ANSWERS_A_LETTER, authentic: bool = False) -> Want:
    """A reply to the letter of the case that says *said*."""
    letter = 3 if why is Why.ANSWERS_A_LETTER else None
    return Want(MailKind.REPLY, why, CASE, letter, text=said, files=files, authentic=authentic)


QUOTATIONS: Final = {
    "Gmail": "On Mon, Nov 23, 2026 at 9:00 AM The Firm <complaints@firm.example> wrote:\n\n{quoted}",
    "Gmail, wrapped": "On Mon, Nov 23, 2026 at 9:00 AM The Firm <\ncomplaints@firm.example> wrote:\n\n{quoted}",
    "Gmail in Chinese": "The Firm <complaints@firm.example> 于2026年11月23日周一 09:00写道：\n\n{quoted}",
    "Apple Mail": "> On 23 Nov 2026, at 09:00, The Firm <complaints@firm.example> wrote:\n>\n{quoted}",
    "Apple Mail in Chinese": "在 2026年11月23日，09:00，The Firm <complaints@firm.example> 写道：\n\n{quoted}",
    "Outlook": "From: The Firm <complaints@firm.example>\nSent: Monday, November 23, 2026 9:00 AM\n"
    "To: You\nSubject: Your complaint\n\n{plain}",
    "Outlook on the web": "________________________________\nFrom: The Firm <complaints@firm.example>\n"
    "Sent: Monday, 23 November 2026 09:00\nTo: You\nSubject: Your complaint\n\n{plain}",
    "Outlook, old": "-----Original Message-----\nFrom: The Firm\nSent: Monday\nTo: You\n\n{plain}",
    "Outlook in Chinese": "发件人: The Firm <complaints@firm.example>\n发送时间: 2026年11月23日 9:00\n"
    "收件人: You\n主题: 您的投诉\n\n{plain}",
    "Outlook in Chinese, old": "-----邮件原件-----\n发件人: The Firm\n发送时间: 2026年11月23日\n\n{plain}",
    "QQ": '------------------ 原始邮件 ------------------\n发件人: "The Firm" <complaints@firm.example>;\n'
    "发送时间: 2026年11月23日(星期一) 上午9:00\n\n{plain}",
    "QQ in English": '------------------ Original ------------------\nFrom: "The Firm"\n\n{plain}',
    "163": 'At 2026-11-23 09:00:00, "The Firm" <complaints@firm.example> wrote:\n{quoted}',
    "163 in Chinese": '在 2026-11-23 09:00:00，"The Firm" <complaints@firm.example> 写道：\n{quoted}',
    "163, master": "---- 回复的原邮件 ----\n| 发件人 | The Firm |\n| 发送日期 | 2026年11月23日 |\n\n{plain}",
    "Gmail in Taiwan": "The Firm <complaints@firm.example> 於 2026年11月23日 週一 上午9:00寫道：\n\n{quoted}",
    "Gmail in Hong Kong": "在 2026年11月23日 星期一 The Firm <complaints@firm.example> 寫道：\n\n{quoted}",
    "Gmail, below without an empty line": "The Firm <a@firm.example> 于2026年11月23日周一 09:00写道：\n{quoted}",
    "Thunderbird in Chinese": "在 2026/11/23 9:00, The Firm 写道:\n{quoted}",
    "Proton": "Sent with [Proton Mail](https://proton.me/) secure email.\n\n"
    "On Monday, November 23rd, 2026 at 9:00 AM, The Firm <a@firm.example> wrote:\n\n{quoted}",
    "QQ on a telephone": '来自iPhone的QQ邮箱\n\n---原始邮件---\n发件人: "The Firm"<a@firm.example>\n\n{plain}',
    "QQ, HTML turned into text": "------------------&nbsp;原始邮件&nbsp;------------------\n"
    "发件人:&nbsp;The Firm\n\n{plain}",
    "Xiaomi": "从小米手机发来\n\nThe Firm <a@firm.example>于 2026年11月23日 周一上午9:00写道：\n{plain}",
    "139": "----邮件原文----\n发件人：The Firm\n收件人：you\n抄 送： (无)\n主题：您的投诉\n\n{plain}",
    "Aliyun": "发件人：The Firm <a@firm.example>\n发送时间：2026年11月23日\n收件人：you\n主　题：您的投诉\n\n{plain}",
    "Outlook in French": "De : The Firm\nEnvoyé : lundi 23 novembre 2026\nÀ : you\nObjet : Your complaint\n\n{plain}",
    "Outlook in German": "Von: The Firm\nGesendet: Montag, 23. November 2026\nAn: you\nBetreff: x\n\n{plain}",
    "Foxmail": " \n发件人： The Firm\n发送时间： 2026-11-23 09:00\n收件人： you\n主题： 您的投诉\n{plain}",
}
"""What stands below a reply; Thunderbird writes as Gmail does."""


def replies(v: Voice) -> Iterator[Row]:
    """Replies, with what each program quotes."""
    t, c = v.text, v.charset
    wide = "gb18030" if c == "gb2312" else "utf-8"
    quoted = "\n".join(f"> {line}" for line in _LETTER_TEXT.split("\n"))
    for program, below in QUOTATIONS.items():
        body = f"{t}\n\n\n{below.format(quoted=quoted, plain=_LETTER_TEXT)}"
        yield Row(f"quoted by {program}", mail(v, text(body, wide), *_ANSWERS), reply(t))
    yield Row(
        "written below the quotation",
        mail(v, f"{QUOTATIONS['Gmail'].format(quoted=quoted)}\n\n{t}", *_ANSWERS),
        reply(t),
    )
    first, last = t.split("\n")
    between = f"> {_LETTER_TEXT.splitlines()[0]}\n{first}\n> we look into it.\n{last}"
    yield Row("written between the lines", mail(v, between, *_ANSWERS), reply(t))
    yield Row("what somebody wrote, right above", mail(v, text(f"{t}\n{_ABOVE}\n{quoted}", wide), *_ANSWERS), reply(t))
    for program, html in _HTML.items():
        body = html.replace("TEXT", t.replace("\n", "<br>")).replace("LETTER", _LETTER_TEXT)
        yield Row(f"HTML of {program}", mail(v, text(body, c, kind="html"), *_ANSWERS), reply(t))


_ABOVE: Final = "The Firm <complaints@firm.example> 于2026年11月23日周一 09:00写道："
_HTML: Final = {
    "Gmail": '<div dir="ltr">TEXT</div><br><div class="gmail_quote"><div class="gmail_attr">We wrote:<br></div>'
    "<blockquote class='gmail_quote'>LETTER</blockquote></div>",
    "Outlook": '<div>TEXT</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> We</div>LETTER',
    "Apple Mail": '<body>TEXT<br><blockquote type="cite">LETTER</blockquote></body>',
    "Thunderbird": '<p>TEXT</p><div class="moz-cite-prefix">On 23.11.2026, we wrote:<br></div>'
    '<blockquote type="cite">LETTER</blockquote>',
    "QQ": "<div>TEXT</div><div><includetail><div>------ 原始邮件 ------</div>LETTER</includetail></div>",
    "163": '<div>TEXT</div><br><blockquote id="isReplyContent">LETTER</blockquote>',
    "Foxmail": "<div>TEXT</div><hr><div><div><b>发件人：</b>The Firm</div><div><b>发送时间：</b>2026</div>"
    "<div><b>收件人：</b>you</div><div><b>主题：</b>x</div></div>LETTER",
}


def whose(v: Voice) -> Iterator[Row]:
    """Which case, by ids and by references; and whom the receiving server vouches for."""
    t = v.text
    domain = v.address.partition("@")[2]
    named = Want(MailKind.REPLY, Why.NAMES_A_CASE, CASE, text=t)
    yield Row("in reply to, alone", mail(v, None, f"In-Reply-To: {LETTER}"), reply(t))
    yield Row("references, alone and folded", mail(v, None, f"References: <a@b.c>\r\n {LETTER}"), reply(t))
    yield Row("reference in the subject", mail(v, None, subject=f"Re: [{CASE}] {v.subject}"), named)
    loose = CASE.lower().replace("-", " ", 1).replace("-", "–")
    yield Row("reference as people type it", mail(v, None, subject=f"{v.subject} {loose}!"), named)
    yield Row(
        "reference in another case's thread",
        mail(v, None, *_ANSWERS, subject=f"Re: {OTHER}"),
        Want(MailKind.HELD, Why.SEVERAL_CASES),
    )
    yield Row(
        "answers letters of two cases",
        mail(v, None, f"References: {OTHER_LETTER} {LETTER}"),
        Want(MailKind.HELD, Why.SEVERAL_CASES),
    )
    yield Row("names two cases", mail(v, None, subject=f"{CASE} / {OTHER}"), Want(MailKind.HELD, Why.SEVERAL_CASES))
    yield Row("names nobody's case", mail(v, None, subject=NOBODYS), Want(MailKind.HELD, Why.NO_SUCH_CASE))
    wide = "".join(chr(ord(one) + 0xFEE0) if one.isalnum() else one for one in CASE)
    raw = mail(v, None, subject=f"SUBJECT {wide}", leave_out=("Subject",))
    yield Row(
        "reference in full width, in raw bytes",
        raw.replace(b"MIME-Version", f"Subject: 关于{wide}的补充\r\nMIME-Version".encode(), 1),
        named,
    )
    swapped = CASE[:-2] + CASE[-1] + CASE[-2] if CASE[-1] != CASE[-2] else CASE[:-1] + "2"
    yield Row("a character mistyped", mail(v, None, subject=swapped), Want(MailKind.HELD, Why.MISTYPED_REFERENCE))
    yield Row("a reference in the text alone", mail(v, f"{t}\n{CASE}"), Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE))
    yield Row(
        "an id that only looks like ours",
        mail(v, None, "In-Reply-To: <0000@complaints.example>"),
        Want(MailKind.COMPLAINT, Why.NAMES_NO_CASE, text=t),
    )
    with_file = multipart("mixed", text(t, v.charset), file("proof.pdf", PDF))
    yield Row("with a file", mail(v, with_file, *_ANSWERS), reply(t, "proof.pdf"))
    for name, results, authentic in _results(v.address, domain):
        head = [f"Authentication-Results: {each}" for each in results]
        yield Row(f"vouched for: {name}", mail(v, None, *head, *_ANSWERS), reply(t, authentic=authentic))
    yield Row(
        "nothing but the quotation",
        mail(v, QUOTATIONS["Gmail"].format(quoted="> x"), *_ANSWERS),
        Want(MailKind.HELD, Why.NOTHING_SAID, CASE, 3),
    )
    yield Row(
        "nothing that can be seen",
        mail(v, Part(("Content-Type: text/plain; charset=utf-8",), "\u200b \u2060".encode()), *_ANSWERS),
        Want(MailKind.HELD, Why.NOTHING_SAID, CASE, 3),
    )
    yield Row(
        "no text at all",
        mail(v, Part(("Content-Type: text/plain",), b""), *_ANSWERS),
        Want(MailKind.HELD, Why.NOTHING_SAID, CASE, 3),
    )


def _results(address: str, domain: str) -> list[tuple[str, list[str], bool]]:
    passed = f"dmarc=pass (p=REJECT) header.from={domain}"
    return [
        ("by DMARC", [f"{SERVER}; dkim=pass header.d={domain}; {passed}"], True),
        ("by DMARC, with comments and folds", [f"{SERVER} (the edge) 1;\r\n {passed}\r\n (really)"], True),
        ("by a signature", [f"{SERVER}; dkim=pass header.d={domain} header.s=x"], True),
        ("by the envelope", [f"{SERVER}; spf=pass smtp.mailfrom=bounce@{domain}"], True),
        ("not by another domain's signature", [f"{SERVER}; dkim=pass header.d=mailer.example"], False),
        ("not by a domain that only ends alike", [f"{SERVER}; dkim=pass header.d={domain[1:]}"], False),
        ("not where DMARC fails", [f"{SERVER}; dkim=pass header.d={domain}; dmarc=fail header.from={domain}"], False),
        ("not by another server", [f"mx.evil.example; {passed}"], False),
        (
            "not below what our server said",
            [f"{SERVER}; dmarc=none header.from={domain}", f"{SERVER}; {passed}"],
            False,
        ),
        ("not for another address in the header", [f"{SERVER}; dmarc=pass header.from=other.example"], False),
        ("not in a comment", [f"{SERVER}; spf=fail ({passed}) smtp.mailfrom={address}"], False),
    ]
