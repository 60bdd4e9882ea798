"""Pictures as plain shapes: laid out once, then drawn as SVG and in PDF, so that the two cannot disagree.

Lengths are points, x to the right and y down. Colours are roles, for paper and screen give them different values; what
tells one thing from another is never colour alone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from domain.ground.spoken import lasting
from starter.evidence.drawing import (
    BOTTOM,
    HEAD,
    LEFT,
    RIGHT,
    ROW,
    WIDTH,
    Label,
    Picture,
    Plot,
    Point,
    Polygon,
    Polyline,
    Shape,
    diamond,
    heads_of,
    rectangle,
    thinned,
    ticks,
    time_axis,
    width_of,
)
from starter.evidence.scenes import SILENT, MarginScene, Moment, SpanScene
from starter.evidence.words import Words, clock, grouped


def margin_picture(scene: MarginScene, *, words: Words, title: str, description: str) -> Picture:
    """The margin level over time, and the level in force."""
    values = [float(level) for _, level in scene.levels]
    low, high = min([0.0, *values, float(scene.limit)]), max([*values, float(scene.limit)])
    closings = [Moment(kind="closed", at=at) for at in scene.closings[:6]]
    span = scene.end - scene.start
    heads = heads_of(closings, lambda at: LEFT + (at - scene.start) / span * (WIDTH - RIGHT - LEFT), words)
    top = 14 + (max((head.row for head in heads), default=0) + 1) * ROW
    height = top + 170 + BOTTOM
    reach = high + (high - low) * 0.1
    plot = Plot(LEFT, top, WIDTH - RIGHT, height - BOTTOM, scene.start, scene.end, low, reach)
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
        shapes.append(Polyline(points=tuple(thinned(points)), colour="ink", width=1.6))
    shapes.append(Polyline(points=((plot.left, limit), (plot.right, limit)), colour="late", width=1.3, dash=(6, 3)))
    text = words("mark", "limit", limit=grouped(scene.limit))
    shapes.append(Label(x=plot.left + 6, y=limit - 5, text=text, colour="late", bold=True, backed=True))
    for head in heads:
        x, y = plot.x(head.moment.at), 14 + head.row * ROW
        shapes.append(Polyline(points=((x, y + 3), (x, plot.bottom)), colour="ink", width=0.9))
        shapes.append(Label(x=head.x, y=y, text=head.text, size=HEAD, bold=True, backed=True))
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


def _hatching(left: float, right: float, apart: float) -> Iterator[float]:
    at = left
    while at < right:
        yield at
        at += apart
