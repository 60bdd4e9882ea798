"""Which checks a complaint asks for: those of the pack for its category, and those that its own words point to."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.checks.findings import Check
from domain.checks.table import CHECKS
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category

TRADING: Final = frozenset(
    {Category.EXECUTION, Category.PLATFORM, Category.FEE, Category.WITHDRAWAL, Category.ACCOUNT, Category.CONDUCT}
)
"""Categories in which the words of a complaint may add checks: elsewhere "rejected" is no rejected order."""

_WITH_ACCOUNT: Final = TRADING | {Category.DEPOSIT, Category.PRIVACY, Category.SERVICE, Category.OTHER}
_BOOK: Final = PhraseBook({phrase: check for check, row in CHECKS.items() if row.words for phrase in listed(row.words)})


def pointed_to(text: str) -> tuple[Check, ...]:
    """The checks that the words of *text* point to, in the order of :class:`Check`.

    They only add questions that the log answers; a verdict follows from the log alone.
    """
    pointed = {check for _, _, check in _BOOK.find(Pieces(text))}
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
    more = (check for check in pointed if category in TRADING or CHECKS[check].of_the_account)
    return tuple(dict.fromkeys((*own, *more)))
