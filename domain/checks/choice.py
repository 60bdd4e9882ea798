"""Which checks a complaint asks for: those of the pack for its category, and those that its own words point to."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.checks.findings import Check
from domain.checks.table import CHECKS
from domain.ground.phrases import PhraseBook, Pieces, folded, listed
from domain.ground.words import Category

TRADING: Final = frozenset(
    {Category.EXECUTION, Category.PLATFORM, Category.FEE, Category.WITHDRAWAL, Category.ACCOUNT, Category.CONDUCT}
)
"""Categories in which the words of a complaint may add checks: elsewhere "rejected" is no rejected order."""

_BY_NUMBER: Final = frozenset({Check.FEES, Check.BINARY_OPTION})
"""What a complaint may name by numbers alone, so that no words decide its category."""
_WITH_ACCOUNT: Final = TRADING | {Category.DEPOSIT, Category.PRIVACY, Category.SERVICE, Category.OTHER}
_BOOK: Final = PhraseBook({phrase: check for check, row in CHECKS.items() if row.words for phrase in listed(row.words)})


_COUNTED: Final = (
    r"(?!\d|[.,:/-]\d| ?(?:st|nd|rd|th|am|pm|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|weeks?|months?|years?|"
    r"times|calls?|e?mails?|letters?|pips?|points?|lots?|ounces?|天|日|号|月|年|周|星期|小时|钟头|点|分钟|秒|次|遍|个|位|"
    r"封|手|笔|单|张|人)(?![a-z])| ?(?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
)
"""What stands behind a number that is no sum."""
_DIGITS: Final = rf"(?<![a-z0-9])(?<!\d[.,:/-])(?:[$€£¥] ?)?\d{{1,7}}(?:[.,]\d{{1,3}}){{0,3}}{_COUNTED}"
_CHINESE: Final = r"[零〇一二两三四五六七八九十百千万]{1,8}"
_ENGLISH: Final = (
    r"\b(?:ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"(?:one|two|three|four|five|six|seven|eight|nine|a) hundred)\b"
)
_SUM: Final = re.compile(
    rf"{_DIGITS}|{_CHINESE} ?(?:块|元|美元|美金|港币|刀)|{_ENGLISH} (?:dollars?|euros?|pounds?|bucks|quid)"
)
_TOLD, _TAKEN, _NUMBERED = "told", "taken", "numbered"
_SAID: Final = re.compile(
    r"(?P<told>\b(?:said|says?|told|quoted?|agreed|promised|supposed to|meant to|should(?: have)?|instead of|"
    r"rather than|not)\b|说|讲|告诉|告知|约定|谈好|标的|写的|本来|原来|应该|应收|不是)|"
    r"(?P<taken>\b(?:took|takes?(?![ -]?profits?\b)|taken|taking|"
    r"charged?|charges|charging|deduct(?:ed|s)?|bill(?:ed|s)?|withheld|debited|"
    r"paid|pay|lost|cost)\b|[收扣划拿付交](?![到益入盘市货件易]))|"
    rf"(?P<numbered>{_DIGITS}|{_CHINESE}{_COUNTED}|{_ENGLISH}{_COUNTED})"
)
_ROOM: Final = 50
"""So many characters at most are between one and the next."""
_TOLD_AND_TAKEN: Final = ((_TOLD, _NUMBERED, _TAKEN, _NUMBERED), (_TAKEN, _NUMBERED, _TOLD, _NUMBERED))


def _compares_sums(plain: str) -> bool:
    """Whether a sum was told and another taken, in either order: "You said 30 and took 80"."""
    ends: dict[tuple[str, ...], list[int]] = {one: [-_ROOM - 1] * len(one) for one in _TOLD_AND_TAKEN}
    for found in _SAID.finditer(plain):
        for order, reached in ends.items():
            for step in reversed(range(len(order))):
                if order[step] == found.lastgroup and (not step or found.start() - reached[step - 1] <= _ROOM):
                    reached[step] = found.end()
            if reached[-1] >= 0:
                return True
    return False


def pointed_to(text: str) -> tuple[Check, ...]:
    """The checks that the words of *text* point to, in the order of :class:`Check`.

    A sum that was told and another that was taken point to what was told of fees; any sum to the fees and withdrawals
    there are, if nothing else is pointed to. All that only adds questions that the log answers; a verdict follows from
    the log alone.
    """
    pointed = {check for _, _, check in _BOOK.find(Pieces(text))}
    plain = folded(unicodedata.normalize("NFKC", text))
    if _compares_sums(plain):
        pointed.add(Check.FEES)
    if names_an_option(text):
        pointed.add(Check.BINARY_OPTION)
    if not pointed and _SUM.search(plain):
        pointed.add(Check.ENTRIES)
    return tuple(check for check in Check if check in pointed)


_NUMBER: Final = re.compile(
    r"(?<![A-Za-z0-9])(?<![0-9][.,])(?:[A-Za-z]{1,6}[-_#]?[0-9]{1,18}|[0-9]{4,18})(?![A-Za-z0-9])"
)
_JOINED: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{1,40}(?:[-_:#][A-Za-z0-9]{1,40}){1,5}(?![A-Za-z0-9])")
"""A number of several pieces, such as ``OPT2024-00017`` or ``live-2:70012345:46780803``."""
_SHORT: Final = re.compile(
    r"(?:\b(?:binary )?options?|期权|期權)[ :：]{0,2}(?:(?:no\b\.?|nr\b\.?|numbers?\b|id\b|#|编号|編號|号码|號碼|号|號|"
    r"为|為|是)[ :：]{0,2}){0,2}(?P<number>[0-9]{1,3})(?![A-Za-z0-9])(?![-.,:/][0-9])"
    r"(?! ?(?:usd|eur|gbp|hkd|cny|rmb|dollar|euro|pound|percent|seconds?|minutes?|min\b|hours?|days?|times|lots?\b|"
    r"美元|美金|港元|元|块|塊|手|万|萬|秒|分|小时|小時|天|次|笔|筆|个|個|%|％))",
    re.IGNORECASE,
)
"""A short number counts where it stands right behind an option: elsewhere it is a sum, a share or a length of time."""
_DATE: Final = re.compile(r"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,4}|[^0-9]*").fullmatch
MOST_NUMBERS: Final = 20


def names_an_option(text: str) -> bool:
    """Whether *text* has an option with a short number."""
    return _SHORT.search(unicodedata.normalize("NFKC", text)) is not None


def numbers_in(text: str) -> tuple[str, ...]:
    """What in *text* may be the number of a trade, an option or an entry; the first of them.

    As it is written and, beside that, in capitals: customers write b-1001 for B-1001.
    """
    text = unicodedata.normalize("NFKC", text)
    joined = [(found.start(), found[0]) for found in _JOINED.finditer(text) if not _DATE(found[0])]
    short = [(found.start("number"), found["number"]) for found in _SHORT.finditer(text)]
    every = sorted([*joined, *short, *((found.start(), found[0]) for found in _NUMBER.finditer(text))])
    return tuple(dict.fromkeys(one for _, name in every for one in (name, name.upper())))[:MOST_NUMBERS]


def checks_for(
    category: Category, configured: Mapping[Category, Sequence[Check]], pointed: Iterable[Check]
) -> tuple[Check, ...]:
    """The checks of *configured* for *category*, then those that words *pointed* to.

    Nothing is added where the pack has no check for anything: such a firm keeps no trade log.
    """
    own = configured.get(category, ())
    if not configured or category not in _WITH_ACCOUNT:
        return tuple(dict.fromkeys(own))
    anywhere = _BY_NUMBER if category is Category.OTHER else frozenset()
    more = [check for check in pointed if category in TRADING or CHECKS[check].of_the_account or check in anywhere]
    return without_fallback((*own, *more))


def without_fallback(checks: Iterable[Check]) -> tuple[Check, ...]:
    """*checks*, each once, without the one that only tells what there is, where another is asked."""
    known = tuple(dict.fromkeys(checks))
    return tuple(check for check in known if check is not Check.ENTRIES) or known
