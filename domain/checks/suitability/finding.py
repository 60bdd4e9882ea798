"""Should the customer have been let into the product?"""

from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.facts import Given, LogFacts, Report, Text
from domain.checks.fees.finding import FORMULA as FEE
from domain.checks.fees.finding import of_entry
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.checks.profit import profit
from domain.ground.words import Confidence
from domain.log.trade_log import Instrument, Position
from domain.money.amounts import Money
from domain.money.parts import PRECISION, Part, PartKind, last_rate, plain

FORMULA: Final = "suitability/net-loss-of-the-position@2"
_SILENCE_COUNTED: Final = "suitability/net-loss-of-the-position@1"
"""Before it was asked whether the firm keeps assessments at all: that none was on record was the firm's fault."""
ON_RECORD: Final = timedelta(days=366)
"""Where none of any customer is on record for so long before a position was opened, the log does not hold them."""
_NOT_ASKED: Final = {
    "professional": Text("a professional client", "专业客户"),
    "eligible_counterparty": Text("an eligible counterparty", "合格对手方"),
}
"""Classes of clients for whom a product need not be assessed."""


def check_suitability(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the position *subject*.

    A retail customer has to be asked whether the product is right for them before the position is opened, and warned
    where it is not. Where that was not done the harm is the position's net loss. That a log is silent which holds no
    assessments, of anybody, shows nothing. The fee that an earlier finding is about is judged as the check on fees
    does, and what was found before silence was told apart as it was then, so that both can be made again.
    """
    entry = next((row for row in facts.account_entries if row.entry == subject), None)
    if entry is not None:
        return of_entry(Report(Check.SUITABILITY, subject, facts, given, FEE), entry)
    report = Report(Check.SUITABILITY, subject, facts, given, FORMULA if facts.assessments_kept else _SILENCE_COUNTED)
    position = next((row for row in facts.positions if row.position == subject), None)
    if position is None:
        return report.lacking(
            f"position {subject}",
            en=f"Our records do not hold a position {subject}.",
            zh=f"我司记录中没有编号为 {subject} 的持仓。",
        )
    return _product(report, position)


def _product(report: Report, position: Position) -> Finding:
    facts = report.facts
    instrument = facts.instrument(position.symbol)
    in_force = [row for row in facts.account_terms if row.effective_from <= position.opened_at]
    terms = max(in_force, key=lambda row: (row.effective_from, row.terms), default=None)
    if instrument is None or terms is None or terms.client_class is None:
        return report.lacking(
            *([f"instrument {position.symbol}"] if instrument is None else []),
            *(["class of the client when the position was opened"] if terms is None or not terms.client_class else []),
            en="Our records do not tell whether you had to be asked.",
            zh="我司记录未载明是否须对您进行适当性评估。",
        )
    currency = terms.currency
    report.numbers = {"opened_at": position.opened_at.isoformat(), "client_class": terms.client_class}
    if terms.client_class in _NOT_ASKED:
        report.say(
            f"You were {_NOT_ASKED[terms.client_class].en}, who need not be asked.",
            f"您当时属于{_NOT_ASKED[terms.client_class].zh}，无须进行适当性评估。",
        )
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)
    asked = [row for row in facts.appropriateness if row.symbol == position.symbol and row.at <= position.opened_at]
    last = max(asked, key=lambda row: (row.at, row.assessment), default=None)
    report.numbers["assessment"] = last.result if last else "none"
    if last is not None and last.result == "appropriate":
        report.say(
            f"You were asked on {utc(last.at)} and {position.symbol} was found to be right for you.",
            f"我司于 {utc(last.at)} 对您进行了评估，结论为 {position.symbol} 适合您。",
        )
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=currency)
    if last is not None and last.warned_at is not None and last.warned_at <= position.opened_at:
        report.say(
            f"You were warned on {utc(last.warned_at)} that {position.symbol} may not be right for you, and traded.",
            f"我司于 {utc(last.warned_at)} 已提示您 {position.symbol} 可能不适合您，您其后仍进行交易。",
        )
        return report.concluded(Verdict.CUSTOMER_ACTION, Confidence.WELL_SUPPORTED, currency=currency)
    if last is None and not all(row.kept for row in facts.assessments_kept):
        return report.lacking(
            f"assessments of customers before position {position.position} was opened",
            en=f"Our log does not hold such assessments of the time when position {position.position} was opened; a "
            "person will look for yours.",
            zh=f"我司日志未载有持仓 {position.position} 开立时期的适当性评估记录，将由人工查找您的评估。",
        )
    report.say(
        f"Position {position.position} was opened on {utc(position.opened_at)} without your having been "
        f"{'warned that it may not be right for you' if last else 'asked whether it is right for you'}: the fault is "
        "ours.",
        f"持仓 {position.position} 于 {utc(position.opened_at)} 开立，"
        f"此前我司未{'向您提示风险' if last else '进行适当性评估'}，"
        "责任在我司。",
    )
    return _net_loss(report, position, instrument, currency)


def _net_loss(report: Report, position: Position, instrument: Instrument, currency: str) -> Finding:
    """What the position cost over all: it should never have been opened."""
    facts = report.facts
    if position.close_price is None:
        return report.lacking(
            f"the closing of position {position.position}",
            en="What it cost is known when the position is closed.",
            zh="损失须待持仓平仓后确定。",
        )
    made = _made(facts, position, position.close_price, instrument, currency)
    if made is None:
        return report.lacking(
            f"rate of {instrument.currency} in {currency}",
            en="The rate of the day is not in our records.",
            zh="我司记录中缺少当日汇率。",
        )
    with localcontext(prec=PRECISION):
        net = made + position.swap + (position.commission or Decimal(0)) + (position.taxes or Decimal(0))
    report.numbers["net"] = plain(net)
    name = position.position
    orders = {row.order for row in facts.orders if row.position == name}
    fills = [row.fill for row in facts.fills if row.position == name or row.order in orders]
    part = Part(
        key=f"product/{name}",
        subject=name,
        kind=PartKind.PRICE,
        amount=-net,
        currency=currency,
        covers=(f"price/{name}", f"swap/{name}", f"fee/{name}", *(f"price/{fill}" for fill in sorted(fills))),
    )
    report.say(
        f"Over all it made {Money.of(net, currency)}.",
        f"该持仓净损益为 {Money.of(net, currency)}。",
    )
    return report.concluded(
        Verdict.FIRM_FAULT, Confidence.WELL_SUPPORTED, parts=[part] if net < 0 else [], currency=currency
    )


def _made(
    facts: LogFacts, position: Position, closed: Decimal, instrument: Instrument, currency: str
) -> Decimal | None:
    """The profit of *position*, as booked or by its prices; ``None`` where a rate is not recorded."""
    if position.profit is not None:
        return position.profit
    with localcontext(prec=PRECISION):
        made = profit(
            position.side,
            opened=position.open_price,
            closed=closed,
            units=instrument.contract_size,
            lots=position.volume,
        )
        if instrument.currency == currency:
            return made
        rate = last_rate(facts.rates, instrument.currency, currency)
        return made * rate.rate if rate else None
