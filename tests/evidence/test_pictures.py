"""Pictures: what lies where, gaps that stay gaps, and shapes that every reader of SVG understands."""

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.findings import Check
from domain.log.firm_records import Happened
from domain.log.trade_log import OrderType, Quote, Side
from starter.evidence.blocks import Figure
from starter.evidence.drawing import (
    SOURCES,
    WIDTH,
    Label,
    Picture,
    Plot,
    Polygon,
    Polyline,
    diamond,
    runs,
    spread,
    ticks,
)
from starter.evidence.html import LIGHT, to_html, to_svg
from starter.evidence.pdf import to_drawing
from starter.evidence.price_picture import price_picture
from starter.evidence.redaction import Reader
from starter.evidence.scenes import SILENT, MarginScene, PriceScene, SpanScene, scenes_of
from starter.evidence.words import words_of
from tests.checks.rows import AT, after, balance, fill, happened, order, position, quote, steady, terms
from tests.evidence.support import BAD, VALID, case, found, off_market, pack

QUOTES = (*VALID, *BAD)
PLAIN = ("ink", "muted", "grid", "panel", "fill", "reference", "trigger", "band", "late", "promised")
"""Roles of colour that are no price source."""


def scene_of(finding: Any) -> PriceScene:
    scene = scenes_of(finding)[0]
    assert isinstance(scene, PriceScene)
    return scene


def drawn(scene: PriceScene, quotes: tuple[Quote, ...] = QUOTES, *, continuous: bool = True) -> Picture:
    return price_picture(
        scene, quotes, continuous=continuous, words=words_of("en"), shown=str, title="Figure 1", description="Prices."
    )


def labels(picture: Picture) -> dict[str, Label]:
    return {shape.text: shape for shape in picture.shapes if isinstance(shape, Label)}


def plot_of(picture: Picture, scene: PriceScene) -> Plot:
    """Where prices lie, read from the scale: the labels of two of its values."""
    panel = next(shape for shape in picture.shapes if isinstance(shape, Polygon) and shape.colour == "panel")
    (left, top), _, (right, bottom), _ = panel.points
    scale = [
        (float(shape.text), shape.y - 3)
        for shape in picture.shapes
        if isinstance(shape, Label) and shape.anchor == "end" and re.fullmatch(r"[\d.]+", shape.text)
    ]
    (low, y_low), (high, y_high) = scale[0], scale[-1]
    unit = (high - low) / (y_low - y_high)
    return Plot(
        left, top, right, bottom, scene.start, scene.end, low - (bottom - y_low) * unit, high + (y_high - top) * unit
    )


class TestWhereThingsLie:
    @given(price=st.decimals("1920", "1955", places=2), side=st.sampled_from(Side))
    def test_a_fill_lies_at_its_instant_and_between_the_prices_around_it(self, price: Decimal, side: Side) -> None:
        scene = scene_of(off_market(str(price), side))
        picture = drawn(scene)
        plot = plot_of(picture, scene)
        x, y = plot.x(AT), plot.y(price)
        marks = [shape for shape in picture.shapes if isinstance(shape, Polygon) and len(shape.points) == 4]
        assert any(_close(mark.points, diamond(x, y, 6)) for mark in marks)
        assert plot.y(price - Decimal("0.01")) > y > plot.y(price + Decimal("0.01"))
        assert plot.left < x < plot.right
        assert plot.top <= y <= plot.bottom

    def test_order_reference_and_tolerance_are_drawn_and_named(self) -> None:
        scene = scene_of(off_market())
        assert {line.kind: line.price for line in scene.lines} == {"reference_price": Decimal("1937.39")}
        assert scene.band is not None
        assert (scene.band.low, scene.band.high) == (Decimal("1937.09"), Decimal("1937.69"))
        assert {mark.kind: mark.price for mark in scene.marks} == {"asked": Decimal(1937), "fill": Decimal("1920.96")}
        picture = drawn(scene)
        told = labels(picture)
        for text in ("reference 1937.39", "filled 1920.96", "asked for 1937.00", "16.43 worse", "LP-A", "priced it"):
            assert text in told, text
        assert {"received 23:29:59.750", "filled 23:30:00"} <= set(told)
        band = next(shape for shape in picture.shapes if isinstance(shape, Polygon) and shape.colour == "band")
        plot = plot_of(picture, scene)
        heights = {round(y, 3) for _, y in band.points}
        assert heights == {round(plot.y(Decimal("1937.69")), 3), round(plot.y(Decimal("1937.09")), 3)}

    def test_sources_differ_in_more_than_colour(self) -> None:
        picture = drawn(scene_of(off_market()))
        lines = [shape for shape in picture.shapes if isinstance(shape, Polyline) and shape.colour in SOURCES]
        by_colour = {line.colour: line.dash for line in lines}
        assert len(by_colour) == 3
        assert len(set(by_colour.values())) == 3

    def test_no_label_above_the_picture_covers_another(self) -> None:
        events = tuple(
            happened(kind, seconds, price=Decimal("1937.40"))
            for kind, seconds in ((Happened.SENT, -0.4), (Happened.RECEIVED, -0.3), (Happened.FORWARDED, -0.2))
        )
        finding = found(
            Check.EXECUTION_DELAY, orders=(order(),), fills=(fill("1937.36"),), order_events=events, quotes=VALID
        )
        heads = [label for text, label in labels(drawn(scene_of(finding))).items() if re.search(r" \d\d:\d\d:", text)]
        assert len(heads) == 4
        rows = {(round(label.y), round(label.x)) for label in heads}
        assert len(rows) == 4
        assert all(0 <= label.x <= WIDTH for label in heads)

    @given(st.lists(st.floats(0, 300), min_size=1, max_size=8))
    def test_names_at_the_edge_keep_apart_and_in_order(self, wanted: list[float]) -> None:
        placed = [y for y, _ in spread([(y, "LP") for y in sorted(wanted)], 24, 20, 260)]
        assert all(later - earlier >= 23.999 for earlier, later in pairwise(placed))

    @given(low=st.floats(0.5, 5000), span=st.floats(0.01, 500))
    def test_a_scale_has_a_few_round_values_within_it(self, low: float, span: float) -> None:
        values = ticks(low, low + span, 6)
        assert 2 <= len(values) <= 7
        assert all(low - span / 100 <= value <= low + span * 1.01 for value in values)


