"""Was a forced liquidation due on valid prices? The margin level, replayed tick by tick.

    equity = balance + credit + what was booked since + the open positions at the prices of the tick
    used margin = sum of units * lots * opening price / leverage
    level = equity / used margin * 100

Swap accrued on open positions is not in the log and not in the level. The harm is in the account's currency.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from domain.checks.counterfactual import held_on, missing_for, reference_for
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Confidence, Finding, Verdict
from domain.checks.margin import Account, Level, Unknown
from domain.checks.market import Board, price_part, price_text, utc, valid_price
from domain.checks.profit import ReferenceRule, exit_loss
from domain.log.trade_log import Fill, Order, OrderType, Position
from domain.money.parts import PRECISION, Part, PartKind, plain

FORMULA: Final = "stop-out/margin-replay@1"


class _Closing(NamedTuple):
    """A position that was liquidated, by which fill."""

    order: Order
    fill: Fill
    position: Position


def check_stop_out(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the forced liquidation that the order *subject* began: it and those that followed in the same minute.

    The closings are taken in their order. Each is due if the level on valid prices, with the positions that should not
    have been closed before it still open, was not above the level in force. One that only the loss of an earlier
    undue closing brought about is its consequence, and restored with it.
    """
    report = Report(Check.STOP_OUT, subject, facts, given, FORMULA)
    closings, missing = _closings(facts)
    terms = max(facts.account_terms, key=lambda row: (row.effective_from, row.terms), default=None)
    balance = max(facts.balances, key=lambda row: (row.at, row.balance), default=None)
    missing += ["margin terms of the account: leverage and liquidation level"] if terms is None else []
    missing += ["balance of the account before it"] if balance is None else []
    if not closings and not missing:
        report.say(f"Order {subject} was no forced liquidation.", f"订单 {subject} 不是强制平仓。")
        currency = facts.instruments[0].currency if facts.instruments else "USD"
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)
    if missing or terms is None or balance is None:
        return report.lacking(
            *missing,
            en="Whether the forced liquidation was due cannot be computed from our records.",
            zh="依据我司记录无法核算强制平仓是否应当发生。",
        )
    try:
        with localcontext(prec=PRECISION):
            return _replay(report, Account(facts, terms, balance, Board(facts.quotes), {}, {}), closings)
    except Unknown as error:
        return report.lacking(
            str(error),
            en="Whether the forced liquidation was due cannot be computed from our records.",
            zh="依据我司记录无法核算强制平仓是否应当发生。",
        )


def _closings(facts: LogFacts) -> tuple[list[_Closing], list[str]]:
    found, missing = [], list[str]()
    positions = {row.position: row for row in facts.positions}
    for order in facts.orders:
        if order.type is not OrderType.STOP_OUT:
            continue
        for fill in facts.fills:
            if fill.order != order.order:
                continue
            position = positions.get(order.position or fill.position or "")
            if position is None:
                missing.append(f"position that order {order.order} closed")
            else:
                found.append(_Closing(order, fill, position))
    return sorted(found, key=lambda each: (each.fill.at, each.fill.fill)), missing


