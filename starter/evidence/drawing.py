"""What every picture is drawn with: lines, areas, labels, scales and axes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil, cos, floor, log10, pi, sin
from typing import Final, Literal, NamedTuple

from domain.ground.base import Record
from domain.log.trade_log import Quote
from starter.evidence.scenes import Moment
from starter.evidence.words import Words, clock

Dash = tuple[float, ...]
Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

SOURCES: Final = tuple(f"source{number}" for number in range(6))
"""Roles of colour of price sources; a seventh begins again, with another dash."""
_DASHES: Final[tuple[Dash, ...]] = ((), (6, 2.5), (2, 2), (9, 2.5, 2, 2.5), (4, 4), (1.2, 2.4), (12, 3))


class Polyline(Record):
    points: tuple[Point, ...]
    colour: str
    width: float = 1
    dash: Dash = ()


class Polygon(Record):
    points: tuple[Point, ...]
    colour: str
    opacity: float = 1


class Label(Record):
    """Text at a baseline. ``backed``: on a patch of the panel's colour, so that lines under it do not disturb."""

    x: float
    y: float
    text: str
    colour: str = "ink"
    size: float = 9
    anchor: Anchor = "start"
    bold: bool = False
    backed: bool = False


Shape = Polyline | Polygon | Label


class Picture(Record):
    """A picture with its name and what it shows in words, for those who do not see it."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...]


class Plot(NamedTuple):
    """Where instants and prices lie on the paper."""

    left: float
    top: float
    right: float
    bottom: float
    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return self.left + share * (self.right - self.left)

    def y(self, value: Decimal | float) -> float:
        share = (float(value) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)


WIDTH: Final = 720.0
LEFT, RIGHT, BOTTOM = 62.0, 112.0, 38.0
ROW: Final = 12.0
"""Height of a row of labels."""


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide *text* is: Latin letters as in Helvetica, others as wide as high."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    font = "Helvetica-Bold" if bold else "Helvetica"
    return sum(1.0 if ord(letter) > 0x2E7F else float(stringWidth(letter, font, 1)) for letter in text) * size


class Styles:
    """How each source is drawn, in the order of their names: a colour, a dash, and the name that the reader sees."""

    def __init__(self, sources: Iterable[str], shown: Callable[[str], str]) -> None:
        self._places = {source: place for place, source in enumerate(sorted(set(sources)))}
        self._shown = shown

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self._places)

    def colour(self, source: str) -> str:
        return SOURCES[self._places[source] % len(SOURCES)]

    def dash(self, source: str) -> Dash:
        return _DASHES[self._places[source] % len(_DASHES)]

    def name(self, source: str) -> str:
        return self._shown(source)

    def place(self, source: str) -> int:
        return self._places[source]


def runs(quotes: Sequence[Quote], silent: timedelta, end: datetime) -> list[list[tuple[datetime, Quote]]]:
    """The quotes of one source as they stood: each from its instant until the next, for no longer than *silent*.

    A run ends with the last quote and the instant until which it is drawn. Between runs nothing is known.
    """
    found: list[list[tuple[datetime, Quote]]] = []
    known = sorted(quotes, key=lambda quote: quote.at)
    for quote, following in zip(known, [*known[1:], None], strict=True):
        if not found or found[-1][-1][0] < quote.at:
            found.append([])
        until = min(following.at if following else end, quote.at + silent, max(end, quote.at))
        if found[-1]:
            found[-1].pop()
        found[-1] += [(quote.at, quote), (until, quote)]
    return found


class Head(NamedTuple):
    """Where the label of a moment stands: its row above the plot, and where it begins."""

    moment: Moment
    text: str
    row: int
    x: float


def heads_of(moments: Iterable[Moment], across: Callable[[datetime], float], words: Words) -> list[Head]:
    """The labels of *moments*, in as many rows as it takes for none to cover another."""
    ends: list[float] = []
    placed = []
    for moment in moments:
        text = f"{words('mark', moment.kind)} {clock(moment.at)}"
        long = width_of(text, HEAD, bold=True)
        begin = min(max(across(moment.at) - long / 2, 4), WIDTH - 4 - long)
        row = next((number for number, end in enumerate(ends) if begin > end + 8), len(ends))
        if row == len(ends):
            ends.append(0)
        ends[row] = begin + long
        placed.append(Head(moment, text, row, begin))
    return placed


HEAD: Final = 8.5
_STEPS: Final = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14_400,
    21_600,
    43_200,
    86_400,
)
"""Seconds between two marks of a time axis."""


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from *low* to *high*, at most *most* + 1."""
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = ceil(low / step - 1e-9)
    last = floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def time_axis(plot: Plot) -> Iterator[Shape]:
    """Marks of the time of day in UTC, with fractions where seconds are too coarse."""
    seconds = (plot.end - plot.start).total_seconds()
    step = next((step for step in _STEPS if seconds / step <= 8), _STEPS[-1])
    midnight = plot.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    number = ceil((plot.start - midnight).total_seconds() / step)
    while (at := midnight + timedelta(seconds=number * step)) <= plot.end:
        x = plot.x(at)
        yield Polyline(points=((x, plot.bottom), (x, plot.bottom + 4)), colour="muted", width=0.8)
        text = f"{at:%H:%M}" if step >= 60 else f"{at:%H:%M:%S}" if step >= 1 else f"{at:%H:%M:%S.%f}"[:-3]
        yield Label(x=x, y=plot.bottom + 15, text=text, colour="muted", size=8.5, anchor="middle")
        number += 1
    day = plot.start.astimezone(UTC)
    yield Label(x=plot.left, y=plot.bottom + 29, text=f"{day:%Y-%m-%d} UTC", colour="muted", size=8.5)
    yield Polyline(points=((plot.left, plot.bottom), (plot.right, plot.bottom)), colour="muted", width=0.8)


