"""One execution held against the quotes: what went wrong with it, and what it cost."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.checks.equations import fill_equation
from domain.checks.facts import Text
from domain.checks.findings import Verdict
from domain.checks.market import TYPES, is_followed, limit_of, price_text, utc
from domain.checks.moments import FAR, Execution, Feed, FeedMedian
from domain.checks.prices import Price, Pricing
from domain.checks.profit import ReferenceRule
from domain.checks.reach import Reach, reach_before_fill
from domain.checks.tolerances import Tolerances
from domain.ground.words import Confidence
from domain.log.trade_log import Fill, Order, OrderType, Quote, Side
from domain.money.parts import plain

AT_THAT_INSTANT: Final = ReferenceRule.AT_THAT_INSTANT.value
"""The declared reference: the median, over the valid sources, of the last quote at or before the fill."""
AT_RECEIPT: Final = ReferenceRule.AT_RECEIPT.value
"""The same at the instant the server received the order: what an execution without delay would have cost."""
LIMIT_PRICE: Final = ReferenceRule.LIMIT_PRICE.value
"""The order's own limit: a limit order is filled there or better."""

BY_DECISIVENESS: Final = (Verdict.INCONCLUSIVE, Verdict.FIRM_FAULT, Verdict.PROVIDER_FAULT, Verdict.MARKET)

# Chinese terminals call the bid the selling price and banks call it the buying price: whose side is meant is said.
QUOTED: Final = {
    Side.BUY: ("buying prices (ask)", "客户买入价（Ask）"),
    Side.SELL: ("selling prices (bid)", "客户卖出价（Bid）"),
}


class _Fault(NamedTuple):
    """Something that went wrong, and what the fill should have cost instead."""

    verdict: Verdict
    reference: Decimal
    rule: str


