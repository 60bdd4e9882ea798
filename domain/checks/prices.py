"""What was quoted around a fill, and whether its price was valid: found once, and the same for every check.

Prices are compared as *costs*: the price for a buy, its negative for a sell. A higher cost is worse for the customer.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from domain.checks.facts import Given, LogFacts, Report, Text
from domain.checks.findings import Verdict
from domain.checks.market import Traded
from domain.checks.moments import FAR, SPARSE, STALE, FeedMedian, newest_last
from domain.ground.words import Confidence
from domain.log.trade_log import Fill, OrderType, Quote, Side

SET_OFF_BY_A_PRICE = frozenset({OrderType.STOP, OrderType.STOP_LOSS, OrderType.STOP_OUT})


class Price(StrEnum):
    """What a fill's price was, by the quotes around it."""

    VALID = "valid"
    """Within what the valid sources quoted, or not further outside than the tolerance."""
    BETTER = "better"
    """Better for the customer than all of them."""
    PROVIDERS = "providers"
    """Wrong, and quoted so by the source that priced it."""
    FIRMS = "firms"
    """Wrong, and quoted so by nobody."""
    SPARSE = "sparse"
    """Off, but the quotes are too far apart in time to prove it wrong."""
    UNKNOWN_SOURCE = "unknown_source"
    """Some sources confirm it and some do not, and the log does not say whose price it was."""
    UNCONFIRMED = "unconfirmed"
    """Far from the middle of its own feed, and nobody else quoted."""
    NO_FEED = "no_feed"
    """Confirmed by its own source only, whose feed is not known."""
    NO_QUOTES = "no_quotes"

    @property
    def wrong(self) -> bool:
        return self in {Price.PROVIDERS, Price.FIRMS}

    @property
    def proven(self) -> bool:
        """Whether the quotes tell what it was."""
        return self.wrong or self in {Price.VALID, Price.BETTER}

    @property
    def verdict(self) -> Verdict:
        """Who answers for the price."""
        if not self.proven:
            return Verdict.INCONCLUSIVE
        return {Price.PROVIDERS: Verdict.PROVIDER_FAULT, Price.FIRMS: Verdict.FIRM_FAULT}.get(self, Verdict.MARKET)


@dataclass(frozen=True)
class View:
    """What one source quoted around an instant."""

    source: str
    last: Quote | None
    """The last quote at or before the instant, unless stale."""
    around: tuple[Quote, ...]
    """The quotes of the window and the one standing when the window began, in order of time. Never empty."""
    inside: tuple[Quote, ...]
    """The quotes of the window."""
    dense: bool
    """Whether the source quoted often enough around the instant to prove another price wrong."""

    def within(self) -> "View":
        """The view without the quote that was standing when the window began."""
        return replace(self, around=self.inside)