def spread(wanted: Sequence[tuple[float, str]], apart: float, top: float, bottom: float) -> list[tuple[float, str]]:
    """Places as near as may be to those *wanted*, from above, *apart* from each other."""
    placed: list[float] = []
    for y, _ in wanted:
        placed.append(max(y, placed[-1] + apart if placed else top))
    below = bottom
    for number in range(len(placed) - 1, -1, -1):
        placed[number] = min(placed[number], below)
        below = placed[number] - apart
    return [(y, name) for y, (_, name) in zip(placed, wanted, strict=True)]


def shortened(text: str, room: float, size: float) -> str:
    """*text*, or as much of it as fits."""
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1]
    return text + "…"


def rectangle(  # noqa: PLR0917 (left, top, right, bottom: everybody's order)
    left: float, top: float, right: float, bottom: float, colour: str, opacity: float = 1
) -> Polygon:
    points = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Polygon(points=points, colour=colour, opacity=opacity)


def diamond(x: float, y: float, size: float) -> tuple[Point, ...]:
    return ((x, y - size), (x + size, y), (x, y + size), (x - size, y))


def circle(x: float, y: float, radius: float) -> tuple[Point, ...]:
    """As sixteen straight lines, which nobody sees."""
    return tuple((x + radius * cos(turn * pi / 8), y + radius * sin(turn * pi / 8)) for turn in range(17))


def is_free(place: float, taken: Iterable[float]) -> bool:
    """Whether a label at *place* touches none of those *taken*; all in points."""
    return all(abs(place - other) > 11 for other in taken)


def thinned(points: Sequence[Point]) -> list[Point]:
    """Without the points in the middle of a straight stretch."""
    kept: list[Point] = []
    for number, point in enumerate(points):
        after = points[number + 1] if number + 1 < len(points) else None
        if kept and after is not None:
            before = kept[-1]
            across = before[1] == point[1] == after[1]
            along = before[0] == point[0] == after[0] and (before[1] - point[1]) * (point[1] - after[1]) >= 0
            if across or along:
                continue
        kept.append(point)
    return kept
