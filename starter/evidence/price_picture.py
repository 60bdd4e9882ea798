"""The picture of an order's prices: the quotes around it, by source."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from domain.log.trade_log import Quote, Side
from domain.money.parts import plain
from starter.evidence.drawing import (
    BOTTOM,
    HEAD,
    LEFT,
    RIGHT,
    ROW,
    WIDTH,
    Anchor,
    Head,
    Label,
    Picture,
    Plot,
    Point,
    Polygon,
    Polyline,
    Shape,
    Styles,
    circle,
    diamond,
    heads_of,
    is_free,
    rectangle,
    runs,
    shortened,
    spread,
    thinned,
    ticks,
    time_axis,
    width_of,
)
from starter.evidence.scenes import SILENT, PriceScene
from starter.evidence.words import Words


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
    heads = heads_of(scene.moments, lambda at: LEFT + (at - scene.start) / span * (WIDTH - RIGHT - LEFT), words)
    top = 14 + (max((head.row for head in heads), default=0) + 1) * ROW
    height = top + 250 + BOTTOM
    low, high = _reach(scene, quotes)
    plot = Plot(LEFT, top, WIDTH - RIGHT, height - BOTTOM, scene.start, scene.end, low, high)
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
        return tuple(thinned(points))

    def single_quotes(self) -> Iterator[Shape]:
        """Each quote by itself, from bid to ask; of each source in its own width and dash."""
        for source in self.styles.sources:
            colour, wide = self.styles.colour(source), 3 + 1.5 * self.styles.place(source)
            for quote in self.of(source):
                x, bid, ask = self.plot.x(quote.at), self.plot.y(quote.bid), self.plot.y(quote.ask)
                yield Polyline(points=((x, bid), (x, ask)), colour=colour, width=1.2, dash=self.styles.dash(source))
                for y in (bid, ask):
                    yield Polyline(points=((x - wide, y), (x + wide, y)), colour=colour, width=1.4)

    def moments(self, heads: Iterable[Head]) -> Iterator[Shape]:
        for head in heads:
            x, y = self.plot.x(head.moment.at), 14 + head.row * ROW
            decisive = head.moment.kind == "filled"
            dash = () if decisive else (3.0, 3.0)
            points = ((x, y + 3), (x, self.plot.bottom))
            yield Polyline(points=points, colour="ink" if decisive else "muted", width=0.9, dash=dash)
        for head in heads:
            decisive = head.moment.kind == "filled"
            y = 14 + head.row * ROW
            yield Label(x=head.x, y=y, text=head.text, size=HEAD, bold=decisive, backed=True)

    def lines(self) -> Iterator[Shape]:
        """Prices that hold throughout, each named at its left end, above the line or, where that is taken, below."""
        taken: list[float] = []
        for line in sorted(self.scene.lines, key=lambda one: -one.price):
            y, colour = self.plot.y(line.price), "reference" if line.kind == "reference_price" else "trigger"
            dash = (8.0, 3.0, 2.0, 3.0) if line.kind == "reference_price" else (3.0, 2.0)
            yield Polyline(points=((self.plot.left, y), (self.plot.right, y)), colour=colour, width=1.3, dash=dash)
            at = next((place for place in (y - 5, y + 12, y - 17, y + 24) if is_free(place, taken)), y - 5)
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
            place = next((at for at in (y + 3, y + 15, y - 9, y + 27) if is_free(at, labelled)), y + 3)
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
