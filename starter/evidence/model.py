"""The pages of a pack: what is shown to whom, in which words. Pure; ``html`` and ``pdf`` write what is here.

A page is one language of a pack, made of blocks in order. Everything that came from outside has passed the redaction
of its reader before it is in a block.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import EvidenceRow, Finding, Verdict
from domain.checks.recompute import Difference
from domain.ground.timeline import Entry
from domain.ground.words import Role, Stage
from domain.letters.kinds import LETTERS
from domain.money.amounts import Money, total
from domain.money.parts import plain
from starter.evidence.blocks import (
    Badge,
    Block,
    Card,
    Cards,
    Figure,
    Grid,
    Heading,
    Pack,
    Page,
    Pairs,
    Prose,
    Tone,
    Working,
)
from starter.evidence.formulas import number as number_of
from starter.evidence.formulas import priced, working
from starter.evidence.pictures import margin_picture, span_picture
from starter.evidence.price_picture import price_picture
from starter.evidence.reading import CaseFacts, Chart, StoredFinding
from starter.evidence.redacting import redaction_of
from starter.evidence.redaction import Reader
from starter.evidence.scenes import SILENT, MarginScene, PriceScene, Scene, facts_of, scenes_of
from starter.evidence.words import Words, as_instant, clock, grouped, second, utc, words_of

MOST_QUOTES: Final = 40
"""Quotes of a finding's evidence that are listed."""
_LONGEST: Final = 600
"""Characters of a step's particulars that are shown."""


def make_pack(facts: CaseFacts, reader: Reader, languages: Sequence[str], *, firm: str) -> Pack:
    """The pack of *facts* for *reader*, in *languages*, the first one first."""
    differences = facts.differences()
    pages = tuple(_Maker(facts, reader, words_of(language), differences).page(firm) for language in languages)
    title = " · ".join(dict.fromkeys(page.title for page in pages))
    return Pack(
        reference=facts.reference,
        reader=reader,
        title=f"{title} {facts.reference}",
        content_hash=facts.content_hash,
        pages=pages,
        differences=differences,
    )


