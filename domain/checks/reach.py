"""When valid prices reached the level that an order waited for: found once, and the same for every check.

A buy waits on the ask and a sell on the bid. Reached is when half of the valid sources have passed it within a minute.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.checks.facts import cost
from domain.checks.market import WAITS_FOR_BETTER, valid_price
from domain.checks.moments import STALE, newest_last
from domain.checks.prices import Pricing
from domain.log.trade_log import Order, Quote

LOOK_BACK: Final = timedelta(days=90)
"""How long before its end, at most, an order is followed while it waits."""


class Reach(NamedTuple):
    """What the valid sources, by name, say of the level an order waited for."""

    sources: tuple[str, ...]
    at: datetime | None
    """When half of them had passed it within a minute; ``None`` if fewer did."""
    price: Decimal | None
    """The valid price then."""
    nearest: Decimal | None
    """How far the nearest of their prices stayed from it, zero or less if one passed it; ``None`` without quotes."""
    by_own: bool
    """Whether the quotes of the source that priced the fill reached it."""
    used: frozenset[Quote]
    """The quotes that decided this."""

    def reached(self, tolerance: Decimal) -> bool:
        """Whether the order was due, as far as the *tolerance* lets anybody tell."""
        return self.at is not None or (self.nearest is not None and self.nearest <= tolerance)


def reach_before_fill(order: Order, price: Decimal, quotes: Iterable[Quote], pricing: Pricing) -> Reach:
    """When valid prices reached *price*, for which *order* waited until it was filled as *pricing* tells.

    For the nearest price the window of the fill counts to its end: clocks differ.
    """
    fill = pricing.fill
    end = fill.at + pricing.window
    seen = _Seen(order, price, quotes, end)
    own = pricing.own.source if pricing.own else fill.source
    passed = {source for source, at in seen.passed(fill.at).items() if source != own}
    sources = passed | {view.source for view in pricing.valid}
    by_own = pricing.own is not None and own is not None and own in seen.passed(end)
    return seen.reach(sources, fill.at, suspect=fill.source, by_own=by_own)


def reach_of_waiting(order: Order, price: Decimal, quotes: Iterable[Quote], until: datetime, beyond: Decimal) -> Reach:
    """When valid prices passed *price* by *beyond*, for which *order* waited in vain until *until*."""
    seen = _Seen(order, price, quotes, until, beyond)
    return seen.reach(seen.names, until, suspect=None, by_own=False)


def passed_by(order: Order, price: Decimal, quotes: Iterable[Quote], reached: datetime) -> dict[str, datetime]:
    """When each source itself passed *price*, about when half of them had, at *reached*; those that never did are not
    in it.
    """
    passed: dict[str, datetime] = {}
    for quote in sorted(quotes, key=newest_last):
        through = cost(order.side.sign, quote) >= order.side.sign * price
        if through and quote.symbol == order.symbol and quote.at >= reached - STALE:
            passed.setdefault(quote.source, quote.at)
    return passed


def half_of(sources: int) -> int:
    """How many of so many *sources* are half of them."""
    return (sources + 1) // 2


class _Seen:
    """The quotes of each source while an order waited, the one standing when it came among them."""

    def __init__(
        self, order: Order, price: Decimal, quotes: Iterable[Quote], until: datetime, beyond: Decimal = Decimal(0)
    ) -> None:
        self._order, self._price, self._beyond = order, price, beyond
        self._sign, self._level = order.side.sign, order.side.sign * price
        self._direction = -1 if order.type in WAITS_FOR_BETTER else 1
        since = order.received_at
        self._feeds: dict[str, list[tuple[datetime, Quote]]] = {}
        standing: dict[str, Quote] = {}
        for quote in sorted((row for row in quotes if row.symbol == order.symbol), key=newest_last):
            if quote.at > until:
                continue
            if since is None or quote.at >= since:
                self._feeds.setdefault(quote.source, []).append((quote.at, quote))
            elif quote.at >= since - STALE:
                standing[quote.source] = quote
        for source, quote in standing.items():
            if since is not None:
                self._feeds.setdefault(source, []).insert(0, (since, quote))

    @property
    def names(self) -> set[str]:
        return set(self._feeds)

    def passed(self, until: datetime) -> dict[str, datetime]:
        """When each source first passed the level, until *until*."""
        return {source: at for source, (at, _) in self._first(until).items()}

    def _first(self, until: datetime) -> dict[str, tuple[datetime, Quote]]:
        found = {}
        for source, rows in self._feeds.items():
            for at, quote in rows:
                if at <= until and self._short(quote) <= -self._beyond:
                    found[source] = (at, quote)
                    break
        return found

    def _at_once(self, sources: set[str], until: datetime) -> datetime | None:
        """When half of *sources* had passed the level within :data:`STALE`: bad ticks on two days are no market."""
        passed = {
            source: [
                at for at, quote in self._feeds.get(source, []) if at <= until and self._short(quote) <= -self._beyond
            ]
            for source in sources
        }
        needed = half_of(len(sources))
        for at in sorted({at for times in passed.values() for at in times}):
            if sum(any(at - STALE <= each <= at for each in times) for times in passed.values()) >= needed:
                return at
        return None

    def _short(self, quote: Quote) -> Decimal:
        """How far *quote* stayed from the level; below zero beyond it."""
        return self._direction * (self._level - cost(self._sign, quote))

    def reach(self, sources: set[str], until: datetime, *, suspect: str | None, by_own: bool) -> Reach:
        at = self._at_once(sources, until)
        rows = [quote for source in sources for _, quote in self._feeds.get(source, [])]
        nearest = min(rows, key=lambda quote: (self._short(quote), newest_last(quote)), default=None)
        used = {quote for _, quote in self._first(until).values()} | ({nearest} if nearest else set())
        used |= {rows[0][1] for rows in self._feeds.values() if rows[0][0] != rows[0][1].at}
        price = None
        if at is not None:
            known = [quote for rows in self._feeds.values() for when, quote in rows if when <= at]
            valid = valid_price(known, self._order.symbol, self._order.side, at, suspect=suspect, only=sorted(sources))
            price = valid.price if valid else self._price
            last = {quote.source: quote for quote in sorted(known, key=newest_last)}
            used |= {quote for quote in last.values() if quote.at >= at - STALE}
            used |= {
                quote
                for source in sources
                for when, quote in self._feeds.get(source, [])
                if at - STALE <= when <= at and self._short(quote) <= -self._beyond
            }
        short = None if nearest is None else self._short(nearest)
        return Reach(tuple(sorted(sources)), at, price, short, by_own, frozenset(used))
