"""The table rows of an HTML page, read piece by piece: nothing but the row being read is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from starter.importing.formats.source import Unreadable

MOST = 1 << 20
"""Characters a row may have. A page with more in one is no statement."""
_TAG = 1 << 18
"""Characters a tag or a comment may have. It is looked at again with every piece until it ends."""
_MOST_CELLS = 1000
"""Cells of a row, those that a spanning one stands for among them: a statement has 14."""
_LAST = 1 << 14
"""Characters of a tag that the page breaks off in: what cannot be one is looked at again for each of them."""


@dataclass
class HtmlRow:
    """A row: ``values`` are its cells, and in ``cells`` one that spans several columns stands in each of them.

    In ``spread`` it stands in the first of them, and cells that no browser shows are left out. ``title`` is that of the
    first cell.
    """

    line: int
    cells: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    spread: list[str | None] = field(default_factory=list)
    title: str | None = None

    @property
    def text(self) -> str:
        return "\t".join(self.values)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[HtmlRow] = []
        self._row: HtmlRow | None = None
        self._cell: list[str] | None = None
        self._span = 1
        self._hidden = False
        self._size = 0
        self.breaks_off = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_row()
            self.breaks_off = True
            self._row = HtmlRow(self.getpos()[0])
            self._size = 0
        elif tag in ("td", "th") and self._row is not None:
            self._end_cell()
            given = dict(attrs)
            span = given.get("colspan") or "1"
            self._span = min(int(span), 100) if span.isascii() and span.isdigit() else 1
            style = (given.get("style") or "").replace(" ", "").lower()
            self._hidden = "hidden" in (given.get("class") or "").split() or "display:none" in style
            self._cell = []
            if not self._row.cells:
                self._row.title = given.get("title")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table", "body", "html"):
            self._end_row()
            self.breaks_off = self.breaks_off and tag == "tr"

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._size += len(data)
            if self._size > MOST:
                raise Unreadable(f"line {self.getpos()[0]}: a table row of more than {MOST:,} characters")
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._row is not None and self._cell is not None:
            text = " ".join("".join(self._cell).split())  # a no-break space counts as space
            self._row.cells += [text] * max(self._span, 1)
            if len(self._row.cells) > _MOST_CELLS:
                raise Unreadable(f"line {self.getpos()[0]}: a table row of more than {_MOST_CELLS:,} cells")
            self._row.values.append(text)
            if not self._hidden:
                self._row.spread += [text, *[None] * (max(self._span, 1) - 1)]
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is not None:
            self.rows.append(self._row)
        self._row = None


def html_rows(pieces: Iterable[str]) -> Iterator[HtmlRow]:
    """The rows of the page in *pieces* of text, as they end.

    Raises :class:`Unreadable`, also where the page ends within a table: who knows what was to follow.
    """
    parser = _Parser()
    for piece in pieces:
        parser.feed(piece)
        if len(parser.rawdata) > _TAG + len(piece):
            raise Unreadable(f"line {parser.getpos()[0]}: a tag or comment that does not end")
        yield from parser.rows
        parser.rows.clear()
    if len(parser.rawdata) > _LAST:
        raise Unreadable(f"line {parser.getpos()[0]}: a tag or comment that does not end")
    parser.close()
    parser._end_row()
    yield from parser.rows
    if parser.breaks_off:
        raise Unreadable(f"line {parser.getpos()[0]}: it breaks off in the middle of a table: save it again")
