"""Was a stop or limit order set off by the first valid price through it, on the side it trades on, gap or not?"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.counterfactual import held_on, missing_for, reference_for
from domain.checks.equations import exit_equation, fill_equation
from domain.checks.examination import QUOTED
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.late_closing import late_closing
from domain.checks.market import (
    TYPES,
    WAITS_FOR_BETTER,
    WAITS_FOR_WORSE,
    Traded,
    lots,
    milliseconds,
    price_text,
    traded,
    utc,
)
from domain.checks.prices import Priced, priced, whose
from domain.checks.profit import ReferenceRule
from domain.checks.reach import LOOK_BACK, Reach, reach_before_fill, reach_of_waiting
from domain.ground.words import Confidence
from domain.log.replay import Unknown
from domain.log.trade_log import Fill, Instrument, Order, OrderType, Position, Side
from domain.money.parts import PRECISION, Part, plain

FORMULA: Final = "trigger/first-valid-price-through@2"


def check_trigger(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge when the waiting order *subject* was filled, or that it was not.

    A buy waits on the ask and a sell on the bid: a long's stop-loss closes on the bid, a short's on the ask. The
    trigger is reached when half of the valid sources have passed it. The facts hold, of each source, its first quote
    through the trigger.
    """
    report = Report(Check.TRIGGER, subject, facts, given, FORMULA)
    order = next((row for row in facts.orders if row.order == subject), None)
    instrument = facts.instrument(order.symbol) if order else None
    if order is None or instrument is None:
        return report.lacking(
            f"order {subject}",
            en=f"Our records do not hold order {subject}, so its trigger is not known.",
            zh=f"我司记录中缺少订单 {subject}，其触发条件不详。",
        )
    if order.type is OrderType.STOP_LIMIT:
        return report.lacking(
            f"limit of order {subject}",
            en=f"Order {subject} becomes a limit order at its price, and our records do not hold its limit.",
            zh=f"订单 {subject} 触价后转为限价单，我司记录中缺少其限价。",
        )
    if order.type not in WAITS_FOR_WORSE | WAITS_FOR_BETTER:
        report.say(f"Order {subject} waited for no price.", f"订单 {subject} 并非等待触发的委托。")
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=instrument.currency)
    if order.price is None:
        return report.lacking(
            f"trigger price of order {subject}",
            en=f"Our records do not hold the price that order {subject} waited for.",
            zh=f"我司记录中缺少订单 {subject} 的触发价格。",
        )
    filled = traded(facts, subject)
    judged = _Trigger(report, order, order.price, instrument)
    return judged.filled(filled) if filled else judged.not_filled()


