"""One value of a message's raw bytes: what it is taken for and why, who wrote it, and what it says.

*Which case* it belongs to is decided apart from *who speaks*: the first by an id that only a letter of ours carries, or
by a reference in its subject; the second by its address, and only where the receiving server vouches for that.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from email.message import Message
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from domain.ground.base import LONG_TEXT, SHORT_TEXT, clean_or_empty
from domain.ground.reference import references_in
from domain.mail.addresses import Named, addresses_in
from domain.mail.authentication import is_authentic
from domain.mail.automatic import Robot, is_spam, robot_in, wants_no_answer
from domain.mail.bounces import Bounce, Delivery, bounce_in
from domain.mail.decoding import header_text
from domain.mail.parts import MailFile, Parts, parsed, parts_of, walked
from domain.mail.quoting import written_now


class MailKind(StrEnum):
    """What a message is taken for."""

    COMPLAINT = "complaint"
    REPLY = "reply"
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"
    HELD = "held"
    REFUSED = "refused"


class Why(StrEnum):
    """Why it is taken for that."""

    ANSWERS_A_LETTER = "answers_a_letter"
    NAMES_A_CASE = "names_a_case"
    NAMES_NO_CASE = "names_no_case"
    ASKS_HOW_FAR = "asks_how_far"
    RETURNED = "returned"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RETURNED_NOT_OURS = "returned_not_ours"
    RETURNED_OF_INCIDENT = "returned_of_incident"
    AUTOMATIC_REPLY = "automatic_reply"
    AUTOMATIC_NOTICE = "automatic_notice"
    BULK = "bulk"
    RECEIPT = "receipt"
    FEEDBACK_REPORT = "feedback_report"
    INVITATION = "invitation"
    NO_SUCH_CASE = "no_such_case"
    MISTYPED_REFERENCE = "mistyped_reference"
    SEVERAL_CASES = "several_cases"
    SEVERAL_WRITERS = "several_writers"
    ENCRYPTED = "encrypted"
    SPAM = "spam"
    NOTHING_SAID = "nothing_said"
    TOO_DEEP = "too_deep"
    NO_WRITER = "no_writer"
    OUR_OWN = "our_own"
    NO_MAIL = "no_mail"


class OfCase(NamedTuple):
    """A letter of ours: its case, and its number there."""

    reference: str
    number: int


class OfIncident(NamedTuple):
    """A letter of ours to a customer whom an incident hurt: the incident, and the key of the letter."""

    reference: str
    key: str


class Known(NamedTuple):
    """What is ours: letters by their Message-ID, cases by their reference, and the addresses that we write from.

    ``incidents`` are the letters about incidents, which belong to no case.
    """

    letters: Mapping[str, OfCase]
    cases: Collection[str]
    addresses: Collection[str] = ()
    incidents: Mapping[str, OfIncident] = MappingProxyType({})

    def of_incident(self, ids: Sequence[str]) -> OfIncident | None:
        """The first letter about an incident among those *ids*."""
        return next((self.incidents[each] for each in ids if each in self.incidents), None)


class Mail(NamedTuple):
    """A message, read. ``text`` is what was written now, ``whole`` with all it quotes.

    ``authentic`` says whether the receiving server vouches for the domain of who wrote it. ``ids`` are the messages
    that it answers, the nearest first; ``named`` the references in its subject, and ``mistyped`` whether one is none.
    """

    writer: Named | None
    reply_to: Named | None
    authentic: bool
    several_writers: bool
    message_id: str | None
    ids: tuple[str, ...]
    named: tuple[str, ...]
    mistyped: bool
    subject: str
    text: str
    whole: str
    files: tuple[MailFile, ...]
    robot: Robot | None
    no_answer: bool
    spam: bool
    encrypted: bool
    bounce: Bounce | None


class Taken(NamedTuple):
    """What a message is taken for. ``reference`` and ``letter`` where it belongs to a case, and to a letter there."""

    kind: MailKind
    why: Why
    reference: str | None = None
    letter: int | None = None


_MESSAGE_ID: Final = re.compile(r"<[^<>@\s]{1,200}@[^<>\s]{1,200}>")
_ENCRYPTED: Final = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_ENCRYPTED_FILES: Final = {"smime.p7m", "encrypted.asc"}
_ENCRYPTED_TEXT: Final = re.compile(r"^-----BEGIN PGP MESSAGE-----$", re.MULTILINE)
_FORWARDED: Final = re.compile(r"^\s*(?:re\s*[:：]\s*)?(?:fw|fwd|wg|转发|轉寄|转寄|轉發)\s*[:：]", re.IGNORECASE)
_RESENT: Final = re.compile(r"^\s*(?:(?:re|fw|fwd|aw|wg|回复|答复|转发|回覆|轉寄|答覆)\s*[:：]\s*)+", re.IGNORECASE)
_PERHAPS_A_PERSON_IN: Final = {Robot.BULK}
"""Some providers mark whatever their customers write so; to a case it is heard."""
_PERHAPS_A_PERSON_BEHIND: Final = {Robot.NOTICE, Robot.FEEDBACK}
"""A form on a web page sends what somebody typed there."""


def read_mail(raw: bytes, servers: Collection[str] = ()) -> Mail:
    """Read the message in *raw*. *servers* are the names under which our receiving servers report what they checked.

    Raises `domain.mail.parts.TooDeep`.
    """
    message = parsed(raw)
    parts, bounce = parts_of(message), bounce_in(message)
    writers = addresses_in(message.get_all("from", []))
    sender = addresses_in(message.get_all("sender", []))
    writer = next(iter([*writers, *sender]), None)
    subject = " ".join(header_text(each) for each in message.get_all("subject", [])[:1])
    named, mistyped = references_in(subject)
    results = [header_text(each) for each in message.get_all("authentication-results", [])]
    ids = tuple(dict.fromkeys([*_ids(message, "in-reply-to"), *reversed(_ids(message, "references"))]))
    whole = "\n\n".join(filter(None, (parts.text.strip(), *parts.forwarded)))
    return Mail(
        writer=writer,
        reply_to=next(iter(addresses_in(message.get_all("reply-to", []))), None),
        authentic=writer is not None and is_authentic(results, servers, writer.domain),
        several_writers=len(writers) > 1 or len(message.get_all("from", [])) > 1,
        message_id=next(iter(_ids(message, "message-id")), None),
        ids=ids,
        named=named,
        mistyped=mistyped,
        subject=clean_or_empty(_RESENT.sub("", subject)).strip()[:SHORT_TEXT],
        text=clean_or_empty("\n\n".join(filter(None, (_said_in(parts.text, subject, ids, named), *parts.forwarded)))),
        whole=clean_or_empty(whole.replace("\ue000", "")),
        files=parts.files,
        robot=robot_in(message),
        no_answer=bounce is not None or wants_no_answer(message),
        spam=is_spam(message),
        encrypted=_is_encrypted(message, parts),
        bounce=bounce,
    )


def take(mail: Mail, known: Known) -> Taken:
    """What *mail* is taken for, with what is *known* of its ids and references."""
    if mail.bounce:
        return _bounced(mail.bounce, known)
    if mail.writer is None and not (mail.whole or mail.files):
        return Taken(MailKind.REFUSED, Why.NO_MAIL)
    cases = _cases(mail, known)
    one = cases[0] if len({case.reference for case in cases}) == 1 else None
    reference, letter = (one.reference, one.number or None) if one else (None, None)
    own = mail.message_id in known.letters or mail.message_id in known.incidents
    if own or (mail.writer and mail.writer.address in known.addresses):
        return Taken(MailKind.REFUSED, Why.OUR_OWN, reference)
    if mail.robot and mail.robot not in (_PERHAPS_A_PERSON_IN if reference else _PERHAPS_A_PERSON_BEHIND):
        return Taken(MailKind.AUTOMATIC, Why(mail.robot.value), reference, letter)
    if (doubt := _doubt(mail, cases, known)) is not None:
        return Taken(MailKind.REFUSED if doubt is Why.NO_WRITER else MailKind.HELD, doubt, reference, letter)
    if reference:
        answers = any(each in known.letters for each in mail.ids)
        return Taken(MailKind.REPLY, Why.ANSWERS_A_LETTER if answers else Why.NAMES_A_CASE, reference, letter)
    return Taken(MailKind.COMPLAINT, Why.NAMES_NO_CASE)


def _doubt(mail: Mail, cases: list[OfCase], known: Known) -> Why | None:
    """Why no program should decide what becomes of it, the gravest first."""
    nothing = not (mail.text or mail.files)
    missing = [each for each in mail.named if each not in known.cases]
    reasons = {
        Why.NO_WRITER: mail.writer is None,
        Why.SEVERAL_WRITERS: mail.several_writers,
        Why.SPAM: mail.spam,
        Why.ENCRYPTED: mail.encrypted,
        Why.SEVERAL_CASES: len({case.reference for case in cases}) > 1,
        Why.NO_SUCH_CASE: bool(missing) and not cases,
        Why.MISTYPED_REFERENCE: mail.mistyped and not cases,
        Why.AUTOMATIC_NOTICE: mail.robot is Robot.NOTICE,
        Why.FEEDBACK_REPORT: mail.robot is Robot.FEEDBACK,
        Why.NOTHING_SAID: nothing,
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _cases(mail: Mail, known: Known) -> list[OfCase]:
    """The cases that it belongs to: of the letters that it answers the nearest, and those that its subject names."""
    answered = [known.letters[each] for each in mail.ids if each in known.letters]
    return [*answered, *(OfCase(each, 0) for each in mail.named if each in known.cases)]


def _bounced(bounce: Bounce, known: Known) -> Taken:
    letter = next((known.letters[each] for each in bounce.of if each in known.letters), None)
    if letter is None and known.of_incident(bounce.of) is None:
        return Taken(MailKind.AUTOMATIC, Why.RETURNED_NOT_OURS)
    of_case = (letter.reference, letter.number) if letter else (None, None)
    if bounce.delivery is Delivery.FAILED:
        return Taken(MailKind.BOUNCE, Why.RETURNED if letter else Why.RETURNED_OF_INCIDENT, *of_case)
    why = Why.DELAYED if bounce.delivery is Delivery.DELAYED else Why.DELIVERED
    return Taken(MailKind.AUTOMATIC, why, *of_case)


def fitting(text: str) -> str:
    """*text* as a case takes it; what does not fit is in the original."""
    return text if len(text) <= LONG_TEXT else text[: LONG_TEXT - 2].rstrip() + "\n…"


def language_of(text: str) -> str:
    """The language of *text* among those that letters are written in: Chinese where a fifth of its letters are."""
    letters = [letter for letter in text if letter.isalpha()]
    chinese = sum("\u3400" <= letter <= "\u9fff" for letter in letters)
    return "zh-CN" if letters and chinese * 5 >= len(letters) else "en"


def _said_in(text: str, subject: str, ids: Sequence[str], named: Sequence[str]) -> str:
    """Of *text* what its writer says: of a letter of ours that they pass on what they say themselves."""
    answers = bool(ids or named or _RESENT.match(subject))
    return written_now(text, answers=answers, forwarded=not named and bool(_FORWARDED.match(subject)))


def _is_encrypted(message: Message, parts: Parts) -> bool:
    """Whether what somebody wrote stands in something that only the one that it is encrypted for can read."""
    return (
        any(each.get_content_type() in _ENCRYPTED for each in walked(message))
        or any(each.title.lower() in _ENCRYPTED_FILES for each in parts.files)
        or bool(_ENCRYPTED_TEXT.search(parts.text))
    )


def _ids(message: Message, name: str) -> list[str]:
    return [found for value in message.get_all(name, []) for found in _MESSAGE_ID.findall(" ".join(str(value).split()))]