class _Maker:
    """Makes the page of one language."""

    def __init__(self, facts: CaseFacts, reader: Reader, words: Words, differences: Iterable[Difference]) -> None:
        self.facts, self.reader, self.words = facts, reader, words
        self.differences = tuple(differences)
        self.hide = redaction_of(facts, reader, words)
        self.figures = 0
        self.drawn: dict[Scene, int] = {}
        self.for_customer = reader is Reader.CUSTOMER

    def page(self, firm: str) -> Page:
        words, facts = self.words, self.facts
        blocks = [*self.glance(), *self.claim(), *self.found(), *self.decision(), *self.sources()]
        return Page(
            language=words.language,
            language_name=words("page", "language"),
            title=words("page", "title"),
            firm=firm,
            subtitle=words("page", "subtitle", reference=facts.reference),
            made_for=words("page", "made_for", reader=words("reader", self.reader)),
            state=words("page", "state", revision=facts.revision, at=second(facts.as_of)),
            page_name=words("page", "page", number="{number}"),
            blocks=tuple(blocks),
        )

    def heading(self, name: str) -> Heading:
        return Heading(level=2, text=self.words("page", name), anchor=f"{name}-{self.words.language}")

    # -- the first page ------------------------------------------------------------------------------------------------

    def glance(self) -> Iterator[Block]:
        words, facts = self.words, self.facts
        claimed = facts.complaint.amount_claimed
        yield self.heading("glance")
        yield Cards(
            cards=(
                Card(
                    label=words("glance", "claim"),
                    value=str(claimed) if claimed else words("glance", "no_claim"),
                ),
                self.harm_card(),
                Card(label=words("glance", "outcome"), value=self.outcome()),
                Card(
                    label=words("glance", "awarded"),
                    value=str(facts.compensation) if facts.compensation else words("glance", "none_awarded"),
                ),
            )
        )
        if self.reader is not Reader.HANDLER:
            text = words.joined(words("left_out", self.reader), words("left_out", "hashes"))
            yield Prose(text=words("page", "left_out") + words("page", "colon") + text, tone="quiet")
        if not facts.findings:
            yield Prose(text=words("glance", "no_findings"), tone="open")
            return
        if facts.investigations > 1:
            yield Prose(text=words("glance", "earlier", count=facts.investigations), tone="quiet")
        yield Grid(
            title="",
            columns=self.columns("number", "finding", "subject", "verdict", "harm"),
            rows=tuple(
                (
                    str(number),
                    words("check", one.finding.check),
                    self.hide.text(one.finding.subject),
                    words("short_verdict", one.finding.verdict),
                    str(one.finding.harm) if one.finding.harm else "–",
                )
                for number, one in enumerate(facts.findings, start=1)
            ),
            numeric=(4,),
            share=(5, 32, 24, 20, 19),
        )
        computed = [one for one in facts.findings if one.finding.evidence]
        again = words("glance", "again")
        if self.differences:
            text, tone = words("glance", "again_differs", count=len(self.differences)), "bad"
        elif computed:
            text, tone = words("glance", "again_same", count=len(computed)), "good"
        else:
            text, tone = words("glance", "again_none"), "quiet"
        yield Prose(text=again + words("page", "colon") + text + words("page", "stop"), tone=tone)

    def harm_card(self) -> Card:
        words, label = self.words, self.words("glance", "harm")
        harms = [one.finding.harm for one in self.facts.findings if one.finding.harm is not None]
        currencies = sorted({harm.currency for harm in harms})
        sums = [total(harm for harm in harms if harm.currency == currency) for currency in currencies]
        lost = [one for one in sums if one is not None and one.amount > 0]
        if lost:
            return Card(label=label, value=" + ".join(str(one) for one in lost), tone="bad")
        if not harms and self.facts.findings:
            return Card(label=label, value=words("glance", "open_harm"), tone="open")
        return Card(label=label, value=words("glance", "no_harm") if harms else "–")

    def outcome(self) -> str:
        told = self.facts.stage in _TOLD or not self.for_customer
        if self.facts.outcome is None or not told:
            return self.words("glance", "pending")
        return self.words("outcome", self.facts.outcome)

    # -- the claim -----------------------------------------------------------------------------------------------------

    def claim(self) -> Iterator[Block]:
        words, complaint, facts = self.words, self.facts.complaint, self.facts
        occurred = [utc(at) for at in (complaint.occurred_from, complaint.occurred_until) if at]
        pairs = {
            "received": second(facts.received_at),
            "channel": words("channel", complaint.channel),
            "name": self.hide.words(complaint.complainant.name),
            "account": self.hide.text(complaint.account) if complaint.account else None,
            "product": self.hide.words(complaint.product) if complaint.product else None,
            "subject": self.hide.words(complaint.subject) if complaint.subject else None,
            "trades": ", ".join(self.hide.text(trade) for trade in complaint.trades) or None,
            "occurred": words("claim", "until", start=occurred[0], end=occurred[1])
            if len(occurred) == 2
            else "".join(occurred) or None,
            "amount": str(complaint.amount_claimed) if complaint.amount_claimed else None,
            "remedy": words("remedy", complaint.remedy_sought) if complaint.remedy_sought else None,
        }
        yield self.heading("claimed")
        yield Pairs(title="", pairs=tuple((words("claim", name), value) for name, value in pairs.items() if value))
        yield Heading(level=3, text=words("claim", "words"))
        yield Prose(text=self.hide.words(complaint.description), quote=True, language=complaint.language)

    # -- the findings --------------------------------------------------------------------------------------------------

    def found(self) -> Iterator[Block]:
        if not self.facts.findings:
            return
        yield self.heading("found")
        for number, stored in enumerate(self.facts.findings, start=1):
            yield from self.finding(number, stored)

    def finding(self, number: int, stored: StoredFinding) -> Iterator[Block]:
        words, finding = self.words, stored.finding
        facts = facts_of(finding)
        heading = words("finding", "heading", number=number, check=words("check", finding.check))
        yield Heading(
            level=3,
            text=heading
            + words("page", "comma")
            + words("finding", "subject", subject=self.hide.text(finding.subject)),
            anchor=f"finding-{number}-{words.language}",
        )
        yield Badge(
            text=words("verdict", finding.verdict),
            tone=_TONES[finding.verdict],
            note=words("confidence", finding.confidence) if finding.confidence else "",
        )
        yield Prose(text=self.hide.text(finding.reason.in_language(words.language)))
        if finding.missing:
            missing = "; ".join(self.hide.text(name) for name in finding.missing)
            yield Prose(text=words("finding", "missing", missing=missing), tone="open")
        if facts is None:
            yield Prose(text=words("finding", "unreadable"), tone="open")
        for scene in scenes_of(finding):
            yield from self.picture(finding, scene)
        yield from self.sum_of(finding, facts)
        yield from self.again(stored)
        yield from self.rows_as_facts(self.hide.rows(finding.evidence))
        yield from self.figures_of_check(finding)

    def rows_as_facts(self, rows: Iterable[EvidenceRow]) -> Iterator[Block]:
        """The orders, fills, positions, entries and steps that it is about, one table a row."""
        words = self.words
        for table in ("orders", "fills", "positions", "account_entries", "binary_options", "cancellations"):
            found = [row for row in rows if row.table == table]
            if not found:
                continue
            names = [name for name in _FIELDS[table] if any(name in row.values for row in found)]
            names += sorted({name for row in found for name in row.values} - set(names))
            if len(found) == 1:
                pairs = tuple((self.column(name), self.cell(found[0].values[name])) for name in names)
                yield Pairs(title=words("table", table), pairs=pairs)
                continue
            names = [name for name in names if name not in _SAME_FOR_ALL][:9]
            yield Grid(
                title=words("table", table),
                columns=tuple(self.column(name) for name in names),
                rows=tuple(tuple(self.cell(row.values.get(name, "")) for name in names) for row in found[:MOST_QUOTES]),
            )

    def columns(self, *names: str) -> tuple[str, ...]:
        return tuple(self.words("column", name) for name in names)

    def column(self, name: str) -> str:
        return self.words("column_of_row", name)

    def cell(self, text: str) -> str:
        return self.words.value(text)

    def figures_of_check(self, finding: Finding) -> Iterator[Block]:
        """The numbers of the finding; and, not for the customer, what the check went by."""
        words = self.words
        numbers = {name: text for name, text in finding.numbers.items() if not name.startswith("part.")}
        if numbers:
            told = dict.fromkeys(self.numbers(numbers))  # a single fill's loss is the finding's own
            yield Pairs(title=words("finding", "figures"), pairs=tuple(told))
        if self.for_customer or not finding.given:
            return
        given = {_GIVEN.get(name, name): text for name, text in finding.given.items()}
        yield Pairs(title=words("finding", "settings"), pairs=tuple(self.numbers(given)))

    def numbers(self, numbers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        words = self.words
        for name, text in numbers.items():
            if name.startswith("counted_in."):
                shown = words("check", text)
            elif words.has("rule", text):
                shown = words("rule", text)
            else:
                shown = words.value(text)
                shown = shown if shown != text or _is_number(text) else self.hide.text(text)
            yield self.hide.text(words.label(name)), shown

    def sum_of(self, finding: Finding, facts: LogFacts | None) -> Iterator[Block]:
        words = self.words
        family = finding.formula.partition("/")[0]
        on_price = priced(finding, facts) if facts else []
        if on_price:
            family = "exit" if on_price[0].closes else "entry"
        formula = words("formula", family) if words.has("formula", family) else finding.formula
        rule = words("rule", finding.reference_rule) if finding.reference_rule else ""
        steps = working(finding, facts, words, self.hide.text)
        if not steps:
            text = words("finding", "no_sum")
            if finding.harm is None and finding.missing:
                missing = "; ".join(self.hide.text(name) for name in finding.missing)
                text = words("finding", "unknown_sum", missing=missing)
            elif finding.harm is not None and finding.harm.amount > 0:
                text = str(finding.harm)
            yield Working(
                title=words("finding", "sum"),
                formula=f"{formula}  [{finding.formula}]",
                rule=rule,
                steps=(("", text),),
            )
            return
        yield Working(
            title=words("finding", "sum"),
            formula=f"{formula}  [{finding.formula}]",
            rule=words("finding", "measured_by") + words("page", "colon") + rule if rule else "",
            steps=tuple((step.about, step.equation) for step in steps),
        )

    def again(self, stored: StoredFinding) -> Iterator[Block]:
        words, finding = self.words, stored.finding
        different = [one for one in self.differences if (one.check, one.subject) == (finding.check, finding.subject)]
        if different:
            yield Prose(text=words("finding", "differs", count=len(different)), tone="bad")
            yield Grid(
                title="",
                columns=self.columns("field", "stored", "computed"),
                rows=tuple(
                    (self.hide.text(one.field), self.hide.text(one.stored), self.hide.text(one.computed))
                    for one in different
                ),
                share=(24, 38, 38),
            )
        else:
            text = words("finding", "same" if finding.evidence else "untouched")
            yield Prose(text=text, tone="good" if finding.evidence else "quiet")
        yield Pairs(title="", pairs=((words("finding", "hash"), stored.hash),), code=True)

    # -- pictures ------------------------------------------------------------------------------------------------------

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
        self.figures += 1
        self.drawn[scene] = self.figures
        heading = words("figure", "heading", number=self.figures)
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
        yield Figure(number=self.figures, heading=heading, caption=caption, picture=picture)

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

    # -- the decision --------------------------------------------------------------------------------------------------

    def decision(self) -> Iterator[Block]:
        words, facts = self.words, self.facts
        yield self.heading("decided")
        pairs = {
            "stage": words("stage", facts.stage),
            "outcome": self.outcome(),
            "awarded": str(facts.compensation) if facts.compensation else words("glance", "none_awarded"),
            "closed": second(facts.closed_at) if facts.closed_at else None,
        }
        yield Pairs(title="", pairs=tuple((words("decision", name), text) for name, text in pairs.items() if text))
        if reasons := self.reasons():
            yield Heading(level=3, text=words("decision", "reasons"))
            yield Prose(text=reasons, quote=True)
        if not self.for_customer and (steps := self.steps()):
            yield Grid(
                title=words("decision", "steps"),
                columns=self.columns("at", "what", "who", "text"),
                rows=tuple(steps),
                share=(20, 15, 17, 48),
            )
        yield from self.letters()
        if facts.postings:
            yield Grid(
                title=words("decision", "postings"),
                columns=self.columns("posted", "what", "amount", "key"),
                rows=tuple(
                    (second(one.posted_at), words("posting", one.kind), str(one.amount), self.hide.text(one.key))
                    for one in facts.postings
                ),
                numeric=(2,),
                code=(3,),
                share=(26, 16, 18, 40),
            )
        else:
            yield Prose(text=words("decision", "no_postings"), tone="quiet")
        yield from self.payments()

    def payments(self) -> Iterator[Block]:
        """What became of each payment; through which rail is the firm's own affair."""
        words = self.words
        if not self.facts.payments:
            return
        names = ["ordered", "state", "amount", "paid", "ended", *([] if self.for_customer else ["rail"])]
        yield Grid(
            title=words("decision", "payments"),
            columns=self.columns(*names),
            rows=tuple(
                (
                    second(one.ordered_at),
                    words("payment", one.state),
                    str(one.amount),
                    str(one.paid),
                    second(one.ended_at) if one.ended_at else "–",
                    *([] if self.for_customer else [one.rail]),
                )
                for one in self.facts.payments
            ),
            numeric=(2, 3),
        )

    def reasons(self) -> str:
        """The reasons of the last proposal: for the customer only once they have been told of it."""
        if self.for_customer and self.facts.stage not in _TOLD:
            return ""
        proposals = [entry for entry in self.facts.entries if entry.kind in _PROPOSALS]
        found = proposals[-1].data.get("reasons") if proposals else None
        return self.hide.text(found) if isinstance(found, str) else ""

    def steps(self) -> Iterator[tuple[str, ...]]:
        words = self.words
        for entry in self.facts.entries:
            if entry.kind not in set(words.names("step")):
                continue
            role, _, name = entry.actor.partition(":")
            if role == Role.SYSTEM or self.reader is not Reader.HANDLER or name in {"", role}:
                who = words("role", role)
            else:
                who = f"{words('role', role)} {name}"
            yield second(entry.at), words("step", entry.kind), who, self.particulars(entry)

    def particulars(self, entry: Entry) -> str:
        """What the step says, in words of ours where it is an outcome."""
        words, data = self.words, entry.data
        told = [self.hide.text(entry.text)]
        if isinstance(data.get("outcome"), str):
            money = data.get("compensation")
            told = [words("outcome", data["outcome"]), *([str(Money.model_validate(money))] if money else [])]
        for name in ("note", "reason", "reasons", "questions", "text"):
            text = data.get(name)
            if isinstance(text, str) and text and text not in told and entry.kind not in _PROPOSALS:
                told.append(self.hide.text(text))
        text = " · ".join(one for one in told if one)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

    def letters(self) -> Iterator[Block]:
        words = self.words
        sent = [one for one in self.facts.letters if self.reader is Reader.HANDLER or not LETTERS[one.kind].to_staff]
        if not sent:
            yield Prose(text=words("decision", "no_letters"), tone="quiet")
            return
        yield Grid(
            title=words("decision", "letters"),
            columns=self.columns("number", "letter", "written", "delivered", "channel"),
            rows=tuple(
                (
                    str(number),
                    LETTERS[one.kind].name.in_language(self.words.language),
                    second(one.rendered_at),
                    second(one.accepted_at) if one.accepted_at else "–",
                    words("channel", one.channel) if one.channel else "–",
                )
                for number, one in enumerate(sent, start=1)
            ),
            share=(6, 26, 28, 28, 12),
        )

    # -- sources -------------------------------------------------------------------------------------------------------

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
                    (str(number), words("check", one.finding.check), one.hash)
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
                        words("sources", "above") if row.table in _FIELDS else self.pairs_of(row),
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


_TOLD: Final = frozenset({Stage.RESPONDED, Stage.SETTLING, Stage.FOLLOWING_UP, Stage.CLOSED})
"""Stages in which the customer has been told the decision."""
_PROPOSALS: Final = frozenset({"proposed", "propose_resolution", "resolve_early"})
_TONES: Final[Mapping[Verdict, Tone]] = {
    Verdict.FIRM_FAULT: "bad",
    Verdict.PROVIDER_FAULT: "bad",
    Verdict.MARKET: "quiet",
    Verdict.CUSTOMER_ACTION: "quiet",
    Verdict.NO_FAULT: "good",
    Verdict.INCONCLUSIVE: "open",
}
_GIVEN: Final = {"price": "tolerance", "latency_ms": "latency_limit_ms"}
"""Settings whose names mean something else among the numbers of a finding."""
_SAME_FOR_ALL: Final = frozenset({"account", "symbol", "state"})
_FIELDS: Final[Mapping[str, Iterable[str]]] = {
    "orders": (
        *("order", "account", "symbol", "type", "side", "volume", "price", "position", "sent_at", "received_at"),
        *("stop", "target", "state", "ended_at", "comment"),
    ),
    "fills": (
        *("fill", "order", "at", "side", "volume", "price", "source", "position", "effect", "commission", "swap"),
        *("profit", "comment"),
    ),
    "positions": (
        *("position", "symbol", "side", "volume", "open_price", "opened_at", "close_price", "closed_at"),
        *("close_reason", "margin_level", "stop_out_level", "stop", "target", "swap", "profit"),
    ),
    "account_entries": ("entry", "account", "kind", "amount", "currency", "requested_at", "booked_at", "note"),
    "binary_options": ("option", "symbol", "direction", "stake", "strike", "struck_at", "expires_at", "paid"),
    "cancellations": ("cancellation", "at", "amount", "currency", "clause", "evidence", "reason", "decided_by"),
}


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()
