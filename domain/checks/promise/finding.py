"""What was promised to the customer in the conversations on record?"""

from typing import Final

from domain.checks.facts import Given, LogFacts, Report
from domain.checks.findings import Check, Finding
from domain.checks.market import utc
from domain.ground.phrases import PhraseBook, Pieces, listed

FORMULA: Final = "promise/what-the-conversations-say@1"
MOST_QUOTED: Final = 10
QUOTED_LENGTH: Final = 200
"""Characters of a message that a finding quotes; the whole stands in its evidence."""

_BOOK: Final = PhraseBook(
    dict.fromkeys(
        listed(
            "promise, promised, guarantee, guaranteed, assure you, assured, certain profit, sure profit, no risk, "
            "without risk, risk-free, cannot lose, can't lose, never lose, double your money, no fee, "
            "free of charge, waive, waived, capital is safe, word of honour, have my word, we will refund, "
            "we will pay, will be refunded, bonus, rebate, cash back, cashback, "
            "承诺, 保证, 答应, 保本, 稳赚, 包赚, 包赔, 零风险, 无风险, 没有风险, 不会亏, 绝不会, 翻倍, 免手续费, 免费, "
            "免收, 减免, 本金不亏, 不收费, 赠金, 返佣, 返现, 收益率, 月收益, 年收益, 我们会退, 会退还, 会赔, 赔偿给您"
        ),
        True,
    )
)


def promises(text: str) -> bool:
    """Whether *text* may be a promise: it has a word that promises have. What it means is for people to read."""
    return next(iter(_BOOK.find(Pieces(text))), None) is not None


def check_promise(subject: str, facts: LogFacts, given: Given) -> Finding:
    """Quote what the firm's people wrote that may be a promise, by its words; a person judges what it was."""
    report = Report(Check.PROMISE, subject, facts, given, FORMULA)
    rows = sorted((row for row in facts.messages if row.at <= given.as_of), key=lambda each: (each.at, each.message))
    report.numbers = {"messages": str(len(rows))}
    if not rows:
        return report.lacking(
            "record of what was promised or advertised",
            en="The conversations in our records do not show it; a call or an advertisement would not be among them. A "
            "person will look at it.",
            zh="我司留存的对话记录中未见相关内容；电话或广告不在该记录之内，将由人工核查。",
        )
    for row in rows:
        quoted = " ".join(row.text.split())
        if len(quoted) > QUOTED_LENGTH:
            quoted = f"{quoted[: QUOTED_LENGTH - 1]}…"
        report.say(f"On {utc(row.at)} we wrote to you: “{quoted}”", f"我司于 {utc(row.at)} 致您的消息写道：“{quoted}”")
    return report.lacking(
        "a person's judgement whether that was a promise, and what followed from it",
        en="Whether that was a promise, and whether it was kept, is for a person to judge.",
        zh="上述内容是否构成承诺、是否已经履行，由人工判断。",
    )
