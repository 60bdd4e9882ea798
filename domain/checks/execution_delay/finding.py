"""How long an order took on each leg of its way, on whose leg the time was lost, and what it cost."""

from datetime import datetime, timedelta
from typing import Final

from domain.checks.equations import fill_equation
from domain.checks.facts import Given, LogFacts, Report, Text
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import (
    Traded,
    milliseconds,
    price_text,
    traded,
    valid_price,
)
from domain.checks.moments import AT_ONCE
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import Happened
from domain.log.trade_log import Order
from domain.money.parts import plain

FORMULA: Final = "execution-delay/valid-price-at-receipt@2"
_LEGS: Final = {
    "network": Text("between your terminal and our server", "您的终端与我司服务器之间"),
    "server": Text("on our server", "我司服务器"),
    "provider": Text("at our liquidity provider", "我司流动性提供方"),
    "server_or_provider": Text("between our server and its liquidity provider", "我司服务器与流动性提供方之间"),
}


def check_execution_delay(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge how long the order *subject* took from the terminal to its fills: of one in parts, to each of them.

    Legs: *network* from sent (at the terminal's clock) to received, *server* from received to forwarded and from the
    answer to the fill, *provider* from forwarded to answered; without the last two one leg of both. A delay is a leg
    longer than ``latency_ms``; its cause is the longest. The firm answers for the server and for its provider: the
    harm is what the valid price at receipt would have saved.
    """
    report = Report(Check.EXECUTION_DELAY, subject, facts, given, FORMULA)
    order = traded(facts, subject)
    if order is None:
        return report.lacking(
            f"order {subject} with its fills and its instrument",
            en=f"Our records do not hold order {subject} completely, so its way cannot be followed.",
            zh=f"我司记录中订单 {subject} 不完整，无法追溯其执行过程。",
        )
    report.texts.append(order.told())
    if order.order.type not in AT_ONCE:
        report.say(
            "An order of this kind waits for its price: whether it was filled in time is a question of its trigger.",
            "此类委托须等待其触发价；是否及时成交，以触发核查为准。",
        )
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=order.instrument.currency)
    return _followed(report, order)


def _followed(report: Report, order: Traded) -> Finding:
    """The way of an order that was to be filled at once."""
    facts, subject = report.facts, report.subject
    currency, filled = order.instrument.currency, order.fills[-1].at
    times = _times(facts, order.order)
    report.numbers = {f"{name}_at": at.isoformat() for name, at in times.items()} | {"filled_at": filled.isoformat()}
    received = times.get("received")
    if received is None or received > order.fills[0].at:
        return report.lacking(
            f"time at which the server received order {subject}",
            en="Our records do not tell reliably when our server received it, so the delay cannot be measured.",
            zh="我司记录未可靠载明服务器收到委托的时间，无法衡量延迟。",
        )
    legs = _legs(times, received, filled)
    limit = timedelta(milliseconds=report.given.tolerances.latency_ms)
    report.numbers |= {f"{name}_ms": plain(milliseconds(lasted)) for name, lasted in legs.items()}
    report.numbers["latency_limit_ms"] = str(report.given.tolerances.latency_ms)
    slow = max((name for name in legs if name != "network"), key=lambda name: (legs[name], name))
    inside = milliseconds(filled - received)
    report.numbers["received_to_filled_ms"] = plain(inside)
    parts = len({fill.at for fill in order.fills}) > 1
    report.say(
        f"{'The last part of it' if parts else 'It'} was filled {plain(inside)} ms after our server received it.",
        f"服务器收到委托后 {plain(inside)} 毫秒{'最后一笔' if parts else ''}成交。",
    )
    if "network" not in legs:
        report.say(
            "How long it took to reach us is not known: the terminal's time was not recorded, or its clock is wrong.",
            "委托自终端到达我司所用时间不详：终端时间未记录或其时钟有误。",
        )
    if filled - received <= limit:
        return _in_time(report, legs, limit, currency)
    report.numbers["cause"] = slow
    return _late(report, order, received, legs, slow)


def _in_time(report: Report, legs: dict[str, timedelta], limit: timedelta, currency: str) -> Finding:
    """The firm lost no time; perhaps the way to it did."""
    network = legs.get("network", timedelta(0))
    if network > limit:
        report.say(
            f"The time was lost {_LEGS['network'].en} ({plain(milliseconds(network))} ms), by the terminal's own "
            "clock: outside our systems.",
            f"延迟发生于{_LEGS['network'].zh}（{plain(milliseconds(network))} 毫秒，按终端时钟），不在我司系统之内。",
        )
        report.numbers["cause"] = "network"
        return report.concluded(Verdict.NO_FAULT, Confidence.DOUBTFUL, currency=currency)
    report.say("There was no delay on our side.", "我司一侧不存在延迟。")
    return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)


def _late(report: Report, order: Traded, received: datetime, legs: dict[str, timedelta], cause: str) -> Finding:
    """The firm or its provider lost time: what it cost."""
    facts, currency = report.facts, order.instrument.currency
    verdict = Verdict.PROVIDER_FAULT if cause == "provider" else Verdict.FIRM_FAULT
    report.say(
        f"That is longer than {report.given.tolerances.latency_ms} ms; most of it was lost {_LEGS[cause].en} "
        f"({plain(milliseconds(legs[cause]))} ms), for which we answer.",
        f"超过 {report.given.tolerances.latency_ms} 毫秒；主要延迟发生于{_LEGS[cause].zh}"
        f"（{plain(milliseconds(legs[cause]))} 毫秒），由我司承担责任。",
    )
    fair = valid_price(facts.quotes, order.order.symbol, order.order.side, received, suspect=order.source)
    if fair is None:
        return report.lacking(
            f"quotes of {order.order.symbol} around {received.isoformat()}",
            en="Our records hold no quotes from its arrival to compare with.",
            zh="我司记录中没有委托到达时的报价可供比较。",
        )
    limit = timedelta(milliseconds=report.given.tolerances.latency_ms)
    parts = order._replace(fills=tuple(fill for fill in order.fills if fill.at - received > limit)).parts(fair.price)
    at_receipt = price_text(fair.price, order.instrument)
    report.numbers |= {"price_at_receipt": plain(fair.price), "valid_sources": ", ".join(fair.sources)}
    confidence = Confidence.WELL_SUPPORTED if cause == "server_or_provider" else fair.confidence
    if not parts:
        report.say(
            f"The price at its arrival, {at_receipt}, was no better for you: the delay cost you nothing.",
            f"委托到达时的价格 {at_receipt} 对您并非更有利，该延迟未给您造成损失。",
        )
        return report.concluded(Verdict.NO_FAULT, confidence, currency=currency)
    losing = {part.subject for part in parts}
    sums = "; ".join(fill_equation(each, fair.price, order.instrument) for each in order.fills if each.fill in losing)
    report.say(
        f"The valid price at its arrival was {at_receipt}; that is what you are put back to: {sums}.",
        f"委托到达时的有效价格为 {at_receipt}，按此计算损失：{sums}。",
    )
    return report.concluded(verdict, confidence, parts=parts, currency=currency, rule=ReferenceRule.AT_RECEIPT)


def _times(facts: LogFacts, order: Order) -> dict[str, datetime]:
    """When each step was taken, first by the events, then by the order's own columns."""
    times = {"sent": order.sent_at, "received": order.received_at}
    for event in sorted(facts.order_events, key=lambda event: (event.at, event.event), reverse=True):
        if event.order == order.order and event.kind in {
            Happened.SENT,
            Happened.RECEIVED,
            Happened.FORWARDED,
            Happened.ANSWERED,
        }:
            times[event.kind.value] = event.at
    return {name: at for name, at in times.items() if at is not None}


def _legs(times: dict[str, datetime], received: datetime, filled: datetime) -> dict[str, timedelta]:
    legs: dict[str, timedelta] = {}
    sent, forwarded, answered = times.get("sent"), times.get("forwarded"), times.get("answered")
    if sent is not None and sent <= received:
        legs["network"] = received - sent
    if forwarded is not None and answered is not None and received <= forwarded <= answered <= filled:
        legs["server"] = (forwarded - received) + (filled - answered)
        legs["provider"] = answered - forwarded
    else:
        legs["server_or_provider"] = filled - received
    return legs
