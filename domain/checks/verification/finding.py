"""How often was the customer asked to show who they are, and what came of it?"""

from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding
from domain.checks.market import utc
from domain.ground.spoken import said
from domain.log.firm_records import AccountHappened

FORMULA: Final = "verification/what-the-account-log-tells@1"
MOST_TOLD: Final = 10
_STEPS: Final = {
    AccountHappened.VERIFICATION_ASKED: said("you were asked to verify your identity", "要求您进行身份验证"),
    AccountHappened.VERIFIED: said("your identity was verified", "您的身份验证通过"),
    AccountHappened.VERIFICATION_REFUSED: said("what you sent was not accepted", "您提交的资料未获通过"),
}


def check_verification(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Tell what the account log has of verification, step by step; a person judges whether it was asked with reason.

    The firm's reasons are not in the words: one may be what the customer must not be told.
    """
    report = Report(Check.VERIFICATION, subject, facts, given, FORMULA)
    rows = sorted(
        (row for row in facts.account_log if row.kind in _STEPS and row.at <= given.as_of),
        key=lambda each: (each.at, each.event),
    )
    for kind in _STEPS:
        report.numbers[kind.value] = str(sum(row.kind is kind for row in rows))
    for row in rows[-MOST_TOLD:]:
        step = _STEPS[row.kind]
        report.say(f"On {utc(row.at)} {step.en}.", f"{utc(row.at)}，{step.zh}。")
    if not rows:
        return report.lacking(
            "record of the verification",
            en="Our records show no request for verification. A person will look at it.",
            zh="我司记录中未见身份验证请求，将由人工核查。",
        )
    return report.lacking(
        "a person's judgement whether the verification was asked for with reason",
        en="Whether that was asked for with reason, and in time, is for a person to judge.",
        zh="上述要求是否合理、处理是否及时，由人工判断。",
    )
