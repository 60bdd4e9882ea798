"""What was a valid price at an instant, and the words that every check on an order uses."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from statistics import median
from typing import Final, NamedTuple

from domain.checks.facts import LogFacts, Text, cost
from domain.checks.moments import STALE
from domain.ground.words import Confidence
from domain.log.trade_log import Fill, Instrument, Order, OrderType, Quote, Side
from domain.money.parts import PRECISION, Part, PartKind, plain

SIDES: Final = {Side.BUY: Text("buy", "买入"), Side.SELL: Text("sell", "卖出")}
TYPES: Final = {
    OrderType.MARKET: Text("market order", "市价单"),
    OrderType.LIMIT: Text("limit order", "限价单"),
    OrderType.STOP: Text("stop order", "突破挂单"),
    OrderType.STOP_LOSS: Text("stop-loss", "止损单"),
    OrderType.TAKE_PROFIT: Text("take-profit", "止盈单"),
    OrderType.STOP_OUT: Text("forced liquidation", "强制平仓单"),
    OrderType.STOP_LIMIT: Text("stop-limit order", "突破限价挂单"),
    OrderType.CLOSE_BY: Text("close-by order", "对冲平仓单"),
}
WAITS_FOR_WORSE: Final = frozenset({OrderType.STOP, OrderType.STOP_LOSS})
WAITS_FOR_BETTER: Final = frozenset({OrderType.LIMIT, OrderType.TAKE_PROFIT})
PENDING: Final = WAITS_FOR_WORSE | WAITS_FOR_BETTER | {OrderType.STOP_LIMIT}
"""All that wait for a price; a stop-limit order as a stop does, and then, as a limit, for its limit."""


def is_followed(order: Order) -> bool:
    """Whether the log tells what *order* waited for to its end: of a stop-limit order its limit, too."""
    return order.type in WAITS_FOR_WORSE | WAITS_FOR_BETTER or order.limit_price is not None


def limit_of(order: Order) -> Decimal | None:
    """The price at which *order* is filled or better, if it has one."""
    return order.price if order.type in WAITS_FOR_BETTER else order.limit_price


def as_limit(order: Order, since: datetime) -> Order:
    """What the stop-limit *order* was once its stop was reached. Unchanged where its limit is not known."""
    if order.limit_price is None:
        return order
    changed = {"type": OrderType.LIMIT, "price": order.limit_price, "received_at": since, "limit_price": None}
    return order.model_copy(update=changed)


class Valid(NamedTuple):
    """The price of one side at an instant: the median over the sources that vouch for it."""

    price: Decimal
    sources: tuple[str, ...]
    independent: bool
    """Whether none of them is the source that priced the order."""

    @property
    def confidence(self) -> Confidence:
        return Confidence.WELL_SUPPORTED if self.independent and len(self.sources) > 1 else Confidence.DOUBTFUL


class Traded(NamedTuple):
    """An order that was filled, with everything a sum needs."""

    order: Order
    fills: tuple[Fill, ...]
    instrument: Instrument

    @property
    def lots(self) -> Decimal:
        return sum((fill.volume for fill in self.fills), Decimal(0))

    @property
    def price(self) -> Decimal:
        """The mean price of its fills, by volume."""
        with localcontext(prec=PRECISION):
            return sum((fill.price * fill.volume for fill in self.fills), Decimal(0)) / self.lots

    @property
    def source(self) -> str | None:
        return self.fills[0].source

    def part(self, fill: Fill, reference: Decimal) -> Part:
        """The loss of *fill* against *reference*, under the key that all checks on prices share."""
        with localcontext(prec=PRECISION):
            loss = fill.side.sign * (fill.price - reference) * self.instrument.contract_size * fill.volume
        return price_part(fill.fill, loss, self.instrument.currency)

    def parts(self, reference: Decimal) -> list[Part]:
        """The losses of its fills against *reference*; a fill that gained has none."""
        return [part for part in (self.part(fill, reference) for fill in self.fills) if part.amount > 0]

    def told(self) -> Text:
        order = self.order
        side, kind = SIDES[order.side], TYPES[order.type]
        en, zh = self._at()
        return Text(
            f"Order {order.order} ({kind.en}, {side.en} {lots(self.lots)} {order.symbol}) was filled {en}.",
            f"订单 {order.order}（{kind.zh}，{side.zh} {plain(self.lots)} 手 {order.symbol}）{zh} 成交。",
        )

    def executed(self, unfilled: Decimal) -> Text:
        """At what it was filled, and when; where lots of it are *unfilled*, how much of it."""
        en, zh = self._at()
        if unfilled > 0:
            return Text(f"{lots(self.lots)} of it were filled {en}.", f"其中 {plain(self.lots)} 手{zh} 成交。")
        return Text(f"It was filled {en}.", f"该委托{zh} 成交。")

    def _at(self) -> Text:
        """The price, the mean one of several, and when."""
        price = price_text(self.price, self.instrument)
        since, until = utc(self.fills[0].at), utc(self.fills[-1].at)
        mean_en, mean_zh = (" on average", "均价 ") if len({fill.price for fill in self.fills}) > 1 else ("", "")
        if since == until:
            return Text(f"at {price}{mean_en} on {since}", f"于 {since} 以{mean_zh or ' '}{price}")
        return Text(f"at {price}{mean_en} from {since} to {until}", f"于 {since} 至 {until} 以{mean_zh or ' '}{price}")


def price_part(fill: str, amount: Decimal, currency: str) -> Part:
    """A loss on the price of *fill*."""
    return Part(key=f"price/{fill}", subject=fill, kind=PartKind.PRICE, amount=amount, currency=currency)


def share_of(key: str, order: str) -> str:
    """What names the share that *order* has of the loss *key*."""
    return f"{key}|{order}"


def is_share(key: str, of: str) -> bool:
    """Whether *key* names somebody's share of the loss *of*."""
    return key.startswith(f"{of}|")


