"""Did the firm undo trades on a ground it can show: which clause, on what evidence, by whose decision, and why?"""

from datetime import timedelta
from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding, Verdict
from domain.checks.market import utc
from domain.ground.bilingual import Bilingual
from domain.ground.spoken import listed
from domain.ground.words import Confidence
from domain.money.amounts import Money
from domain.money.parts import Part, PartKind, plain

FORMULA: Final = "cancelled-trade/amount-taken-back@1"
IN_TIME: Final = timedelta(days=1)
"""Reasons written down later than this are reasons found afterwards."""
_NEEDED: Final = {
    "clause": Bilingual(en="the clause relied on", zh="所依据的条款"),
    "evidence": Bilingual(en="the evidence for it", zh="相关证据"),
    "decided_by": Bilingual(en="who used the discretion", zh="作出决定的人员"),
    "reason": Bilingual(en="the reason why", zh="决定理由"),
}


def check_cancelled_trade(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Judge the cancellation *subject*.

    Without the clause, the evidence, the person or the reason on record it is the firm's fault, and what was taken is
    given back. With all of them a person judges whether the evidence shows what the clause asks for: no formula does.
    """
    report = Report(Check.CANCELLED_TRADE, subject, facts, given, FORMULA)
    row = next((each for each in facts.cancellations if each.cancellation == subject), None)
    if row is None:
        return report.lacking(
            "a cancellation of trades",
            en="The log of your account has no cancelled trade.",
            zh="您的账户日志中没有被取消的交易。",
        )
    taken = Money.of(row.amount, row.currency)
    report.numbers = {"amount": plain(row.amount), "currency": row.currency, "cancelled_at": row.at.isoformat()}
    report.say(
        f"On {utc(row.at)} we undid trades of yours and took {taken} back.",
        f"我司于 {utc(row.at)} 取消了您的交易并扣回 {taken}。",
    )
    lacking = [name for name in _NEEDED if getattr(row, name) is None]
    if lacking:
        report.numbers["not_recorded"] = ", ".join(lacking)
        needed = listed(_NEEDED[name] for name in lacking)
        report.say(
            f"Our records do not hold {needed.en}. Without that we may not keep it: the fault is ours.",
            f"我司记录中缺少{needed.zh}，无权扣留，责任在我司。",
        )
        part = Part(
            key=f"{PartKind.PROFIT_TAKEN_BACK.value}/{subject}",
            subject=subject,
            kind=PartKind.PROFIT_TAKEN_BACK,
            amount=row.amount,
            currency=row.currency,
        )
        return report.concluded(
            Verdict.FIRM_FAULT, Confidence.CERTAIN, parts=[part] if row.amount else [], currency=row.currency
        )
    if row.recorded_at is None or row.recorded_at > row.at + IN_TIME:
        return report.lacking(
            "reasons recorded at the time of the decision",
            en="The reasons were not written down when it was decided, so a person has to look at it.",
            zh="相关理由并非在决定当时记录，须由人工复核。",
        )
    return report.lacking(
        "a person's judgement whether the evidence shows what the clause asks for",
        en=f"The decision relied on {row.clause} and was recorded in time. Whether the evidence shows what the clause "
        "asks for is for a person to judge.",
        zh=f"该决定依据 {row.clause} 并及时留存记录。证据是否符合条款要求，由人工判断。",
    )