def _replay(report: Report, account: Account, closings: Sequence[_Closing]) -> Finding:
    limit, given = account.terms.stop_out_level, report.given
    first = closings[0].fill
    suspect = first.source
    everything = [row for row in account.facts.positions if row.closed_at is None or row.closed_at >= first.at]
    _tell_path(report, account, everything, first.at, suspect=suspect)
    report.numbers["stop_out_level"] = plain(limit)

    before = account.realised_before(first.at)
    kept, legal = list(everything), before
    actual, realised = list(everything), before
    undue: list[tuple[_Closing, PartKind]] = []
    for closing in closings:
        fill, order = closing.fill, closing.order.order
        valid = account.level(fill.at, kept, suspect=suspect, realised=legal)
        seen = account.level(fill.at, actual, suspect=suspect, realised=realised)
        report.numbers |= {
            f"{order}.level": _percent(valid),
            f"{order}.equity": plain(round(valid.equity, 6)),
            f"{order}.used_margin": plain(round(valid.used, 6)),
        }
        if valid.due(limit):
            kept.remove(closing.position)
            legal += account.profit(closing.position, fill.price, fill.volume)
        else:
            undue.append((closing, PartKind.CONSEQUENCE if undue and seen.due(limit) else PartKind.PRICE))
        if closing.position in actual:
            actual.remove(closing.position)
        realised += account.profit(closing.position, fill.price, fill.volume)

    lowest = _percent(account.level(first.at, everything, suspect=suspect, realised=before))
    report.say(
        f"On {utc(first.at)} {len(closings)} position{'' if len(closings) == 1 else 's'} of yours "
        f"{'was' if len(closings) == 1 else 'were'} liquidated. On valid prices your margin level was {lowest}%; the "
        f"liquidation level in force was {plain(limit)}%.",
        f"您的 {len(closings)} 个持仓于 {utc(first.at)} 被强制平仓。按有效价格计算，当时保证金水平为 {lowest}%，"
        f"强制平仓线为 {plain(limit)}%。",
    )
    currency = account.terms.currency
    judged = valid_price(account.quotes, first.symbol, first.side, first.at, suspect=suspect)
    confidence = judged.confidence if judged else Confidence.DOUBTFUL
    if not undue:
        report.say("It was due on valid prices.", "按有效价格强制平仓应当发生。")
        _tell_sequence(report, account, everything, closings)
        return report.concluded(Verdict.MARKET, confidence, currency=currency)
    return _restore(report, account, undue, kept, realised=legal, given=given, confidence=confidence, currency=currency)


def _restore(
    report: Report,
    account: Account,
    undue: Sequence[tuple[_Closing, PartKind]],
    positions: Sequence[Position],
    *,
    realised: Decimal,
    given: Given,
    confidence: Confidence,
    currency: str,
) -> Finding:
    limit, first = account.terms.stop_out_level, undue[0][0].fill
    own = _by_own_quotes(account, positions, first, realised)
    report.numbers["level_on_own_quotes"] = _percent(own) if own else "not in the log"
    provider = own is not None and own.due(limit)
    consequences = [closing for closing, kind in undue if kind is PartKind.CONSEQUENCE]
    report.say(
        f"{len(undue)} of them should not have been closed"
        + (
            ": a wrong quote of one of our price providers brought it about, for which we answer."
            if provider
            else ": the fault is ours."
        )
        + (f" {len(consequences)} followed only from the loss of the others." if consequences else ""),
        f"其中 {len(undue)} 个不应被平仓"
        + ("，系由我司一家报价提供方的错误报价引发，由我司承担责任。" if provider else "，责任在我司。")
        + (f"其中 {len(consequences)} 个仅因其他持仓的损失而被连带平仓。" if consequences else ""),
    )
    verdict = Verdict.PROVIDER_FAULT if provider else Verdict.FIRM_FAULT
    rule = given.tolerances.reference
    if rule is ReferenceRule.REINSTATE:
        report.say("They are to be put back as they were.", "相关持仓应按原状恢复。")
        return report.concluded(verdict, confidence, currency=currency)
    parts: list[Part] = []
    due_at = None
    if rule is ReferenceRule.NEXT_STOP_OUT:
        due_at = _next_due(account, positions, undue[-1][0].fill.at, suspect=first.source, realised=realised)
    for closing, kind in undue:
        fill, position = closing.fill, closing.position
        instrument = account.instrument(position)
        found = reference_for(fill, position, account.facts, given, stopped_out_at=due_at)
        if found is None:
            return report.lacking(
                missing_for(rule, fill.symbol, fill.at),
                en="Our records do not reach far enough to tell what would have become of the position.",
                zh="我司记录不足以判断该持仓其后的走势。",
            )
        loss = exit_loss(
            position.side,
            close=fill.price,
            reference=found.price,
            units=instrument.contract_size,
            lots=fill.volume,
        )
        name = closing.order.order
        report.numbers |= {
            f"{name}.price": plain(fill.price),
            f"{name}.reference_price": plain(found.price),
            f"{name}.reference_at": found.at.isoformat(),
            f"{name}.lots": plain(fill.volume),
        }
        if loss > 0:
            parts.append(price_part(fill.fill, loss, instrument.currency).model_copy(update={"kind": kind}))
            parts += held_on(fill, position, found, report)
        if len(undue) == 1:
            dear, cheap = price_text(found.price, instrument), price_text(fill.price, instrument)
            report.say(
                f"It was closed at {cheap}; the price it is measured by is {dear}.",
                f"平仓价为 {cheap}，衡量损失的参考价格为 {dear}。",
            )
    return report.concluded(verdict, confidence, parts=parts, currency=currency, rule=rule)