def traded(facts: LogFacts, order: str) -> Traded | None:
    """The rows of *order*, or ``None`` where the order, its fills or its instrument is not among the facts."""
    placed = next((row for row in facts.orders if row.order == order), None)
    fills = sorted((row for row in facts.fills if row.order == order), key=lambda row: (row.at, row.fill))
    instrument = facts.instrument(placed.symbol) if placed else None
    if placed is None or not fills or instrument is None:
        return None
    if any((fill.symbol, fill.side) != (placed.symbol, placed.side) for fill in fills):
        return None
    return Traded(placed, tuple(fills), instrument)


def standing(quotes: Iterable[Quote], symbol: str, at: datetime, *, older: timedelta = STALE) -> dict[str, Quote]:
    """The last quote of each source at or before *at*, unless it is *older*."""
    last: dict[str, Quote] = {}
    for quote in quotes:
        if quote.symbol == symbol and at - older <= quote.at <= at:
            known = last.get(quote.source)
            if known is None or known.at < quote.at:
                last[quote.source] = quote
    return last


class Board:
    """Quotes in the order of time, for those who ask often: what stood at an instant is looked up, not searched."""

    def __init__(self, quotes: Iterable[Quote]) -> None:
        self._feeds: dict[str, dict[str, tuple[list[datetime], list[Quote]]]] = {}
        for quote in sorted(quotes, key=lambda each: each.at):
            times, rows = self._feeds.setdefault(quote.symbol, {}).setdefault(quote.source, ([], []))
            if not times or times[-1] < quote.at:
                times.append(quote.at)
                rows.append(quote)

    def standing(self, symbol: str, at: datetime, *, older: timedelta = STALE) -> dict[str, Quote]:
        """As :func:`standing`."""
        last: dict[str, Quote] = {}
        for source, (times, rows) in self._feeds.get(symbol, {}).items():
            place = bisect_right(times, at)
            if place and times[place - 1] >= at - older:
                last[source] = rows[place - 1]
        return last


def valid_price(
    quotes: Iterable[Quote] | Board,
    symbol: str,
    side: Side,
    at: datetime,
    *,
    suspect: str | None,
    only: Sequence[str] = (),
) -> Valid | None:
    """What a *side* order cost at *at*: by all sources but *suspect*, or by it alone where there is no other."""
    known = quotes.standing(symbol, at) if isinstance(quotes, Board) else standing(quotes, symbol, at)
    if only:
        known = {source: quote for source, quote in known.items() if source in only}
    others = {source: quote for source, quote in known.items() if source != suspect}
    judges = others or known
    if not judges:
        return None
    sign = side.sign
    middle = median([cost(sign, quote) for quote in judges.values()])
    return Valid(abs(middle), tuple(sorted(judges)), bool(others) and suspect is not None)


def price_text(price: Decimal, instrument: Instrument) -> str:
    """*price* with the instrument's decimals, or with more where it has them."""
    shown = round(price, instrument.digits)
    return f"{price:.{instrument.digits}f}" if price == shown else plain(round(price, instrument.digits + 4))


def lots(volume: Decimal) -> str:
    return f"{plain(volume)} lot{'' if volume == 1 else 's'}"


def utc(instant: datetime) -> str:
    """With as many digits as tell it: none of a whole second, six where milliseconds would put two instants in one."""
    fraction = f".{instant.microsecond:06d}".removesuffix("000") if instant.microsecond else ""
    return f"{instant:%Y-%m-%d %H:%M:%S}{fraction} UTC"


def milliseconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)).scaleb(-3)


def z_score(more: int, fewer: int) -> Decimal:
    """How many standard deviations *more* against *fewer* lies from a fair coin, with the correction for continuity.

    The normal approximation of the binomial distribution: (more - fewer - 1) / sqrt(more + fewer).
    """
    cases = more + fewer
    if cases == 0:
        return Decimal(0)
    with localcontext(prec=28):
        return max(Decimal(abs(more - fewer) - 1), Decimal(0)) / Decimal(cases).sqrt() * (1 if more >= fewer else -1)


CHANCE: Final = Decimal(3)
"""Standard deviations beyond which a difference is no chance (less than 3 in 1,000)."""
