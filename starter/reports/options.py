"""The status table of complaints about binary options, as people and spreadsheets read it."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final

from starter.evidence.words import Words, words_of
from starter.reading.actions import OptionLine
from starter.reading.layout import when
from starter.reports.words import inert, report_words

_COLUMNS: Final = ("number", "name", "time", "type", "handler", "status", "handled_at", "remark")


def rows_of(lines: Sequence[OptionLine], language: str = "en") -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table, in words. Times are UTC."""
    words, stages = report_words(language), words_of(language)
    rows = [
        [
            one.number,
            one.name,
            when(one.time),
            words("category", one.type),
            one.handler or "–",
            stages("stage", one.status),
            when(one.handled_at) if one.handled_at else "–",
            _remark(one, stages),
        ]
        for one in lines
    ]
    return [words("option", column) for column in _COLUMNS], rows


def _remark(one: OptionLine, words: Words) -> str:
    told = (words("outcome", one.outcome) if one.outcome else None, one.awarded)
    return ", ".join(filter(None, told)) or "–"


def to_csv(lines: Sequence[OptionLine], language: str = "en") -> str:
    """The table as CSV: UTF-8, comma, a header."""
    head, rows = rows_of(lines, language)
    target = StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerows([head, *([inert(cell) for cell in row] for row in rows)])
    return target.getvalue()