class Pricing:
    """The price of one fill, held against the quotes around it."""

    def __init__(
        self, fill: Fill, quotes: Iterable[Quote], *, tolerance: Decimal, window_seconds: int, kind: OrderType | None
    ) -> None:
        self.fill, self.tolerance, self.kind = fill, tolerance, kind
        self._sign = fill.side.sign
        self.window = timedelta(seconds=window_seconds)
        self._quotes = quotes
        self.cost = self.cost_at(fill.price)
        views = self.views(fill.at)
        source = fill.source or (next(iter(views)) if len(views) == 1 else None)
        self.own = views.get(source) if source else None
        """What the source that priced the fill quoted; ``None`` when that source is not known or silent."""
        others = [view for view in views.values() if view is not self.own]
        own = [self.own] if self.own else []
        dense = [view for view in others if view.dense] or [view for view in own if view.dense]
        self.judges = dense or others or own
        """What the fill is judged by: the other sources, or the pricing source where no other quoted often enough."""
        self.witnesses = [view.within() for view in others if view.inside and view not in self.judges]
        """Other sources that quoted too seldom to prove a price wrong, but did quote in the window."""
        self.valid = [*self.judges, *self.witnesses]
        self.alone = self.own is not None and self.own in self.judges
        """Whether only the source that priced it can tell."""
        costs = [self.cost_of(quote) for view in self.valid for quote in view.around]
        self.best, self.worst = (min(costs), max(costs)) if costs else (self.cost, self.cost)

    @property
    def deviation(self) -> Decimal:
        """How much worse for the customer than the worst valid price; below zero where it is none."""
        return self.cost - self.worst

    @property
    def reference(self) -> Decimal:
        """The valid price at that instant. Only where valid sources quoted."""
        return self.reference_of(self.judges)

    @property
    def dense(self) -> bool:
        """Whether what it is judged by was quoted often enough to prove a price wrong."""
        return any(view.dense for view in self.judges)

    @property
    def confidence(self) -> Confidence:
        """By how many sources that did not price the fill vouch."""
        independent = [view for view in self.valid if view is not self.own]
        return Confidence.WELL_SUPPORTED if len(independent) > 1 else Confidence.DOUBTFUL

    @property
    def gain(self) -> Decimal:
        """What the customer gained a unit by a price better than all valid ones by more than the tolerance."""
        if not self.valid or self.best - self.cost <= self.tolerance:
            return Decimal(0)
        return self.cost_at(self.reference) - self.cost

    def judge(self, medians: Iterable[FeedMedian] = ()) -> Price:
        """What the price was. *medians* are of feeds that nobody else can confirm."""
        if not self.valid:
            return Price.NO_QUOTES
        if not self.alone and self.fill.source is None and len({self._beats(view) for view in self.valid}) > 1:
            return Price.UNKNOWN_SOURCE
        if self.deviation > self.tolerance:
            if not self.dense:
                return Price.SPARSE
            return Price.PROVIDERS if not self.alone and self._quoted_by_own() else Price.FIRMS
        if self.alone and self.own is not None and not self._confirmed_by_witness():
            middle = self.middle(medians)
            if middle is None:
                return Price.NO_FEED
            if self.distance(middle) > max(FAR * middle.spread, self.tolerance):
                return Price.UNCONFIRMED
        return Price.BETTER if self.cost < self.best else Price.VALID

    def middle(self, medians: Iterable[FeedMedian]) -> FeedMedian | None:
        """The middle of the feed of the source that priced the fill."""
        if self.own is None:
            return None
        key = (self.fill.symbol, self.own.source, self.fill.at)
        return next((row for row in medians if (row.symbol, row.source, row.at) == key), None)

    def distance(self, middle: FeedMedian) -> Decimal:
        """How much worse than the *middle* of its own feed the price is.

        An order set off by a price (a stop, a forced liquidation) is as doubtful as the worst quote that may have
        set it off.
        """
        return self._suspect() - self.cost_at(middle.ask if self.fill.side is Side.BUY else middle.bid)

    def cost_at(self, price: Decimal) -> Decimal:
        return self._sign * price

    def cost_of(self, quote: Quote) -> Decimal:
        return self.cost_at(quote.ask if self.fill.side is Side.BUY else quote.bid)

    def reference_of(self, views: Iterable[View]) -> Decimal:
        """The valid price: the median of what each source last quoted, or first in the window if nothing before."""
        return abs(median(self.cost_of(view.last or view.around[0]) for view in views))

    def reference_at(self, at: datetime) -> Decimal | None:
        """The valid price at another instant, by the same sources as far as they quoted often; ``None`` by none."""
        names = {view.source for view in self.valid}
        views = [view for name, view in self.views(at).items() if name in names and view.last and view.dense]
        return self.reference_of(views) if views else None

    def worst_of(self, views: Iterable[View]) -> Decimal:
        return max(self.cost_of(quote) for view in views for quote in view.around)

    def _suspect(self) -> Decimal:
        if self.own is None or self.kind not in SET_OFF_BY_A_PRICE:
            return self.cost
        return max(self.cost, *(self.cost_of(quote) for quote in self.own.around))

    def _confirmed_by_witness(self) -> bool:
        return bool(self.witnesses) and self._suspect() - self.worst_of(self.witnesses) <= self.tolerance

    def _quoted_by_own(self) -> bool:
        """Whether the pricing source quoted (about) the price of the fill, itself off the valid prices."""
        if self.own is None:
            return False
        nearest = min(
            self.own.around,
            key=lambda quote: (abs(self.cost_of(quote) - self.cost), -self.cost_of(quote), newest_last(quote)),
        )
        apart = abs(self.cost_of(nearest) - self.cost)
        return apart <= self.tolerance and self.cost_of(nearest) - self.worst > self.tolerance

    def _beats(self, view: View) -> bool:
        """Whether the fill is worse for the customer than everything in *view*, beyond the tolerance."""
        return self.cost - self.worst_of([view]) > self.tolerance

    def views(self, at: datetime) -> dict[str, View]:
        """What each source quoted around *at*, by its name."""
        start, end = at - self.window, at + self.window
        by_source = defaultdict(list)
        for quote in self._quotes:
            if quote.symbol == self.fill.symbol and quote.at >= start - STALE:
                by_source[quote.source].append(quote)
        views = {}
        for source in sorted(by_source):
            # of several quotes at one instant the best for the customer stands: a doubt of the log is the firm's
            quotes = sorted(by_source[source], key=lambda quote: (quote.at, -self.cost_of(quote), newest_last(quote)))
            last = next((quote for quote in reversed(quotes) if at - STALE <= quote.at <= at), None)
            standing = next((quote for quote in reversed(quotes) if quote.at < start), None)
            following = next((quote for quote in quotes if quote.at > at), None)
            inside = tuple(quote for quote in quotes if start <= quote.at <= end)
            around = (standing, *inside) if standing else inside
            if around:
                until = following.at if following else at
                dense = last is not None and until - last.at <= SPARSE
                views[source] = View(source, last, around, inside, dense)
        return views


