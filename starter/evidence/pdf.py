"""A pack as PDF, from the same blocks and shapes as the HTML page. The same pack gives the same bytes.

Latin text is in Helvetica and everything else in STSong-Light, fonts that readers bring along: no font is embedded.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from io import BytesIO
from itertools import groupby
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.graphics import shapes as drawn
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from starter.evidence.blocks import Badge, Block, Cards, Document, Figure, Grid, Heading, Page, Pairs, Prose, Working
from starter.evidence.drawing import Label, Picture, Polygon, Polyline, rectangle
from starter.evidence.html import LIGHT

_LATIN, _BOLD, _HAN = "Helvetica", "Helvetica-Bold", "STSong-Light"
_MARGIN: Final = 17 * mm
_WIDE: Final = A4[0] - 2 * _MARGIN
_INK, _MUTED, _LINE, _SOFT, _ACCENT = (HexColor(c) for c in ("#1b2430", "#5b6675", "#d5dae1", "#f4f6f8", "#1f4e79"))
_TONES: Final = {
    "plain": _INK,
    "quiet": _MUTED,
    "good": HexColor("#1d6b46"),
    "bad": HexColor("#a3321a"),
    "open": HexColor("#7a5800"),
}
_SYMBOLS: Final = frozenset("−×÷±≈≤≥→Σ")
"""Signs that reportlab takes from the Symbol font by itself."""


def to_pdf(pack: Document, *, compress: bool = True) -> bytes:
    """*pack* as a document. Not *compress*: with its text to be found in the bytes."""
    _fonts()
    target = BytesIO()
    document = _Document(target, pack, compress=compress)
    story: list[Flowable] = []
    for number, page in enumerate(pack.pages):
        story += [NextPageTemplate(page.language)] if number == 0 else [NextPageTemplate(page.language), PageBreak()]
        story += _head(page)
        for block in page.blocks:
            story += _flowables(block)
    document.build(story)
    return target.getvalue()


@cache
def _fonts() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(_HAN))


class _Document(BaseDocTemplate):
    """A4, with a line at the foot of each page: which case, which page, and the hash of the data."""

    def __init__(self, target: BytesIO, pack: Document, *, compress: bool) -> None:
        super().__init__(
            target,
            pagesize=A4,
            invariant=1,
            pageCompression=int(compress),
            title=pack.title,
            subject=pack.title,
            author=pack.pages[0].firm,
            creator="redress",
            lang=pack.pages[0].language,
        )
        frame = Frame(_MARGIN, 20 * mm, _WIDE, A4[1] - 36 * mm, 0, 0, 0, 0)
        self.addPageTemplates(
            [PageTemplate(page.language, [frame], onPage=_foot(page, pack.content_hash)) for page in pack.pages]
        )


def _foot(page: Page, content_hash: str) -> Callable[[Canvas, Any], None]:
    def draw(canvas: Canvas, document: Any) -> None:
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, 15 * mm, A4[0] - _MARGIN, 15 * mm)
        left = f"{page.title} · {page.subtitle} · {page.state}"
        _write(canvas, left, _MARGIN, 11 * mm)
        right = page.page_name.format(number=document.page)
        _write(canvas, right, A4[0] - _MARGIN - sum(_width(run, font, 7) for font, run in _runs(right)), 11 * mm)
        _write(canvas, content_hash, _MARGIN, 8 * mm)
        canvas.restoreState()

    return draw


def _write(canvas: Canvas, text: str, x: float, y: float) -> None:
    canvas.setFillColor(_MUTED)
    for font, run in _runs(text):
        canvas.setFont(font, 7)
        canvas.drawString(x, y, run)
        x += _width(run, font, 7)


# -- text --------------------------------------------------------------------------------------------------------------


def _runs(text: str, *, bold: bool = False) -> list[tuple[str, str]]:
    """*text* in stretches of one font. What no font has becomes a square: the HTML page shows it."""
    latin = _BOLD if bold else _LATIN
    shown = "".join("□" if ord(letter) > 0xFFFF else letter for letter in text)
    return [(latin if plain else _HAN, "".join(run)) for plain, run in groupby(shown, key=_is_latin)]


def _is_latin(letter: str) -> bool:
    if letter in _SYMBOLS:
        return True
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _width(text: str, font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(text, font, size))


def _marked(text: str, *, bold: bool = False) -> str:
    """*text* as a paragraph takes it."""
    return "".join(
        f'<font name="{font}">{escape(run)}</font>' if font == _HAN else escape(run)
        for font, run in _runs(text, bold=bold)
    ).replace("\n", "<br/>")


def _style(
    size: float, *, colour: Color = _INK, bold: bool = False, right: bool = False, **more: Any
) -> ParagraphStyle:
    return ParagraphStyle(
        "style",
        fontName=_BOLD if bold else _LATIN,
        fontSize=size,
        leading=more.pop("leading", size * 1.42),
        textColor=colour,
        wordWrap="CJK" if more.pop("cjk", False) else None,
        splitLongWords=1,
        alignment=TA_RIGHT if right else 0,
        **more,
    )


def _text(text: str, size: float = 9.2, **style: Any) -> Paragraph:
    bold = bool(style.get("bold"))
    chinese = sum(ord(letter) > 0x2E7F for letter in text) * 3 > len(text)
    unbroken = max(map(len, text.split()), default=0) > 40
    return Paragraph(_marked(text, bold=bold), _style(size, cjk=chinese or unbroken, **style))


# -- blocks ------------------------------------------------------------------------------------------------------------


def _head(page: Page) -> Iterator[Flowable]:
    yield _text(page.firm, 9.5, colour=_MUTED)
    yield Spacer(1, 2)
    yield _text(page.title, 21, bold=True, leading=26)
    yield Spacer(1, 2)
    yield _text(page.subtitle, 12)
    yield _text(f"{page.made_for} · {page.state}", 8.5, colour=_MUTED)
    yield Spacer(1, 5)
    yield _rule(_ACCENT, 1.4)


def _rule(colour: Color, width: float) -> Flowable:
    return Table([[""]], colWidths=[_WIDE], rowHeights=[2], style=[("LINEABOVE", (0, 0), (-1, 0), width, colour)])


def _flowables(block: Block) -> Iterator[Flowable]:
    match block:
        case Heading():
            yield CondPageBreak(70 if block.level == 2 else 90)
            yield Spacer(1, 14 if block.level == 2 else 10)
            size, colour = (14, _ACCENT) if block.level == 2 else (11, _INK)
            yield _text(block.text, size, bold=True, colour=colour)
            yield Spacer(1, 3)
        case Prose():
            yield from _prose(block)
        case Cards():
            yield _cards(block)
        case Badge():
            yield _badge(block)
        case Pairs():
            yield from _pairs(block)
        case Grid():
            yield from _grid(block)
        case Figure():
            caption = _text(f"{block.heading}. {block.caption}", 8, colour=_MUTED)
            yield KeepTogether([Spacer(1, 6), to_drawing(block.picture, _WIDE), Spacer(1, 3), caption, Spacer(1, 6)])
        case Working():
            yield _working(block)


def _prose(block: Prose) -> Iterator[Flowable]:
    parts = [part for part in block.text.split("\n") if part.strip()]
    if block.quote:
        # a row a paragraph, so that long words of a customer run over pages
        rows = [[_text(part, 9.2)] for part in parts]
        style: list[Any] = [
            ("BACKGROUND", (0, 0), (-1, -1), _SOFT),
            ("LINEBEFORE", (0, 0), (0, -1), 2, _LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        yield Table(rows, colWidths=[_WIDE], style=style, splitInRow=1)
        yield Spacer(1, 5)
        return
    quiet = block.tone == "quiet"
    for part in parts:
        yield _text(part, 8.4 if quiet else 9.2, colour=_TONES[block.tone])
        yield Spacer(1, 4)


def _cards(block: Cards) -> Flowable:
    row = [
        [_text(card.label, 8, colour=_MUTED), _text(card.value, 11, bold=True, colour=_TONES[card.tone])]
        for card in block.cards
    ]
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, -1), _SOFT),
        ("BOX", (0, 0), (-1, -1), 0.5, _LINE),
        ("INNERGRID", (0, 0), (-1, -1), 0.5, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
        ("LEFTPADDING", (0, 0), (-1, -1), 7),
    ]
    return Table([row], colWidths=[_WIDE / len(row)] * len(row), style=style, spaceAfter=8)


def _badge(block: Badge) -> Flowable:
    colour = _INK if block.tone == "quiet" else _TONES[block.tone]
    wide = sum(_width(run, font, 9.2) for font, run in _runs(block.text, bold=True)) + 16
    wide = min(wide, _WIDE * 0.62)
    cells = [_text(block.text, 9.2, bold=True, colour=colour), _text(block.note, 8.4, colour=_MUTED)]
    style: list[Any] = [
        ("BOX", (0, 0), (0, 0), 1, colour),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LEFTPADDING", (0, 0), (-1, -1), 7),
    ]
    return Table([cells], colWidths=[wide, _WIDE - wide], style=style, spaceAfter=6, hAlign="LEFT")


def _pairs(block: Pairs) -> Iterator[Flowable]:
    size = 7.6 if block.code else 8.6
    across = max(map(len, block.rows), default=0)
    if not across:
        return
    share = (0.34, 0.66) if across == 1 else (0.2, 0.3, 0.2, 0.3)
    rows: list[list[Any]] = []
    for pairs in block.rows:
        cells = [cell for name, value in pairs for cell in (_text(name, 8.2, colour=_MUTED), _text(value, size))]
        rows.append(cells + [""] * (2 * across - len(cells)))
    yield from _titled(block.title)
    yield Table(rows, colWidths=[_WIDE * one for one in share], style=[*_TIGHT, *_UNDERLINED])
    yield Spacer(1, 7)


def _grid(block: Grid) -> Iterator[Flowable]:
    columns = len(block.columns)
    share = block.share or tuple(100 / columns for _ in range(columns))
    widths = [_WIDE * one / sum(share) for one in share]
    size = 8.2 if columns <= 6 else 7

    def cell(text: str, column: int, *, bold: bool = False) -> Paragraph:
        return _text(text, 7 if column in block.code else size, bold=bold, right=column in block.numeric)

    rows = [[cell(name, place, bold=True) for place, name in enumerate(block.columns)]]
    rows += [[cell(text, place) for place, text in enumerate(row)] for row in block.rows]
    yield from _titled(block.title)
    style: list[Any] = [*_TIGHT, *_UNDERLINED, ("LINEBELOW", (0, 0), (-1, 0), 0.9, _MUTED)]
    yield Table(rows, colWidths=widths, style=style, repeatRows=1, splitInRow=1)
    yield Spacer(1, 3)
    if block.note:
        yield _text(block.note, 8, colour=_MUTED)
    yield Spacer(1, 6)


def _titled(title: str) -> Iterator[Flowable]:
    if title:
        yield CondPageBreak(50)
        yield _text(title, 9.2, bold=True, spaceBefore=4, spaceAfter=2)


def _working(block: Working) -> Flowable:
    rows: list[list[Any]] = [[_text(block.title, 9.2, bold=True), ""], [_text(block.formula, 8, colour=_MUTED), ""]]
    if block.rule:
        rows.append([_text(block.rule, 8, colour=_MUTED), ""])
    spans = [("SPAN", (0, number), (1, number)) for number in range(len(rows))]
    for number, (about, equation) in enumerate(block.steps):
        last = number == len(block.steps) - 1
        sum_of = _text(equation, 10, bold=last)
        if about:
            rows.append([_text(about, 8.4, colour=_MUTED), sum_of])
        else:
            spans.append(("SPAN", (0, len(rows)), (1, len(rows))))
            rows.append([sum_of, ""])
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, -1), _SOFT),
        ("BOX", (0, 0), (-1, -1), 0.5, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        *spans,
    ]
    widths = [_WIDE * 0.3, _WIDE * 0.7]
    return KeepTogether([Spacer(1, 4), Table(rows, colWidths=widths, style=TableStyle(style)), Spacer(1, 8)])


_TIGHT: Final[list[Any]] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
    ("TOPPADDING", (0, 0), (-1, -1), 1.6),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
]
_UNDERLINED: Final[list[Any]] = [("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE)]


# -- pictures ----------------------------------------------------------------------------------------------------------


def to_drawing(picture: Picture, width: float) -> drawn.Drawing:
    """*picture* as reportlab draws it, *width* points wide."""
    scale = width / picture.width
    made = drawn.Drawing(width, picture.height * scale)
    group = drawn.Group(transform=(scale, 0, 0, -scale, 0, picture.height * scale))
    for shape in picture.shapes:
        for one in _drawn(shape):
            group.add(one)
    made.add(group)
    return made


def _drawn(shape: Polyline | Polygon | Label) -> Iterator[Any]:
    colour = HexColor(LIGHT[shape.colour])
    match shape:
        case Polyline():
            dash: dict[str, Any] = {"strokeDashArray": list(shape.dash)} if shape.dash else {}
            yield drawn.PolyLine(
                _flat(shape.points), strokeColor=colour, strokeWidth=shape.width, strokeLineJoin=1, **dash
            )
        case Polygon():
            yield drawn.Polygon(
                _flat(shape.points), fillColor=colour, fillOpacity=shape.opacity, strokeColor=None, strokeWidth=0
            )
        case Label():
            yield from _label(shape, colour)


def _label(label: Label, colour: Color) -> Iterator[Any]:
    runs = _runs(label.text, bold=label.bold)
    widths = [_width(run, font, label.size) for font, run in runs]
    x = label.x - sum(widths) * {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
    if label.backed:
        left, top, right, low = x - 1.5, label.y - label.size * 0.82, x + sum(widths) + 1.5, label.y + label.size * 0.26
        yield from _drawn(rectangle(left, top, right, low, "panel", 0.86))
    for (font, run), wide in zip(runs, widths, strict=True):
        # the paper is turned upside down for the shapes, so text is turned back
        text = drawn.String(0, 0, run, fontName=font, fontSize=label.size, fillColor=colour)
        yield drawn.Group(text, transform=(1, 0, 0, -1, x, label.y))
        x += wide


def _flat(points: Sequence[tuple[float, float]]) -> list[float]:
    return [number for point in points for number in point]
