"""What an evidence pack is made of: pages, and the blocks on them."""

from typing import Literal

from domain.checks.recompute import Difference
from domain.ground.base import Record
from starter.evidence.drawing import Picture
from starter.evidence.redaction import Reader

Tone = Literal["plain", "quiet", "good", "bad", "open"]


class Heading(Record):
    level: Literal[2, 3]
    text: str
    anchor: str = ""


class Prose(Record):
    """A paragraph. ``quote``: somebody's own words, in ``language`` where that is known."""

    text: str
    tone: Tone = "plain"
    quote: bool = False
    language: str | None = None


class Card(Record):
    label: str
    value: str
    tone: Tone = "plain"


class Cards(Record):
    """The few things to see first."""

    cards: tuple[Card, ...]


class Badge(Record):
    """A verdict, and how far the evidence carries it."""

    text: str
    tone: Tone
    note: str


class Pairs(Record):
    """Names and values, two a row. ``code``: values that are not to be read but compared, one a row."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    code: bool = False

    @property
    def rows(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """The pairs by rows, read column by column: the first half stands on the left."""
        if self.code or len(self.pairs) < 4:
            return tuple((pair,) for pair in self.pairs)
        half = (len(self.pairs) + 1) // 2
        return tuple(self.pairs[place::half] for place in range(half))


class Grid(Record):
    """A table. ``numeric`` and ``code`` are the numbers of columns, from 0; ``share`` how wide each is."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    code: tuple[int, ...] = ()
    share: tuple[float, ...] = ()
    note: str = ""
    opens: tuple[tuple[str, ...], ...] = ()
    """For each cell the key of the figure in it, where what is behind it can be looked at."""


class Figure(Record):
    number: int
    heading: str
    caption: str
    picture: Picture


class Working(Record):
    """A formula, and its numbers filled in: a line each, what it is about and the equation. The last is the sum."""

    title: str
    formula: str
    rule: str
    steps: tuple[tuple[str, str], ...]


Block = Heading | Prose | Cards | Badge | Pairs | Grid | Figure | Working


class Page(Record):
    """One language of a pack."""

    language: str
    language_name: str
    title: str
    firm: str
    subtitle: str
    made_for: str
    state: str
    page_name: str
    blocks: tuple[Block, ...]


class Document(Record):
    """Pages in one or several languages. ``title`` is the document's, ``content_hash`` that of the data."""

    title: str
    content_hash: str
    pages: tuple[Page, ...]


class Pack(Document):
    """A pack for one reader. ``differences`` are what was not the same when the findings were made again."""

    reference: str
    reader: Reader
    differences: tuple[Difference, ...]
