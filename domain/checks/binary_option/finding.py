"""Was a binary option settled at the right ticks, or was the feed frozen and the bet void?"""

from datetime import datetime
from decimal import Decimal, localcontext
from statistics import median
from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.checks.moments import SPARSE
from domain.ground.words import Confidence
from domain.log.firm_records import BinaryOption
from domain.log.trade_log import Quote
from domain.money.amounts import Money
from domain.money.parts import PRECISION, Part, PartKind, plain

FORMULA: Final = "binary-option/middle-of-the-last-tick@2"
"""Strike and expiry are the middle of bid and ask of the last tick at or before the instant."""


def check_binary_option(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the settlement of the option *subject*: settled again at the right ticks, or void.

    One that was settled before its expiry was sold back or settled too early: nothing in the log tells which. The feed
    was frozen if its last tick before the expiry is older than ten seconds although another source ticked
    since: the stake is then returned. A tick that at least two other sources contradict, both beyond the tolerance, is
    a wrong one, and their middle settles.
    """
    report = Report(Check.BINARY_OPTION, subject, facts, given, FORMULA)
    option = next((row for row in facts.binary_options if row.option == subject), None)
    if option is None:
        return report.lacking(
            f"option {subject}",
            en=f"Our records do not hold option {subject}.",
            zh=f"我司记录中缺少期权 {subject}。",
        )
    expiry = _last(facts, option.symbol, option.source, option.expires_at)
    opening = _last(facts, option.symbol, option.source, option.struck_at)
    missing = [
        f"quotes of {option.symbol} from {option.source} at {at.isoformat()}"
        for at, quote in ((option.struck_at, opening), (option.expires_at, expiry))
        if quote is None
    ]
    missing += ["what the option paid"] if option.paid is None else []
    instrument = facts.instrument(option.symbol)
    missing += [f"instrument {option.symbol}"] if instrument is None else []
    early = option.settled_at is not None and option.settled_at < option.expires_at
    missing += [f"who had option {subject} settled before its expiry, and on which terms"] if early else []
    stake = Money.of(option.stake, option.currency)
    report.say(
        f"Option {subject} on {option.symbol} ({option.direction}, stake {stake}) was struck on "
        f"{utc(option.struck_at)} and expired on {utc(option.expires_at)}.",
        f"期权 {subject}（{option.symbol}，看{'涨' if option.direction == 'up' else '跌'}，投资额 {stake}）于 "
        f"{utc(option.struck_at)} 成立，于 {utc(option.expires_at)} 到期。",
    )
    if early or option.paid is None or expiry is None or opening is None or instrument is None:
        return report.lacking(
            *missing,
            en="It cannot be settled again from our records.",
            zh="依据我司记录无法重新结算。",
        )
    tolerance = given.tolerances.price_of(instrument)
    unit = Decimal(1).scaleb(-instrument.digits)
    return _settle(report, option, option.paid, opening, expiry, tolerance=tolerance, unit=unit)


def _settle(
    report: Report,
    option: BinaryOption,
    paid: Decimal,
    opening: Quote,
    expiry: Quote,
    *,
    tolerance: Decimal,
    unit: Decimal,
) -> Finding:
    report.numbers = {
        "stake": plain(option.stake),
        "payout_percent": plain(option.payout_percent),
        "paid": plain(paid),
        "strike_booked": plain(option.strike),
        "strike_tick_at": opening.at.isoformat(),
        "expiry_tick_at": expiry.at.isoformat(),
        "tolerance": plain(tolerance),
    }
    if option.expires_at - expiry.at > SPARSE and _others(report.facts, option, expiry.at):
        report.say(
            f"The last tick of its source was of {utc(expiry.at)}, and others ticked since: the feed was frozen. The "
            "bet is void and the stake is returned.",
            f"该报价源最后一笔报价时间为 {utc(expiry.at)}，其后其他报价源仍有更新，属报价冻结。"
            "该期权作废，退还投资额。",
        )
        return _concluded(
            report, option, paid, option.stake, confidence=Confidence.CERTAIN, verdict=Verdict.PROVIDER_FAULT
        )
    strike, expired = _middle(opening), _middle(expiry)
    verdict, confidence = Verdict.FIRM_FAULT, Confidence.CERTAIN
    others = _references(report.facts, option, option.expires_at)
    if len(others) > 1 and all(abs(_middle(quote) - expired) > tolerance for quote in others):
        report.say(
            "The tick at the expiry was contradicted by all other sources; their middle settles.",
            "到期时的报价与其他全部报价源不符，以其他报价源的中间价结算。",
        )
        expired = median(_middle(quote) for quote in others)
        verdict, confidence = Verdict.PROVIDER_FAULT, Confidence.WELL_SUPPORTED
    if abs(strike - option.strike) <= tolerance:
        # a middle may lie between two prices that can be booked: one that is the same stays so
        strike, expired = option.strike, option.strike if expired == strike else expired
    if option.settled_price is not None and abs(expired - option.settled_price) <= unit / 2:
        expired = option.settled_price
    due = _payout(option, strike, expired)
    report.numbers |= {"strike": plain(strike), "expiry_price": plain(expired)}
    report.say(
        f"Settled at {plain(strike)} and {plain(expired)} it pays {Money.of(due, option.currency)}.",
        f"按 {plain(strike)} 与 {plain(expired)} 结算，应付 {Money.of(due, option.currency)}。",
    )
    return _concluded(report, option, paid, due, confidence=confidence, verdict=verdict)


def _concluded(
    report: Report, option: BinaryOption, paid: Decimal, due: Decimal, *, confidence: Confidence, verdict: Verdict
) -> Finding:
    with localcontext(prec=PRECISION):
        short = due - paid
    report.numbers["due"] = plain(due)
    if short <= 0:
        report.say(
            f"{Money.of(paid, option.currency)} was paid, no less than due.",
            f"实际已付 {Money.of(paid, option.currency)}，不少于应付金额。",
        )
        return report.concluded(Verdict.NO_FAULT, confidence, currency=option.currency)
    report.say(
        f"{Money.of(paid, option.currency)} was paid; the rest is owed.",
        f"实际已付 {Money.of(paid, option.currency)}，差额应予补付。",
    )
    part = Part(
        key=f"{PartKind.SETTLEMENT.value}/{option.option}",
        subject=option.option,
        kind=PartKind.SETTLEMENT,
        amount=short,
        currency=option.currency,
    )
    return report.concluded(verdict, confidence, parts=[part], currency=option.currency)


def _payout(option: BinaryOption, strike: Decimal, expired: Decimal) -> Decimal:
    if strike == expired:
        return option.stake
    won = (expired > strike) is (option.direction == "up")
    return Money.of(option.stake * (100 + option.payout_percent) / 100, option.currency).amount if won else Decimal(0)


def _middle(quote: Quote) -> Decimal:
    return (quote.bid + quote.ask) / 2


def _last(facts: LogFacts, symbol: str, source: str, at: datetime) -> Quote | None:
    known = [q for q in facts.quotes if q.symbol == symbol and q.source == source and q.at <= at]
    return max(known, key=lambda quote: quote.at, default=None)


def _references(facts: LogFacts, option: BinaryOption, at: datetime) -> list[Quote]:
    sources = {quote.source for quote in facts.quotes if quote.symbol == option.symbol} - {option.source}
    found = [_last(facts, option.symbol, source, at) for source in sorted(sources)]
    return [quote for quote in found if quote is not None and at - quote.at <= SPARSE]


def _others(facts: LogFacts, option: BinaryOption, since: datetime) -> bool:
    """Whether anybody ticked since the last tick of the option's own source."""
    return any(quote.symbol == option.symbol and since < quote.at <= option.expires_at for quote in facts.quotes)
