"""Was a fee told of before it was charged, and no more charged than was told?"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.ground.words import Confidence
from domain.log.firm_records import Disclosure
from domain.log.trade_log import AccountEntry, EntryKind
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, plain

FORMULA: Final = "undisclosed-fee/beyond-what-was-told@3"
ANOTHER_MONTH: Final = timedelta(days=21)
"""Charges of a monthly fee that are nearer than this may be of one month, whatever the days on which they are due."""
_EACH: Final = {"charge", "month"}
"""The units of which an entry of the account is one: how many lots, or per cent of what, no entry tells."""


def check_fees(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the fee *subject*, an entry of the account.

    A fee has to be disclosed before it is booked, under the words that its entry's note begins with; else it is given
    back. What was charged beyond the sum that was told is given back as well; where no sum was told nothing can be
    said, nor where a monthly fee was charged so soon again that it may be of the same month.
    """
    report = Report(Check.FEES, subject, facts, given, FORMULA)
    entry = next((row for row in facts.account_entries if row.entry == subject), None)
    if entry is None:
        return report.lacking(
            f"fee {subject}",
            en=f"Our records do not hold a fee {subject}.",
            zh=f"我司记录中没有编号为 {subject} 的费用。",
        )
    return of_entry(report, entry)


def of_entry(report: Report, entry: AccountEntry) -> Finding:
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
