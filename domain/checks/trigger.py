"""Was a stop or limit order set off by the first valid price through it, on the side it trades on, gap or not?"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.counterfactual import held_on, missing_for, reference_for
from domain.checks.examination import QUOTED
from domain.checks.facts import Given, LogFacts, Report, cost
from domain.checks.findings import Check, Confidence, Finding, Verdict
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
    valid_price,
)
from domain.checks.profit import ReferenceRule, exit_loss
from domain.log.trade_log import Instrument, Order, Position, Quote, Side
from domain.money.parts import PRECISION, Part, PartKind, plain

FORMULA: Final = "trigger/first-valid-price-through@1"


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
        self.tolerance = Decimal(self.given.tolerances.price)
        self.sign = order.side.sign
        kind = TYPES[order.type]
        report.numbers = {
            "trigger": plain(price),
            "side": "ask" if order.side is Side.BUY else "bid",
            "tolerance": self.given.tolerances.price,
        }
        report.say(
            f"Order {order.order} is a {kind.en} ({lots(order.volume)} {order.symbol}) at {self._text(price)}; it is "
            f"set off by the {'ask' if order.side is Side.BUY else 'bid'}.",
            f"订单 {order.order} 为{kind.zh}（{plain(order.volume)} 手 {order.symbol}），触发价 {self._text(price)}，"
            f"以{QUOTED[order.side][1]}触发。",
        )

    def filled(self, order: Traded) -> Finding:
        """The order was filled: was it due, in time, at the price that stood there?"""
        report, fill = self.report, order.fills[0]
        sources = self._valid_sources(fill.at, fill.source)
        if not sources:
            return self._no_quotes(fill.at)
        report.say(
            f"It was filled at {self._text(order.price)} on {utc(fill.at)}.",
            f"该委托于 {utc(fill.at)} 以 {self._text(order.price)} 成交。",
        )
        report.numbers |= {"price": plain(order.price), "filled_at": fill.at.isoformat()}
        report.numbers["valid_sources"] = ", ".join(sources)
        confidence = self._confidence(sources, fill.source)
        worse = self.sign * (order.price - self.price)
        if self.order.type in WAITS_FOR_BETTER and worse > 0:
            report.say(
                "An order of this kind is filled at its price or better; the difference is our fault.",
                "此类委托应以其价格或更优价格成交，差额责任在我司。",
            )
            parts = order.parts(self.price)
            return self._concluded(Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=parts, rule=ReferenceRule.LIMIT_PRICE)
        reached = self._reached_at(sources, fill.at)
        if reached is None:
            return self._not_due(order, sources, confidence)
        at_trigger = valid_price(self.facts.quotes, fill.symbol, fill.side, reached, suspect=fill.source, only=sources)
        lag = fill.at - reached
        first = at_trigger.price if at_trigger else self.price
        gap = max(self.sign * (first - self.price), Decimal(0)) if self.order.type in WAITS_FOR_WORSE else Decimal(0)
        excess = self.sign * (order.price - first)
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
            report.say(
                f"It was filled {plain(milliseconds(lag))} ms after that and {self._text(excess)} worse, and that is "
                "our fault.",
                f"其后 {plain(milliseconds(lag))} 毫秒才成交，且价格差 {self._text(excess)}，责任在我司。",
            )
            return self._concluded(
                Verdict.FIRM_FAULT, confidence, parts=order.parts(first), rule=ReferenceRule.AT_THAT_INSTANT
            )
        if self.order.type in WAITS_FOR_BETTER and excess > self.tolerance:
            report.say(
                f"A price {self._text(excess)} better for you was there, as the price had jumped over your limit, and "
                "was not given to you; a stop would have borne such a gap.",
                f"价格跳空越过您的限价，当时存在对您更有利 {self._text(excess)} 的价格而未给予；"
                "若为止损则由您承担缺口。",
            )
            if confidence is Confidence.WELL_SUPPORTED:
                report.say("That difference is our fault.", "该差额责任在我司。")
                return self._concluded(
                    Verdict.FIRM_FAULT, confidence, parts=order.parts(first), rule=ReferenceRule.AT_THAT_INSTANT
                )
            report.say(
                "Only one source shows it, so a person will look at it.", "仅有一个报价源可资佐证，将由人工处理。"
            )
            return report.lacking(
                f"quotes of a second source for {fill.symbol} around {reached.isoformat()}",
                en="It cannot be proved from our records alone.",
                zh="仅凭我司记录无法证实。",
            )
        if gap > self.tolerance:
            report.say(
                f"The price jumped over it by {self._text(gap)}: a gap of the market, in which a stop is filled at the "
                "first price there is.",
                f"价格跳空越过触发价 {self._text(gap)}，属市场缺口，止损以缺口后的首个价格成交。",
            )
        else:
            report.say("It was filled as it should have been.", "该委托按应有方式成交。")
        return self._concluded(Verdict.MARKET, confidence)

    def not_filled(self) -> Finding:
        """The order was not filled: did a valid price pass it?"""
        report, position = self.report, self._position()
        until = self.order.ended_at or (position.closed_at if position else None) or self.given.as_of
        sources = self._valid_sources(until, None, ever=True)
        if not sources:
            return self._no_quotes(until)
        report.numbers["valid_sources"] = ", ".join(sources)
        # a limit may lie unfilled at its own price: only what passed it by more than the tolerance proves it due
        beyond = self.tolerance if self.order.type in WAITS_FOR_BETTER else Decimal(0)
        reached = self._reached_at(sources, until, beyond=beyond)
        confidence = self._confidence(sources, None)
        if reached is None:
            report.say(
                "It was not filled, and no valid price passed it while it stood.",
                "该委托未成交，且在其有效期间没有有效报价越过触发价。",
            )
            return self._concluded(Verdict.NO_FAULT, confidence)
        report.numbers["reached_at"] = reached.isoformat()
        report.say(
            f"It was not filled, although valid prices passed it on {utc(reached)}: the fault is ours.",
            f"有效报价于 {utc(reached)} 越过触发价，但该委托未成交，责任在我司。",
        )
        if position is None or position.close_price is None:
            return report.lacking(
                f"the closing of the position that order {self.order.order} was to close",
                en="What it cost cannot be told before the position is closed.",
                zh="在该持仓平仓之前无法计算损失。",
            )
        valid = valid_price(self.facts.quotes, self.order.symbol, self.order.side, reached, suspect=None)
        reference = self.price if self.order.type in WAITS_FOR_BETTER or valid is None else valid.price
        loss = exit_loss(
            position.side,
            close=position.close_price,
            reference=reference,
            units=self.instrument.contract_size,
            lots=min(self.order.volume, position.volume),
        )
        report.numbers |= {"reference_price": plain(reference), "close_price": plain(position.close_price)}
        closing = next((row for row in self.facts.fills if row.side is position.side.opposite), None)
        name = closing.fill if closing else position.position
        part = Part(
            key=f"price/{name}",
            subject=name,
            kind=PartKind.PRICE,
            amount=loss,
            currency=self.instrument.currency,
        )
        return self._concluded(
            Verdict.FIRM_FAULT,
            confidence,
            parts=[part] if loss > 0 else [],
            rule=ReferenceRule.OWN_STOP_OR_TARGET,
        )

    def _not_due(self, order: Traded, sources: list[str], confidence: Confidence) -> Finding:
        """No valid price reached the trigger."""
        report, fill = self.report, order.fills[0]
        nearest = self._nearest(sources, fill.at)
        report.numbers["short_by"] = plain(nearest)
        if nearest <= self.tolerance:
            report.say(
                f"Valid prices came within {self._text(nearest)} of it, within the tolerance of "
                f"{self.given.tolerances.price}.",
                f"有效报价距触发价 {self._text(nearest)}，未超过容差 {self.given.tolerances.price}。",
            )
            return self._concluded(Verdict.MARKET, Confidence.DOUBTFUL)
        own = fill.source is not None and self._reached_at([fill.source], fill.at) is not None
        verdict = Verdict.PROVIDER_FAULT if own and fill.source not in sources else Verdict.FIRM_FAULT
        report.say(
            f"No valid price came nearer than {self._text(nearest)}: it should not have been filled"
            + (", and a wrong quote of one of our price providers set it off, for which we answer." if own else "."),
            f"有效报价距触发价最近仍差 {self._text(nearest)}，该委托不应成交"
            + ("；系由我司一家报价提供方的错误报价触发，由我司承担责任。" if own else "，责任在我司。"),
        )
        position = self._position()
        saved: list[Part] = []
        rule = ReferenceRule.AT_THAT_INSTANT if self.order.position is None else self.given.tolerances.reference
        if rule is not ReferenceRule.AT_THAT_INSTANT:
            found = reference_for(fill, position, self.facts, self.given)
            if rule is ReferenceRule.REINSTATE:
                report.say("The position is to be put back as it was.", "该持仓应按原状恢复。")
                return self._concluded(verdict, confidence)
            if found is None:
                return report.lacking(
                    missing_for(rule, fill.symbol, fill.at),
                    en="Our records do not reach far enough to tell what would have become of the position.",
                    zh="我司记录不足以判断该持仓其后的走势。",
                )
            reference = found.price
            saved = held_on(fill, position, found, report)
            report.numbers |= {"reference_price": plain(reference), "reference_at": found.at.isoformat()}
        else:
            valid = valid_price(self.facts.quotes, fill.symbol, fill.side, fill.at, suspect=fill.source)
            if valid is None:
                return self._no_quotes(fill.at)
            reference = valid.price
            report.numbers["reference_price"] = plain(reference)
        parts = order.parts(reference)
        return self._concluded(verdict, confidence, parts=[*parts, *saved] if parts else [], rule=rule)

    # --- what the quotes say ------------------------------------------------------------------------------------------

    def _valid_sources(self, at: datetime, suspect: str | None, *, ever: bool = False) -> list[str]:
        near = {
            quote.source
            for quote in self._quotes(at)
            if ever or quote.at >= at - timedelta(seconds=60) or self._through(quote, Decimal(0))
        }
        return sorted(near - {suspect}) or sorted(near)

    def _quotes(self, until: datetime) -> Iterable[Quote]:
        since = self.order.received_at
        return (
            quote
            for quote in self.facts.quotes
            if quote.symbol == self.order.symbol and quote.at <= until and (since is None or quote.at >= since)
        )

    def _through(self, quote: Quote, beyond: Decimal) -> bool:
        over = cost(self.sign, quote) - self.sign * self.price
        return over >= beyond if self.order.type in WAITS_FOR_WORSE else over <= -beyond

    def _reached_at(self, sources: list[str], until: datetime, *, beyond: Decimal = Decimal(0)) -> datetime | None:
        """When half of *sources* had passed the trigger; ``None`` if fewer did."""
        first: dict[str, datetime] = {}
        for quote in self._quotes(until):
            if quote.source in sources and self._through(quote, beyond):
                first[quote.source] = min(quote.at, first.get(quote.source, quote.at))
        needed = (len(sources) + 1) // 2
        return sorted(first.values())[needed - 1] if len(first) >= needed else None

    def _nearest(self, sources: list[str], until: datetime) -> Decimal:
        """How far the valid prices stayed from the trigger at their nearest."""
        direction = 1 if self.order.type in WAITS_FOR_WORSE else -1
        return min(
            direction * (self.sign * self.price - cost(self.sign, quote))
            for quote in self._quotes(until)
            if quote.source in sources
        )

    # --- words --------------------------------------------------------------------------------------------------------

    def _confidence(self, sources: list[str], suspect: str | None) -> Confidence:
        independent = len([source for source in sources if source != suspect])
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
