"""Which fees and withdrawals are there, where a complaint names a sum and its words point to nothing else?"""

from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding
from domain.checks.market import utc
from domain.ground.spoken import said
from domain.log.trade_log import AccountEntry, EntryKind
from domain.money.amounts import Money

FORMULA: Final = "entries/what-the-account-shows@1"
MOST_TOLD: Final = 10
KINDS: Final = {
    EntryKind.FEE: said("a fee of", "收取费用"),
    EntryKind.WITHDRAWAL: said("a withdrawal of", "出金"),
}


def check_entries(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Tell the latest fees and withdrawals of the account; a person reads which of them the complaint is about."""
    report = Report(Check.ENTRIES, subject, facts, given, FORMULA)
    rows = sorted(
        (row for row in facts.account_entries if row.kind in KINDS),
        key=lambda each: (each.booked_at or each.requested_at or given.as_of, each.entry),
    )
    report.numbers = {"entries": str(len(rows))}
    for row in rows[-MOST_TOLD:]:
        _tell(report, row)
    if not rows:
        return report.lacking(
            "fee or withdrawal that the complaint may be about",
            en="Our records show no fee and no withdrawal of your account at that time. A person will look at it.",
            zh="我司记录中该期间您的账户没有收费和出金，将由人工核查。",
        )
    return report.lacking(
        "a person's judgement which of these it is about",
        en="Which of these your complaint is about, and whether it was right, is for a person to judge.",
        zh="您的投诉涉及其中哪一笔、该笔是否妥当，由人工判断。",
    )


def _tell(report: Report, row: AccountEntry) -> None:
    what, sum_ = KINDS[row.kind], Money.of(abs(row.amount), row.currency)
    if row.booked_at is None:
        report.say(
            f"{what.en.capitalize()} {sum_} ({row.entry}) is not booked yet.",
            f"{what.zh} {sum_}（{row.entry}）尚未入账。",
        )
    else:
        report.say(
            f"On {utc(row.booked_at)} {what.en} {sum_} was booked ({row.entry}).",
            f"{utc(row.booked_at)} {what.zh} {sum_}（{row.entry}）。",
        )
