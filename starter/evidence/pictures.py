"""Pictures as plain shapes: laid out once, then drawn as SVG and in PDF, so that the two cannot disagree.

Lengths are points, x to the right and y down. Colours are roles, for paper and screen give them different values; what
tells one thing from another is never colour alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import ceil, cos, floor, log10, pi, sin
from typing import Final, Literal, NamedTuple

from reportlab.pdfbase.pdfmetrics import stringWidth

from domain.base import Record
from domain.redress import plain
from domain.spoken import lasting
from domain.trade_log import Quote, Side
from starter.evidence.scenes import SILENT, MarginScene, Moment, PriceScene, SpanScene
from starter.evidence.words import Words, clock, grouped

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
_LEFT, _RIGHT, _BOTTOM = 62.0, 112.0, 38.0
_ROW: Final = 12.0
"""Height of a row of labels."""


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide *text* is: Latin letters as in Helvetica, others as wide as high."""
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


class _Head(NamedTuple):
    """Where the label of a moment stands: its row above the plot, and where it begins."""

    moment: Moment
    text: str
    row: int
    x: float


def _heads(moments: Iterable[Moment], across: Callable[[datetime], float], words: Words) -> list[_Head]:
    """The labels of *moments*, in as many rows as it takes for none to cover another."""
    ends: list[float] = []
    placed = []
    for moment in moments:
        text = f"{words('mark', moment.kind)} {clock(moment.at)}"
        long = width_of(text, _HEAD, bold=True)
        begin = min(max(across(moment.at) - long / 2, 4), WIDTH - 4 - long)
        row = next((number for number, end in enumerate(ends) if begin > end + 8), len(ends))
        if row == len(ends):
            ends.append(0)
        ends[row] = begin + long
        placed.append(_Head(moment, text, row, begin))
    return placed


def price_picture(
    scene: PriceScene,
    quotes: Sequence[Quote],
    *,
    continuous: bool,
    words: Words,
    shown: Callable[[str], str],
    title: str,
    description: str,
) -> Picture:
    """Bid and ask over time. *continuous*: the quotes are all there were; else each is drawn by itself."""
    span = scene.end - scene.start
    heads = _heads(scene.moments, lambda at: _LEFT + (at - scene.start) / span * (WIDTH - _RIGHT - _LEFT), words)
    top = 14 + (max((head.row for head in heads), default=0) + 1) * _ROW
    height = top + 250 + _BOTTOM
    low, high = _reach(scene, quotes)
    plot = Plot(_LEFT, top, WIDTH - _RIGHT, height - _BOTTOM, scene.start, scene.end, low, high)
    painter = _Painter(scene, quotes, plot, words, Styles((quote.source for quote in quotes), shown))
    shapes = [
        *painter.ground(),
        *(painter.ribbons() if continuous else painter.single_quotes()),
        *painter.moments(heads),
        *painter.lines(),
        *painter.marks(),
        *painter.names(continuous=continuous),
    ]
    return Picture(width=WIDTH, height=height, title=title, description=description, shapes=tuple(shapes))


def _reach(scene: PriceScene, quotes: Sequence[Quote]) -> tuple[float, float]:
    """The lowest and the highest price of the picture, with some room."""
    prices = [price for quote in quotes for price in (quote.bid, quote.ask)]
    prices += [mark.price for mark in scene.marks]
    prices += [line.price for line in scene.lines if line.kind in {"reference_price", "trigger", "strike", "asked"}]
    prices += [scene.band.low, scene.band.high] if scene.band else []
    low, high = float(min(prices)), float(max(prices))
    room = max((high - low) * 0.08, 10.0**-scene.digits)
    return low - room, high + room


