"""What was found: each finding with its verdict, its pictures, its sum and its figures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from domain.checks.facts import LogFacts
from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from starter.evidence.blocks import (
    Badge,
    Block,
    Grid,
    Heading,
    Pairs,
    Prose,
    Tone,
    Working,
)
from starter.evidence.figures import Figures
from starter.evidence.formulas import priced, working
from starter.evidence.reading import StoredFinding
from starter.evidence.scenes import facts_of, scenes_of
from starter.evidence.section import FIELDS, MOST_QUOTES, Given, Section

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


class Found(Section):
    """The findings, one after the other."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.figures = Figures(given)

    def found(self) -> Iterator[Block]:
        if not self.facts.findings:
            return
        yield self.heading("found")
        for number, stored in enumerate(self.facts.findings, start=1):
            yield from self.finding(number, stored)

    def finding(self, number: int, stored: StoredFinding) -> Iterator[Block]:
        words, finding = self.words, stored.finding
        facts = facts_of(finding)
        heading = words("finding", "heading", number=number, check=words.check(finding.check))
        yield Heading(
            level=3,
            text=heading + words("page", "comma") + words("finding", "subject", subject=self.named(finding.subject)),
            anchor=f"finding-{number}-{words.language}",
        )
        yield Badge(
            text=words("verdict", finding.verdict),
            tone=_TONES[finding.verdict],
            note=words("confidence", finding.confidence) if finding.confidence else "",
        )
        yield Prose(text=self.hide.text(finding.reason.in_language(words.language)))
        if finding.missing:
            missing = "; ".join(self.named(name) for name in finding.missing)
            yield Prose(text=words("finding", "missing", missing=missing), tone="open")
        if facts is None:
            yield Prose(text=words("finding", "unreadable"), tone="open")
        for scene in scenes_of(finding):
            yield from self.figures.picture(finding, scene)
        yield from self.sum_of(finding, facts)
        yield from self.again(stored)
        yield from self.rows_as_facts(self.hide.rows(finding.evidence))
        yield from self.figures_of_check(finding)

    def rows_as_facts(self, rows: Iterable[EvidenceRow]) -> Iterator[Block]:
        """The orders, fills, positions, entries and steps that it is about, one table a row."""
        words = self.words
        for table in FIELDS:
            found = [row for row in rows if row.table == table]
            if not found:
                continue
            names = [name for name in FIELDS[table] if any(name in row.values for row in found)]
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
                shown = words.check(Check(text))
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
        rule = "; ".join(words("rule", each) for each in _rules(finding))
        steps = working(finding, facts, words, self.hide.text)
        if not steps:
            text = words("finding", "no_sum")
            if finding.harm is None and finding.missing:
                missing = "; ".join(self.named(name) for name in finding.missing)
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


def _rules(finding: Finding) -> tuple[str, ...]:
    """What it is measured by: of an order in parts there may be several rules, and its formula names them."""
    named = finding.formula.partition("/")[2].partition("@")[0].split("+")
    if len(named) > 1 and finding.reference_rule in named:
        return tuple(named)
    return (finding.reference_rule,) if finding.reference_rule else ()


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()
