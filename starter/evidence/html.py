"""A pack as one HTML page: styles and pictures inside, nothing fetched, no script."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from runtime.paths import TEMPLATES
from starter.evidence.blocks import Document
from starter.evidence.drawing import Label, Picture, Polygon, Polyline, width_of

LIGHT: Final[Mapping[str, str]] = {
    "ink": "#1b2430",
    "muted": "#5b6675",
    "grid": "#e3e7ec",
    "panel": "#ffffff",
    "fill": "#b3261e",
    "reference": "#1d6b46",
    "trigger": "#6a3d9a",
    "band": "#e0a800",
    "late": "#b3261e",
    "promised": "#5d87ad",
    "source0": "#0b5fa5",
    "source1": "#b85c00",
    "source2": "#00806a",
    "source3": "#9c3f83",
    "source4": "#6b6100",
    "source5": "#4a4f9e",
}
"""Colours on paper, distinguishable with any colour vision; dash and name tell sources apart without them."""
_DARK: Final[Mapping[str, str]] = {
    "ink": "#e7ebf0",
    "muted": "#a2adba",
    "grid": "#2c343e",
    "panel": "#191f26",
    "fill": "#ff8a75",
    "reference": "#6fd39b",
    "trigger": "#c6a2ee",
    "band": "#c99a1b",
    "late": "#ff8a75",
    "promised": "#6f9ec8",
    "source0": "#6cb2ee",
    "source1": "#f0a04b",
    "source2": "#4fc9ae",
    "source3": "#dd8ec6",
    "source4": "#cfc257",
    "source5": "#a0a5f0",
}


def to_html(pack: Document) -> str:
    """*pack* as one page of HTML."""
    return _template().render(pack=pack, light=LIGHT, dark=_DARK, drawn=_drawn)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, keep_trailing_newline=True
    )
    return environment.get_template("evidence.html")


def _drawn(picture: Picture, number: int) -> Markup:
    return Markup(to_svg(picture))  # noqa: S704 (every text in it is escaped)


def to_svg(picture: Picture) -> str:
    """*picture* as SVG, with its name and its description for those who do not see it."""
    shapes = "".join(_shapes(picture))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(picture.width)} {_n(picture.height)}" role="img"'
        f" aria-label={quoteattr(f'{picture.title}. {picture.description}')}"
        f' font-family="inherit"><title>{escape(picture.title)}</title><desc>{escape(picture.description)}</desc>'
        f"{shapes}</svg>"
    )


def _shapes(picture: Picture) -> Iterator[str]:
    for shape in picture.shapes:
        match shape:
            case Polyline():
                dash = f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
                yield (
                    f'<polyline points="{_points(shape.points)}" fill="none" style="stroke:var(--c-{shape.colour})"'
                    f' stroke-width="{_n(shape.width)}" stroke-linejoin="round"{dash}/>'
                )
            case Polygon():
                opacity = f' fill-opacity="{_n(shape.opacity)}"' if shape.opacity < 1 else ""
                yield f'<polygon points="{_points(shape.points)}" style="fill:var(--c-{shape.colour})"{opacity}/>'
            case Label():
                anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
                weight = ' font-weight="600"' if shape.bold else ""
                if shape.backed:
                    long = width_of(shape.text, shape.size, bold=shape.bold)
                    left = shape.x - long * {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor]
                    yield (
                        f'<rect x="{_n(left - 1.5)}" y="{_n(shape.y - shape.size * 0.82)}" width="{_n(long + 3)}"'
                        f' height="{_n(shape.size * 1.08)}" style="fill:var(--c-panel)" fill-opacity="0.86"/>'
                    )
                yield (
                    f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}"{anchor}{weight}'
                    f' style="fill:var(--c-{shape.colour})">{escape(shape.text)}</text>'
                )


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
