"""What the customer says, and the signs that their words raise, by the lists of words of the first assessment."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from domain.case import assessment_rules as rules
from domain.case.complaint import Channel, Complaint
from domain.case.messages.evidence import AddEvidence
from domain.case.messages.handling import RecordFeedback, Reopen
from domain.case.messages.signals import CustomerReply, Escalate
from domain.ground.base import SHORT_TEXT
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Confidence, Driver, Role, Severity, SignKind
from domain.people.signs import Sign
from domain.speech.proposing import Opinion
from domain.speech.signs import is_one_phrase, signs

SIGNS: Final[dict[str, tuple[SignKind, Driver | None] | None]] = {
    "danger to life": (SignKind.DANGER_TO_LIFE, None),
    "illness or disability": (SignKind.VULNERABILITY, Driver.HEALTH),
    "bereavement": (SignKind.VULNERABILITY, Driver.LIFE_EVENT),
    "old age": (SignKind.VULNERABILITY, Driver.CAPABILITY),
    "hardship": (SignKind.VULNERABILITY, Driver.RESILIENCE),
    "whole savings": (SignKind.VULNERABILITY, Driver.RESILIENCE),
    "difficulty": (SignKind.VULNERABILITY, Driver.RESILIENCE),
    "violence or intimidation": (SignKind.VULNERABILITY, Driver.LIFE_EVENT),
    "violence or control at home": (SignKind.VULNERABILITY, Driver.LIFE_EVENT),
    "little grasp of language or means": (SignKind.VULNERABILITY, Driver.CAPABILITY),
    "retired and cautious": (SignKind.VULNERABILITY, Driver.CAPABILITY),
    "account taken over": (SignKind.FRAUD, None),
    "data leak": None,
    "regulator": (SignKind.REGULATOR, None),
    "media": (SignKind.MEDIA, None),
    "lawyer or court": (SignKind.LEGAL, None),
    "police": (SignKind.LEGAL, None),
    "theft or fraud": (SignKind.FRAUD, None),
}
"""What each kind of harm that the first assessment knows words for is a sign of."""

_THEIRS: Final = {CustomerReply.name: "text", Reopen.name: "reason", RecordFeedback.name: "comment"}
"""Where what the customer says stands in a message, whoever passes it on."""
_THEIRS_BY_THEM: Final = {AddEvidence.name: "note", Escalate.name: "reason"}
"""The same of messages that staff send in words of their own as well."""

_MOST_WORDS = 5
_ENOUGH = 2
"""So many different phrases of one sign leave less room for another reading."""


HEARD: Final = tuple({**_THEIRS, **_THEIRS_BY_THEM})
"""The entries of a timeline in which a customer may say something."""


def said_by_customer(kind: str, actor: str, data: Mapping[str, Any]) -> str | None:
    """What the customer says in an entry of the timeline; ``None`` where it has nothing of theirs."""
    by_them = actor.partition(":")[0] == Role.CUSTOMER
    return data.get((_THEIRS | _THEIRS_BY_THEM if by_them else _THEIRS).get(kind, "")) or None


def signs_of(complaint: Complaint, opinion: Opinion | None = None) -> tuple[Sign, ...]:
    """The signs in *complaint*: in its words, in a model's *opinion* of it, and that it comes from the regulator."""
    heard = signs_heard(*filter(None, (complaint.subject, complaint.description)), opinion=opinion)
    if complaint.channel is not Channel.REGULATOR:
        return heard
    told = Sign(kind=SignKind.REGULATOR, rests_on=("channel",), confidence=Confidence.CERTAIN)
    return (*(sign for sign in heard if sign.kind is not SignKind.REGULATOR), told)


def signs_heard(*texts: str, opinion: Opinion | None = None) -> tuple[Sign, ...]:
    """The signs in *texts*, each once, with the words as they are written there.

    Danger to life that only a model hears is a sign as well, a doubtful one: a person looks, and withdraws it. Where it
    is sure that there is none, one word of the lists alone is no sign.
    """
    found: dict[tuple[SignKind, Driver | None], dict[str, str]] = defaultdict(dict)
    for text in texts:
        for heard in signs(Pieces(text), _book()):
            meaning = SIGNS.get(heard.kind)
            if meaning and not heard.not_meant:
                found[meaning].setdefault(heard.words.casefold(), " ".join(heard.words.split())[:SHORT_TEXT])
    danger = (SignKind.DANGER_TO_LIFE, None)
    if opinion and opinion.harmless and is_one_phrase(found.get(danger, ())):
        del found[danger]
    if opinion and opinion.alarm and danger not in found:
        found[danger][""] = f"the model {opinion.model}"
    return tuple(
        Sign(
            kind=kind,
            driver=driver,
            rests_on=tuple(words.values())[:_MOST_WORDS],
            confidence=Confidence.WELL_SUPPORTED if len(words) >= _ENOUGH else Confidence.DOUBTFUL,
        )
        for (kind, driver), words in sorted(found.items(), key=lambda each: list(SignKind).index(each[0][0]))
    )


@cache
def _book() -> PhraseBook[tuple[Severity, str] | None]:
    meanings: dict[str, tuple[Severity, str] | None] = dict.fromkeys(listed(rules.NOT_SEVERE))
    for severity, kinds in rules.SEVERITY_WORDS.items():
        for kind, phrases in kinds.items():
            meanings.update(dict.fromkeys(listed(phrases), (severity, kind)))
    return PhraseBook(meanings)
