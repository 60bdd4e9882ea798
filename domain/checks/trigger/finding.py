"""Was a stop or limit order set off by the first valid price through it, on the side it trades on, gap or not?"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from domain.checks.counterfactual import held_on, missing_for, reference_for
from domain.checks.equations import exit_equation, fill_equation
from domain.checks.examination import QUOTED
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.late_closing import beside, late_closing
from domain.checks.market import (
    PENDING,
    TYPES,
    WAITS_FOR_BETTER,
    WAITS_FOR_WORSE,
    Traded,
    as_limit,
    limit_of,
    lots,
    milliseconds,
    price_text,
    traded,
    utc,
)
from domain.checks.prices import Priced, closer_quotes, lacking_beside, priced, whose
from domain.checks.profit import ReferenceRule
from domain.checks.reach import LOOK_BACK, Reach, passed_by, reach_before_fill, reach_of_waiting
from domain.checks.trigger.attached import waited_for_nothing
from domain.ground.words import Confidence
from domain.log.replay import Unknown
from domain.log.trade_log import Fill, Instrument, Order, OrderState, OrderType, Position, Side
from domain.money.parts import PRECISION, Part, plain

FORMULA: Final = "trigger/first-valid-price-through@5"


def check_trigger(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge when the waiting order *subject* was filled, or that it was not.

    A buy waits on the ask and a sell on the bid: a long's stop-loss closes on the bid, a short's on the ask. The
    trigger is reached when half of the valid sources have passed it. The facts hold, of each source, its first quote
    through the trigger. Of an order filled in parts each is looked at by itself, and so is what was never filled.
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
    filled = traded(facts, subject)
    if order.type is OrderType.STOP_LIMIT and filled and order.limit_price is None:
        return _without_limit(report, order)
    if order.type not in PENDING:
        return waited_for_nothing(report, order, instrument, given)
    if order.price is None:
        return report.lacking(
            f"trigger price of order {subject}",
            en=f"Our records do not hold the price that order {subject} waited for.",
            zh=f"我司记录中缺少订单 {subject} 的触发价格。",
        )
    judged = _Trigger(report, order, order.price, instrument)
    return judged.filled(filled) if filled else judged.not_filled()


def _without_limit(report: Report, order: Order) -> Finding:
    return report.lacking(
        f"limit of order {order.order}",
        en=f"Order {order.order} becomes a limit order at its price, and our records do not hold its limit.",
        zh=f"订单 {order.order} 触价后转为限价单，我司记录中缺少其限价。",
    )


class _Passed(NamedTuple):
    """The first price through the level, and when it was there."""

    price: Decimal
    at: datetime


class _Trigger:
    """One waiting order, and what each source quoted on its side."""

    def __init__(self, report: Report, order: Order, price: Decimal, instrument: Instrument) -> None:
        self.report, self.order, self.price, self.instrument = report, order, price, instrument
        self.facts, self.given = report.facts, report.given
        self.tolerance = self.given.tolerances.price_of(instrument)
        self.sign = order.side.sign
        self.quotes = self.facts.quotes
        self.unfilled, self.own = Decimal(0), frozenset[str]()
        """The lots that an order filled in part still asked for, and the fills of the others."""
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
        self.unfilled, self.own = self.order.volume - order.lots, frozenset(fill.fill for fill in order.fills)
        report, fills = self.report, priced(order, self.facts, self.given)
        fill, pricing = order.fills[0], fills[0].pricing
        reach = reach_before_fill(self.order, self.price, self.facts.quotes, pricing)
        if not reach.sources or not pricing.valid:
            return self._no_quotes(fill.at)
        report.say(*order.executed(self.unfilled))
        report.numbers |= {"price": plain(order.price), "filled_at": fill.at.isoformat()}
        report.numbers["valid_sources"] = ", ".join(reach.sources)
        confidence = self._confidence(reach, fill.source)
        for each in fills:
            if each.pricing.gain:
                report.gained(each.fill, each.pricing.gain)
        limit = limit_of(self.order)
        if limit is not None and (parts := order.parts(limit)):
            en, zh = ("limit", "限价") if self.order.type is OrderType.STOP_LIMIT else ("price", "价格")
            report.say(
                f"An order of this kind is filled at its {en} or better; the difference is our fault: "
                f"{self._sums(order, limit)}.",
                f"此类委托应以其{zh}或更优价格成交，差额责任在我司：{self._sums(order, limit)}。",
            )
            lacks = self._lacks(fills, parts)
            return self._concluded(
                Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=parts, rule=ReferenceRule.LIMIT_PRICE, missing=lacks
            )
        if reach.at is None:
            return self._not_passed(order, fills, reach, confidence)
        return self._passed(order, fills, reach, reach.at, confidence=confidence)

    def _passed(
        self, order: Traded, fills: Sequence[Priced], reach: Reach, reached: datetime, *, confidence: Confidence
    ) -> Finding:
        """Valid prices had passed it at *reached*: was it filled then, and at what they were?"""
        report = self.report
        first = self.price if reach.price is None else reach.price
        lag = order.fills[0].at - reached
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
        limit = timedelta(milliseconds=self.given.tolerances.latency_ms)
        late = [each for each in fills if each.fill.at - reached > limit]
        worse = [each for each in fills if self.sign * (each.fill.price - first) > self.tolerance]
        wrong = [each for each in fills if each.price.wrong]
        if slow := [each for each in late if each in worse]:
            others = [each for each in wrong if each not in slow]
            return self._late(order, fills, slow, others, passed=_Passed(first, reached), confidence=confidence)
        if self.order.type in WAITS_FOR_BETTER and worse:
            return self._gap_kept(order, first, reached, confidence)
        if wrong:
            return self._mispriced(order, fills, wrong)
        if unproven := next((each for each in fills if not each.price.proven), None):
            return self._price_unproven(unproven.fill)
        if late:
            took = plain(milliseconds(late[-1].fill.at - reached))
            en, zh = ("It", "其后") if len(late) == len(fills) else ("The last part of it", "最后一笔其后")
            report.say(
                f"{en} was filled {took} ms after that, at a price no worse for you: the delay cost you nothing.",
                f"{zh} {took} 毫秒成交，成交价对您并非更差，该延迟未给您造成损失。",
            )
        elif gap > self.tolerance and self.order.type is not OrderType.STOP_LIMIT:
            report.say(
                f"The price jumped over it by {self._text(gap)}: a gap of the market, in which a stop is filled at the "
                "first price there is.",
                f"价格跳空越过触发价 {self._text(gap)}，属市场缺口，止损以缺口后的首个价格成交。",
            )
        else:
            part = ("That part", "该部分") if self.unfilled > 0 else ("It", "该委托")
            report.say(f"{part[0]} was filled as it should have been.", f"{part[1]}按应有方式成交。")
        return self._concluded(Verdict.MARKET, confidence)

    def _late(
        self,
        order: Traded,
        fills: Sequence[Priced],
        slow: Sequence[Priced],
        wrong: Sequence[Priced],
        *,
        passed: "_Passed",
        confidence: Confidence,
    ) -> Finding:
        """Of *fills* those *slow* came late and worse; the price of those *wrong* was no valid one."""
        first, reached = passed
        volume = sum((each.fill.volume for each in slow), Decimal(0))
        mean = sum((each.fill.price * each.fill.volume for each in slow), Decimal(0)) / volume
        took, by = plain(milliseconds(slow[-1].fill.at - reached)), self._text(self.sign * (mean - first))
        sums = "; ".join(fill_equation(each.fill, first, self.instrument) for each in slow)
        en, zh = "It was", "其后"
        if volume < order.lots:
            en, zh = f"{lots(volume).capitalize()} of it were", f"其中 {plain(volume)} 手其后"
        self.report.say(
            f"{en} filled {took} ms after that and {by} worse, and that is our fault: {sums}.",
            f"{zh} {took} 毫秒才成交，且价格差 {by}，责任在我司：{sums}。",
        )
        parts = [order.part(each.fill, first) for each in slow]
        if wrong:
            parts += self._tell_mispriced(order, wrong)
        lacks = self._lacks(fills, parts)
        return self._concluded(
            Verdict.FIRM_FAULT, confidence, parts=parts, rule=ReferenceRule.AT_THAT_INSTANT, missing=lacks
        )

    def _gap_kept(self, order: Traded, first: Decimal, reached: datetime, confidence: Confidence) -> Finding:
        """The price jumped over a limit, and what the customer gained by it was kept from them."""
        report, by = self.report, self._text(max(self.sign * (fill.price - first) for fill in order.fills))
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

    def _mispriced(self, order: Traded, fills: Sequence[Priced], wrong: Sequence[Priced]) -> Finding:
        """Due and in time, but those *wrong* of *fills* at a price that no valid source quoted."""
        parts = self._tell_mispriced(order, wrong)
        return self._concluded(
            whose(wrong)[0],
            wrong[0].pricing.confidence,
            parts=parts,
            rule=ReferenceRule.AT_THAT_INSTANT,
            missing=self._lacks(fills, parts),
        )

    def _lacks(self, fills: Sequence[Priced], parts: Iterable[Part]) -> tuple[str, ...]:
        """What is missing to tell the price of those of *fills* that are no *parts* of the loss: it may be more."""
        judged = {part.subject for part in parts}
        unproven = (each.fill for each in fills if not each.price.proven and each.fill.fill not in judged)
        return lacking_beside(self.report, unproven)

    def _tell_mispriced(self, order: Traded, wrong: Sequence[Priced]) -> list[Part]:
        """What was lost by prices that no valid source quoted."""
        _, said = whose(wrong)
        sums = "; ".join(fill_equation(each.fill, each.pricing.reference, self.instrument) for each in wrong)
        self.report.say(
            f"It was due, but not filled at a valid price: {sums}. {said.en}",
            f"该委托应当成交，但成交价并非有效价格：{sums}。{said.zh}",
        )
        return [order.part(each.fill, each.pricing.reference) for each in wrong]

    def _price_unproven(self, fill: Fill) -> Finding:
        return self.report.lacking(
            closer_quotes(fill),
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
                return self._mispriced(order, fills, wrong)
            by, limit = self._text(max(nearest, Decimal(0))), plain(self.tolerance)
            report.say(
                f"Valid prices came within {by} of it, within the tolerance of {limit}.",
                f"有效报价距触发价 {by}，未超过容差 {limit}。",
            )
            return self._concluded(Verdict.MARKET, Confidence.DOUBTFUL)
        if not pricing.dense:
            return report.lacking(
                closer_quotes(fill),
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

    def _reach_in_vain(self) -> tuple[Reach, datetime]:
        """Whether valid prices passed what waited in vain, and until when it waited."""
        position = self._position()
        until = self.order.ended_at or (position.closed_at if position else None) or self.given.as_of
        # a limit may lie unfilled at its own price: only what passed it by more than the tolerance proves it due
        beyond = self.tolerance if self.order.type in WAITS_FOR_BETTER else Decimal(0)
        return reach_of_waiting(self.order, self.price, self.quotes, until, beyond), until

    def not_filled(self) -> Finding:
        """The order was not filled: did a valid price pass it?"""
        report, position = self.report, self._position()
        if self.order.state is OrderState.REJECTED:
            return report.lacking(
                f"why order {self.order.order} was rejected",
                en="It was rejected and so never waited for its price; a person will look at why.",
                zh="该委托被拒绝，从未处于等待状态；拒绝原因将由人工核查。",
            )
        reach, until = self._reach_in_vain()
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
        if self.order.type is OrderType.STOP_LIMIT and self.order.limit_price is not None:
            self._becomes_a_limit(reach.at)
            return self.not_filled()
        report.numbers["reached_at"] = reach.at.isoformat()
        if self.order.type is OrderType.STOP_LIMIT:
            report.say(
                f"It was not filled. Valid prices passed it on {utc(reach.at)}.",
                f"该委托未成交；有效报价于 {utc(reach.at)} 越过触发价。",
            )
            return _without_limit(report, self.order)
        report.say(
            f"It was not filled, although valid prices passed it on {utc(reach.at)}: the fault is ours.",
            f"有效报价于 {utc(reach.at)} 越过触发价，但该委托未成交，责任在我司。",
        )
        parts = self._not_closed(position, reach, reach.at)
        if isinstance(parts, Finding):
            return parts
        return self._concluded(Verdict.FIRM_FAULT, confidence, parts=parts, rule=ReferenceRule.OWN_STOP_OR_TARGET)

    def _becomes_a_limit(self, at: datetime) -> None:
        """Valid prices passed the stop of a stop-limit order: from then on it is judged as a limit order.

        What a source quoted before it passed the stop itself is no price for that, and one that never did has no say.
        """
        passed = passed_by(self.order, self.price, self.quotes, at)
        self.quotes = tuple(row for row in self.quotes if row.source in passed and row.at >= passed[row.source])
        self.order = as_limit(self.order, at)
        self.price = self.order.price or self.price
        self.report.numbers |= {"stop_reached_at": at.isoformat(), "limit_price": plain(self.price)}
        self.report.say(
            f"Valid prices passed its stop on {utc(at)}; from then on it waited as a limit order at "
            f"{self._text(self.price)}.",
            f"有效报价于 {utc(at)} 越过其触发价，此后该委托作为限价单等待，限价 {self._text(self.price)}。",
        )

    def _rest(self) -> Sequence[Part] | Finding | None:
        """What it cost that the rest of an order filled in part was not: ``None`` if it was not due.

        A finding where that is for a person, who then looks at what was filled as well.
        """
        report = self.report
        reach, _ = self._reach_in_vain()
        if self.order.limit_price is not None and reach.at is not None:
            self._becomes_a_limit(reach.at)
            reach, _ = self._reach_in_vain()
        much_en, much_zh = lots(self.unfilled), plain(self.unfilled)
        if reach.at is None:
            report.say(
                f"The rest, {much_en}, was not filled, and no valid price passed it while it stood.",
                f"其余 {much_zh} 手未成交，且在其有效期间没有有效报价越过触发价。",
            )
            return None
        report.numbers |= {"rest": plain(self.unfilled), "rest_reached_at": reach.at.isoformat()}
        if self.order.state is OrderState.FILLED:
            return report.lacking(
                f"fills of the rest of order {self.order.order}: {much_en}",
                en=f"Our records say that it was filled, and do not hold the fills of {much_en} of it.",
                zh=f"我司记录载明该委托已成交，但缺少其中 {much_zh} 手的成交记录。",
            )
        report.say(
            f"The rest, {much_en}, was not filled, although valid prices passed it on {utc(reach.at)}: the fault is "
            "ours.",
            f"有效报价于 {utc(reach.at)} 越过触发价，但其余 {much_zh} 手未成交，责任在我司。",
        )
        return self._not_closed(self._position(), reach, reach.at)

    def _not_closed(self, position: Position | None, reach: Reach, reached: datetime) -> list[Part] | Finding:
        """What it cost that *position* was not closed at *reached*, by what closed it later; a finding if unknown."""
        report = self.report
        if position is None:
            return report.lacking(
                f"the position that order {self.order.order} was to close",
                en="What a trade that never took place would have brought cannot be told from our records; a person "
                "will look at it.",
                zh="未成交的委托本应带来的结果无法依据我司记录计算，将由人工处理。",
            )
        passed = self.price if reach.price is None else reach.price
        reference = self.price if self.order.type in WAITS_FOR_BETTER else passed
        wanted = self.unfilled or self.order.volume
        others = beside(self.facts, self.order, position, reached)
        without, ahead = (self.own | others.fills, others.ahead) if others else (self.own, Decimal(0))
        try:
            late = late_closing(self.facts, position, reached, wanted, without=without, ahead=ahead)
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
        return late.parts(reference, self.instrument, of=self.order.order if others else None)

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
        missing: tuple[str, ...] = (),
    ) -> Finding:
        with localcontext(prec=PRECISION):
            found = list(parts)
            if self.unfilled > 0:
                rest = self._rest()
                if isinstance(rest, Finding):
                    return rest
                if rest is not None:
                    verdict, rule = Verdict.FIRM_FAULT, rule or ReferenceRule.OWN_STOP_OR_TARGET
                    found += rest
            parts = found
            return self.report.concluded(
                verdict, confidence, parts=parts, currency=self.instrument.currency, rule=rule, missing=missing
            )

    def _text(self, price: Decimal) -> str:
        return price_text(price, self.instrument)