class _Painter:
    """Draws one :class:`PriceScene`."""

    def __init__(self, scene: PriceScene, quotes: Sequence[Quote], plot: Plot, words: Words, styles: Styles) -> None:
        self.scene, self.quotes, self.plot, self.words, self.styles = scene, quotes, plot, words, styles
        self.fills = [mark for mark in scene.marks if mark.kind == "fill"]
        self.reference = next((line.price for line in scene.lines if line.kind == "reference_price"), None)

    def text(self, price: Decimal) -> str:
        digits = self.scene.digits
        return f"{price:.{digits}f}" if price == round(price, digits) else plain(round(price, digits + 4))

    def of(self, source: str) -> list[Quote]:
        return [quote for quote in self.quotes if quote.source == source]

    def ground(self) -> Iterator[Shape]:
        """Paper, outages, the band of valid prices, and the scales."""
        plot, scene = self.plot, self.scene
        yield rectangle(plot.left, plot.top, plot.right, plot.bottom, "panel")
        for down in scene.down:
            left, right = plot.x(max(down.since, scene.start)), plot.x(min(down.until, scene.end))
            yield rectangle(left, plot.top, right, plot.bottom, "late", 0.14)
            yield Label(x=left + 4, y=plot.top + 12, text=self.words("mark", "outage"), colour="late", backed=True)
        yield from self.band()
        for price in ticks(plot.low, plot.high, 6):
            y = plot.y(price)
            yield Polyline(points=((plot.left, y), (plot.right, y)), colour="grid", width=0.5)
            digits = min(max(scene.digits, 0), 8)
            yield Label(x=plot.left - 6, y=y + 3, text=f"{price:.{digits}f}", colour="muted", size=8.5, anchor="end")
        yield from time_axis(plot)

    def band(self) -> Iterator[Shape]:
        band, plot = self.scene.band, self.plot
        if band is None:
            return
        top, bottom = plot.y(band.high), plot.y(band.low)
        yield rectangle(plot.left, top, plot.right, bottom, "band", 0.22)
        for y in (top, bottom):
            yield Polyline(points=((plot.left, y), (plot.right, y)), colour="band", width=0.7)

    def ribbons(self) -> Iterator[Shape]:
        """Of each source a ribbon from bid to ask; the edge on the order's side is the stronger."""
        for source in self.styles.sources:
            colour, dash = self.styles.colour(source), self.styles.dash(source)
            for run in runs(self.of(source), SILENT, self.scene.end):
                bids, asks = (self.steps(run, side) for side in (Side.SELL, Side.BUY))
                yield Polygon(points=(*asks, *reversed(bids)), colour=colour, opacity=0.13)
                for side, points in ((Side.BUY, asks), (Side.SELL, bids)):
                    strong = side is self.scene.side or self.scene.side is None
                    yield Polyline(points=points, colour=colour, width=1.6 if strong else 0.7, dash=dash)

    def steps(self, run: Sequence[tuple[datetime, Quote]], side: Side) -> tuple[Point, ...]:
        """A price stands until the next one: across, then up or down. What was before begins at the edge."""
        points: list[Point] = []
        for at, quote in run:
            x = self.plot.x(min(max(at, self.scene.start), self.scene.end))
            y = self.plot.y(quote.ask if side is Side.BUY else quote.bid)
            if points and points[-1][1] != y:
                points.append((x, points[-1][1]))
            points.append((x, y))
        return tuple(_thinned(points))

    def single_quotes(self) -> Iterator[Shape]:
        """Each quote by itself, from bid to ask; of each source in its own width and dash."""
        for source in self.styles.sources:
            colour, wide = self.styles.colour(source), 3 + 1.5 * self.styles.place(source)
            for quote in self.of(source):
                x, bid, ask = self.plot.x(quote.at), self.plot.y(quote.bid), self.plot.y(quote.ask)
                yield Polyline(points=((x, bid), (x, ask)), colour=colour, width=1.2, dash=self.styles.dash(source))
                for y in (bid, ask):
                    yield Polyline(points=((x - wide, y), (x + wide, y)), colour=colour, width=1.4)

    def moments(self, heads: Iterable[_Head]) -> Iterator[Shape]:
        for head in heads:
            x, y = self.plot.x(head.moment.at), 14 + head.row * _ROW
            decisive = head.moment.kind == "filled"
            dash = () if decisive else (3.0, 3.0)
            points = ((x, y + 3), (x, self.plot.bottom))
            yield Polyline(points=points, colour="ink" if decisive else "muted", width=0.9, dash=dash)
        for head in heads:
            decisive = head.moment.kind == "filled"
            y = 14 + head.row * _ROW
            yield Label(x=head.x, y=y, text=head.text, size=_HEAD, bold=decisive, backed=True)

    def lines(self) -> Iterator[Shape]:
        """Prices that hold throughout, each named at its left end, above the line or, where that is taken, below."""
        taken: list[float] = []
        for line in sorted(self.scene.lines, key=lambda one: -one.price):
            y, colour = self.plot.y(line.price), "reference" if line.kind == "reference_price" else "trigger"
            dash = (8.0, 3.0, 2.0, 3.0) if line.kind == "reference_price" else (3.0, 2.0)
            yield Polyline(points=((self.plot.left, y), (self.plot.right, y)), colour=colour, width=1.3, dash=dash)
            at = next((place for place in (y - 5, y + 12, y - 17, y + 24) if _free(place, taken)), y - 5)
            taken.append(at)
            text = self.words("mark", line.kind, price=self.text(line.price))
            yield Label(x=self.plot.left + 6, y=at, text=text, colour=colour, bold=True, backed=True)

    def marks(self) -> Iterator[Shape]:
        for mark in self.scene.marks:
            x, y = self.plot.x(mark.at), self.plot.y(mark.price)
            if mark.kind == "fill":
                yield from self.loss(x, y, mark.price)
            else:
                yield Polyline(points=circle(x, y, 4.5), colour="ink", width=1.4)
        labelled: list[float] = []
        for mark in self.scene.marks:
            x, y = self.plot.x(mark.at), self.plot.y(mark.price)
            if mark.kind == "fill":
                yield Polygon(points=diamond(x, y, 6), colour="fill")
                yield Polyline(points=(*diamond(x, y, 6), diamond(x, y, 6)[0]), colour="panel", width=1)
            text = self.words("mark", mark.kind, price=self.text(mark.price))
            right = x + 12 + width_of(text, 9, bold=True) < self.plot.right
            place = next((at for at in (y + 3, y + 15, y - 9, y + 27) if _free(at, labelled)), y + 3)
            place = min(max(place, self.plot.top + 10), self.plot.bottom - 4)
            labelled.append(place)
            yield Label(
                x=x + 11 if right else x - 11,
                y=place,
                text=text,
                colour="fill" if mark.kind == "fill" else "ink",
                anchor="start" if right else "end",
                bold=mark.kind == "fill",
                backed=True,
            )

    def loss(self, x: float, y: float, price: Decimal) -> Iterator[Shape]:
        """From the price of a fill to the reference: how much worse or better it was."""
        if self.reference is None or self.scene.side is None:
            return
        to = self.plot.y(self.reference)
        if abs(to - y) < 26:
            return
        by = self.scene.side.sign * (price - self.reference)
        point = 1 if to > y else -1
        yield Polyline(points=((x, y), (x, to - point * 6)), colour="fill", width=1.8)
        yield Polygon(points=((x, to), (x - 3.5, to - point * 8), (x + 3.5, to - point * 8)), colour="fill")
        text = self.words("mark", "worse" if by > 0 else "better", by=self.text(abs(by)))
        right = x + 12 + width_of(text, 9, bold=True) < self.plot.right
        middle = (y + to) / 2 + 3
        anchor: Anchor = "start" if right else "end"
        at = x + 8 if right else x - 8
        yield Label(x=at, y=middle, text=text, colour="fill", anchor=anchor, bold=True, backed=True)

    def names(self, *, continuous: bool) -> Iterator[Shape]:
        """The sources at the right edge, where their last prices are, with a sample of their line."""
        wanted: list[tuple[float, str]] = []
        for source in self.styles.sources:
            last = max(self.of(source), key=lambda quote: quote.at)
            wanted.append((self.plot.y((last.bid + last.ask) / 2), source))
        for y, source in spread(sorted(wanted), 24, self.plot.top + 8, self.plot.bottom - 12):
            colour, dash = self.styles.colour(source), self.styles.dash(source)
            left = self.plot.right + 6
            yield Polyline(
                points=((left, y), (left + 22, y)), colour=colour, width=1.8, dash=dash if continuous else ()
            )
            yield Label(x=left + 27, y=y + 3, text=shortened(self.styles.name(source), 76, 9), bold=True)
            if source == self.scene.own:
                yield Label(x=left + 27, y=y + 13, text=self.words("mark", "own"), colour="fill", size=8)


