"""Was the account frozen, how long, was the customer told, and what did it keep from them?"""

from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding
from domain.checks.market import utc
from domain.ground.spoken import lasting
from domain.log.firm_records import AccountEvent, AccountHappened

FORMULA: Final = "frozen-account/what-the-account-log-tells@1"


def check_frozen_account(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Tell what the account log has of the freeze *subject*; a person judges whether it was right.

    The reason on record is not in the words: it may be one that the customer must not be told. What the freeze cost is
    never reckoned, for nobody knows what would have been traded.
    """
    report = Report(Check.FROZEN_ACCOUNT, subject, facts, given, FORMULA)
    freeze = next((row for row in facts.account_log if row.event == subject), None)
    if freeze is None or freeze.kind is not AccountHappened.FROZEN:
        return report.lacking(
            f"freeze {subject} of the account",
            en=f"The log of your account has no freeze {subject}.",
            zh=f"您的账户日志中没有编号为 {subject} 的冻结记录。",
        )
    _tell_how_long(report, freeze)
    _tell_what_it_kept(report)
    if freeze.told_at is None:
        report.say("Our records do not say that you were told of it.", "我司记录未载明已将此事告知您。")
    else:
        report.numbers["told_at"] = freeze.told_at.isoformat()
        report.say(f"You were told of it on {utc(freeze.told_at)}.", f"我司于 {utc(freeze.told_at)} 告知您。")
    report.numbers["reason_recorded"] = "yes" if freeze.reason else "no"
    if freeze.reason is None:
        return report.lacking(
            f"reason of the freeze {subject}, recorded when it was made",
            "what the freeze cost",
            en="Our records hold no reason for it. A person will look at whether it was right, and what it cost you.",
            zh="我司记录中没有载明冻结原因。是否恰当以及造成的损失，由人工核查。",
        )
    return report.lacking(
        "a person's judgement whether the reason on record justified the freeze",
        "what the freeze cost",
        en="Whether it was right, and what it cost you, is for a person to judge.",
        zh="冻结是否恰当以及造成的损失，由人工判断。",
    )


def _tell_how_long(report: Report, freeze: AccountEvent) -> None:
    as_of = report.given.as_of
    ends = [row for row in report.facts.account_log if row.kind is AccountHappened.UNFROZEN]
    lifted = min((row.at for row in ends if freeze.at < row.at <= as_of), default=None)
    lasted = lasting((lifted or as_of) - freeze.at)
    seconds = ((lifted or as_of) - freeze.at).total_seconds()
    report.numbers |= {"frozen_at": freeze.at.isoformat(), "frozen_seconds": f"{seconds:.0f}"}
    report.say(f"Your account was frozen on {utc(freeze.at)}.", f"您的账户于 {utc(freeze.at)} 被冻结。")
    if lifted is None:
        report.say(
            f"By {utc(as_of)} it was still frozen, {lasted.en} later.",
            f"截至 {utc(as_of)} 仍处于冻结状态，已历时 {lasted.zh}。",
        )
    else:
        report.numbers["lifted_at"] = lifted.isoformat()
        report.say(
            f"The freeze was lifted on {utc(lifted)}, {lasted.en} later.",
            f"冻结于 {utc(lifted)} 解除，历时 {lasted.zh}。",
        )


def _tell_what_it_kept(report: Report) -> None:
    orders, entries = len(report.facts.order_events), len(report.facts.account_entries)
    report.numbers |= {"refused_orders": str(orders), "pending_withdrawals": str(entries)}
    if orders:
        report.say(f"Meanwhile our server refused {orders} of your orders.", f"其间有 {orders} 笔委托被拒绝。")
    if entries:
        report.say(
            f"Withdrawals of yours that waited meanwhile: {entries}.", f"其间有 {entries} 笔出金申请处于等待状态。"
        )