class _Trigger:
    """One waiting order, and what each source quoted on its side."""

    def __init__(self, report: Report, order: Order, price: Decimal, instrument: Instrument) -> None:
        self.report, self.order, self.price, self.instrument = report, order, price, instrument
        self.facts, self.given = report.facts, report.given
        self.tolerance = self.given.tolerances.price_of(instrument)
        self.sign = order.side.sign
        kind = TYPES[order.type]
        report.numbers = {
            "trigger": plain(price),
            "side": "ask" if order.side is Side.BUY else "bid",
            "tolerance": plain(self.tolerance),
        }
        report.say(
            f"Order {order.order} is a {kind.en} ({lots(order.volume)} {order.symbol}) at {self._text(price)}; it is "
            f"set off by the {'ask' if order.side is Side.BUY else 'bid'}.",
            f"订单 {order.order} 为{kind.zh}（{plain(order.volume)} 手 {order.symbol}），触发价 {self._text(price)}，"
            f"以{QUOTED[order.side][1]}触发。",
        )

    def filled(self, order: Traded) -> Finding:
        """The order was filled: was it due, in time, at a price that stood there?"""
        report, fills = self.report, priced(order, self.facts, self.given)
        fill, pricing = order.fills[0], fills[0].pricing
        reach = reach_before_fill(self.order, self.price, self.facts.quotes, pricing)
        if not reach.sources or not pricing.valid:
            return self._no_quotes(fill.at)
        report.say(
            f"It was filled at {self._text(order.price)} on {utc(fill.at)}.",
            f"该委托于 {utc(fill.at)} 以 {self._text(order.price)} 成交。",
        )
        report.numbers |= {"price": plain(order.price), "filled_at": fill.at.isoformat()}
        report.numbers["valid_sources"] = ", ".join(reach.sources)
        confidence = self._confidence(reach, fill.source)
        for each in fills:
            if each.pricing.gain:
                report.gained(each.fill, each.pricing.gain)
        if self.order.type in WAITS_FOR_BETTER and (parts := order.parts(self.price)):
            report.say(
                "An order of this kind is filled at its price or better; the difference is our fault: "
                f"{self._sums(order, self.price)}.",
                f"此类委托应以其价格或更优价格成交，差额责任在我司：{self._sums(order, self.price)}。",
            )
            return self._concluded(Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=parts, rule=ReferenceRule.LIMIT_PRICE)
        if reach.at is None:
            return self._not_passed(order, fills, reach, confidence)
        return self._passed(order, fills, reach, reach.at, confidence=confidence)

    def _passed(
        self, order: Traded, fills: Sequence[Priced], reach: Reach, reached: datetime, *, confidence: Confidence
    ) -> Finding:
        """Valid prices had passed it at *reached*: was it filled then, and at what they were?"""
        report, fill = self.report, order.fills[0]
        first = self.price if reach.price is None else reach.price
        lag, excess = fill.at - reached, self.sign * (order.price - first)
        gap = max(self.sign * (first - self.price), Decimal(0)) if self.order.type in WAITS_FOR_WORSE else Decimal(0)
        report.numbers |= {
            "reached_at": reached.isoformat(),
            "lag_ms": plain(milliseconds(lag)),
            "first_price_through": plain(first),
            "gap": plain(gap),
        }
        report.say(
            f"Valid prices first reached it on {utc(reached)}, at {self._text(first)}.",
            f"有效报价首次触及的时间为 {utc(reached)}，价格为 {self._text(first)}。",
        )
        late = lag > timedelta(milliseconds=self.given.tolerances.latency_ms)
        if late and excess > self.tolerance:
            return self._late(order, first, lag, confidence)
        if self.order.type in WAITS_FOR_BETTER and excess > self.tolerance:
            return self._gap_kept(order, first, reached, confidence)
        wrong = [each for each in fills if each.price.wrong]
        if wrong:
            return self._mispriced(order, wrong)
        if unproven := next((each for each in fills if not each.price.proven), None):
            return self._price_unproven(unproven.fill)
        if late:
            took = plain(milliseconds(lag))
            report.say(
                f"It was filled {took} ms after that, at a price no worse for you: the delay cost you nothing.",
                f"其后 {took} 毫秒成交，成交价对您并非更差，该延迟未给您造成损失。",
            )
        elif gap > self.tolerance:
            report.say(
                f"The price jumped over it by {self._text(gap)}: a gap of the market, in which a stop is filled at the "
                "first price there is.",
                f"价格跳空越过触发价 {self._text(gap)}，属市场缺口，止损以缺口后的首个价格成交。",
            )
        else:
            report.say("It was filled as it should have been.", "该委托按应有方式成交。")
        return self._concluded(Verdict.MARKET, confidence)

    def _late(self, order: Traded, first: Decimal, lag: timedelta, confidence: Confidence) -> Finding:
        took, by = plain(milliseconds(lag)), self._text(self.sign * (order.price - first))
        sums = self._sums(order, first)
        self.report.say(
            f"It was filled {took} ms after that and {by} worse, and that is our fault: {sums}.",
            f"其后 {took} 毫秒才成交，且价格差 {by}，责任在我司：{sums}。",
        )
        return self._concluded(
            Verdict.FIRM_FAULT, confidence, parts=order.parts(first), rule=ReferenceRule.AT_THAT_INSTANT
        )

    def _gap_kept(self, order: Traded, first: Decimal, reached: datetime, confidence: Confidence) -> Finding:
        """The price jumped over a limit, and what the customer gained by it was kept from them."""
        report, by = self.report, self._text(self.sign * (order.price - first))
        report.say(
            f"A price {by} better for you was there, as the price had jumped over your limit, and "
            "was not given to you; a stop would have borne such a gap.",
            f"价格跳空越过您的限价，当时存在对您更有利 {by} 的价格而未给予；若为止损则由您承担缺口。",
        )
        if confidence is Confidence.WELL_SUPPORTED:
            sums = self._sums(order, first)
            report.say(f"That difference is our fault: {sums}.", f"该差额责任在我司：{sums}。")
            return self._concluded(
                Verdict.FIRM_FAULT, confidence, parts=order.parts(first), rule=ReferenceRule.AT_THAT_INSTANT
            )
        report.say("Only one source shows it, so a person will look at it.", "仅有一个报价源可资佐证，将由人工处理。")
        return report.lacking(
            f"quotes of a second source for {self.order.symbol} around {reached.isoformat()}",
            en="It cannot be proved from our records alone.",
            zh="仅凭我司记录无法证实。",
        )

    def _mispriced(self, order: Traded, wrong: Sequence[Priced]) -> Finding:
        """Due and in time, but at a price that no valid source quoted."""
        verdict, said = whose(wrong)
        sums = "; ".join(fill_equation(each.fill, each.pricing.reference, self.instrument) for each in wrong)
        self.report.say(
            f"It was due, but not filled at a valid price: {sums}. {said.en}",
            f"该委托应当成交，但成交价并非有效价格：{sums}。{said.zh}",
        )
        return self._concluded(
            verdict,
            wrong[0].pricing.confidence,
            parts=[order.part(each.fill, each.pricing.reference) for each in wrong],
            rule=ReferenceRule.AT_THAT_INSTANT,
        )

    def _price_unproven(self, fill: Fill) -> Finding:
        return self.report.lacking(
            f"closer quotes of {fill.symbol} around {fill.at.isoformat()}",
            en="Whether it was filled at a valid price cannot be told from our records.",
            zh="依据我司记录无法判断其成交价格是否有效。",
        )

    def _not_passed(self, order: Traded, fills: Sequence[Priced], reach: Reach, confidence: Confidence) -> Finding:
        """Fewer than half of the valid sources had passed it."""
        report, fill, pricing = self.report, order.fills[0], fills[0].pricing
        nearest = reach.nearest
        if nearest is None:
            return self._no_quotes(fill.at)
        report.numbers["short_by"] = plain(nearest)
        if reach.reached(self.tolerance):
            if wrong := [each for each in fills if each.price.wrong]:
                return self._mispriced(order, wrong)
            by, limit = self._text(max(nearest, Decimal(0))), plain(self.tolerance)
            report.say(
                f"Valid prices came within {by} of it, within the tolerance of {limit}.",
                f"有效报价距触发价 {by}，未超过容差 {limit}。",
            )
            return self._concluded(Verdict.MARKET, Confidence.DOUBTFUL)
        if not pricing.dense:
            return report.lacking(
                f"closer quotes of {fill.symbol} around {fill.at.isoformat()}",
                en="The quotes do not reach it, but are too far apart in time to exclude it.",
                zh="上述报价未触及触发价，但时间间隔过大，不足以排除曾经触及。",
            )
        provider = reach.by_own and not pricing.alone
        report.say(
            f"No valid price came nearer than {self._text(nearest)}: it should not have been filled"
            + (
                ", and a wrong quote of one of our price providers set it off, for which we answer."
                if provider
                else ", and the fault is ours."
            ),
            f"有效报价距触发价最近仍差 {self._text(nearest)}，该委托不应成交"
            + ("；系由我司一家报价提供方的错误报价触发，由我司承担责任。" if provider else "，责任在我司。"),
        )
        return self._undone(order, fills, Verdict.PROVIDER_FAULT if provider else Verdict.FIRM_FAULT, confidence)

    def _undone(self, order: Traded, fills: Sequence[Priced], verdict: Verdict, confidence: Confidence) -> Finding:
        """What it cost that the order was filled and should not have been."""
        report, fill, position = self.report, order.fills[0], self._position()
        rule = ReferenceRule.AT_THAT_INSTANT if self.order.position is None else self.given.tolerances.reference
        if rule is ReferenceRule.AT_THAT_INSTANT:
            report.numbers["reference_price"] = plain(fills[0].pricing.reference)
            parts = [order.part(each.fill, each.pricing.reference) for each in fills]
            parts = [part for part in parts if part.amount > 0]
            sums = "; ".join(
                fill_equation(each.fill, each.pricing.reference, self.instrument)
                for each in fills
                if order.part(each.fill, each.pricing.reference).amount > 0
            )
            if sums:
                report.say(f"Against the valid price then: {sums}.", f"按当时的有效价格计算：{sums}。")
            return self._concluded(verdict, confidence, parts=parts, rule=rule)
        if rule is ReferenceRule.REINSTATE:
            report.say("The position is to be put back as it was.", "该持仓应按原状恢复。")
            return self._concluded(verdict, confidence)
        found = reference_for(fill, position, self.facts, self.given)
        if found is None:
            return report.lacking(
                missing_for(rule, fill.symbol, fill.at),
                en="Our records do not reach far enough to tell what would have become of the position.",
                zh="我司记录不足以判断该持仓其后的走势。",
            )
        saved = held_on(fill, position, found, report)
        report.numbers |= {"reference_price": plain(found.price), "reference_at": found.at.isoformat()}
        parts = order.parts(found.price)
        if parts:
            sums = self._sums(order, found.price)
            report.say(f"Against the price it is measured by: {sums}.", f"按衡量损失的参考价格计算：{sums}。")
        return self._concluded(verdict, confidence, parts=[*parts, *saved] if parts else [], rule=rule)

    def not_filled(self) -> Finding:
        """The order was not filled: did a valid price pass it?"""
        report, position = self.report, self._position()
        until = self.order.ended_at or (position.closed_at if position else None) or self.given.as_of
        # a limit may lie unfilled at its own price: only what passed it by more than the tolerance proves it due
        beyond = self.tolerance if self.order.type in WAITS_FOR_BETTER else Decimal(0)
        reach = reach_of_waiting(self.order, self.price, self.facts.quotes, until, beyond)
        if not reach.sources:
            return self._no_quotes(until)
        report.numbers["valid_sources"] = ", ".join(reach.sources)
        confidence = self._confidence(reach, None)
        since = self.order.received_at
        if reach.at is None and since is not None and until - since > LOOK_BACK:
            return report.lacking(
                f"quotes of {self.order.symbol} more than {LOOK_BACK.days} days before {until.isoformat()}",
                en=f"It was not filled, and in the last {LOOK_BACK.days} days no valid price passed it; it stood for "
                "longer, and a person will look at the time before.",
                zh=f"该委托未成交，且最近 {LOOK_BACK.days} 天内没有有效报价越过触发价；该委托挂单时间更长，"
                "此前的时段将由人工核查。",
            )
        if reach.at is None:
            report.say(
                "It was not filled, and no valid price passed it while it stood.",
                "该委托未成交，且在其有效期间没有有效报价越过触发价。",
            )
            return self._concluded(Verdict.NO_FAULT, confidence)
        report.numbers["reached_at"] = reach.at.isoformat()
        report.say(
            f"It was not filled, although valid prices passed it on {utc(reach.at)}: the fault is ours.",
            f"有效报价于 {utc(reach.at)} 越过触发价，但该委托未成交，责任在我司。",
        )
        if position is None:
            return report.lacking(
                f"the position that order {self.order.order} was to close",
                en="What a trade that never took place would have brought cannot be told from our records; a person "
                "will look at it.",
                zh="未成交的委托本应带来的结果无法依据我司记录计算，将由人工处理。",
            )
        return self._not_closed(position, reach, reach.at, confidence)

    def _not_closed(self, position: Position, reach: Reach, reached: datetime, confidence: Confidence) -> Finding:
        """What it cost that *position* was not closed at *reached*: by what closed it later."""
        report = self.report
        passed = self.price if reach.price is None else reach.price
        reference = self.price if self.order.type in WAITS_FOR_BETTER else passed
        try:
            late = late_closing(self.facts, position, reached, self.order.volume)
        except Unknown as error:
            return report.lacking(str(error), en="Its closing price is not recorded.", zh="缺少平仓价格记录。")
        if late.left > 0:
            return report.lacking(
                f"the closing of the position that order {self.order.order} was to close",
                en="What it cost cannot be told before the position is closed.",
                zh="在该持仓平仓之前无法计算损失。",
            )
        report.numbers["reference_price"] = plain(reference)
        for each in late.closed:
            report.numbers |= {f"{each.name}.close_price": plain(each.price), f"{each.name}.lots": plain(each.lots)}
            sum_ = exit_equation(position.side, each.price, reference, each.lots, self.instrument)
            report.say(
                f"It was closed on {utc(each.at)} at {self._text(each.price)} instead: {sum_}.",
                f"其后于 {utc(each.at)} 以 {self._text(each.price)} 平仓：{sum_}。",
            )
        return self._concluded(
            Verdict.FIRM_FAULT,
            confidence,
            parts=late.parts(reference, self.instrument),
            rule=ReferenceRule.OWN_STOP_OR_TARGET,
        )

    # --- words --------------------------------------------------------------------------------------------------------

    def _sums(self, order: Traded, reference: Decimal) -> str:
        """The losses of the fills against *reference*, as equations."""
        losing = {part.subject for part in order.parts(reference)}
        return "; ".join(fill_equation(fill, reference, self.instrument) for fill in order.fills if fill.fill in losing)

    def _confidence(self, reach: Reach, suspect: str | None) -> Confidence:
        independent = len([source for source in reach.sources if source != suspect])
        return Confidence.WELL_SUPPORTED if independent > 1 else Confidence.DOUBTFUL

    def _position(self) -> Position | None:
        return next((row for row in self.facts.positions if row.position == self.order.position), None)

    def _no_quotes(self, at: datetime) -> Finding:
        return self.report.lacking(
            f"quotes of {self.order.symbol} until {at.isoformat()}",
            en="Our records hold no quotes from that time, so it cannot be told whether it was due.",
            zh="我司记录中没有该时段的报价，无法判断其是否应当触发。",
        )

    def _concluded(
        self,
        verdict: Verdict,
        confidence: Confidence,
        *,
        parts: Iterable[Part] = (),
        rule: ReferenceRule | None = None,
    ) -> Finding:
        with localcontext(prec=PRECISION):
            return self.report.concluded(verdict, confidence, parts=parts, currency=self.instrument.currency, rule=rule)

    def _text(self, price: Decimal) -> str:
        return price_text(price, self.instrument)