def margin_picture(scene: MarginScene, *, words: Words, title: str, description: str) -> Picture:
    """The margin level over time, and the level in force."""
    values = [float(level) for _, level in scene.levels]
    low, high = min([0.0, *values, float(scene.limit)]), max([*values, float(scene.limit)])
    closings = [Moment(kind="closed", at=at) for at in scene.closings[:6]]
    span = scene.end - scene.start
    heads = _heads(closings, lambda at: _LEFT + (at - scene.start) / span * (WIDTH - _RIGHT - _LEFT), words)
    top = 14 + (max((head.row for head in heads), default=0) + 1) * _ROW
    height = top + 170 + _BOTTOM
    reach = high + (high - low) * 0.1
    plot = Plot(_LEFT, top, WIDTH - _RIGHT, height - _BOTTOM, scene.start, scene.end, low, reach)
    limit = plot.y(scene.limit)
    shapes: list[Shape] = [
        rectangle(plot.left, plot.top, plot.right, plot.bottom, "panel"),
        rectangle(plot.left, limit, plot.right, plot.bottom, "late", 0.14),
    ]
    for level in ticks(plot.low, plot.high, 5):
        y = plot.y(level)
        shapes.append(Polyline(points=((plot.left, y), (plot.right, y)), colour="grid", width=0.5))
        text = f"{level:g} %"
        shapes.append(Label(x=plot.left - 6, y=y + 3, text=text, colour="muted", size=8.5, anchor="end"))
    shapes += time_axis(plot)
    for run in _level_runs(scene):
        points: list[Point] = []
        for at, value in run:
            y = plot.y(value)
            if points and points[-1][1] != y:
                points.append((plot.x(at), points[-1][1]))
            points.append((plot.x(at), y))
        shapes.append(Polyline(points=tuple(_thinned(points)), colour="ink", width=1.6))
    shapes.append(Polyline(points=((plot.left, limit), (plot.right, limit)), colour="late", width=1.3, dash=(6, 3)))
    text = words("mark", "limit", limit=grouped(scene.limit))
    shapes.append(Label(x=plot.left + 6, y=limit - 5, text=text, colour="late", bold=True, backed=True))
    for head in heads:
        x, y = plot.x(head.moment.at), 14 + head.row * _ROW
        shapes.append(Polyline(points=((x, y + 3), (x, plot.bottom)), colour="ink", width=0.9))
        shapes.append(Label(x=head.x, y=y, text=head.text, size=_HEAD, bold=True, backed=True))
    last, value = scene.levels[-1]
    shapes.append(Polygon(points=diamond(plot.x(last), plot.y(value), 5), colour="fill"))
    text = words("mark", "level", level=grouped(round(value, 2)))
    shapes.append(
        Label(x=plot.x(last) - 10, y=plot.y(value) - 8, text=text, colour="fill", anchor="end", bold=True, backed=True)
    )
    return Picture(width=WIDTH, height=height, title=title, description=description, shapes=tuple(shapes))


