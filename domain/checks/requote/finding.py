"""Was an order requoted or rejected although the price asked for was there, and does that happen to one side only?"""

from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.equations import fill_equation
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import ALL_CUSTOMERS, Check, Finding, Verdict
from domain.checks.market import CHANCE, SIDES, Valid, lots, price_part, price_text, utc, valid_price, z_score
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import Happened, OrderEvent
from domain.log.trade_log import Fill, Instrument, Order
from domain.money.parts import PRECISION, plain

FORMULA: Final = "requote/valid-price-at-receipt@2"
DIRECTION: Final = "requote-direction/none@1"
LATER: Final = timedelta(minutes=5)
"""How long after a refusal another fill on the same side counts as what the customer got instead."""
_REFUSALS: Final = frozenset({Happened.REQUOTED, Happened.REJECTED})


def check_requote(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the first refusal of the order *subject*, or everybody's where it begins with :data:`ALL_CUSTOMERS`.

    A refusal is the firm's fault where the price asked for, within the tolerance, was the valid price when the order
    was received. The harm is what the fills that the customer then got cost more than that valid price, as far as they
    stand for the lots of the order and, where it was to close a position, closed that one.
    """
    if subject.startswith(ALL_CUSTOMERS):
        return _direction(subject, facts, given)
    report = Report(Check.REQUOTE, subject, facts, given, FORMULA)
    events = sorted(
        (event for event in facts.order_events if event.order == subject), key=lambda event: (event.at, event.event)
    )
    refusal = next((event for event in events if event.kind in _REFUSALS), None)
    instrument = facts.instrument(events[0].symbol) if events else None
    if not events or instrument is None:
        return report.lacking(
            f"events of order {subject}",
            en=f"Our records do not hold what happened to order {subject} on its way.",
            zh=f"我司记录中缺少订单 {subject} 的处理过程。",
        )
    if refusal is None:
        report.say(f"Order {subject} was neither requoted nor rejected.", f"订单 {subject} 未被重新报价或拒绝。")
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=instrument.currency)
    received = next((event for event in events if event.kind is Happened.RECEIVED), refusal)
    return _judge(report, refusal, received, instrument)


def _judge(report: Report, refusal: OrderEvent, received: OrderEvent, instrument: Instrument) -> Finding:
    facts, given, subject = report.facts, report.given, report.subject
    order = next((row for row in facts.orders if row.order == subject), None)
    asked = received.price or (order.price if order else None)
    requoted = refusal.kind is Happened.REQUOTED
    side = SIDES[refusal.side]
    report.say(
        f"Order {subject} ({side.en} {refusal.symbol}) was {'requoted' if requoted else 'rejected'} on "
        f"{utc(refusal.at)}.",
        f"订单 {subject}（{side.zh} {refusal.symbol}）于 {utc(refusal.at)} 被{'重新报价' if requoted else '拒绝'}。",
    )
    report.numbers = {"refused_at": refusal.at.isoformat(), "received_at": received.at.isoformat()}
    if requoted and refusal.price is not None:
        report.numbers["offered_price"] = plain(refusal.price)
    if asked is None:
        return report.lacking(
            f"price asked for of order {subject}",
            en="Our records do not hold the price it asked for.",
            zh="我司记录中缺少该委托的请求价格。",
        )
    source = next((fill.source for fill in facts.fills if fill.order == subject), refusal.source)
    valid = valid_price(facts.quotes, refusal.symbol, refusal.side, received.at, suspect=source)
    if valid is None:
        return report.lacking(
            f"quotes of {refusal.symbol} around {received.at.isoformat()}",
            en="Our records hold no quotes from its arrival to compare with.",
            zh="我司记录中没有委托到达时的报价可供比较。",
        )
    beyond = refusal.side.sign * (valid.price - asked)
    report.numbers |= {
        "requested_price": plain(asked),
        "price_at_receipt": plain(valid.price),
        "valid_sources": ", ".join(valid.sources),
        "moved_against": plain(beyond),
        "tolerance": plain(given.tolerances.price_of(instrument)),
    }
    wanted, there = price_text(asked, instrument), price_text(valid.price, instrument)
    if beyond > given.tolerances.price_of(instrument):
        report.say(
            f"It asked for {wanted}, but the valid price had moved to {there} when it arrived: the market's doing.",
            f"请求价格为 {wanted}，但委托到达时有效价格已变动至 {there}，系市场波动所致。",
        )
        return report.concluded(Verdict.MARKET, valid.confidence, currency=instrument.currency)
    report.say(
        f"It asked for {wanted}, and the valid price when it arrived was {there}: it should have been filled, and the "
        "fault is ours.",
        f"请求价格为 {wanted}，委托到达时的有效价格为 {there}，本应成交，责任在我司。",
    )
    return _cost(report, refusal, valid, instrument)


def _cost(report: Report, refusal: OrderEvent, valid: Valid, instrument: Instrument) -> Finding:
    """What the fills that the customer got instead cost more than the *valid* price."""
    facts, subject = report.facts, report.subject
    order = next((row for row in facts.orders if row.order == subject), None)
    asked = [row.volume for row in (refusal, order, *facts.order_events) if row is not None and row.volume is not None]
    instead, left = _instead(facts, refusal, order, asked[0] if asked else None)
    if not instead:
        return report.lacking(
            f"a fill that order {subject} was replaced by within {LATER.seconds // 60} minutes",
            en="You did not trade instead, so what it cost cannot be told from the log; a person will look at it.",
            zh="其后您未以其他成交替代，无法据日志计算损失，将由人工处理。",
        )
    report.numbers["filled_by"] = ", ".join(fill.fill for fill in instead)
    parts = []
    for fill in instead:
        price = price_text(fill.price, instrument)
        report.numbers |= {f"{fill.fill}.price": plain(fill.price), f"{fill.fill}.lots": plain(fill.volume)}
        with localcontext(prec=PRECISION):
            loss = fill.side.sign * (fill.price - valid.price) * instrument.contract_size * fill.volume
        if loss > 0:
            parts.append(price_part(fill.fill, loss, instrument.currency))
        sum_ = f": {fill_equation(fill, valid.price, instrument)}" if loss > 0 else ""
        report.say(
            f"You were filled at {price} instead ({lots(fill.volume)}){sum_}.",
            f"您其后以 {price} 成交（{plain(fill.volume)} 手）{sum_.replace(': ', '：')}。",
        )
    if left > 0:
        report.say(
            f"Instead of {lots(left)} of it you did not trade, and what that cost cannot be told.",
            f"其中 {plain(left)} 手您其后未以其他成交替代，无法计算损失。",
        )
    return report.concluded(
        Verdict.FIRM_FAULT,
        Confidence.DOUBTFUL if left > 0 else valid.confidence,
        parts=parts,
        currency=instrument.currency,
        rule=ReferenceRule.AT_RECEIPT,
    )


def _instead(
    facts: LogFacts, refusal: OrderEvent, order: Order | None, wanted: Decimal | None
) -> tuple[list[Fill], Decimal]:
    """What was filled on the same side after the refusal, of the order itself or of the next ones, and the lots left.

    As much of it as was *wanted*; where that is not recorded, the fills of one order.
    """
    position = refusal.position or (order.position if order else None)
    fills = sorted(
        (
            fill
            for fill in facts.fills
            if (fill.account, fill.symbol, fill.side) == (refusal.account, refusal.symbol, refusal.side)
            and refusal.at <= fill.at <= refusal.at + LATER
            and not (position is not None and (fill.effect == "open" or fill.position not in {None, position}))
        ),
        key=lambda fill: (fill.order != refusal.order, fill.at, fill.fill),
    )
    if wanted is None:
        return [fill for fill in fills if fill.order == fills[0].order], Decimal(0)
    found, left = list[Fill](), wanted
    for fill in fills:
        if left > 0:
            taken = min(fill.volume, left)
            found.append(fill if taken == fill.volume else fill.model_copy(update={"volume": taken}))
            left -= taken
    return found, left


def _direction(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Are orders refused only when the price has moved against the firm?

    A fair requote follows the price both ways. One that comes only when the new price is worse for the customer, while
    better prices are kept, takes from one side what it does not give the other.
    """
    report = Report(Check.REQUOTE, subject, facts, given, DIRECTION)
    shares = sorted(facts.requote_shares, key=lambda row: row.side)
    received = sum(row.received for row in shares)
    least = given.tolerances.population_least
    if received < least:
        return report.lacking(
            f"events of at least {least} orders around that time",
            en=f"Our records hold the way of only {received} orders of all customers around that time, too few to "
            "tell whether one side is refused more often.",
            zh=f"该时间前后我司记录中全体客户的委托仅 {received} 笔，不足以判断拒绝是否偏向一方。",
        )
    worse, better = sum(row.requoted_worse for row in shares), sum(row.requoted_better for row in shares)
    refused = worse + better + sum(row.rejected for row in shares)
    report.numbers = {"received": str(received), "requoted_worse": str(worse), "requoted_better": str(better)}
    with localcontext(prec=28):
        for row in shares:
            of_side = row.requoted_worse + row.requoted_better + row.rejected
            report.numbers[f"{row.side.value}.rate"] = f"{Decimal(of_side) / max(row.received, 1):.4f}"
        gap = Decimal(worse - better) / received
        z = z_score(worse, better)
    report.numbers |= {"z": f"{z:.2f}", "asymmetry_limit": given.tolerances.asymmetry}
    currency = facts.instruments[0].currency if facts.instruments else "USD"
    report.say(
        f"Of {received} orders of all customers around that time {refused} were refused: {worse} were offered a worse "
        f"price and {better} a better one.",
        f"该时间前后全体客户的 {received} 笔委托中有 {refused} 笔未按请求价成交：{worse} 笔被提供更差价格，"
        f"{better} 笔被提供更优价格。",
    )
    if z < CHANCE or gap <= Decimal(given.tolerances.asymmetry):
        report.say("Both directions are treated alike.", "两个方向得到同等对待。")
        return report.concluded(Verdict.NO_FAULT, Confidence.WELL_SUPPORTED, currency=currency)
    report.say(
        "Chance does not explain that, and it is our fault; what your own order cost is told where it is examined.",
        "该差异无法以偶然解释，责任在我司；您本人订单的损失另行说明。",
    )
    return report.concluded(Verdict.FIRM_FAULT, Confidence.WELL_SUPPORTED, currency=currency)
