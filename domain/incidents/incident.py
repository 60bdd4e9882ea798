"""An incident: one fault that may have hurt many accounts, whether they complain or not.

If a dealer adjusts prices for one complaint, all orders adversely affected are to be adjusted (NFA Compliance Rule
2-43). So the accounts that a fault touched are listed (:mod:`domain.incidents.cohort`), a second person approves the
whole list, and each account is compensated once (:mod:`domain.incidents.state`).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from domain.checks.findings import Check, Finding
from domain.ground.base import SHORT_TEXT, Identifier, Instant, Record, Text
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.reference import INCIDENT, reference_for
from domain.ground.words import Category
from domain.log.trade_log import OrderType, Price
from domain.money.parts import plain
from domain.rules.named import MOST_POLICIES

WORKFLOW: Final = "Incident"
"""The workflow type of an incident. Its id is the incident's reference."""

_ABOUT_TRADING: Final = frozenset({Category.EXECUTION, Category.PLATFORM})
LONGEST: Final = timedelta(hours=24)
"""How long the window of a fault may be. Longer ones are several incidents."""
_AROUND_A_FINDING: Final = timedelta(seconds=60)


class FaultKind(StrEnum):
    """What sort of fault it was."""

    QUOTE = "quote"
    """Wrong prices: orders filled, stops set off and positions liquidated by them."""
    OUTAGE = "outage"
    """Orders that were attempted and not taken."""


class Fault(Record):
    """What went wrong, and whose orders are looked at for it: those of ``symbol`` from ``since`` until ``until``.

    Of wrong prices the rule may be narrowed to fills priced from ``source``, and to fills at prices from ``price_from``
    to ``price_to``. It only chooses the orders; whether and how far each was harmed is what the checks find. ``checks``
    replaces those that :func:`checks_of` would choose.
    """

    kind: FaultKind = FaultKind.QUOTE
    symbol: Identifier | None = None
    since: Instant
    until: Instant
    source: Identifier | None = None
    price_from: Price | None = None
    price_to: Price | None = None
    checks: Annotated[tuple[Check, ...], Field(max_length=len(Check))] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.until <= self.since:
            raise ValueError("until: it must lie after since")
        if self.until - self.since > LONGEST:
            raise ValueError("until: the window is longer than 24 hours; open an incident for each part of it")
        if self.kind is FaultKind.QUOTE and self.symbol is None:
            raise ValueError("symbol: wrong quotes are those of an instrument; name it")
        if self.kind is FaultKind.OUTAGE and (self.source or self.price_from or self.price_to):
            raise ValueError("source, price_from, price_to: an outage has no prices")
        if self.price_from and self.price_to and self.price_to < self.price_from:
            raise ValueError("price_to: it lies below price_from")
        return self

    @property
    def key(self) -> str:
        """Names the fault: its fields in their order, between bars; instants in UTC as ``2023-11-12T23:29:30Z``."""
        prices = (plain(price) if price else "" for price in (self.price_from, self.price_to))
        times = (instant.isoformat().replace("+00:00", "Z") for instant in (self.since, self.until))
        checks = ",".join(check.value for check in self.checks)
        return "|".join((self.kind.value, self.symbol or "", *times, self.source or "", *prices, checks))

    @property
    def spoken(self) -> str:
        """The fault in a few words, without personal data."""
        what = f"{self.kind.value} {self.symbol or 'all instruments'}"
        return f"{what}, {self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S} UTC"


def checks_of(fault: Fault, kind: OrderType | None, *, filled: bool = True, limited: bool = False) -> tuple[Check, ...]:
    """The checks that tell what *fault* did to an order of this *kind* (``None``: an attempt that was not taken).

    They are those of a complaint about such an order: what it would find is what is listed. *limited* is a stop-limit
    order whose limit is recorded: of another one that was filled nobody can tell when it was due.
    """
    if fault.checks:
        return fault.checks
    if fault.kind is FaultKind.OUTAGE:
        return (Check.OUTAGE,)
    if not filled:
        return (Check.TRIGGER,)
    match kind:
        case OrderType.STOP_OUT:
            return (Check.EXECUTION, Check.STOP_OUT)
        case OrderType.STOP_LIMIT if limited:
            return (Check.EXECUTION, Check.TRIGGER)
        case OrderType.MARKET | OrderType.STOP_LIMIT | OrderType.CLOSE_BY | None:
            return (Check.EXECUTION,)
        case _:
            return (Check.EXECUTION, Check.TRIGGER)


def _short(title: Bilingual) -> Bilingual:
    if max(len(title.en), len(title.zh)) > SHORT_TEXT:
        raise ValueError(f"en, zh: at most {SHORT_TEXT} characters each")
    return title


