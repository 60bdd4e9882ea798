"""Pictures of reports, of the same shapes as those of the evidence pack."""

from collections.abc import Sequence
from typing import NamedTuple

from starter.evidence.drawing import (
    WIDTH,
    Label,
    Picture,
    Polyline,
    Shape,
    circle,
    rectangle,
    shortened,
    ticks,
    width_of,
)

_NAMES = 236.0
_BAR = 15.0
_STEP = 26.0
_HEAD = 30.0
_COLOURS = ("promised", "source1")


class Bar(NamedTuple):
    """A row of a picture: its name, a value for each series, and how the values are written."""

    name: str
    values: tuple[float, ...]
    written: tuple[str, ...]


def bars(rows: Sequence[Bar], series: Sequence[str], *, title: str, description: str) -> Picture:
    """A bar a row, the second series as a narrower bar in front of the first."""
    most = max((value for row in rows for value in row.values), default=0) or 1.0
    left = _NAMES
    said = [" / ".join(row.written) for row in rows]
    right = WIDTH - 20 - max((width_of(text, 10, bold=True) for text in said), default=0)
    height = _HEAD + len(rows) * _STEP + 8

    def x(value: float) -> float:
        return left + value / most * (right - left)

    shapes: list[Shape] = [*_legend(series, left)] if len(series) > 1 else []
    top = _HEAD if len(series) > 1 else 8.0
    height -= _HEAD - top
    for number, row in enumerate(rows):
        y = top + number * _STEP
        middle = y + _STEP / 2
        shapes.append(
            Label(x=left - 10, y=middle + 3.5, text=shortened(row.name, _NAMES - 44, 10), size=10, anchor="end")
        )
        for place, value in enumerate(row.values):
            thick = _BAR if place == 0 else _BAR * 0.42
            if value > 0:
                end = max(x(value), left + 1)
                opacity = 0.78 if place == 0 else 1
                shapes.append(rectangle(left, middle - thick / 2, end, middle + thick / 2, _COLOURS[place], opacity))
        shapes.append(Label(x=x(max(row.values)) + 7, y=middle + 3.5, text=said[number], size=10, bold=True))
    shapes.append(Polyline(points=((left, top), (left, top + len(rows) * _STEP)), colour="muted", width=0.9))
    return Picture(width=WIDTH, height=height, title=title, description=description, shapes=tuple(shapes))


def trend(
    months: Sequence[str], lines: Sequence[Sequence[float]], series: Sequence[str], *, title: str, description: str
) -> Picture:
    """A line a series over the months; the second one is dashed."""
    left, right, top, bottom = 52.0, WIDTH - 24, 40.0, 210.0
    most = max((value for line in lines for value in line), default=0) or 1.0
    # Complaints are counted: no line of the grid stands at half of one.
    scale = [one for one in ticks(0, most, 4) if one == int(one)] if most > 1 else [0.0, 1.0]
    ceiling = max(most, scale[-1]) * 1.06

    def x(number: int) -> float:
        return left + (number + 0.5) / max(1, len(months)) * (right - left)

    def y(value: float) -> float:
        return bottom - value / ceiling * (bottom - top)

    shapes: list[Shape] = [rectangle(left, top - 6, right, bottom, "panel"), *_legend(series, left)]
    for value in scale:
        shapes.append(Polyline(points=((left, y(value)), (right, y(value))), colour="grid", width=0.7))
        shapes.append(Label(x=left - 8, y=y(value) + 3, text=f"{value:,.0f}", colour="muted", size=9, anchor="end"))
    for number, month in enumerate(months):
        shapes.append(Label(x=x(number), y=bottom + 16, text=month, colour="muted", size=9, anchor="middle"))
    for place, line in enumerate(lines):
        points = tuple((x(number), y(value)) for number, value in enumerate(line))
        dash = () if place == 0 else (6.0, 3.0)
        shapes.append(Polyline(points=points, colour=_COLOURS[place], width=2.2, dash=dash))
        for across, down in points:
            shapes.append(Polyline(points=circle(across, down, 2.6), colour=_COLOURS[place], width=1.6))
    shapes.append(Polyline(points=((left, bottom), (right, bottom)), colour="muted", width=0.9))
    return Picture(width=WIDTH, height=bottom + 26, title=title, description=description, shapes=tuple(shapes))


def _legend(series: Sequence[str], left: float) -> list[Shape]:
    shapes: list[Shape] = []
    at = left
    for place, name in enumerate(series):
        thick = 5.0 if place == 0 else 2.2
        shapes.append(rectangle(at, 11.5 - thick, at + 18, 11.5 + thick, _COLOURS[place], 0.9))
        shapes.append(Label(x=at + 24, y=15, text=name, colour="muted", size=9.5))
        at += 24 + 8 * len(name) + 40
    return shapes