def _close(first: tuple[tuple[float, float], ...], second: tuple[tuple[float, float], ...]) -> bool:
    return all(abs(a - b) < 0.01 for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True))


class TestGaps:
    def test_nothing_is_drawn_through_a_silence(self) -> None:
        quotes = [quote("LP-B", second, "1937.36") for second in (-30, -29, 5, 6)]
        made = runs(quotes, SILENT, after(60))
        assert [(run[0][0], run[-1][0]) for run in made] == [(after(-30), after(-19)), (after(5), after(16))]

    def test_a_quote_stands_until_the_next_one(self) -> None:
        quotes = [quote("LP-B", 0, "1937.36"), quote("LP-B", 9, "1937.40")]
        (run,) = runs(quotes, SILENT, after(12))
        assert [at for at, _ in run] == [after(0), after(9), after(12)]

    def test_a_silence_leaves_a_hole_in_the_line(self) -> None:
        scene = scene_of(off_market())
        kept = tuple(one for one in VALID if not -9 < (one.at - AT).total_seconds() < 9)
        picture = drawn(scene, tuple(one for one in kept if one.source == "LP-B"))
        ribbons = [shape for shape in picture.shapes if isinstance(shape, Polygon) and shape.colour in SOURCES]
        plot = plot_of(picture, scene)
        spans = [(min(x for x, _ in one.points), max(x for x, _ in one.points)) for one in ribbons]
        assert len(spans) == 2
        assert spans[0][1] == pytest.approx(plot.x(after(1)))
        assert spans[1][0] == pytest.approx(plot.x(after(9)))

    def test_a_price_changes_in_a_step(self) -> None:
        scene = scene_of(off_market())
        picture = drawn(scene, (quote("LP-B", -5, "1937.00"), quote("LP-B", 0, "1938.00"), quote("LP-B", 4, "1936.00")))
        lines = [shape for shape in picture.shapes if isinstance(shape, Polyline) and shape.colour in SOURCES]
        for line in lines:
            for (x, y), (to_x, to_y) in pairwise(line.points):
                assert x == to_x or y == to_y

    def test_what_the_finding_kept_is_drawn_by_itself_where_the_log_has_nothing(self) -> None:
        finding = off_market()
        made = pack(case(finding), Reader.HANDLER, "en")
        figure = next(block for block in made.pages[0].blocks if isinstance(block, Figure))
        assert f"Drawn are the {len(QUOTES)} that the finding kept" in figure.caption
        assert not [one for one in figure.picture.shapes if isinstance(one, Polygon) and one.colour in SOURCES]
        with_log = pack(case(finding, quotes=QUOTES), Reader.HANDLER, "en")
        figure = next(block for block in with_log.pages[0].blocks if isinstance(block, Figure))
        assert "nothing is drawn" in figure.caption
        assert [one for one in figure.picture.shapes if isinstance(one, Polygon) and one.colour in SOURCES]


