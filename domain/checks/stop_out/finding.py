"""Forced liquidations have two questions: was it due on valid prices, and was it executed at a valid price?

    equity = balance + credit + what was booked since + the open positions at the prices of the tick
    used margin = sum of units * lots * opening price / leverage, or as the margin rates of the instrument say
    level = equity / used margin * 100

The account is replayed (:mod:`domain.log.replay`), so that what was closed before is no volume any more and its result
is money. Orders that came in at one instant are one decision; all orders of one position within the event are its
liquidation, however many parts it was executed in. Swap accrued on open positions is not in the log and not in the
level. The harm is in the account's currency.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from domain.checks.counterfactual import held_on, missing_for, reference_for
from domain.checks.equations import exit_equation
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.margin import Account, Level
from domain.checks.market import price_part, price_text, utc
from domain.checks.prices import Price, Pricing, closer_quotes, lacking_beside
from domain.checks.profit import ReferenceRule, exit_loss
from domain.checks.stop_out.liquidations import Decision, Liquidated, decisions, liquidated, suspects_of
from domain.ground.words import Confidence
from domain.log.replay import Unknown
from domain.log.trade_log import Fill, OrderType
from domain.money.parts import PRECISION, Part, PartKind, plain

FORMULA: Final = "stop-out/margin-replay@2"


class _Undue(NamedTuple):
    closing: Liquidated
    kind: PartKind


def check_stop_out(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the forced liquidation that the order *subject* began: it and those that followed in the same minute.

    Decisions are taken in their order. Each is due if the level on valid prices, with what should not have been closed
    before it still open, was not above the level in force when its first order came in or was filled. One that only the
    loss of an earlier undue closing brought about is its consequence, and restored with it. Of what was due each fill
    is held against the valid prices of its moment, as any other fill is.
    """
    report = Report(Check.STOP_OUT, subject, facts, given, FORMULA)
    closings, missing = liquidated(facts, subject)
    if not closings and not missing:
        report.say(f"Order {subject} was no forced liquidation.", f"订单 {subject} 不是强制平仓。")
        currency = facts.instruments[0].currency if facts.instruments else "USD"
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)
    missing += [] if facts.account_terms else ["margin terms of the account: leverage and liquidation level"]
    missing += [] if facts.balances else ["balance of the account before it"]
    account = Account.of(facts, closings[0].fill.at, given.tolerances) if closings and not missing else None
    if account is None:
        return _not_computable(report, *missing)
    try:
        with localcontext(prec=PRECISION):
            return _Event(report, account, closings).judge()
    except Unknown as error:
        return _not_computable(report, str(error))


def _not_computable(report: Report, *missing: str) -> Finding:
    return report.lacking(
        *missing,
        en="Whether the forced liquidation was due cannot be computed from our records.",
        zh="依据我司记录无法核算强制平仓是否应当发生。",
    )


