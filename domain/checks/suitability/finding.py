"""Should the customer have been let into the product, and was a fee told of before it was charged?"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final

from domain.checks.facts import Given, LogFacts, Report, Text
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.checks.profit import profit
from domain.ground.words import Confidence
from domain.log.firm_records import Disclosure
from domain.log.trade_log import AccountEntry, EntryKind, Instrument, Position
from domain.money.amounts import Money
from domain.money.parts import PRECISION, Part, PartKind, last_rate, plain

FORMULA: Final = "suitability/net-loss-of-the-position@1"
FEE: Final = "undisclosed-fee/beyond-what-was-told@3"
ANOTHER_MONTH: Final = timedelta(days=21)
"""Charges of a monthly fee that are nearer than this may be of one month, whatever the days on which they are due."""
_EACH: Final = {"charge", "month"}
"""The units of which an entry of the account is one: how many lots, or per cent of what, no entry tells."""
_NOT_ASKED: Final = {
    "professional": Text("a professional client", "专业客户"),
    "eligible_counterparty": Text("an eligible counterparty", "合格对手方"),
}
"""Classes of clients for whom a product need not be assessed."""


def check_suitability(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the position or the fee (an account entry) *subject*.

    A retail customer has to be asked whether the product is right for them before the position is opened, and warned
    where it is not. Where that was not done the harm is the position's net loss. A fee has to be disclosed before it
    is booked, under the words that its entry's note begins with; else it is given back. What was charged beyond the sum
    that was told is given back as well; where no sum was told nothing can be said, nor where a monthly fee was charged
    so soon again that it may be of the same month.
    """
    entry = next((row for row in facts.account_entries if row.entry == subject), None)
    if entry is not None:
        return _fee(Report(Check.SUITABILITY, subject, facts, given, FEE), entry)
    report = Report(Check.SUITABILITY, subject, facts, given, FORMULA)
    position = next((row for row in facts.positions if row.position == subject), None)
    if position is None:
        return report.lacking(
            f"position or fee {subject}",
            en=f"Our records do not hold a position or a fee {subject}.",
            zh=f"我司记录中没有编号为 {subject} 的持仓或费用。",
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


def _fee(report: Report, entry: AccountEntry) -> Finding:
    amount = Money.of(abs(entry.amount), entry.currency)
    report.numbers = {"amount": plain(entry.amount), "currency": entry.currency}
    if entry.kind is not EntryKind.FEE or entry.amount >= 0:
        report.say(f"Entry {entry.entry} charges no fee.", f"记录 {entry.entry} 不是收费。")
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=entry.currency)
    if entry.note is None or entry.booked_at is None:
        return report.lacking(
            f"what the fee {entry.entry} was for, and when it was booked",
            en=f"Our records do not tell what the fee of {amount} was for.",
            zh=f"我司记录未载明费用 {amount} 的用途。",
        )
    note = entry.note.lower()
    told = [
        row
        for row in report.facts.disclosures
        if row.kind == "fee" and row.at <= entry.booked_at and _is_named(note, row)
    ]
    if told:
        return _as_told(report, entry, amount, told)
    report.say(
        f"The fee of {amount} ({entry.note}) was charged without having been told of before: the fault is ours.",
        f"费用 {amount}（{entry.note}）在收取之前未予披露，责任在我司。",
    )
    part = Part(
        key=f"entry/{entry.entry}",
        subject=entry.entry,
        kind=PartKind.FEE,
        amount=-entry.amount,
        currency=entry.currency,
    )
    return report.concluded(Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=[part], currency=entry.currency)


def _is_named(note: str, told: Disclosure) -> bool:
    return any(note.startswith(words.lower()) for words in (told.about, told.fee) if words)


def _of_one_month(facts: LogFacts, entry: AccountEntry, told: Disclosure) -> list[AccountEntry]:
    """Other charges of the same fee that may be of the month of *entry*."""
    return [
        row
        for row in facts.account_entries
        if row.entry != entry.entry
        and row.kind is EntryKind.FEE
        and row.amount < 0
        and row.note is not None
        and row.booked_at is not None
        and entry.booked_at is not None
        and abs(row.booked_at - entry.booked_at) < ANOTHER_MONTH
        and _is_named(row.note.lower(), told)
    ]


def _as_told(report: Report, entry: AccountEntry, amount: Money, told: Sequence[Disclosure]) -> Finding:
    """What was charged against what was told last before: more of it is the firm's fault, by the difference."""
    priced = [row for row in told if row.sum is not None]
    last = max(priced or told, key=lambda row: (row.at, row.disclosure))
    report.numbers["disclosed_at"] = last.at.isoformat()
    if last.sum is None or last.unit not in _EACH or last.currency != entry.currency:
        wanted = "amount" if last.sum is None else f"amount in {entry.currency} for this one charge"
        return report.lacking(
            f"{wanted} of the fee {entry.entry} as the customer was told ({last.disclosure})",
            en=f"You were told of the fee on {utc(last.at)}, but our records do not say that it would be {amount}.",
            zh=f"我司曾于 {utc(last.at)} 告知该项费用，但记录未载明告知的金额，无法核对 {amount} 是否多收。",
        )
    price = Money.of(last.sum, entry.currency)
    report.numbers |= {"told": plain(last.sum), "unit": last.unit}
    beyond = -entry.amount - last.sum
    if beyond <= 0 and last.unit == "month" and (others := _of_one_month(report.facts, entry, last)):
        listed = ", ".join(row.entry for row in others)
        return report.lacking(
            f"for which months the fees {entry.entry} and {listed} were charged",
            en=f"You were told on {utc(last.at)} that the fee would be {price} a month, and {amount} was charged more "
            f"than once within {ANOTHER_MONTH.days} days. Whether it was charged twice for one month is for a person "
            "to look at.",
            zh=f"我司于 {utc(last.at)} 告知该费用为每月 {price}，但在 {ANOTHER_MONTH.days} 天内收取 {amount} 不止一次，"
            "是否就同一月份重复收取，由人工核查。",
        )
    if beyond <= 0:
        report.say(
            f"The fee of {amount} was told of on {utc(last.at)}, as {price}, before it was charged.",
            f"费用 {amount} 已于 {utc(last.at)} 在收取之前告知（{price}）。",
        )
        return report.concluded(Verdict.NO_FAULT, Confidence.CERTAIN, currency=entry.currency)
    more = Money.of(beyond, entry.currency)
    report.say(
        f"You were told on {utc(last.at)} that the fee would be {price}; {amount} was charged ({entry.note}). The "
        f"difference of {more} is our fault, and is given back.",
        f"我司于 {utc(last.at)} 告知该费用为 {price}，实际收取 {amount}（{entry.note}），"
        f"多收 {more}，责任在我司，予以退还。",
    )
    part = Part(
        key=f"entry/{entry.entry}", subject=entry.entry, kind=PartKind.FEE, amount=beyond, currency=entry.currency
    )
    return report.concluded(Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=[part], currency=entry.currency)
