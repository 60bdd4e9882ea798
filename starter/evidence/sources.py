"""Where everything comes from: hashes, the quotes that were drawn, and the rows that findings rest on."""

from collections.abc import Iterator
from itertools import islice

from domain.case.messages.evidence import AddEvidence
from domain.case.messages.signals import CustomerReply
from domain.checks.findings import EvidenceRow, Finding
from starter.evidence.blocks import (
    Block,
    Grid,
    Pairs,
    Prose,
)
from starter.evidence.formulas import number as number_of
from starter.evidence.reading import Chart
from starter.evidence.section import FIELDS, MOST_QUOTES, Section
from starter.evidence.words import as_instant, clock, second, utc


class Sources(Section):
    """The sources of the page."""

    def sources(self) -> Iterator[Block]:
        words, facts = self.words, self.facts
        yield self.heading("sources")
        yield Prose(text=words("sources", "intro", reference=facts.reference))
        yield Pairs(
            title="",
            pairs=(
                (words("sources", "content_hash"), facts.content_hash),
                (words("sources", "policy"), f"{facts.policy} {facts.policy_version}"),
                (words("sources", "policy_hash"), facts.policy_hash),
            ),
            code=True,
        )
        yield Prose(text=words("sources", "content_about"), tone="quiet")
        if facts.findings:
            yield Grid(
                title=words("sources", "findings"),
                columns=self.columns("number", "finding", "hash"),
                rows=tuple(
                    (str(number), words.check(one.finding.check), one.hash)
                    for number, one in enumerate(facts.findings, start=1)
                ),
                code=(2,),
                share=(6, 26, 68),
            )
        drawn = [chart for chart in facts.charts if chart.quotes]
        if drawn:
            yield Grid(
                title=words("sources", "charts"),
                columns=self.columns("symbol", "window", "source", "in_log", "drawn"),
                rows=tuple(row for chart in drawn for row in self.chart_rows(chart)),
                numeric=(3, 4),
                share=(14, 40, 18, 14, 14),
                note=words("sources", "chart_about"),
            )
        for number, stored in enumerate(facts.findings, start=1):
            yield from self.evidence(number, stored.finding)
        if files := tuple(self.files()):
            yield Grid(
                title=words("sources", "files"),
                columns=self.columns("at", "file", "whose", "hash"),
                rows=files,
                code=(3,),
                share=(18, 22, 12, 48),
            )

    def files(self) -> Iterator[tuple[str, ...]]:
        """The files that the customer sent, and for everybody else those of the firm's own notes."""
        for entry in self.facts.entries:
            theirs = entry.kind == CustomerReply.name
            if theirs or (entry.kind == AddEvidence.name and not self.for_customer):
                whose = self.words("sources", "of_customer" if theirs else "of_firm")
                for one in entry.data.get("attachments") or ():
                    yield second(entry.at), self.hide.words(one["title"]), whose, one.get("sha256") or "–"

    def chart_rows(self, chart: Chart) -> Iterator[tuple[str, ...]]:
        for source in sorted({quote.source for quote in chart.quotes}):
            count = sum(quote.source == source for quote in chart.quotes)
            in_log = f"{chart.in_log[source]:,}" if source in chart.in_log else "–"
            window = f"{utc(chart.start).removesuffix(' UTC')}, {clock(chart.end)}"
            yield chart.symbol, window, self.hide.source(source), in_log, f"{count:,}"

    def evidence(self, number: int, finding: Finding) -> Iterator[Block]:
        """The rows that a finding rests on: quotes in a table of their own, the nearest to the order first chosen."""
        words = self.words
        rows = self.hide.rows(finding.evidence)
        others = [row for row in rows if row.table != "quotes"]
        if others:
            yield Grid(
                title=words("sources", "rows", number=number),
                columns=self.columns("table", "key", "pairs"),
                rows=tuple(
                    (
                        words("table", row.table),
                        row.key,
                        words("sources", "above") if row.table in FIELDS else self.pairs_of(row),
                    )
                    for row in islice(others, MOST_QUOTES)
                ),
                code=(1,),
                share=(18, 24, 58),
                note=self.more(len(others) - MOST_QUOTES),
            )
        quotes = [row for row in rows if row.table == "quotes"]
        if not quotes:
            return
        nearest = sorted(quotes, key=lambda row: self.distance(row, finding))[:MOST_QUOTES]
        nearest.sort(key=lambda row: (row.values.get("at", ""), row.values.get("source", "")))
        yield Grid(
            title=words("sources", "quotes", number=number),
            columns=self.columns("at", "source", "bid", "ask"),
            rows=tuple(
                (
                    self.cell(row.values.get("at", "")),
                    row.values.get("source", ""),
                    self.quoted(row, "bid", finding),
                    self.quoted(row, "ask", finding),
                )
                for row in nearest
            ),
            numeric=(2, 3),
            share=(40, 20, 20, 20),
            note=self.more(len(quotes) - MOST_QUOTES),
        )

    def quoted(self, row: EvidenceRow, name: str, finding: Finding) -> str:
        """A price with the decimals that its instrument has."""
        text, symbol = row.values.get(name, ""), row.values.get("symbol")
        known = [one.values for one in finding.evidence if one.table == "instruments"]
        digits = next((one.get("digits", "") for one in known if one.get("symbol") == symbol), "")
        price = number_of(text)
        if price is None or not digits.isdigit() or price != round(price, int(digits)):
            return text
        return f"{price:.{int(digits)}f}"

    def more(self, count: int) -> str:
        return self.words("sources", "more_quotes", count=f"{count:,}") if count > 0 else ""

    def distance(self, row: EvidenceRow, finding: Finding) -> float:
        at = as_instant(row.values.get("at", ""))
        anchors = [
            found
            for one in finding.evidence
            if one.table in {"fills", "order_events"} and (found := as_instant(one.values.get("at", "")))
        ]
        if at is None or not anchors:
            return 0.0
        return min(abs((at - anchor).total_seconds()) for anchor in anchors)

    def pairs_of(self, row: EvidenceRow) -> str:
        return ", ".join(f"{self.column(name)} {self.cell(value)}" for name, value in row.values.items())