class Priced(NamedTuple):
    """A fill, what was quoted around it, and what its price was by that."""

    fill: Fill
    pricing: Pricing
    price: Price


def priced(order: Traded, facts: LogFacts, given: Given) -> list[Priced]:
    """The fills of *order*, each held against the quotes around it."""
    found = []
    for fill in order.fills:
        pricing = Pricing(
            fill,
            facts.quotes,
            tolerance=given.tolerances.price_of(order.instrument),
            window_seconds=given.tolerances.quote_window_seconds,
            kind=order.order.type,
        )
        found.append(Priced(fill, pricing, pricing.judge(facts.feed_medians)))
    return found


def closer_quotes(fill: Fill) -> str:
    """What is missing where it cannot be told whether the price of *fill* was valid."""
    return f"closer quotes of {fill.symbol} around {fill.at.isoformat()}"


def lacking_beside(report: Report, unproven: Iterable[Fill]) -> tuple[str, ...]:
    """What is missing to judge the *unproven* fills beside others whose loss is known; said in *report*."""
    missing = tuple(dict.fromkeys(map(closer_quotes, unproven)))
    if missing:
        report.say(
            "Whether the rest was filled at a valid price cannot be told from our records.",
            "其余部分的成交价格是否有效，依据我司记录无法判断。",
        )
    return missing


def whose(fills: Iterable[Priced]) -> tuple[Verdict, Text]:
    """Who answers for the wrong prices among *fills*, and how that is said: of an order in parts it may be both."""
    wrong = {each.price for each in fills if each.price.wrong}
    if wrong == {Price.PROVIDERS}:
        return Verdict.PROVIDER_FAULT, Text(
            "It came from a wrong quote of one of our price providers, for which we answer to you.",
            "该价格源于我司一家报价提供方的错误报价，由我司承担责任。",
        )
    if Price.PROVIDERS in wrong:
        return Verdict.FIRM_FAULT, Text(
            "Part of it came from a wrong quote of one of our price providers, for which we answer to you; the rest no "
            "source quoted: the fault is ours.",
            "其中一部分源于我司一家报价提供方的错误报价，由我司承担责任；其余部分无任何报价源报出，责任在我司。",
        )
    return Verdict.FIRM_FAULT, Text("No source quoted it: the fault is ours.", "没有任何报价源报出此价，责任在我司。")
