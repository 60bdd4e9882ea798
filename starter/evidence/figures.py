"""The pictures of findings, each drawn once, with its caption."""

from collections.abc import Iterator
from decimal import Decimal

from domain.checks.findings import Finding
from domain.money.parts import plain
from starter.evidence.blocks import (
    Block,
    Figure,
    Prose,
)
from starter.evidence.pictures import margin_picture, span_picture
from starter.evidence.price_picture import price_picture
from starter.evidence.scenes import SILENT, MarginScene, PriceScene, Scene
from starter.evidence.section import Given, Section
from starter.evidence.words import clock, grouped, utc


class Figures(Section):
    """Draws the scenes of findings, and numbers the pictures."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.count = 0
        self.drawn: dict[Scene, int] = {}

    def picture(self, finding: Finding, scene: Scene) -> Iterator[Block]:
        words = self.words
        if scene in self.drawn:
            yield Prose(text=words("finding", "see_figure", number=self.drawn[scene]), tone="quiet")
            return
        if isinstance(scene, PriceScene):
            chart = self.facts.chart(scene)
            if chart is None or not chart.quotes:
                yield Prose(text=words("finding", "no_picture"), tone="quiet")
                return
        self.count += 1
        self.drawn[scene] = self.count
        heading = words("figure", "heading", number=self.count)
        caption = self.caption(scene)
        if isinstance(scene, PriceScene):
            chart = self.facts.chart(scene)
            picture = price_picture(
                scene,
                chart.quotes if chart else (),
                continuous=chart is not None and chart.from_log,
                words=words,
                shown=self.hide.source,
                title=heading,
                description=caption,
            )
        elif isinstance(scene, MarginScene):
            picture = margin_picture(scene, words=words, title=heading, description=caption)
        else:
            picture = span_picture(scene, words=words, title=heading, description=caption)
        yield Figure(number=self.count, heading=heading, caption=caption, picture=picture)

    def caption(self, scene: Scene) -> str:
        if isinstance(scene, PriceScene):
            return self.words.joined(*self.price_caption(scene))
        if isinstance(scene, MarginScene):
            return self.words(
                "figure", "margin", start=utc(scene.start), end=utc(scene.end), limit=grouped(scene.limit)
            )
        span = self.words("figure", "span", requested=utc(scene.requested), due=utc(scene.due))
        if scene.ended:
            return self.words.joined(span, self.words("figure", "span_ended", ended=utc(scene.ended)))
        return self.words.joined(span, self.words("figure", "span_pending", as_of=utc(scene.as_of)))

    def price_caption(self, scene: PriceScene) -> Iterator[str]:
        words, chart = self.words, self.facts.chart(scene)
        yield words("figure", "price", symbol=scene.symbol, start=utc(scene.start), end=clock(scene.end) + " UTC")
        if chart is not None and chart.from_log:
            yield words("figure", "alone")
            yield words("figure", "gap", seconds=SILENT.seconds)
        elif chart is not None:
            yield words("figure", "from_evidence", count=len(chart.quotes))
        lines = {line.kind: self.price(line.price, scene) for line in scene.lines}
        if "trigger" in lines:
            yield words("figure", "trigger", price=lines["trigger"])
        fills = [mark for mark in scene.marks if mark.kind == "fill"]
        if len(fills) == 1:
            yield words("figure", "filled", price=self.price(fills[0].price, scene))
        if "reference_price" in lines and scene.rule:
            yield words("figure", "reference", price=lines["reference_price"], rule=words("rule", scene.rule))
        if scene.band:
            yield words("figure", "tolerance", tolerance=f"{scene.band.tolerance:f}")
        for moment in scene.outside:
            yield words("figure", "earlier", what=words("mark", moment.kind), at=utc(moment.at))

    def price(self, price: Decimal, scene: PriceScene) -> str:
        return f"{price:.{scene.digits}f}" if price == round(price, scene.digits) else plain(price)