class _Event:
    """The liquidations of an account within a minute."""

    def __init__(self, report: Report, account: Account, closings: Sequence[Liquidated]) -> None:
        self.report, self.account, self.closings = report, account, closings
        self.given, self.facts = report.given, report.facts
        self.limit = account.terms.stop_out_level
        self.first = closings[0].fill
        self.suspects = suspects_of(closings)
        self.undue: list[_Undue] = []
        self.due: list[Liquidated] = []
        self.provider = False
        self.by_record = False
        """Whether the firm's own record of the level is why it was not due."""

    def judge(self) -> Finding:
        self._tell_path()
        self.report.numbers["stop_out_level"] = plain(self.limit)
        for decision in decisions(self.closings):
            self._decide(decision)
        self._tell_level()
        mispriced = self._mispriced()
        if not self.undue:
            self.report.say("It was due on valid prices.", "按有效价格强制平仓应当发生。")
            self._tell_sequence()
            return self._concluded([], mispriced)
        return self._restore(mispriced)

    # --- was it due ---------------------------------------------------------------------------------------------------

    def _decide(self, decision: Decision) -> None:
        """Sort the closings of *decision* into due and undue."""
        earlier = self._liquidated_before(decision)
        undone = frozenset(each.closing.fill.fill for each in self.undue)
        valid = self._levels(decision, earlier | undone)
        seen = self._levels(decision, earlier)
        shown = valid[-1]
        for each in decision.closings:
            self.report.numbers |= {
                f"{each.order.order}.level": _percent(shown),
                f"{each.order.order}.equity": plain(round(shown.equity, 6)),
                f"{each.order.order}.used_margin": plain(round(shown.used, 6)),
            }
        if decision.recorded_above:
            self.by_record = True
        elif any(level.due(self.limit) for level in valid):
            self.due += decision.closings
            return
        consequence = bool(self.undue) and any(level.due(self.limit) for level in seen)
        kind = PartKind.CONSEQUENCE if consequence else PartKind.PRICE
        self.undue += [_Undue(each, kind) for each in decision.closings]

    def _liquidated_before(self, decision: Decision) -> frozenset[str]:
        """The parts in which the liquidation of the same positions had been executed before.

        Whether the rest of a position was to be closed does not depend on how much of it had been closed already.
        """
        return frozenset(
            each.fill.fill
            for each in self.closings
            if each.position.position in decision.positions and each not in decision.closings
        )

    def _levels(self, decision: Decision, without: frozenset[str]) -> list[Level]:
        """The level when the decision's first order came in, and when it was filled."""
        received = [each.order.received_at for each in decision.closings if each.order.received_at is not None]
        came = [at for at in received if at < decision.at]
        found = []
        if came:
            with suppress(Unknown):  # the level at the fill decides alone
                found.append(self.account.level(min(came), suspects=self.suspects, without=without))
        return [*found, self.account.level(decision.at, suspects=self.suspects, without=without)]

    def _tell_path(self) -> None:
        """The level at every tick before the liquidation: the lowest, and when it was first not above the limit."""
        numbers, until = self.report.numbers, self.first.at
        symbols = {position.symbol for position in self.account.replay.positions.values()}
        lowest: tuple[Decimal, Level] | None = None
        ticks = 0
        for at in sorted({quote.at for quote in self.facts.quotes if quote.symbol in symbols and quote.at <= until}):
            try:
                now = self.account.level(at, suspects=self.suspects)
            except Unknown:
                continue
            ticks += 1
            level = now.level
            if level is None:
                continue
            if lowest is None or level < lowest[0]:
                lowest = level, now
            if level <= self.limit and "first_due_at" not in numbers:
                numbers["first_due_at"] = at.isoformat()
        numbers["ticks"] = str(ticks)
        if lowest is not None:
            numbers |= {"lowest_level": _percent(lowest[1]), "lowest_level_at": lowest[1].at.isoformat()}

    def _tell_level(self) -> None:
        level = self.account.level(self.first.at, suspects=self.suspects)
        count, at = len({each.position.position for each in self.closings}), utc(self.first.at)
        self.report.say(
            f"On {at} {count} position{'' if count == 1 else 's'} of yours {'was' if count == 1 else 'were'} "
            f"liquidated. On valid prices your margin level was {_percent(level)}% "
            f"({_money(level.equity)} / {_money(level.used)}); the liquidation level in force was "
            f"{plain(self.limit)}%.",
            f"您的 {count} 个持仓于 {at} 被强制平仓。按有效价格计算，当时保证金水平为 {_percent(level)}%"
            f"（{_money(level.equity)} / {_money(level.used)}），强制平仓线为 {plain(self.limit)}%。",
        )

    def _tell_sequence(self) -> None:
        """Whether the position with the largest loss was closed first, as platforms do."""
        losses: dict[str, Decimal] = {}
        for held in self.account.replay.held(self.first.at):
            position = held.position
            valid = self.account.price(position.symbol, position.side.opposite, self.first.at, None)
            if valid is not None:
                losses[position.position] = self.account.profit(position, held.price, valid.price, held.lots)
        worst = min(losses, key=lambda name: (losses[name], name), default=None)
        self.report.numbers["largest_loss_first"] = "yes" if worst == self.closings[0].position.position else "no"

    # --- was it executed at a valid price -----------------------------------------------------------------------------

    def _mispriced(self) -> list[tuple[Liquidated, Pricing, Price]]:
        """Of what was due, the fills at a wrong price."""
        found = []
        for each in self.due:
            pricing = self._pricing(each)
            price = pricing.judge(self.facts.feed_medians)
            self.report.numbers[f"{each.fill.fill}.price_was"] = price.value
            if pricing.valid:
                self.report.numbers[f"{each.fill.fill}.valid_price"] = plain(pricing.reference)
            if pricing.gain:
                self.report.gained(each.fill, pricing.gain)
            if price.wrong:
                found.append((each, pricing, price))
        return found

    def _pricing(self, closing: Liquidated) -> Pricing:
        instrument = self.facts.instrument(closing.fill.symbol)
        if instrument is None:
            raise Unknown(f"instrument {closing.fill.symbol}")
        return Pricing(
            closing.fill,
            self.facts.quotes,
            tolerance=self.given.tolerances.price_of(instrument),
            window_seconds=self.given.tolerances.quote_window_seconds,
            kind=OrderType.STOP_OUT,
        )

    # --- what it cost -------------------------------------------------------------------------------------------------

    def _restore(self, mispriced: Sequence[tuple[Liquidated, Pricing, Price]]) -> Finding:
        """What should not have been closed, put back to the declared reference price."""
        report, rule = self.report, self.given.tolerances.reference
        self._tell_undue()
        if rule is ReferenceRule.REINSTATE:
            report.say("They are to be put back as they were.", "相关持仓应按原状恢复。")
            return self._concluded([], mispriced)
        parts: list[Part] = []
        due_at = self._next_due() if rule is ReferenceRule.NEXT_STOP_OUT else None
        for closing, kind in self.undue:
            fill, position = closing.fill, closing.position
            found = reference_for(fill, position, self.facts, self.given, stopped_out_at=due_at)
            if found is None:
                return report.lacking(
                    missing_for(rule, fill.symbol, fill.at),
                    en="Our records do not reach far enough to tell what would have become of the position.",
                    zh="我司记录不足以判断该持仓其后的走势。",
                )
            name = f"{closing.order.order}" if self._only_fill(closing) else f"{closing.order.order}.{fill.fill}"
            report.numbers |= {
                f"{name}.price": plain(fill.price),
                f"{name}.reference_price": plain(found.price),
                f"{name}.reference_at": found.at.isoformat(),
                f"{name}.lots": plain(fill.volume),
            }
            own = self._loss(closing, found.price, kind)
            if own:
                parts += [*own, *held_on(fill, position, found, report)]
        return self._concluded(parts, mispriced)

    def _only_fill(self, closing: Liquidated) -> bool:
        return len([each for each in self.closings if each.order is closing.order]) == 1

    def _loss(self, closing: Liquidated, reference: Decimal, kind: PartKind) -> list[Part]:
        """What closing at its price instead of *reference* cost, told as a sum; nothing where it cost nothing."""
        fill, position = closing.fill, closing.position
        instrument = self.facts.instrument(fill.symbol)
        if instrument is None:
            raise Unknown(f"instrument {fill.symbol}")
        loss = exit_loss(
            position.side, close=fill.price, reference=reference, units=instrument.contract_size, lots=fill.volume
        )
        if loss <= 0:
            return []
        sum_ = exit_equation(position.side, fill.price, reference, fill.volume, instrument)
        at = price_text(fill.price, instrument)
        self.report.say(
            f"Closed at {at} (fill {fill.fill}): {sum_}.",
            f"平仓价 {at}（成交 {fill.fill}）：{sum_}。",
        )
        return [price_part(fill.fill, loss, instrument.currency).model_copy(update={"kind": kind})]

    def _tell_undue(self) -> None:
        own = self._by_own_quotes()
        self.report.numbers["level_on_own_quotes"] = _percent(own) if own else "not in the log"
        self.provider = not self.by_record and own is not None and own.due(self.limit)
        closed = {each.closing.position.position for each in self.undue}
        consequences = {each.closing.position.position for each in self.undue if each.kind is PartKind.CONSEQUENCE}
        if self.by_record:
            why_en, why_zh = (
                ": the level that we recorded then was above it, and the fault is ours.",
                ("：我司当时记录的保证金水平高于该水平，责任在我司。"),
            )
        elif self.provider:
            why_en = ": a wrong quote of one of our price providers brought it about, for which we answer."
            why_zh = "，系由我司一家报价提供方的错误报价引发，由我司承担责任。"
        else:
            why_en, why_zh = ": the fault is ours.", "，责任在我司。"
        self.report.say(
            f"{f'{len(closed)} of them' if len(self.closings) > 1 else 'It'} should not have been closed{why_en}"
            + (f" {len(consequences)} followed only from the loss of the others." if consequences else ""),
            f"{f'其中 {len(closed)} 个' if len(self.closings) > 1 else '该持仓'}不应被平仓{why_zh}"
            + (f"其中 {len(consequences)} 个仅因其他持仓的损失而被连带平仓。" if consequences else ""),
        )

    def _by_own_quotes(self) -> Level | None:
        """The level as the source that priced the first undue fill made it, or another one where that was too low.

        A wrong quote of one instrument may close another, at the price of a source that was right.
        """
        fill = self.undue[0].closing.fill
        undone = frozenset(each.closing.fill.fill for each in self.undue)
        first: Level | None = None
        for source in dict.fromkeys([fill.source, *sorted({quote.source for quote in self.facts.quotes})]):
            its = {quote.symbol for quote in self.facts.quotes if quote.source == source}
            own = [quote for quote in self.facts.quotes if quote.source == source or quote.symbol not in its]
            if not its:
                continue
            try:
                level = self.account.on(own).level(fill.at, suspects=lambda _: None, without=undone)
            except Unknown:
                continue
            if level.due(self.limit):
                return level
            first = level if source == fill.source else first
        return first

    def _next_due(self) -> datetime | None:
        """When valid prices, after the closings, would have brought the level down to the limit."""
        after = self.undue[-1].closing.fill.at
        undone = frozenset(each.closing.fill.fill for each in self.undue)
        symbols = {position.symbol for position in self.account.replay.positions.values()}
        for at in sorted({quote.at for quote in self.facts.quotes if quote.symbol in symbols and quote.at > after}):
            try:
                if self.account.level(at, suspects=self.suspects, without=undone).due(self.limit):
                    return at
            except Unknown:
                continue
        return None

    def _concluded(self, parts: list[Part], mispriced: Sequence[tuple[Liquidated, Pricing, Price]]) -> Finding:
        """The finding: whose fault it was, by whichever question failed."""
        report, rule = self.report, self.given.tolerances.reference
        prices = {price for _, _, price in mispriced}
        for closing, pricing, _ in mispriced:
            parts += self._loss(closing, pricing.reference, PartKind.PRICE)
        if mispriced:
            by_provider = prices == {Price.PROVIDERS}
            report.say(
                "But it was not executed at a valid price: "
                + (
                    "a wrong quote of one of our price providers was used, for which we answer."
                    if by_provider
                    else "the fault is ours."
                ),
                "但其成交价格并非有效价格："
                + ("使用了我司一家报价提供方的错误报价，由我司承担责任。" if by_provider else "责任在我司。"),
            )
        verdict = Verdict.MARKET
        if (self.undue and not self.provider) or Price.FIRMS in prices:
            verdict = Verdict.FIRM_FAULT
        elif self.undue or prices:
            verdict = Verdict.PROVIDER_FAULT
        if not self.undue:
            rule = ReferenceRule.AT_THAT_INSTANT
        unproven = self._unproven()
        if unproven and verdict is Verdict.MARKET:
            return report.lacking(
                closer_quotes(unproven[0]),
                en="Whether it was executed at a valid price cannot be told from our records.",
                zh="依据我司记录无法判断其成交价格是否有效。",
            )
        missing = lacking_beside(report, unproven)
        return report.concluded(
            verdict, self._confidence(), parts=parts, currency=self.account.terms.currency, rule=rule, missing=missing
        )

    def _unproven(self) -> list[Fill]:
        """Those of what was due whose prices cannot be told from the quotes."""
        unknown = {Price.SPARSE.value, Price.UNKNOWN_SOURCE.value, Price.NO_QUOTES.value}
        was = self.report.numbers
        return [each.fill for each in self.due if was.get(f"{each.fill.fill}.price_was") in unknown]

    def _confidence(self) -> Confidence:
        if self.by_record:
            return Confidence.CERTAIN
        judged = self.account.price(self.first.symbol, self.first.side, self.first.at, self.suspects(self.first.symbol))
        return judged.confidence if judged else Confidence.DOUBTFUL


def _percent(level: Level) -> str:
    return "none used" if level.level is None else f"{level.level:.2f}"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
