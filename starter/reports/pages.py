"""A report laid out: a headline, and for each table a picture, the figures, and how to read them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from babel.dates import format_date

from domain.ground.bilingual import Bilingual
from domain.learning.periods import Period
from domain.learning.report import Figure as Number
from domain.learning.report import Report, Row, Table
from domain.learning.tally import TOTAL
from domain.rules.causes import CauseTree
from starter.evidence.blocks import Block, Card, Cards, Document, Figure, Grid, Heading, Page, Prose, Tone
from starter.evidence.drawing import Picture
from starter.evidence.words import Words
from starter.reports.pictures import Bar, bars, trend
from starter.reports.words import NO_VALUE, cell, first_column, report_words, row_name, written

_MOST_BARS: Final = 12
_WIDER: Final = 21
"""A share has its interval beside it; widths are in hundredths, of other columns 12."""
_GOOD: Final = Decimal("0.99")


def laid_out(report: Report, languages: Sequence[str], tree: CauseTree, *, firm: Bilingual) -> Document:
    """*report* as a document in these *languages*."""
    pages = tuple(_page(report, report_words(language), tree, firm) for language in languages)
    return Document(title=f"{pages[0].title} · {pages[0].firm}", content_hash=report.hash, pages=pages)


def _page(report: Report, words: Words, tree: CauseTree, firm: Bilingual) -> Page:
    period = report.period
    return Page(
        language=words.language,
        language_name=words("page", "language_name"),
        title=words("page", "title", period=period_name(period, words)),
        firm=firm.in_language(words.language),
        subtitle=words("page", "subtitle", first=period.first_day, last=period.last_day, zone=period.zone),
        made_for=words("page", "made_for"),
        state=words("page", "state", cut_off=f"{report.cut_off:,}", record=report.record[:16] or "–"),
        page_name=words("page", "page_name", number="{number}"),
        blocks=tuple(_blocks(report, words, tree)),
    )


def period_name(period: Period, words: Words) -> str:
    """What the period is called: a month by its words, another as it is written."""
    if period.length != "month":
        return period.name
    return format_date(
        period.first_day, "MMMM y" if words.language == "en" else "y年M月", words.language.replace("-", "_")
    )


def _blocks(report: Report, words: Words, tree: CauseTree) -> Iterator[Block]:
    yield from _glance(report, words, tree)
    if report.restated_from is not None:
        yield Prose(text=words("page", "restated", first=f"{report.restated_from:,}"), tone="open")
    numbered = 0
    for table in report.tables:
        yield Heading(level=2, text=words("table", table.key), anchor=f"{table.key}-{words.language}")
        yield Prose(text=words("lead", table.key), tone="quiet")
        if not table.rows:
            yield Prose(text=words("page", "nothing"))
            continue
        if picture := _picture(table, words, tree):
            numbered += 1
            yield Figure(
                number=numbered,
                heading=words("page", "figure", number=numbered),
                caption=words("table", table.key),
                picture=picture,
            )
        yield _grid(table, words, tree)
    yield Heading(level=2, text=words("page", "definitions"), anchor=f"definitions-{words.language}")
    yield Grid(
        title="",
        columns=("", "", ""),
        rows=tuple(
            (
                words("definition", one.name),
                words("definition_source", one.source),
                words("definition", "confirmed" if one.confirmed else "unconfirmed"),
            )
            for one in report.definitions
        ),
        share=(50, 36, 14),
        note=words("page", "packs") + words("page", "colon") + ", ".join(report.policies),
    )


def _glance(report: Report, words: Words, tree: CauseTree) -> Iterator[Cards]:
    """What to see first: the counts in one row, money and what stands out in another."""
    total = _row(report.table("balance"), TOTAL)
    cards = [
        Card(label=words("glance", column), value=written(total[column])) for column in ("opened", "closed", "after")
    ]
    categories = report.table("categories").rows
    if categories:
        share = _figures(report.table("categories"), categories[-1])["upheld_share"]
        cards.append(Card(label=words("glance", "upheld_share"), value=written(share, interval=False)))
    cards.append(_statutory(report.table("clocks"), words))
    yield Cards(cards=tuple(cards))
    sums = [_figures(report.table("redress"), row)["sum"] for row in report.table("redress").rows]
    redress = [written(one) for one in sums if one.value is not None]
    cards = [Card(label=words("glance", "redress"), value=value) for value in redress[:4] or [NO_VALUE]]
    out = report.table("standing_out")
    names = [row_name(out, row.name, words, tree) for row in out.rows[:3] if row.figures[0].value]
    cards.append(
        Card(
            label=words("glance", "standing_out"),
            value=" · ".join(names) or words("glance", "nothing_stands_out"),
            tone="open" if names else "good",
        )
    )
    yield Cards(cards=tuple(cards))


def _statutory(table: Table, words: Words) -> Card:
    """Of all statutory deadlines together."""
    rows = [_figures(table, row) for row in table.rows if row.name.startswith("statutory:")]
    met, missed = (sum((row[name].value or Decimal(0) for row in rows), Decimal(0)) for name in ("met", "missed"))
    ended = met + missed
    value = f"{met / ended * 100:.1f} %" if ended else NO_VALUE
    tone: Tone = "plain" if not ended else "good" if met / ended >= _GOOD else "bad"
    return Card(label=words("glance", "statutory"), value=value, tone=tone)


def _row(table: Table, name: str) -> dict[str, Number]:
    return next(_figures(table, row) for row in table.rows if row.name == name)


def _figures(table: Table, row: Row) -> dict[str, Number]:
    return dict(zip(table.columns, row.figures, strict=True))


def _grid(table: Table, words: Words, tree: CauseTree) -> Grid:
    wide = max(30, 100 - sum(_WIDER if column.endswith("share") else 12 for column in table.columns))
    return Grid(
        title="",
        columns=(first_column(table, words), *(words("column", column) for column in table.columns)),
        rows=tuple(
            (row_name(table, row.name, words, tree), *(cell(figure) for figure in row.figures)) for row in table.rows
        ),
        numeric=tuple(range(1, len(table.columns) + 1)),
        opens=tuple(("", *(figure.key if figure.value else "" for figure in row.figures)) for row in table.rows),
        share=(wide, *(_WIDER if column.endswith("share") else 12 for column in table.columns)),
        note=words("page", "interval") if any(one.low is not None for row in table.rows for one in row.figures) else "",
    )


def _picture(table: Table, words: Words, tree: CauseTree) -> Picture | None:
    if table.shape == "none":
        return None
    title = words("table", table.key)
    series = [words("column", column) for column in table.drawn]
    rows = [row for row in table.rows if row.name != TOTAL]
    values = [[float(_figures(table, row)[name].value or 0) for name in table.drawn] for row in rows]
    if table.shape == "trend":
        lines = [list(line) for line in zip(*values, strict=True)]
        names = [row.name for row in rows]
        return trend(names, lines, series, title=title, description=words("page", "trend_picture"))
    shown = [
        Bar(
            row_name(table, row.name, words, tree),
            tuple(numbers),
            tuple(written(_figures(table, row)[name], interval=False) for name in table.drawn),
        )
        for row, numbers in zip(rows[:_MOST_BARS], values, strict=False)
    ]
    if not shown:
        return None
    largest = max(shown, key=lambda bar: bar.values[0])
    description = words("page", "picture", table=title, name=largest.name, value=largest.written[0])
    return bars(shown, series, title=title, description=description)
