"""Questions by rule: what only the customer can tell, asked once, in the customer's language."""

from domain.case.case import Case
from domain.case.told import Told
from domain.checks.choice import checks_for
from domain.ground.bilingual import Bilingual
from domain.ground.words import Category

_ACCOUNT = Bilingual(
    en="Which trading account does your complaint concern? We could not find it; please check the number.",
    zh="您的投诉涉及哪个交易账户？我们未能找到该账户，请核对账号。",
)
_TRADE = Bilingual(
    en="Which order or position does your complaint concern? Please give its number as your platform shows it.",
    zh="您的投诉涉及哪一笔订单或持仓？请提供平台上显示的编号。",
)
_NOT_FOUND = Bilingual(
    en="We could not find {numbers} on the account {account}. ",
    zh="我们在账户 {account} 中未能找到编号 {numbers}。",
)
_MOST_NAMED = 10
"""So many numbers that were not found a question names: they are the customer's own, and a letter is no list."""
_TIME = Bilingual(
    en="When did it happen? Please give date and time, with the time zone.",
    zh="事件发生在什么时间？请提供日期、时间及所在时区。",
)


def ask_for(case: Case) -> str | None:
    """The questions for *case* after its investigation, or ``None`` when the customer has told all that is needed.

    Only complaints that the trade log can settle need facts that lead into it: what the pack's checks for the category
    miss is asked for, and only where it has none what those miss that the complaint's words point to. A late withdrawal
    is not held up because the customer mentioned an outage in passing. What the firm holds itself is never asked, nor
    what the complaint says in its own words.
    """
    complaint, investigation = case.complaint, case.investigation
    if case.assessment is None:
        return None
    category, checks = case.assessment.category, case.pack.checks
    asking = checks.get(category) or checks_for(category, checks, case.pointed)
    if not asking:
        return None
    # What the log has, or lacks, is told to nobody who may be a stranger.
    missing = [
        name
        for finding in (investigation.findings if investigation and case.identity.verified else ())
        if finding.check in asking or (investigation and investigation.version == 1)
        for name in finding.missing
    ]
    asked: list[Bilingual] = []
    if (case.account is None and Told.ACCOUNT not in case.told) or any(name.startswith("account") for name in missing):
        asked.append(_ACCOUNT)
    if Told.TRADE in case.told and not case.trades:
        pass  # what the log does not know by that number is for people to find
    elif case.assessment.category is Category.EXECUTION and not case.trades and complaint.occurred_from is None:
        asked += [_TRADE] if Told.TIME in case.told else [_TRADE, _TIME]
    elif any(name.startswith(("trade ", "number of the order", "a smaller choice of trades")) for name in missing):
        asked.append(_with_what_was_not_found(case, missing))
    if not asked:
        return None
    return "\n".join(f"- {question.in_language(case.language)}" for question in asked)


def _with_what_was_not_found(case: Case, missing: list[str]) -> Bilingual:
    """The question for a trade; of numbers that were given and are not on the account it says so."""
    numbers = list(dict.fromkeys(name.removeprefix("trade ") for name in missing if name.startswith("trade ")))
    if not numbers:
        return _TRADE
    named, more = numbers[:_MOST_NAMED], "…" if len(numbers) > _MOST_NAMED else ""
    return Bilingual(
        en=_NOT_FOUND.en.format(numbers=", ".join(named) + more, account=case.account) + _TRADE.en,
        zh=_NOT_FOUND.zh.format(numbers="、".join(named) + more, account=case.account) + _TRADE.zh,
    )