@dataclass
class Examination:
    """One fill, examined against the quotes around it."""

    execution: Execution
    fill: Fill
    quotes: set[Quote]
    medians: tuple[FeedMedian, ...]
    tolerances: Tolerances
    texts: list[Text] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    faults: list[_Fault] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    reach: Reach | None = None

    def __post_init__(self) -> None:
        instrument, order = self.execution.instrument, self.execution.order
        self.tolerance = self.tolerances.price_of(instrument) if instrument else Decimal(0)
        self.pricing = Pricing(
            self.fill,
            self.quotes,
            tolerance=self.tolerance,
            window_seconds=self.tolerances.quote_window_seconds,
            kind=order.type if order else None,
        )
        self.cost, self.own, self.alone = self.pricing.cost, self.pricing.own, self.pricing.alone
        self.set_off = self.pricing
        """The prices around the order's first fill, however many follow: an order is set off once."""

    @property
    def verdict(self) -> Verdict:
        if self.faults:
            return min((fault.verdict for fault in self.faults), key=BY_DECISIVENESS.index)
        return Verdict.INCONCLUSIVE if self.missing else Verdict.MARKET

    @property
    def confidence(self) -> Confidence:
        """Certain where the order's own limit decides; else by how many sources that did not price it vouch."""
        return Confidence.CERTAIN if self.loss[1] == LIMIT_PRICE else self.pricing.confidence

    @property
    def loss(self) -> tuple[Decimal, str]:
        """The loss a unit, zero or more, and the rule of its reference: of several faults the dearest counts.

        They are never added, because each is measured from the same price paid.
        """
        losses = [(self.cost - self._cost(fault.reference), fault.rule) for fault in self.faults]
        loss, rule = max(losses, default=(Decimal(0), AT_THAT_INSTANT))
        return max(loss, Decimal(0)), rule

    @property
    def equation(self) -> str:
        """What the fill lost, as a sum that the customer can follow; empty where it lost nothing."""
        loss, instrument = self.loss[0], self.execution.instrument
        return fill_equation(self.fill, abs(self.cost - loss), instrument) if loss and instrument else ""

    def run(self) -> None:
        fill, order = self.fill, self.execution.order
        self.numbers |= {"price": self._text(fill.price), "at": fill.at.isoformat(), "fill_lots": plain(fill.volume)}
        if fill.source is not None:
            self.numbers["source"] = fill.source
        if order is not None and (order.side, order.symbol) != (fill.side, fill.symbol):
            self._lack(
                f"rows of order {order.order} and fill {fill.fill} that agree on instrument and side",
                "Our records of the order and of its execution contradict each other.",
                "我司的委托记录与成交记录相互矛盾。",
            )
            return
        if not self.pricing.valid:
            self._lack(
                f"quotes of {fill.symbol} around {fill.at.isoformat()}",
                f"Our records hold no quotes of {fill.symbol} around that time, so the price could not be compared.",
                f"我司记录中没有 {fill.symbol} 在该时间前后的报价，无法核对成交价格。",
            )
            return
        self._examine_price()
        if self.missing:
            return  # without a valid price nothing else can be told
        if order is None:
            self._lack(
                f"order {fill.order}",
                "Our records do not hold the order itself, so we cannot tell whether it was to be executed then.",
                "我司记录中缺少该笔委托本身，无法判断其是否应在当时执行。",
            )
            return
        if order.price is not None:
            slippage = self.cost - self._cost(order.price)
            self.numbers |= {"requested_price": self._text(order.price), "slippage": plain(slippage)}
        if is_followed(order):
            self._examine_trigger(order)
        elif order.type is OrderType.STOP_OUT:
            self._examine_margin_level()
            self._examine_latency(order)
        elif order.type is OrderType.MARKET:
            self._examine_latency(order)
        if not self.faults:
            self._explain_slippage(order)

    def sum_up(self) -> Text:
        """The loss of this fill as a sum the customer can follow."""
        loss, rule = self.loss
        equation = self.equation
        if not equation:
            fair = self._text(self.pricing.reference)
            return Text(
                f"Measured by the valid price at that moment, {fair}, it cost you nothing.",
                f"以当时的有效价格 {fair} 衡量，您并未因此受到损失。",
            )
        fair = self._text(abs(self.cost - loss))
        en, zh = {
            AT_THAT_INSTANT: (f"The valid price at that moment was {fair}", f"当时的有效价格为 {fair}"),
            AT_RECEIPT: (f"The valid price when the order arrived was {fair}", f"委托到达时的有效价格为 {fair}"),
            LIMIT_PRICE: (f"It was to be filled at {fair} or better", f"该委托应以 {fair} 或更优价格成交"),
        }[rule]
        return Text(f"{en}, so the loss is {equation}.", f"{zh}，损失为 {equation}。")

    def _examine_price(self) -> None:
        """Does the fill lie inside what the valid sources quoted, or on the customer's good side of it?"""
        pricing = self.pricing
        low, high = sorted((abs(pricing.best), abs(pricing.worst)))
        self.numbers |= {
            "valid_sources": ", ".join(sorted(view.source for view in pricing.valid)),
            "valid_low": self._text(low),
            "valid_high": self._text(high),
            "valid_price": self._text(pricing.reference),
            "deviation": plain(max(pricing.deviation, Decimal(0))),
        }
        self._say_range(low, high)
        self._tell_distance()
        match pricing.judge(self.medians):
            case Price.UNKNOWN_SOURCE:
                self._lack(
                    f"source that priced fill {self.fill.fill}",
                    "Some of them confirm the price of your order and some do not, and our records do not say which of "
                    "them it was taken from.",
                    "其中部分报价源支持该成交价，部分不支持，而我司记录未载明该成交价取自哪一报价源。",
                )
            case Price.SPARSE | Price.FIRMS | Price.PROVIDERS as price:
                self._tell_deviation(price)
            case Price.NO_FEED | Price.UNCONFIRMED as price:
                self._tell_unconfirmed(price)
            case Price.BETTER:
                by = self._text(pricing.best - self.cost)
                self._say(f"Your price was {by} better for you than these.", f"您的成交价较上述价格对您有利 {by}。")
            case _ if pricing.deviation > 0:
                by, limit = self._text(pricing.deviation), plain(self.tolerance)
                self._say(
                    f"Your price was {by} outside it, within the tolerance of {limit}.",
                    f"您的成交价超出该区间 {by}，未超过容差 {limit}。",
                )
            case _:
                self._say("Your price lies within that range.", "您的成交价位于该区间之内。")

    def _tell_deviation(self, price: Price) -> None:
        """Whose fault is a fill off the valid prices?"""
        by, limit = self._text(self.pricing.deviation), plain(self.tolerance)
        off_en = f"Your price was {by} worse for you than the worst of these; the tolerance is {limit}."
        off_zh = f"您的成交价比其中最不利的价格还差 {by}，超出容差 {limit}。"
        if price is Price.SPARSE:
            self._lack(
                f"closer quotes of {self.fill.symbol} around {self.fill.at.isoformat()}",
                f"{off_en} But these quotes are too far apart in time to prove it wrong.",
                f"{off_zh}但这些报价的时间间隔过大，不足以证明该价格有误。",
            )
        elif price is Price.PROVIDERS:
            self._blame(
                Verdict.PROVIDER_FAULT,
                f"{off_en} It came from a wrong quote of one of our price providers, for which we answer to you.",
                f"{off_zh}该价格源于我司一家报价提供方的错误报价，由我司对您承担责任。",
            )
        elif self.alone:
            self._blame(
                Verdict.FIRM_FAULT,
                f"{off_en} The source it was taken from never quoted such a price then: the fault is ours.",
                f"{off_zh}该价格所用报价源当时从未报出此价，责任在我司。",
            )
        else:
            self._blame(
                Verdict.FIRM_FAULT,
                f"{off_en} It agrees with no quote of the source it should have come from: the fault is ours.",
                f"{off_zh}该价格与其应取自的报价源的任何报价均不相符，责任在我司。",
            )

    def _tell_distance(self) -> None:
        """How far the price lies from the middle of its own feed, where nobody else can confirm it."""
        middle = self.pricing.middle(self.medians)
        if middle is None or not self.alone or self.pricing.deviation > self.tolerance:
            return
        centre = middle.ask if self.fill.side is Side.BUY else middle.bid
        self.numbers |= {
            "feed_median": self._text(centre),
            "feed_median_spread": self._text(middle.spread),
            "feed_quotes": str(middle.quotes),
            "distance_from_median": plain(self.pricing.distance(middle)),
        }

    def _tell_unconfirmed(self, price: Price) -> None:
        missing = f"reference quotes of another source for {self.fill.symbol} around {self.fill.at.isoformat()}"
        middle = self.pricing.middle(self.medians)
        if price is Price.NO_FEED or middle is None:
            self._lack(missing, "No other source can confirm them.", "没有其他报价源可以印证。")
            return
        by = self._text(self.pricing.distance(middle))
        self._lack(
            missing,
            f"The price lies {by} from the middle of that source's prices over five minutes before and after, more "
            f"than {FAR} times its usual spread, and no other source was recorded that could confirm or refute it.",
            f"该价格偏离该报价源前后五分钟的中位价格 {by}，超过其通常点差的 {FAR} 倍，"
            "且没有其他报价源的记录可以印证或否定。",
        )

    def _examine_trigger(self, order: Order) -> None:
        """Was the price the order waited for really reached, on the side it waits on?"""
        if order.price is None:
            self._lack(
                f"trigger price of order {order.order}",
                "Our records do not hold the price the order was waiting for.",
                "我司记录中缺少该委托的触发价格。",
            )
            return
        price, name = self._text(order.price), TYPES[order.type]
        self.numbers["trigger"] = price
        self.reach = reach_before_fill(order, order.price, self.quotes, self.set_off)
        reached = self.reach.reached(self.tolerance)
        if self.reach.at is not None:
            self.numbers["reached_at"] = self.reach.at.isoformat()
            at = utc(self.reach.at)
            self._say(
                f"Valid prices reached the price of the {name.en}, {price}, on {at}.",
                f"有效报价于 {at} 触及{name.zh}的触发价 {price}。",
            )
        elif reached:
            self._say(
                f"Valid prices around it came to the price of the {name.en}, {price}, within the tolerance.",
                f"前后的有效报价在容差之内触及{name.zh}的触发价 {price}。",
            )
        limit = limit_of(order)
        if limit is not None and self.cost > self._cost(limit):
            at_en, at_zh = ("limit", "限价") if order.type is OrderType.STOP_LIMIT else ("price", "价格")
            self._blame(
                Verdict.FIRM_FAULT,
                f"A {name.en} is filled at its {at_en} or better; yours was filled worse: the fault is ours.",
                f"{name.zh}应以其{at_zh}或更优价格成交，而您的成交价更差，责任在我司。",
                reference=limit,
                rule=LIMIT_PRICE,
            )
        if not reached and not self.set_off.dense:
            self._lack(
                f"closer quotes of {self.fill.symbol} around {self.set_off.fill.at.isoformat()}",
                f"They do not reach the price of the {name.en}, {price}, but are too far apart in time to exclude it.",
                f"上述报价未触及{name.zh}的触发价 {price}，但时间间隔过大，不足以排除曾经触及。",
            )
        elif not reached:
            provider = not self.set_off.alone and self.reach.by_own
            blame_en, blame_zh = (
                (
                    "it was set off by a wrong quote of one of our price providers, for which we answer to you",
                    "该委托系由我司一家报价提供方的错误报价触发，由我司对您承担责任",
                )
                if provider
                else ("the fault is ours", "责任在我司")
            )
            self._blame(
                Verdict.PROVIDER_FAULT if provider else Verdict.FIRM_FAULT,
                f"No valid price reached {price}, which the {name.en} was waiting for, so it should not have been "
                f"executed: {blame_en}.",
                f"没有任何有效报价触及{name.zh}的触发价 {price}，该委托不应被执行；{blame_zh}。",
            )

    def _examine_margin_level(self) -> None:
        """Was the forced liquidation due, as far as the firm's own record of the level tells?"""
        pricing = self.pricing
        if self.own and not self.alone and pricing.worst_of([self.own]) - pricing.worst > self.tolerance:
            self.numbers["set_off_by"] = "perhaps wrong quotes"
        position = self.execution.position
        if position is None or position.margin_level is None or position.stop_out_level is None:
            self.numbers["margin_level"] = "not recorded"
            self._say(
                "Our records do not hold the margin level at that moment, so only the price was examined.",
                "我司记录未载明当时的保证金水平，因此仅核查了价格。",
            )
            return
        level, limit = plain(position.margin_level), plain(position.stop_out_level)
        self.numbers |= {"margin_level": level, "stop_out_level": limit}
        if position.margin_level <= position.stop_out_level:
            if not self.faults:  # a level that was computed from a wrong price excuses nothing
                self._say(
                    f"The margin level recorded was {level}%, not above the liquidation level of {limit}%.",
                    f"当时记录的保证金水平为 {level}%，未高于强制平仓线 {limit}%。",
                )
        else:
            self._blame(
                Verdict.FIRM_FAULT,
                f"The margin level recorded was {level}%, above the liquidation level of {limit}%, so the position "
                "should not have been closed: the fault is ours.",
                f"当时记录的保证金水平为 {level}%，高于强制平仓线 {limit}%，不应强制平仓，责任在我司。",
            )

    def _examine_latency(self, order: Order) -> None:
        """Did an order that was to be filled at once wait too long, and was the price better when it arrived?"""
        if order.received_at is None or order.received_at > self.fill.at:
            self.numbers["latency_ms"] = "not recorded" if order.received_at is None else "recorded after the fill"
            self._say(
                "Our records do not tell reliably when the order arrived, so the speed of execution could not be "
                "measured.",
                "我司记录未可靠载明委托的到达时间，因此无法衡量执行速度。",
            )
            return
        latency = self.fill.at - order.received_at
        ms, limit = plain(Decimal(latency // timedelta(microseconds=1)).scaleb(-3)), self.tolerances.latency_ms
        self.numbers |= {"received_at": order.received_at.isoformat(), "latency_ms": ms}
        if latency <= timedelta(milliseconds=limit):
            self._say(
                f"It was executed {ms} ms after it arrived; up to {limit} ms is normal.",
                f"委托到达后 {ms} 毫秒成交，{limit} 毫秒以内属正常。",
            )
            return
        reference = self.pricing.reference_at(order.received_at)
        late_en = f"It was executed {ms} ms after it arrived, longer than {limit} ms"
        late_zh = f"委托到达后 {ms} 毫秒才成交，超过 {limit} 毫秒"
        if reference is None:
            self._lack(
                f"quotes of {self.fill.symbol} around {order.received_at.isoformat()}",
                f"{late_en}, and our records hold no quotes from its arrival to compare with.",
                f"{late_zh}，且我司记录中没有委托到达时的报价可供比较。",
            )
            return
        self.numbers["price_at_receipt"] = self._text(reference)
        if self.cost > self._cost(reference):
            self._blame(
                Verdict.FIRM_FAULT,
                f"{late_en}, and the price got worse for you meanwhile: we answer for this execution delay.",
                f"{late_zh}，其间价格变得对您不利，该执行延迟由我司承担责任。",
                reference=reference,
                rule=AT_RECEIPT,
            )
        else:
            at = self._text(reference)
            self._say(
                f"{late_en}, but the price at its arrival, {at}, was no better for you: the delay cost you nothing.",
                f"{late_zh}，但委托到达时的价格 {at} 对您并非更有利，该延迟未给您造成损失。",
            )

    def _explain_slippage(self, order: Order) -> None:
        if order.price is None:
            return
        slippage = self.cost - self._cost(order.price)
        asked, by = self._text(order.price), self._text(abs(slippage))
        if slippage > 0:
            self._say(
                f"Your order asked for {asked} and was filled {by} worse, because the market had moved: ordinary "
                "slippage.",
                f"您的委托价格为 {asked}，成交价较其不利 {by}，系市场波动所致的正常滑点。",
            )
        elif slippage < 0:
            self._say(
                f"Your order asked for {asked} and was filled {by} better for you.",
                f"您的委托价格为 {asked}，成交价较其有利 {by}。",
            )
        else:
            self._say(f"It is exactly the price you asked for, {asked}.", f"成交价与您的委托价格 {asked} 完全一致。")

    def _say_range(self, low: Decimal, high: Decimal) -> None:
        seconds, count = self.tolerances.quote_window_seconds, len(self.pricing.valid)
        side_en, side_zh = QUOTED[self.fill.side]
        if self.alone and not self.pricing.witnesses:
            who_en, who_zh = "the source it was taken from", "该价格所用的报价源自身报出的"
            if self.fill.source is None:
                who_en, who_zh = "the only source recorded", "唯一有记录的报价源报出的"
        else:
            other_en, other_zh = ("other ", "另有 ") if self.fill.source and not self.alone else ("", "共有 ")
            who_en = f"{count} {other_en}price source{'' if count == 1 else 's'}"
            who_zh = f"{other_zh}{count} 个报价源报出的"
        range_en, range_zh = f"from {self._text(low)} to {self._text(high)}", f"{self._text(low)} 至 {self._text(high)}"
        if low == high:
            range_en, range_zh = f"of {self._text(low)}", self._text(low)
        self._say(
            f"From {seconds} seconds before to {seconds} seconds after, {who_en} gave {side_en} {range_en}.",
            f"成交前后 {seconds} 秒内，{who_zh}{side_zh}为 {range_zh}。",
        )

    def _say(self, en: str, zh: str) -> None:
        self.texts.append(Text(en, zh))

    def _lack(self, missing: str, en: str, zh: str) -> None:
        """Note that a fact is not in the log. An established fault is not undone by it."""
        if not self.faults:
            self.missing.append(missing)
            self._say(en, zh)

    def _blame(
        self, verdict: Verdict, en: str, zh: str, *, reference: Decimal | None = None, rule: str = AT_THAT_INSTANT
    ) -> None:
        self.faults.append(_Fault(verdict, self.pricing.reference if reference is None else reference, rule))
        self._say(en, zh)

    def _cost(self, price: Decimal) -> Decimal:
        return self.fill.side.sign * price

    def _text(self, price: Decimal) -> str:
        return price_text(price, self.execution.instrument) if self.execution.instrument else plain(price)


def feeds_to_measure(execution: Execution, quotes: Iterable[Quote], *, tolerances: Tolerances) -> list[Feed]:
    """The feeds whose :class:`FeedMedian` is needed, because nobody else quoted around a fill."""
    known = set(quotes)
    examinations = [Examination(execution, fill, known, (), tolerances) for fill in execution.fills]
    return sorted({Feed(e.fill.symbol, e.own.source, e.fill.at) for e in examinations if e.alone and e.own is not None})