class TestOtherPictures:
    def test_a_forced_liquidation_shows_the_margin_level_against_the_one_in_force(self) -> None:
        finding = found(
            Check.STOP_OUT,
            orders=(order(type=OrderType.STOP_OUT, position="P1"),),
            fills=(fill("1920.96"),),
            positions=(position(closed_at=after(0), close_price=Decimal("1920.96")),),
            quotes=(*steady("LP-B", "1937.36"), *steady("LP-C", "1937.42"), quote("LP-A", 0, "1920.96")),
            account_terms=(terms(),),
            balances=(balance("1000"),),
        )
        scene = scenes_of(finding)[1]
        assert isinstance(scene, MarginScene)
        # equity 1000 - 261 = 739, of 1940 used
        assert scene.limit == 20
        assert {level for _, level in scene.levels} == {Decimal("38.0928")}
        figures = [b for b in pack(case(finding)).pages[0].blocks if isinstance(b, Figure)]
        assert "liquidation level 20 %" in labels(figures[1].picture)
        assert "margin level 38.09 %" in labels(figures[1].picture)

    def test_a_withdrawal_is_a_bar_with_its_late_part(self) -> None:
        from tests.cli.test_recompute import ASKED, late_withdrawal

        scene = scenes_of(late_withdrawal())[0]
        assert isinstance(scene, SpanScene)
        assert (scene.due - ASKED, scene.ended) == (timedelta(days=2), ASKED + timedelta(days=9))
        figure = next(b for b in pack(case(late_withdrawal())).pages[0].blocks if isinstance(b, Figure))
        told = labels(figure.picture)
        assert {
            "promised: 2 days",
            "late: 7 days",
            "requested 2026-03-02 09:00:00",
            "released 2026-03-11 09:00:00",
        } <= set(told)
        promised, late = (
            next(one for one in figure.picture.shapes if isinstance(one, Polygon) and one.colour == colour)
            for colour in ("promised", "late")
        )
        wide = [max(x for x, _ in one.points) - min(x for x, _ in one.points) for one in (promised, late)]
        assert wide[1] / wide[0] == pytest.approx(3.5)


class TestTheFormats:
    def test_every_picture_is_valid_svg_with_a_name_and_a_description(self) -> None:
        picture = drawn(scene_of(off_market()))
        root = ET.fromstring(to_svg(picture))  # noqa: S314 (our own)
        space = "{http://www.w3.org/2000/svg}"
        assert root.tag == f"{space}svg"
        assert root.find(f"{space}title") is not None
        assert (root.findtext(f"{space}desc"), root.get("role")) == ("Prices.", "img")
        assert len(root.findall(f"{space}polyline")) > 10

    def test_a_name_with_marks_in_it_stays_text(self) -> None:
        picture = price_picture(
            scene_of(off_market()),
            QUOTES,
            continuous=True,
            words=words_of("en"),
            shown=lambda name: f"<{name}>&",
            title='"Figure" <1>',
            description="a & b",
        )
        root = ET.fromstring(to_svg(picture))  # noqa: S314
        assert any("<LP-A>&" in (text.text or "") for text in root.iter("{http://www.w3.org/2000/svg}text"))

    def test_both_formats_draw_every_shape(self) -> None:
        picture = drawn(scene_of(off_market()))
        group: Any = to_drawing(picture, 500).contents[0]
        backed = sum(isinstance(shape, Label) and shape.backed for shape in picture.shapes)
        lines = sum(isinstance(shape, Polyline) for shape in picture.shapes)
        kinds = [type(one).__name__ for one in group.contents]
        assert kinds.count("PolyLine") == lines
        assert kinds.count("Polygon") == len([s for s in picture.shapes if isinstance(s, Polygon)]) + backed
        assert to_svg(picture).count("<polyline") == lines
        assert {shape.colour for shape in picture.shapes} <= set(LIGHT)
        assert set(PLAIN) | set(SOURCES) == set(LIGHT)

    def test_the_page_is_well_formed_needs_nothing_else_and_says_its_languages(self) -> None:
        html = to_html(pack(case(off_market(), quotes=QUOTES)))
        page = _Page()
        page.feed(html)
        page.close()
        assert page.open == []
        assert {"script", "link", "img", "iframe", "object"} & page.seen == set()
        assert {"article", "table", "caption", "th", "figure", "figcaption", "svg", "title"} <= page.seen
        assert page.languages == ["en", "en", "zh-CN", "en", "en", "zh-CN", "en"]
        assert page.headers_without_scope == 0
        addresses = set(re.findall(r"(?:https?:)?//[^\s\"'<>]+", html))
        assert addresses == {"http://www.w3.org/2000/svg"}
        assert "url(" not in html
        assert "@import" not in html


class _Page(HTMLParser):
    """Reads a page strictly: what is opened has to be closed, in order."""

    _ALONE = frozenset({"meta", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.languages: list[str] = []
        self.headers_without_scope = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        given = dict(attrs)
        if "lang" in given:
            self.languages.append(given["lang"] or "")
        self.headers_without_scope += tag == "th" and "scope" not in given
        if tag not in self._ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag
