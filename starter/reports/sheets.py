"""A report as CSV and as JSON: the same figures, to be reckoned on with."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any, Final

from domain.learning.report import Report
from domain.rules.causes import CauseTree
from starter.evidence.words import Words
from starter.reports.words import inert, report_words, row_name

COLUMNS: Final = (
    "table",
    "row",
    "column",
    "name",
    "value",
    "unit",
    "currency",
    "low",
    "high",
    "first_reported",
    "restated",
    "key",
    "period",
    "zone",
)
"""The columns of the CSV. ``name`` is the row in words, all else is for programs."""


def to_csv(report: Report, tree: CauseTree, language: str = "en") -> str:
    """One figure a line, with its key. UTF-8, comma, a header; empty where nothing is known."""
    target = StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_lines(report, tree, report_words(language)))
    return target.getvalue()


def _lines(report: Report, tree: CauseTree, words: Words) -> Iterator[list[object]]:
    for table in report.tables:
        for row in table.rows:
            for column, figure in zip(table.columns, row.figures, strict=True):
                yield [
                    table.key,
                    inert(row.name),
                    column,
                    inert(row_name(table, row.name, words, tree)),
                    *(("" if one is None else one) for one in (figure.value, figure.unit, figure.currency)),
                    *(("" if one is None else one) for one in (figure.low, figure.high, figure.first)),
                    "yes" if figure.restated else "",
                    figure.key,
                    report.period.name,
                    report.period.zone,
                ]


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain values for JSON: decimals as text, instants in ISO 8601; with its hash."""
    return {**report.model_dump(mode="json"), "hash": report.hash}


def to_json(report: Report) -> str:
    """The report as a JSON document."""
    return json.dumps(to_data(report), ensure_ascii=False, indent=2) + "\n"
