"""Was the quote that an order was filled at off the market: how far, for how long, and did it come back?"""

from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from statistics import median
from typing import Final

from domain.checks.facts import Given, LogFacts, Report, cost
from domain.checks.findings import Check, Confidence, Finding, Verdict
from domain.checks.market import Traded, milliseconds, price_text, standing, traded, valid_price
from domain.checks.profit import ReferenceRule
from domain.log.trade_log import Fill, Quote
from domain.money.parts import plain

FORMULA: Final = "off-market/two-references@1"


def check_off_market(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the quotes that the order *subject* was filled at, the fill with the largest deviation first.

    Off the market is a price worse for the customer than each of at least two other sources by more than the tolerance.
    With fewer the finding names the second source as missing: one against one proves nothing. Told beside it: the
    spread against the source's usual one, how long the quote stood off, and whether it came back.
    """
    report = Report(Check.OFF_MARKET, subject, facts, given, FORMULA)
    order = traded(facts, subject)
    if order is None:
        return report.lacking(
            f"order {subject} with its fills and its instrument",
            en=f"Our records do not hold order {subject} completely, so its price cannot be compared.",
            zh=f"我司记录中订单 {subject} 不完整，无法核对价格。",
        )
    report.texts.append(order.told())
    fill = max(order.fills, key=lambda each: (each.side.sign * each.price, each.fill))
    references = {
        source: quote for source, quote in standing(facts.quotes, fill.symbol, fill.at).items() if source != fill.source
    }
    report.numbers["references"] = ", ".join(sorted(references))
    if fill.source is None or len(references) < 2:
        return report.lacking(
            f"source that priced fill {fill.fill}"
            if fill.source is None
            else f"quotes of a second reference source for {fill.symbol} around {fill.at.isoformat()}",
            en="A price is off the market when at least two sources other than its own show it; our records do not "
            "hold that.",
            zh="判定偏离市场需至少两个独立报价源佐证，我司记录不足。",
        )
    return _judge(report, order, fill, references)


def _judge(report: Report, order: Traded, fill: Fill, references: dict[str, Quote]) -> Finding:
    facts, given, instrument = report.facts, report.given, order.instrument
    tolerance = Decimal(given.tolerances.price)
    sign = fill.side.sign
    deviations = {source: sign * fill.price - cost(sign, quote) for source, quote in references.items()}
    least = min(deviations.values())
    own = sorted((q for q in facts.quotes if q.source == fill.source and q.symbol == fill.symbol), key=lambda q: q.at)
    report.numbers |= {f"deviation.{source}": plain(by) for source, by in sorted(deviations.items())}
    report.numbers["tolerance"] = given.tolerances.price
    spreads = [quote.ask - quote.bid for quote in own]
    now = next((quote for quote in reversed(own) if quote.at <= fill.at), None)
    if now is not None and spreads:
        usual = median(spreads)
        report.numbers |= {"spread": plain(now.ask - now.bid), "usual_spread": plain(usual)}
    if least <= tolerance:
        report.say(
            f"The price is not worse than each of {len(references)} other sources by more than "
            f"{given.tolerances.price}: it is a price of the market.",
            f"该价格并未比其他 {len(references)} 个报价源均差 {given.tolerances.price} 以上，属于市场价格。",
        )
        if now is not None and spreads and now.ask - now.bid > given.tolerances.spread_factor * median(spreads):
            report.say(
                f"The spread was {price_text(now.ask - now.bid, instrument)}, more than "
                f"{given.tolerances.spread_factor} times the usual one.",
                f"当时点差为 {price_text(now.ask - now.bid, instrument)}，超过通常点差的 "
                f"{given.tolerances.spread_factor} 倍。",
            )
        return report.concluded(Verdict.MARKET, Confidence.WELL_SUPPORTED, currency=instrument.currency)
    report.say(
        f"It is {price_text(least, instrument)} or more worse than each of {len(references)} other sources.",
        f"该价格比其他 {len(references)} 个报价源均差至少 {price_text(least, instrument)}。",
    )
    _tell_duration(report, fill, own, tolerance)
    quoted = now is not None and abs(cost(sign, now) - sign * fill.price) <= tolerance
    verdict = Verdict.PROVIDER_FAULT if quoted else Verdict.FIRM_FAULT
    report.say(
        "It came from a wrong quote of one of our price providers, for which we answer to you."
        if quoted
        else "Its own source never quoted it: the fault is ours.",
        "该价格源于我司一家报价提供方的错误报价，由我司承担责任。"
        if quoted
        else "其报价源当时从未报出此价，责任在我司。",
    )
    parts = []
    for each in order.fills:
        valid = valid_price(facts.quotes, each.symbol, each.side, each.at, suspect=each.source)
        if valid is not None:
            part = order.part(each, valid.price)
            report.numbers[f"{each.fill}.valid_price"] = plain(valid.price)
            parts += [part] if part.amount > 0 else []
    return report.concluded(
        verdict,
        Confidence.WELL_SUPPORTED,
        parts=parts,
        currency=instrument.currency,
        rule=ReferenceRule.AT_THAT_INSTANT,
    )


def _tell_duration(report: Report, fill: Fill, own: list[Quote], tolerance: Decimal) -> None:
    """How long the source's quotes stood off the others, before and after the fill, and whether they came back."""

    def off(quote: Quote) -> bool:
        others = standing((q for q in report.facts.quotes if q.source != fill.source), fill.symbol, quote.at)
        sign = fill.side.sign
        return bool(others) and all(cost(sign, quote) - cost(sign, other) > tolerance for other in others.values())

    before = list(takewhile(off, reversed([quote for quote in own if quote.at <= fill.at])))
    after = list(takewhile(off, [quote for quote in own if quote.at > fill.at]))
    if not before and not after:
        return
    start = before[-1].at if before else after[0].at
    rest: list[datetime] = [quote.at for quote in own if quote.at > (after[-1].at if after else fill.at)]
    report.numbers |= {"off_since": start.isoformat(), "reverted": "yes" if rest else "not in the log"}
    if rest:
        stood = plain(milliseconds(rest[0] - start))
        report.numbers |= {"off_until": rest[0].isoformat(), "off_ms": stood}
        report.say(f"It stood for {stood} ms and came back.", f"该报价持续 {stood} 毫秒后恢复。")
