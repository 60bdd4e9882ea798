"""What a check is given: rows by table, and what it goes by beside them. Both are kept in its finding.

A check is one pure function ``(subject, facts, given) -> Finding``. Its evidence is the facts themselves, so a finding
can be made again from itself; whoever gathers the facts keeps them few.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from pydantic import PrivateAttr

from domain.checks.findings import Check, EvidenceRow, Finding, Verdict
from domain.checks.moments import FeedMedian
from domain.checks.profit import ReferenceRule
from domain.checks.tolerances import Tolerances
from domain.ground.base import Instant, Record
from domain.ground.bilingual import Bilingual
from domain.ground.words import Confidence
from domain.log.firm_records import (
    AccountEvent,
    AccountTerms,
    Appropriateness,
    AssessmentsKept,
    Balance,
    BinaryOption,
    Cancellation,
    ChargeSchedule,
    Disclosure,
    MarginRate,
    OrderEvent,
    Outage,
    RequoteShares,
    SlippageShares,
)
from domain.log.trade_log import AccountEntry, AccountMessage, Fill, Instrument, Order, Position, Quote
from domain.money.amounts import Money
from domain.money.parts import PRECISION, MissingRate, Part, Rate, Sum, plain, total


class LogFacts(Record):
    """Rows of the trade log and of the firm's records, by table."""

    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[Position, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    quotes: tuple[Quote, ...] = ()
    feed_medians: tuple[FeedMedian, ...] = ()
    account_entries: tuple[AccountEntry, ...] = ()
    order_events: tuple[OrderEvent, ...] = ()
    account_terms: tuple[AccountTerms, ...] = ()
    balances: tuple[Balance, ...] = ()
    margin_rates: tuple[MarginRate, ...] = ()
    charge_schedules: tuple[ChargeSchedule, ...] = ()
    outages: tuple[Outage, ...] = ()
    binary_options: tuple[BinaryOption, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    appropriateness: tuple[Appropriateness, ...] = ()
    assessments_kept: tuple[AssessmentsKept, ...] = ()
    account_log: tuple[AccountEvent, ...] = ()
    messages: tuple[AccountMessage, ...] = ()
    rates: tuple[Rate, ...] = ()
    slippage_shares: tuple[SlippageShares, ...] = ()
    requote_shares: tuple[RequoteShares, ...] = ()

    _evidence: tuple[EvidenceRow, ...] | None = PrivateAttr(default=None)
    """Of facts that were made of it: a margin replay has hundreds of rows."""

    def evidence(self) -> tuple[EvidenceRow, ...]:
        """The rows as evidence, each once, in a fixed order."""
        if self._evidence is not None:
            return self._evidence
        return tuple(told for told, _ in self._in_order())

    def once(self) -> "LogFacts":
        """The same rows, each once, in a fixed order: what every check sees, however they were gathered."""
        tables: dict[str, list[Record]] = {}
        rows = self._in_order()
        for told, row in rows:
            tables.setdefault(told.table, []).append(row)
        made = LogFacts.model_validate(tables)
        made._evidence = tuple(told for told, _ in rows)
        return made

    def _in_order(self) -> list[tuple[EvidenceRow, Record]]:
        """Each row once, as evidence and as it reads again from it."""
        alike: dict[tuple[str, str], list[tuple[EvidenceRow, Record]]] = {}
        for table, found in self:
            key = _KEYS.get(table) or _first(found)
            for row in found:
                told, again = _of_quote(row) if isinstance(row, Quote) else _as_told(table, key, row)
                known = alike.setdefault((table, told.key), [])
                if all(told != other for other, _ in known):
                    known.append((told, again))
        for pairs in alike.values():
            if len(pairs) > 1:
                pairs.sort(key=lambda each: sorted(each[0].values.items()))
        return [pair for key in sorted(alike) for pair in alike[key]]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        copied._evidence = None
        return copied

    @classmethod
    def of(cls, evidence: Iterable[EvidenceRow]) -> Self:
        """The rows that *evidence* was made of. Raises :class:`pydantic.ValidationError` for one that is damaged."""
        tables: dict[str, list[Mapping[str, str]]] = {}
        for row in evidence:
            tables.setdefault(row.table, []).append(row.values)
        return cls.model_validate(tables)

    def instrument(self, symbol: str) -> Instrument | None:
        return next((row for row in self.instruments if row.symbol == symbol), None)


_KEYS: Final = {
    "quotes": ("symbol", "source", "at"),
    "feed_medians": ("symbol", "source", "at"),
    "rates": ("base", "quote", "source", "at"),
    "slippage_shares": ("symbol", "type", "since"),
    "requote_shares": ("symbol", "side", "since"),
}


def _as_told(table: str, key: Sequence[str], row: Record) -> tuple[EvidenceRow, Record]:
    """*row* as evidence, and as it reads again from it."""
    told = EvidenceRow.of(table, key, row)
    return told, type(row).model_validate(told.values)


@lru_cache(maxsize=5_000)
def _of_quote(quote: Quote) -> tuple[EvidenceRow, Record]:
    """The same of a quote: the checks of an order, and the accounts of an incident, go by many of the same ones."""
    return _as_told("quotes", _KEYS["quotes"], quote)


def _first(rows: Sequence[Record]) -> Sequence[str]:
    return list(type(rows[0]).model_fields)[:1] if rows else ()


class Given(Record):
    """What a check goes by beside the rows: the firm's tolerances, and the moment as of which it looks."""

    tolerances: Tolerances
    as_of: Instant

    def told(self) -> dict[str, str]:
        """As text, for the finding."""
        return {"as_of": self.as_of.isoformat()} | self.tolerances.told()

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """From what a finding was told."""
        return cls.model_validate({"tolerances": Tolerances.of(told), "as_of": told["as_of"]})


class Text(NamedTuple):
    """A sentence in English and Chinese."""

    en: str
    zh: str


GAINED: Final = "gained."
"""How the number begins that tells what a fill at a wrong price brought the customer."""

CheckFunction = Callable[[str, LogFacts, Given], Finding]


class Report:
    """A finding in the making."""

    def __init__(self, check: Check, subject: str, facts: LogFacts, given: Given, formula: str) -> None:
        self.check, self.subject, self.facts, self.given, self.formula = check, subject, facts, given, formula
        self.texts: list[Text] = []
        self.numbers: dict[str, str] = {}

    def say(self, en: str, zh: str) -> None:
        self.texts.append(Text(en, zh))

    def gained(self, fill: Fill, by: Decimal) -> None:
        """Note what the customer gained on *fill*, by so much a unit. Nobody is charged for it."""
        instrument = self.facts.instrument(fill.symbol)
        if instrument is not None:
            with localcontext(prec=PRECISION):
                amount = by * instrument.contract_size * fill.volume
            self.numbers[f"{GAINED}{fill.fill}"] = f"{instrument.currency} {plain(amount)}"

    def lacking(self, *missing: str, en: str, zh: str) -> Finding:
        """The records do not answer, for want of *missing*."""
        self.say(en, zh)
        return self._finding(Verdict.INCONCLUSIVE, None, None, missing=missing)

    def concluded(
        self,
        verdict: Verdict,
        confidence: Confidence,
        *,
        parts: Iterable[Part] = (),
        currency: str,
        rule: ReferenceRule | None = None,
        missing: tuple[str, ...] = (),
    ) -> Finding:
        """A finding whose harm is the sum of *parts*; a rate that is not recorded makes it inconclusive.

        For want of what is *missing* it may be more: a person looks.
        """
        try:
            counted = total(parts, currency, rates=self.facts.rates)
        except MissingRate as error:
            return self.lacking(
                str(error),
                en=f"What it cost cannot be told without the {error}.",
                zh="我司记录中缺少所需汇率，无法计算损失金额。",
            )
        return self._finding(verdict, confidence, counted, missing=missing, rule=rule)

    def _finding(
        self,
        verdict: Verdict,
        confidence: Confidence | None,
        counted: Sum | None,
        *,
        missing: tuple[str, ...] = (),
        rule: ReferenceRule | None = None,
    ) -> Finding:
        harm: Money | None = None
        numbers, parts = self.numbers, tuple[Part, ...]()
        if counted is not None:
            numbers = numbers | counted.numbers
            parts, harm = counted.parts, counted.harm
        return Finding(
            check=self.check,
            subject=self.subject,
            verdict=verdict,
            confidence=confidence,
            reason=Bilingual(en=" ".join(t.en for t in self.texts), zh="".join(t.zh for t in self.texts)),
            harm=harm,
            numbers=numbers,
            missing=missing,
            evidence=self.facts.evidence(),
            formula=self.formula,
            reference_rule=rule if rule and parts else None,
            parts=parts,
            given=self.given.told(),
        )


def cost(side_sign: int, quote: Quote) -> Decimal:
    """What *quote* costs: the ask for a buy (+1), the bid with its sign turned for a sell (-1); higher is worse."""
    return quote.ask if side_sign > 0 else -quote.bid
