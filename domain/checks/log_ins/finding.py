"""From where was the account logged in to, and was any of it unlike the rest?"""

from collections import Counter
from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding
from domain.checks.market import utc
from domain.log.firm_records import AccountEvent, AccountHappened

FORMULA: Final = "log-ins/countries-of-the-account-log@1"
MOST_TOLD: Final = 5


def check_log_ins(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Tell the log-ins of the account that came from another country than most did, and how many failed.

    Nobody's verdict follows from a country: customers travel, and a thief may live next door. A person judges.
    """
    report = Report(Check.LOG_INS, subject, facts, given, FORMULA)
    rows = sorted((row for row in facts.account_log if row.at <= given.as_of), key=lambda each: (each.at, each.event))
    entered = [row for row in rows if row.kind is AccountHappened.LOGGED_IN]
    failed = sum(row.kind is AccountHappened.LOG_IN_FAILED for row in rows)
    report.numbers = {"log_ins": str(len(entered)), "failed_log_ins": str(failed)}
    if rows:
        report.say(
            f"From {utc(rows[0].at)} to {utc(rows[-1].at)} our records have {len(entered)} log-ins to your account, "
            f"and {failed} attempts that failed.",
            f"{utc(rows[0].at)} 至 {utc(rows[-1].at)} 期间，"
            f"我司记录有 {len(entered)} 次登录和 {failed} 次失败的登录尝试。",
        )
    counted = Counter(row.country for row in entered if row.country)
    usual = min(counted, key=lambda each: (-counted[each], each), default=None)
    if usual is None:
        return report.lacking(
            "countries from which the account was logged in to",
            en="They do not tell from where. A person will look at it.",
            zh="记录未载明登录地点，将由人工核查。",
        )
    report.numbers["usual_country"] = usual
    elsewhere = [row for row in entered if row.country and row.country != usual]
    _tell(report, usual, elsewhere)
    return report.lacking(
        "a person's judgement who logged in",
        en="Who logged in is for a person to judge.",
        zh="登录者身份由人工判断。",
    )


def _tell(report: Report, usual: str, elsewhere: list[AccountEvent]) -> None:
    report.numbers["elsewhere"] = str(len(elsewhere))
    if not elsewhere:
        report.say(f"All that tell a country came from {usual}.", f"载明地点的登录均来自 {usual}。")
        return
    last = elsewhere[-MOST_TOLD:]
    told_en = ", ".join(f"{row.country} on {utc(row.at)}" for row in last)
    told_zh = "、".join(f"{utc(row.at)}（{row.country}）" for row in last)
    report.say(
        f"Most came from {usual}; {len(elsewhere)} from elsewhere, the last of them: {told_en}.",
        f"多数登录来自 {usual}，另有 {len(elsewhere)} 次来自其他地点，最近的为：{told_zh}。",
    )
