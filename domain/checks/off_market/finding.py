"""Was the quote that an order was filled at off the market: how far, for how long, and did it come back?"""

from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from statistics import median
from typing import Final

from domain.checks.equations import fill_equation
from domain.checks.facts import Given, LogFacts, Report, cost
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import Traded, milliseconds, price_text, standing, traded
from domain.checks.prices import Priced, closer_quotes, lacking_beside, priced, whose
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.trade_log import Fill, Instrument, Quote
from domain.money.parts import Part, plain

FORMULA: Final = "off-market/two-references@2"


def check_off_market(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the quotes that the order *subject* was filled at, the fill with the largest deviation first.

    Off the market is a price worse for the customer than all valid ones around it by more than the tolerance, where at
    least two other sources quoted then. With fewer the finding names the second source as missing: one against one
    proves nothing. Told beside it: the spread against the source's usual one, how long the quote stood off, and whether
    it came back.
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
    fills = priced(order, facts, given)
    worst = max(fills, key=lambda each: (each.pricing.deviation, each.fill.fill))
    fill = worst.fill
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
    sign = fill.side.sign
    report.numbers |= {
        f"deviation.{source}": plain(sign * fill.price - cost(sign, quote))
        for source, quote in sorted(references.items())
    }
    report.numbers["tolerance"] = plain(worst.pricing.tolerance)
    own = sorted((q for q in facts.quotes if q.source == fill.source and q.symbol == fill.symbol), key=lambda q: q.at)
    _tell_spread(report, fill, own, order.instrument)
    if any(each.price.wrong for each in fills):
        return _blame(report, order, fills, worst, own)
    if any(not each.price.proven for each in fills):
        return report.lacking(
            closer_quotes(fill),
            en="The quotes around it are too far apart in time to prove it wrong.",
            zh="前后报价的时间间隔过大，不足以证明该价格有误。",
        )
    return _of_the_market(report, order, fills, len(references))


def _of_the_market(report: Report, order: Traded, fills: list[Priced], references: int) -> Finding:
    """The price was valid, or off to the customer's gain."""
    instrument = order.instrument
    gained = [each for each in fills if each.pricing.gain]
    for each in gained:
        report.gained(each.fill, each.pricing.gain)
    if gained:
        by = price_text(max(each.pricing.gain for each in gained), instrument)
        report.say(
            f"It was {by} better for you than the valid price: off the market in your favour, and nothing was lost.",
            f"该价格较有效价格对您有利 {by}，系对您有利的偏离，您未因此受到损失。",
        )
    else:
        limit = plain(fills[0].pricing.tolerance)
        report.say(
            f"It is not worse than what {references} other sources quoted around it by more than {limit}: it is a "
            "price of the market.",
            f"与其前后 {references} 个其他报价源的报价相比，该价格不利偏离未超过 {limit}，属于市场价格。",
        )
    return report.concluded(Verdict.MARKET, Confidence.WELL_SUPPORTED, currency=instrument.currency)


def _blame(report: Report, order: Traded, fills: list[Priced], worst: Priced, own: list[Quote]) -> Finding:
    """A price was wrong: how far and how long, whose fault, and what it cost."""
    instrument, parts = order.instrument, list[Part]()
    wrong = [each for each in fills if each.price.wrong]
    report.say(
        f"It is {price_text(worst.pricing.deviation, instrument)} worse for you than all other sources around it.",
        f"该价格比前后其他报价源的全部报价还差 {price_text(worst.pricing.deviation, instrument)}。",
    )
    _tell_duration(report, worst.fill, own, worst.pricing.tolerance)
    verdict, said = whose(wrong)
    report.say(*said)
    for each in wrong:
        reference = each.pricing.reference
        report.numbers[f"{each.fill.fill}.valid_price"] = plain(reference)
        parts.append(order.part(each.fill, reference))
        sum_ = fill_equation(each.fill, reference, instrument)
        report.say(
            f"The valid price was {price_text(reference, instrument)}: {sum_}.",
            f"当时的有效价格为 {price_text(reference, instrument)}：{sum_}。",
        )
    return report.concluded(
        verdict,
        Confidence.WELL_SUPPORTED,
        parts=parts,
        currency=instrument.currency,
        rule=ReferenceRule.AT_THAT_INSTANT,
        missing=lacking_beside(report, (each.fill for each in fills if not each.price.proven)),
    )


def _tell_spread(report: Report, fill: Fill, own: list[Quote], instrument: Instrument) -> None:
    """The spread of the source that priced the fill, against its usual one."""
    spreads = [quote.ask - quote.bid for quote in own]
    now = next((quote for quote in reversed(own) if quote.at <= fill.at), None)
    if now is None or not spreads:
        return
    spread, usual, factor = now.ask - now.bid, median(spreads), report.given.tolerances.spread_factor
    report.numbers |= {"spread": plain(spread), "usual_spread": plain(usual)}
    if spread > factor * usual:
        report.say(
            f"The spread was {price_text(spread, instrument)}, more than {factor} times the usual one.",
            f"当时点差为 {price_text(spread, instrument)}，超过通常点差的 {factor} 倍。",
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
