"""Was an order filled worse than asked for by more than the market explains, and do gains and losses slip alike?"""

from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from domain.checks.equations import fill_equation
from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import ALL_CUSTOMERS, Check, Finding, Verdict
from domain.checks.market import CHANCE, TYPES, WAITS_FOR_WORSE, Traded, price_text, traded, z_score
from domain.checks.moments import AT_ONCE
from domain.checks.prices import Priced, priced, whose
from domain.checks.profit import ReferenceRule
from domain.ground.words import Confidence
from domain.log.firm_records import SlippageShares
from domain.log.trade_log import OrderType
from domain.money.parts import PRECISION, Part, plain

FORMULA: Final = "slippage/valid-price-at-that-instant@2"
SYMMETRY: Final = "slippage-symmetry/price-asked-for@1"
"""Shares of orders filled better and worse than asked for; a difference is none while |z| < 3."""


def check_slippage(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the slippage of the order *subject*, or, where it begins with :data:`ALL_CUSTOMERS`, its symmetry.

    Slippage is ``s * (P_fill - P_asked)`` with s = +1 for a buy: above zero is worse for the customer. It is the
    market's as far as a valid price stood there at the fill, within the tolerance; what goes beyond is the firm's.
    """
    if subject.startswith(ALL_CUSTOMERS):
        return _symmetry(subject, facts, given)
    report = Report(Check.SLIPPAGE, subject, facts, given, FORMULA)
    order = traded(facts, subject)
    if order is None:
        return report.lacking(
            f"order {subject} with its fills and its instrument",
            en=f"Our records do not hold order {subject} completely, so its slippage cannot be measured.",
            zh=f"我司记录中订单 {subject} 不完整，无法计算滑点。",
        )
    report.texts.append(order.told())
    asked, instrument = order.order.price, order.instrument
    if asked is None:
        return report.lacking(
            f"price asked for of order {subject}",
            en="Our records do not hold the price the order asked for.",
            zh="我司记录中缺少该委托的请求价格。",
        )
    slipped = _slippage(order, asked)
    tolerance = given.tolerances.price_of(instrument)
    report.numbers = {
        "requested_price": plain(asked),
        "price": plain(order.price),
        "slippage": plain(slipped),
        "tolerance": plain(tolerance),
        "lots": plain(order.lots),
        "contract_size": plain(instrument.contract_size),
    }
    by, wanted = price_text(abs(slipped), instrument), price_text(asked, instrument)
    if slipped <= 0:
        report.say(
            f"You asked for {wanted}: that is {by} better for you, no slippage against you."
            if slipped
            else f"That is the price you asked for, {wanted}.",
            f"您的请求价格为 {wanted}，成交价较其有利 {by}，不存在不利滑点。"
            if slipped
            else f"成交价与您的请求价格 {wanted} 一致。",
        )
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=instrument.currency)
    report.say(f"You asked for {wanted}: it slipped {by} against you.", f"您的请求价格为 {wanted}，不利滑点为 {by}。")
    return _against_the_market(report, order, priced(order, facts, given))


def _against_the_market(report: Report, order: Traded, fills: list[Priced]) -> Finding:
    """How much of the slippage the market explains: none of a price that nobody valid quoted."""
    instrument, parts, confidence = order.instrument, list[Part](), Confidence.WELL_SUPPORTED
    for fill, pricing, price in fills:
        if not pricing.valid:
            return report.lacking(
                f"quotes of {fill.symbol} around {fill.at.isoformat()}",
                en="Our records hold no quotes around that time, so we cannot tell whether the market explains it.",
                zh="我司记录中没有该时间前后的报价，无法判断是否由市场波动造成。",
            )
        if not price.proven:
            return report.lacking(
                f"closer quotes of another source for {fill.symbol} around {fill.at.isoformat()}",
                en="Our records of the prices of that time do not tell whether the market explains it.",
                zh="我司该时间前后的报价记录不足以判断是否由市场波动造成。",
            )
        if pricing.confidence is Confidence.DOUBTFUL:
            confidence = Confidence.DOUBTFUL
        prefix = f"{fill.fill}." if len(order.fills) > 1 else ""
        report.numbers |= {
            f"{prefix}valid_price": plain(pricing.reference),
            f"{prefix}valid_sources": ", ".join(sorted(view.source for view in pricing.valid)),
            f"{prefix}beyond_market": plain(max(pricing.deviation, Decimal(0))),
        }
        if price.wrong:
            parts.append(order.part(fill, pricing.reference))
            there, by = price_text(pricing.reference, instrument), price_text(pricing.deviation, instrument)
            sum_, limit = fill_equation(fill, pricing.reference, instrument), plain(pricing.tolerance)
            report.say(
                f"It is {by} worse than all valid prices around it, more than the tolerance of {limit}. The valid "
                f"price then was {there}: {sum_}.",
                f"成交价比前后全部有效价格还差 {by}，超出容差 {limit}。当时的有效价格为 {there}：{sum_}。",
            )
    if not parts:
        if _waited(order, report.given):
            report.say(
                "The market had moved there while the order waited with us: what that cost is a question of the delay.",
                "委托在我司等待期间市场价格已变动至该水平，其损失以执行延迟核查为准。",
            )
        else:
            report.say("The market had moved there: it is ordinary slippage.", "市场价格已变动至该水平，属正常滑点。")
        return report.concluded(Verdict.MARKET, confidence, currency=instrument.currency)
    verdict, said = whose(fills)
    report.say(*said)
    return report.concluded(
        verdict, confidence, parts=parts, currency=instrument.currency, rule=ReferenceRule.AT_THAT_INSTANT
    )


def _waited(order: Traded, given: Given) -> bool:
    """Whether an order that was to be filled at once lay with the firm for longer than is normal."""
    received, limit = order.order.received_at, timedelta(milliseconds=given.tolerances.latency_ms)
    return order.order.type in AT_ONCE and received is not None and order.fills[-1].at - received > limit


def _slippage(order: Traded, asked: Decimal) -> Decimal:
    with localcontext(prec=PRECISION):
        return order.order.side.sign * (order.price - asked)


def _symmetry(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Do the orders of all customers slip to their gain as they slip to their loss?

    A market order waits for nothing, so chance moves the price for and against it alike. A stop is filled when the
    price runs away, and slips against its owner by its nature: its shares are told and not judged. One-sided settings
    are not held against the customer: the disputed orders are measured by the price asked for.
    """
    report = Report(Check.SLIPPAGE, subject, facts, given, SYMMETRY)
    shares = next(iter(facts.slippage_shares), None)
    least = given.tolerances.population_least
    if shares is None or shares.better + shares.same + shares.worse < least:
        count = 0 if shares is None else shares.better + shares.same + shares.worse
        return report.lacking(
            f"at least {least} orders of this kind around that time",
            en=f"Only {count} orders of all customers of this kind are in our records around that time, too few to "
            "tell whether gains and losses are treated alike.",
            zh=f"该时间前后我司记录中全体客户的同类订单仅 {count} 笔，不足以判断有利与不利滑点是否一视同仁。",
        )
    seen = _shares(shares)
    report.numbers = seen.numbers(shares, given.tolerances.asymmetry)
    kind = TYPES[shares.type]
    report.say(
        f"Of {seen.orders} {kind.en}s in {shares.symbol} of all customers around that time, {seen.better:.0%} were "
        f"filled better than asked for and {seen.worse:.0%} worse.",
        f"该时间前后全体客户的 {seen.orders} 笔 {shares.symbol} {kind.zh}中，成交价优于请求价的占 {seen.better:.0%}，"
        f"劣于请求价的占 {seen.worse:.0%}。",
    )
    return _judge_shares(report, shares, seen)


class _Shares(NamedTuple):
    """Which shares of how many orders were filled better and worse than asked for, and how likely that is chance."""

    orders: int
    better: Decimal
    worse: Decimal
    z: Decimal

    def numbers(self, shares: SlippageShares, limit: str) -> dict[str, str]:
        means = {"mean_better": shares.mean_better, "mean_worse": shares.mean_worse}
        return {
            "orders": str(self.orders),
            "better": str(shares.better),
            "same": str(shares.same),
            "worse": str(shares.worse),
            "share_better": f"{self.better:.4f}",
            "share_worse": f"{self.worse:.4f}",
            "z": f"{self.z:.2f}",
            "asymmetry_limit": limit,
        } | {name: plain(round(mean, 6)) for name, mean in means.items() if mean is not None}


def _shares(shares: SlippageShares) -> _Shares:
    count = shares.better + shares.same + shares.worse
    with localcontext(prec=28):
        better, worse = (Decimal(number) / count for number in (shares.better, shares.worse))
        return _Shares(count, better, worse, z_score(shares.worse, shares.better))


def _judge_shares(report: Report, shares: SlippageShares, seen: _Shares) -> Finding:
    orders = [order for row in report.facts.orders if (order := traded(report.facts, row.order))]
    currency = orders[0].instrument.currency if orders else "USD"
    if shares.type is not OrderType.MARKET:
        why_en = "runs away" if shares.type in WAITS_FOR_WORSE else "comes"
        report.say(
            f"An order of this kind is filled when the price {why_en}, so the two are not expected to be alike.",
            "此类订单因其触发方式，两者本不对称，不据此认定责任。",
        )
        return report.concluded(Verdict.MARKET, Confidence.DOUBTFUL, currency=currency)
    if seen.worse - seen.better <= Decimal(report.given.tolerances.asymmetry) or seen.z < CHANCE:
        report.say("Gains and losses are treated alike.", "有利与不利滑点得到同等对待。")
        return report.concluded(Verdict.NO_FAULT, Confidence.WELL_SUPPORTED, currency=currency)
    parts = [part for order in orders if order.order.price for part in order.parts(order.order.price)]
    report.say(
        f"Chance does not explain that (z = {seen.z:.1f}): customers were left with the losses and not given the "
        "gains, and that is our fault. The orders you dispute are measured by the price asked for.",
        f"该差异无法以偶然解释（z = {seen.z:.1f}）：客户承担了不利滑点却未获得有利滑点，责任在我司。"
        "您所争议的订单按请求价格计算。",
    )
    return report.concluded(
        Verdict.FIRM_FAULT,
        Confidence.WELL_SUPPORTED,
        parts=parts,
        currency=currency,
        rule=ReferenceRule.PRICE_ASKED,
    )