class NewIncident(Record):
    """Open an incident. ``title`` tells customers what went wrong, without names.

    ``per_minute`` is how many accounts are compensated in a minute. ``policy`` names the packs whose tolerances and
    approval limits hold, the service's default where it is empty. ``note`` is for the case file.
    """

    fault: Fault
    title: Annotated[Bilingual, AfterValidator(_short)]
    opened_by: Actor
    note: Text | None = None
    policy: Annotated[tuple[Identifier, ...], Field(max_length=MOST_POLICIES)] = ()
    per_minute: Annotated[int, Field(ge=1, le=6_000)] = 60
    prompted_by: Identifier | None = None
    """The complaint whose finding led to it."""

    @property
    def reference(self) -> str:
        """The same fault has the same reference, whoever opens it and however often."""
        return reference_for("incident", self.fault.key, prefix=INCIDENT)


def concerns(
    fault: Fault, trades: Iterable[str], named: Iterable[str], occurred: Sequence[datetime], category: Category
) -> bool:
    """Whether a complaint of an account is about the incident that touched *trades* of the account.

    It is if it *named* one of them, whole or by its ticket; or if it named none, is about trading, and tells of a time
    of at most a day within the fault's window, as far as customers remember times (five minutes on both sides).
    """
    asked = set(named)
    if asked:
        known = {name for trade in trades for name in (trade, trade.rpartition(":")[2])}
        return bool(known & asked)
    if not occurred or category not in _ABOUT_TRADING or max(occurred) - min(occurred) > LONGEST:
        return False
    around = timedelta(minutes=5)
    return min(occurred) - around <= fault.until and max(occurred) + around >= fault.since


def fault_of(finding: Finding) -> Fault:
    """The fault that *finding* tells of: the instrument and source of its fills, and the minute around them.

    Raises ``ValueError`` for a finding without fills or attempts, or one that blames nobody.
    """
    if not finding.verdict.for_the_customer:
        raise ValueError(f"finding: its verdict is {finding.verdict.value}; an incident needs a fault of ours")
    fills = [row.values for row in finding.evidence if row.table == "fills"]
    attempts = [row.values for row in finding.evidence if row.table == "order_events"]
    rows = fills if fills and finding.check is not Check.OUTAGE else attempts
    if not rows:
        raise ValueError("finding: it rests on no fills and no attempts; name the instrument and the window instead")
    times = [datetime.fromisoformat(row["at"]) for row in rows]
    times += [
        datetime.fromisoformat(finding.numbers[key]) for key in ("off_since", "off_until") if key in finding.numbers
    ]
    sources = {row.get("source") for row in rows}
    outage = rows is attempts
    return Fault(
        kind=FaultKind.OUTAGE if outage else FaultKind.QUOTE,
        symbol=rows[0]["symbol"],
        since=min(times) - _AROUND_A_FINDING,
        until=max(times) + _AROUND_A_FINDING,
        source=None if outage or len(sources) > 1 else sources.pop(),
    )


def title_of(fault: Fault) -> Bilingual:
    """What customers are told went wrong, where nobody said it better."""
    symbol = fault.symbol or ""
    if fault.kind is FaultKind.OUTAGE:
        return Bilingual(
            en=f"Our trading service did not take some orders{f' in {symbol}' if symbol else ''}",
            zh=f"我司交易服务未能受理部分{f'{symbol} ' if symbol else ''}委托",
        )
    return Bilingual(
        en=f"Some of our prices of {symbol} were wrong, and orders were filled or positions closed by them",
        zh=f"我司 {symbol} 的部分报价有误，并据此成交委托或平仓",
    )


_ALIASES: Final = {"XAU": ("gold", "黄金", "伦敦金"), "XAG": ("silver", "白银", "伦敦银")}
"""What customers call instruments whose symbols begin so."""
_WORD: Final = re.compile(r"[A-Za-z0-9.#_]+|[\u4e00-\u9fff]+")
_TOPICS: Final = 10
_NO_WORD: Final = 4
"""Shorter symbols are words of every text."""


def topics_of(category: Category, texts: Iterable[str], traded: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """What a complaint points to: ``symbol:<instrument>``, else ``service:<category>``.

    Instruments are those of the trades it names (*traded*), and those of the *known* ones that its *texts* name by
    their symbol or as customers call them. At most ten.
    """
    found = set(traded)
    words = " ".join(texts).casefold()
    written = {word.strip(".") for word in _WORD.findall(f"{words} {words.replace('/', '')}")}
    for symbol in known:
        names = next((names for start, names in _ALIASES.items() if symbol.upper().startswith(start)), ())
        called = any(name in (written if name.isascii() else words) for name in names)
        if called or (len(symbol) >= _NO_WORD and symbol.casefold() in written):
            found.add(symbol)
    return tuple(f"symbol:{symbol}" for symbol in sorted(found))[:_TOPICS] or (f"service:{category.value}",)