def _level_runs(scene: MarginScene) -> list[list[tuple[datetime, Decimal]]]:
    """The levels in stretches without a silence: longer than a quote stands, and than the usual step."""
    steps = sorted(after[0] - before[0] for before, after in pairwise(scene.levels))
    longest = max(SILENT, 3 * steps[len(steps) // 2])
    found: list[list[tuple[datetime, Decimal]]] = [[scene.levels[0]]]
    for before, after in pairwise(scene.levels):
        if after[0] - before[0] > longest:
            found.append([])
        found[-1].append(after)
    return found


def span_picture(scene: SpanScene, *, words: Words, title: str, description: str) -> Picture:
    """A withdrawal as a bar: the time promised, and what went beyond it."""
    end = scene.ended or scene.as_of
    last = max(end, scene.due)
    left, right, y, high = 40.0, WIDTH - 40, 62.0, 30.0
    whole = last - scene.requested or timedelta(seconds=1)

    def x(at: datetime) -> float:
        return left + (at - scene.requested) / whole * (right - left)

    shapes: list[Shape] = [rectangle(x(scene.requested), y, x(min(end, scene.due)), y + high, "promised", 0.55)]
    if end < scene.due:
        corners = ((x(end), y), (x(scene.due), y), (x(scene.due), y + high), (x(end), y + high))
        shapes.append(Polyline(points=corners, colour="muted", dash=(3, 3)))
    late = end > scene.due
    if late:
        shapes.append(rectangle(x(scene.due), y, x(end), y + high, "late", 0.55))
        shapes += [
            Polyline(points=((at, y + high), (at + 10, y)), colour="late", width=0.8)
            for at in _hatching(x(scene.due), x(end) - 10, 10)
        ]
    names = [("requested", scene.requested), ("due", scene.due)]
    names.append(("released" if scene.ended else "as_of", end))
    ends: list[float] = [0.0, 0.0, 0.0]
    for kind, at in sorted(names, key=lambda one: one[1]):
        text = f"{words('mark', kind)} {at.astimezone(UTC):%Y-%m-%d} {clock(at)}"
        long = width_of(text, 9, bold=True)
        begin = min(max(x(at) - long / 2, 4), WIDTH - 4 - long)
        row = next((number for number, taken in enumerate(ends) if begin > taken + 8), 2)
        ends[row] = begin + long
        base = 16 + row * 13
        shapes.append(Polyline(points=((x(at), base + 3), (x(at), y + high + 4)), colour="ink", width=1))
        shapes.append(Label(x=begin, y=base, text=text, bold=kind != "due", backed=True))
    inside = words("mark", "promised", length=length(scene.due - scene.requested, words))
    shapes.append(Label(x=left + 8, y=y + high + 18, text=inside, colour="muted"))
    if late:
        text = words("mark", "late", length=length(end - scene.due, words))
        shapes.append(Label(x=x(end), y=y + high + 18, text=text, colour="late", anchor="end", bold=True))
    elif scene.ended:
        shapes.append(
            Label(x=right, y=y + high + 18, text=words("mark", "in_time"), colour="reference", anchor="end", bold=True)
        )
    return Picture(width=WIDTH, height=y + high + 28, title=title, description=description, shapes=tuple(shapes))


def length(duration: timedelta, words: Words) -> str:
    """A length of time in its two largest units."""
    return lasting(duration, most=2).in_language(words.language)


# -- scales and small shapes -------------------------------------------------------------------------------------------

_HEAD: Final = 8.5
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


def _hatching(left: float, right: float, apart: float) -> Iterator[float]:
    at = left
    while at < right:
        yield at
        at += apart


def _free(place: float, taken: Iterable[float]) -> bool:
    return all(abs(place - other) > 11 for other in taken)


def _thinned(points: Sequence[Point]) -> list[Point]:
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
