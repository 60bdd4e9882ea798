"""Was an order attempted while the firm's service was down, and what did it cost to wait?"""

from datetime import timedelta
from decimal import localcontext
from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Confidence, Finding, Verdict
from domain.checks.market import SIDES, price_part, price_text, utc, valid_price
from domain.checks.profit import ReferenceRule
from domain.log.firm_records import Happened, OrderEvent, Outage
from domain.log.trade_log import Fill
from domain.money.parts import PRECISION, plain

FORMULA: Final = "outage/valid-price-at-the-attempt@1"
ACCOUNT: Final = "account"
"""The subject where no order was attempted."""


def check_outage(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the attempt *subject* (an order event), or the outages alone where it is :data:`ACCOUNT`.

    An attempt within a recorded outage is the firm's fault. The harm is what the first fill on the same side, until
    ``act_minutes`` after the service came back, cost more than the valid price at the first attempt.
    """
    report = Report(Check.OUTAGE, subject, facts, given, FORMULA)
    attempt = next((row for row in facts.order_events if row.event == subject), None)
    if attempt is None:
        return _without_attempt(report)
    instrument = facts.instrument(attempt.symbol)
    if instrument is None:
        return report.lacking(
            f"instrument {attempt.symbol}",
            en="Our records do not hold the instrument of this order.",
            zh="我司记录中缺少该委托所涉品种。",
        )
    side = SIDES[attempt.side]
    report.say(
        f"You tried to {side.en} {attempt.symbol} on {utc(attempt.at)}, and the order did not get through.",
        f"您于 {utc(attempt.at)} 尝试{side.zh} {attempt.symbol}，委托未能提交成功。",
    )
    outage = next((row for row in facts.outages if _within(attempt, row)), None)
    report.numbers = {"attempted_at": attempt.at.isoformat()}
    if outage is None:
        return report.lacking(
            f"why the attempt {attempt.event} failed: no outage is recorded then",
            en="No outage is recorded for that time, and our records do not tell why it failed.",
            zh="我司记录中该时段无系统中断，亦未载明失败原因。",
        )
    report.numbers |= {"outage": outage.outage, "since": outage.since.isoformat()}
    if outage.until:
        report.numbers["until"] = outage.until.isoformat()
    ended = utc(outage.until) if outage.until else None
    report.say(
        f"Our service was down from {utc(outage.since)}{f' to {ended}' if ended else ' and still is'}: the fault is "
        "ours.",
        f"我司系统自 {utc(outage.since)} {f'至 {ended} ' if ended else '起'}中断，责任在我司。",
    )
    valid = valid_price(facts.quotes, attempt.symbol, attempt.side, attempt.at, suspect=None)
    if valid is None:
        return report.lacking(
            f"quotes of {attempt.symbol} around {attempt.at.isoformat()}",
            en="Our records hold no quotes from that time to measure the loss by.",
            zh="我司记录中没有该时间的报价，无法计算损失。",
        )
    later = _first_fill(facts, attempt, outage, given)
    if later is None:
        return report.lacking(
            f"a fill on the same side within {given.tolerances.act_minutes} minutes after the outage",
            en="You did not trade afterwards, so what it cost cannot be told from the log; a person will look at it.",
            zh="其后您未再成交，无法据日志计算损失，将由人工处理。",
        )
    with localcontext(prec=PRECISION):
        loss = later.side.sign * (later.price - valid.price) * instrument.contract_size * later.volume
    report.numbers |= {
        "valid_price": plain(valid.price),
        "valid_sources": ", ".join(valid.sources),
        "price": plain(later.price),
        "lots": plain(later.volume),
        "filled_by": later.fill,
    }
    there, got = price_text(valid.price, instrument), price_text(later.price, instrument)
    report.say(
        f"The valid price then was {there}; you were filled at {got} on {utc(later.at)}.",
        f"当时的有效价格为 {there}，您其后于 {utc(later.at)} 以 {got} 成交。",
    )
    return report.concluded(
        Verdict.FIRM_FAULT,
        Confidence.WELL_SUPPORTED if len(valid.sources) > 1 else Confidence.DOUBTFUL,
        parts=[price_part(later.fill, loss, instrument.currency)] if loss > 0 else [],
        currency=instrument.currency,
        rule=ReferenceRule.AT_THAT_INSTANT,
    )


def _without_attempt(report: Report) -> Finding:
    outages = sorted(report.facts.outages, key=lambda row: (row.since, row.outage))
    if not outages:
        report.say("Our records hold no outage for that time.", "我司记录中该时段没有系统中断。")
        return report.lacking(
            "an outage or an attempted order at that time",
            en="Please tell us when it was and what you tried to do.",
            zh="请告知具体时间以及您当时尝试的操作。",
        )
    report.numbers = {f"{row.outage}.since": row.since.isoformat() for row in outages}
    return report.lacking(
        "attempted orders during the outage",
        en=f"Our service was down from {utc(outages[0].since)}, but our records hold no order that you tried to place "
        "then. Please tell us what you tried to do.",
        zh=f"我司系统自 {utc(outages[0].since)} 起中断，但我司记录中没有您当时尝试提交的委托，请告知您当时的操作。",
    )


def _within(attempt: OrderEvent, outage: Outage) -> bool:
    return (
        outage.since <= attempt.at
        and (outage.until is None or attempt.at <= outage.until)
        and outage.symbol in {None, attempt.symbol}
    )


def _first_fill(facts: LogFacts, attempt: OrderEvent, outage: Outage, given: Given) -> Fill | None:
    last = None if outage.until is None else outage.until + timedelta(minutes=given.tolerances.act_minutes)
    fills = [
        fill
        for fill in facts.fills
        if (fill.account, fill.symbol, fill.side) == (attempt.account, attempt.symbol, attempt.side)
        and fill.at >= attempt.at
        and (last is None or fill.at <= last)
    ]
    return min(fills, key=lambda fill: (fill.at, fill.fill), default=None)


ATTEMPTS: Final = frozenset({Happened.FAILED, Happened.REJECTED})
"""The events that count as attempts that did not get through."""