def _by_own_quotes(account: Account, positions: Sequence[Position], fill: Fill, realised: Decimal) -> Level | None:
    """The level as the source that priced *fill* made it, worst of its quotes at that instant and the fill itself."""
    own = [quote for quote in account.facts.quotes if quote.source == fill.source or quote.symbol != fill.symbol]
    if fill.source is None or not any(quote.source == fill.source for quote in own):
        return None
    try:
        return account._replace(quotes=Board(own), prices={}).level(fill.at, positions, suspect=None, realised=realised)
    except Unknown:
        return None


def _tell_path(
    report: Report, account: Account, positions: Sequence[Position], until: datetime, *, suspect: str | None
) -> None:
    """The level at every tick before the liquidation: the lowest, and when it was first not above the limit."""
    symbols = {position.symbol for position in positions}
    lowest: tuple[Decimal, Level] | None = None
    ticks = 0
    for at in sorted({quote.at for quote in account.facts.quotes if quote.symbol in symbols and quote.at <= until}):
        held = [row for row in account.facts.positions if row.closed_at is None or row.closed_at >= at]
        try:
            now = account.level(at, held, suspect=suspect, realised=account.realised_before(at))
        except Unknown:
            continue
        ticks += 1
        level = now.level
        if level is None:
            continue
        if lowest is None or level < lowest[0]:
            lowest = level, now
        if level <= account.terms.stop_out_level and "first_due_at" not in report.numbers:
            report.numbers["first_due_at"] = at.isoformat()
    report.numbers["ticks"] = str(ticks)
    if lowest is not None:
        report.numbers |= {"lowest_level": _percent(lowest[1]), "lowest_level_at": lowest[1].at.isoformat()}


def _next_due(
    account: Account, positions: Sequence[Position], after: datetime, *, suspect: str | None, realised: Decimal
) -> datetime | None:
    """When valid prices, from *after* on, would have brought the level down to the limit."""
    symbols = {position.symbol for position in positions}
    for at in sorted({quote.at for quote in account.facts.quotes if quote.symbol in symbols and quote.at > after}):
        try:
            if account.level(at, positions, suspect=suspect, realised=realised).due(account.terms.stop_out_level):
                return at
        except Unknown:
            continue
    return None


def _tell_sequence(
    report: Report, account: Account, positions: Sequence[Position], closings: Sequence[_Closing]
) -> None:
    """Whether the position with the largest loss was closed first, as platforms do."""
    at = closings[0].fill.at
    losses: dict[str, Decimal] = {}
    for position in positions:
        valid = valid_price(account.quotes, position.symbol, position.side.opposite, at, suspect=None)
        if valid is not None:
            losses[position.position] = account.profit(position, valid.price, position.volume)
    worst = min(losses, key=lambda name: (losses[name], name), default=None)
    report.numbers["largest_loss_first"] = "yes" if worst == closings[0].position.position else "no"


def _percent(level: Level) -> str:
    return "none used" if level.level is None else f"{level.level:.2f}"
