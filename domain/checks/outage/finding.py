"""Was an order attempted while the firm's service was down, and what did it cost to wait?"""

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.checks.equations import exit_equation
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.late_closing import Closed, LateClosing, late_closing
from domain.checks.market import PENDING, SIDES, WAITS_FOR_WORSE, Valid, lots, price_text, utc, valid_price
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import Happened, OrderEvent, Outage
from domain.log.replay import Unknown
from domain.log.trade_log import Instrument, OrderType, Position
from domain.money.parts import plain

FORMULA: Final = "outage/valid-price-at-the-attempt@3"
ACCOUNT: Final = "account"
"""The subject where no order was attempted."""
ATTEMPTS: Final = frozenset({Happened.FAILED, Happened.REJECTED})
"""The events that count as attempts that did not get through."""


def check_outage(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the attempt *subject* (an order event), or the outages alone where it is :data:`ACCOUNT`.

    An attempt within a recorded outage is the firm's fault. The harm is that of the attempted volume of the position it
    was to close, and of nothing else: what closed it later, until ``act_minutes`` after the service came back, against
    the valid price at the first attempt. What was not closed by then is measured by the valid price when the service
    was back, and leaves doubt. What a position that was never opened would have brought is for a person, and so is an
    order that was to wait for a price. Outages that overlap are one.
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
    side, volume = SIDES[attempt.side], attempt.volume
    much_en, much_zh = (f" {lots(volume)} of", f" {plain(volume)} 手") if volume is not None else ("", "")
    report.say(
        f"You tried to {side.en}{much_en} {attempt.symbol} on {utc(attempt.at)}, and the order did not get through.",
        f"您于 {utc(attempt.at)} 尝试{side.zh}{much_zh} {attempt.symbol}，委托未能提交成功。",
    )
    outage = _outage(facts, attempt)
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
    return _measure(report, attempt, outage, instrument)


def _measure(report: Report, attempt: OrderEvent, outage: Outage, instrument: Instrument) -> Finding:
    """What waiting cost, on the position that was to be closed."""
    facts = report.facts
    position = _position(facts, attempt)
    if position is None:
        return report.lacking(
            f"the position that the attempt {attempt.event} was to close",
            en="Our records do not tell of a position that you tried to close, so what it cost cannot be told from "
            "them; a person will look at it.",
            zh="我司记录未载明您拟平仓的持仓，无法据以计算损失，将由人工处理。",
        )
    first = min((row for row in facts.order_events if _same(row, attempt, outage)), key=lambda row: (row.at, row.event))
    valid = valid_price(facts.quotes, first.symbol, first.side, first.at, suspect=None)
    if valid is None:
        return report.lacking(
            f"quotes of {first.symbol} around {first.at.isoformat()}",
            en="Our records hold no quotes from that time to measure the loss by.",
            zh="我司记录中没有该时间的报价，无法计算损失。",
        )
    if _waits(attempt, valid):
        return report.lacking(
            f"what valid prices did at the level of the attempt {attempt.event}",
            en="It was to wait for its price, so the price at that moment does not measure the loss; a person will "
            "look at it.",
            zh="该委托须等待其触发价，当时的价格不足以衡量损失，将由人工处理。",
        )
    try:
        late = late_closing(facts, position, first.at, attempt.volume)
    except Unknown as error:
        return report.lacking(str(error), en="Its closing price is not recorded.", zh="缺少平仓价格记录。")
    if not late.lots:
        return report.lacking(
            f"lots of position {position.position} that were open on {first.at.isoformat()}",
            en="By our records nothing of that position was open then.",
            zh="依据我司记录，该持仓当时已无未平仓手数。",
        )
    return _told(report, late, outage, _First(first, valid, instrument))


def _waits(attempt: OrderEvent, valid: Valid) -> bool:
    """Whether what was to be placed would have waited for a price that was not there yet."""
    if attempt.order is not None or attempt.type not in PENDING:
        return False
    if attempt.price is None or attempt.type is OrderType.STOP_LIMIT:
        return True
    against = attempt.side.sign * (valid.price - attempt.price)
    return against < 0 if attempt.type in WAITS_FOR_WORSE else against > 0


class _First(NamedTuple):
    """The first attempt, the valid price then, and what was traded."""

    attempt: OrderEvent
    valid: Valid
    instrument: Instrument


def _told(report: Report, late: LateClosing, outage: Outage, tried: _First) -> Finding:
    first, valid, instrument = tried
    within, beyond = _in_time(late, outage, report.given)
    doubt = beyond > 0
    there = price_text(valid.price, instrument)
    report.numbers |= {
        "position": late.position.position,
        "lots": plain(late.lots),
        "measured_from": first.at.isoformat(),
        "valid_price": plain(valid.price),
        "valid_sources": ", ".join(valid.sources),
    }
    report.say(
        f"The valid price on {utc(first.at)}, when you first tried, was {there}.",
        f"您首次尝试时（{utc(first.at)}）的有效价格为 {there}。",
    )
    if doubt:
        back = _when_back(report, late, outage, beyond)
        if back is None:
            return report.lacking(
                f"quotes of {first.symbol} when the service was back",
                en="What of the position is still open cannot be measured yet; a person will look at it.",
                zh="尚未平仓的部分目前无法计算损失，将由人工处理。",
            )
        within.append(back)
    counted = late._replace(closed=tuple(within))
    for each in within:
        price, sum_ = (
            price_text(each.price, instrument),
            exit_equation(late.position.side, each.price, valid.price, each.lots, instrument),
        )
        report.numbers |= {f"{each.name}.price": plain(each.price), f"{each.name}.lots": plain(each.lots)}
        if each.name == late.position.position and doubt:
            was = "was" if each.lots == 1 else "were"
            report.say(
                f"{lots(each.lots).capitalize()} of it {was} not closed; on {utc(each.at)}, when our service was back, "
                f"the valid price was {price}: {sum_}.",
                f"其中 {plain(each.lots)} 手其后未平仓；系统恢复时（{utc(each.at)}）的有效价格为 {price}：{sum_}。",
            )
        else:
            report.say(
                f"It was closed on {utc(each.at)} at {price} ({lots(each.lots)}): {sum_}.",
                f"其后于 {utc(each.at)} 以 {price} 平仓（{plain(each.lots)} 手）：{sum_}。",
            )
    return report.concluded(
        Verdict.FIRM_FAULT,
        Confidence.WELL_SUPPORTED if len(valid.sources) > 1 and not doubt else Confidence.DOUBTFUL,
        parts=counted.parts(valid.price, instrument),
        currency=instrument.currency,
        rule=ReferenceRule.AT_THAT_INSTANT,
    )


def _in_time(late: LateClosing, outage: Outage, given: Given) -> tuple[list[Closed], Decimal]:
    """What was closed until the customer had had time to act, and the lots that were not."""
    last = None if outage.until is None else outage.until + timedelta(minutes=given.tolerances.act_minutes)
    within = [each for each in late.closed if last is None or each.at <= last]
    return within, late.lots - sum((each.lots for each in within), Decimal(0))


def _when_back(report: Report, late: LateClosing, outage: Outage, left: Decimal) -> Closed | None:
    """The lots that nobody closed in time, at the valid price when the service was back."""
    if outage.until is None:
        return None
    position = late.position
    price = valid_price(report.facts.quotes, position.symbol, position.side.opposite, outage.until, suspect=None)
    return None if price is None else Closed(position.position, outage.until, left, price.price)


def _position(facts: LogFacts, attempt: OrderEvent) -> Position | None:
    """The position that the attempt names, or the only one the facts have for it; on the other side of the attempt."""
    known = [row for row in facts.positions if row.symbol == attempt.symbol and row.side is attempt.side.opposite]
    if attempt.position is not None:
        known = [row for row in known if row.position == attempt.position]
    return known[0] if len(known) == 1 else None


def _outage(facts: LogFacts, attempt: OrderEvent) -> Outage | None:
    """The outage that *attempt* fell into, until the last of those that overlap it had ended."""
    concerned = [row for row in facts.outages if row.symbol in {None, attempt.symbol}]
    found = next((row for row in concerned if _within(attempt, row)), None)
    for row in sorted(concerned, key=lambda row: row.since) if found else ():
        if found and _overlap(found, row):
            until = None if found.until is None or row.until is None else max(found.until, row.until)
            found = found.model_copy(update={"since": min(found.since, row.since), "until": until})
    return found


def _overlap(one: Outage, other: Outage) -> bool:
    return (one.until is None or other.since <= one.until) and (other.until is None or one.since <= other.until)


def _same(row: OrderEvent, attempt: OrderEvent, outage: Outage) -> bool:
    """Whether *row* is an attempt at the same thing within the same outage."""
    return (
        row.kind in ATTEMPTS
        and (row.symbol, row.side, row.position) == (attempt.symbol, attempt.side, attempt.position)
        and row.at <= attempt.at
        and _within(row, outage)
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
