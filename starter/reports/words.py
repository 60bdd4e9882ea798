"""What reports say, in their languages (``templates/<language>/report.toml``), and how figures are written."""

from decimal import Decimal
from functools import cache
from typing import Final

from domain.learning.report import Figure, Table
from domain.learning.tally import TOTAL
from domain.money.amounts import minor_digits
from domain.rules.causes import CauseTree
from runtime.paths import TEMPLATES
from runtime.toml_files import read_toml
from starter.evidence.words import Words, words_of

NO_VALUE: Final = "–"
_PLACES: Final = {"count": 0, "days": 1, "score": 1, "per_thousand": 3}


@cache
def report_words(language: str) -> Words:
    """The words of *language*, one of :data:`~starter.evidence.words.LANGUAGES`."""
    return Words(language, read_toml(TEMPLATES / language / "report.toml"))


def row_name(table: Table, name: str, words: Words, tree: CauseTree) -> str:
    """What a row of *table* is called."""
    if name == TOTAL:
        return words("page", "total")
    match table.of:
        case "cause":
            title = tree.title(name)
            return title.in_language(words.language) if title else words("cause", name)
        case "subject":
            cause, _, source = name.partition("@")
            title = tree.title(cause)
            said = title.in_language(words.language) if title else words("cause", cause)
            return words("subject", "of_source", cause=said, source=source) if source else said
        case "clock":
            sort, _, clock = name.partition(":")
            names = words_of(words.language)
            known = names("clock", clock) if names.has("clock", clock) else clock.replace("-", " ")
            return words("clock", sort, clock=known)
        case group:
            return words(group, name) if words.has(group, name) else name


def first_column(table: Table, words: Words) -> str:
    """What the first column of *table* is called."""
    return words("first_of", table.key) if words.has("first_of", table.key) else words("first", table.of)


def written(figure: Figure, value: Decimal | None = None, *, interval: bool = True) -> str:
    """A figure as people read it: ``1,234``, ``42.1 %``, ``USD 1,234.50``; ``–`` where nothing is known."""
    value = figure.value if value is None else value
    if value is None:
        return NO_VALUE
    if figure.unit == "share":
        text = f"{value * 100:.1f} %"
        if interval and figure.low is not None and figure.high is not None:
            text += f" ({figure.low * 100:.1f}–{figure.high * 100:.1f})"
    elif figure.unit == "money":
        digits = minor_digits(figure.currency) if figure.currency else 2
        text = f"{figure.currency} {value:,.{digits}f}"
    else:
        text = f"{value:,.{_PLACES.get(figure.unit, 0)}f}"
    return text


def cell(figure: Figure) -> str:
    """A figure in its cell; one that was restated with what it was first."""
    text = written(figure)
    if not figure.restated:
        return text
    return f"{text} ‡ ({NO_VALUE if figure.first is None else written(figure, figure.first, interval=False)})"


def inert(text: str) -> str:
    """*text* for a cell of a CSV: what a spreadsheet would take for a formula is text to it."""
    return f"'{text}" if len(text) > 1 and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
