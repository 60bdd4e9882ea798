"""What is said where the log does not answer, or too much is asked of it at once. Never a guess."""

from datetime import datetime

from domain.checks.findings import FAILED, Finding, Verdict
from domain.checks.gathering.asked import Asked
from domain.checks.moments import Execution
from domain.ground.bilingual import Bilingual
from domain.ground.words import Confidence
from domain.money.amounts import Money


def unanswered(asked: Asked, subject: str, missing: str, en: str, zh: str) -> Finding:
    return Finding(
        check=asked.check,
        subject=subject,
        verdict=Verdict.INCONCLUSIVE,
        reason=Bilingual(en=en, zh=zh),
        missing=(missing,),
        formula=asked.formula,
    )


def unknown_account(asked: Asked) -> Finding:
    return unanswered(
        asked,
        "account",
        "account",
        "Our trade log holds nothing of the account you named. Please check the account number.",
        "我司交易日志中没有您所提供账户的任何记录，请核对账户号码。",
    )


def unknown_trades(asked: Asked, tables: dict[str, set[str]]) -> list[Finding]:
    # a trade of another account reads exactly like one that does not exist
    return [
        unanswered(
            asked,
            trade,
            f"trade {trade}",
            f"The log of your account has no trade or entry with the number {trade}. Please check the number.",
            f"您的账户日志中没有编号为 {trade} 的交易或资金记录，请核对编号。",
        )
        for trade in dict.fromkeys(asked.request.trades)
        if trade not in tables
    ]


def no_orders(asked: Asked, position: str) -> Finding:
    return unanswered(
        asked,
        position,
        f"orders and fills of position {position}",
        f"Our records hold position {position}, but not the orders that opened and closed it.",
        f"我司记录中有持仓 {position}，但缺少其开仓和平仓的委托及成交记录。",
    )


def no_trades_between(asked: Asked, start: datetime, end: datetime) -> Finding:
    return unanswered(
        asked,
        "account",
        "number of the order or position, or the exact time of the trade",
        f"The log of your account has no trade from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC. Please name "
        "the order or position.",
        f"您的账户在 {start:%Y-%m-%d %H:%M} 至 {end:%Y-%m-%d %H:%M} UTC 期间没有成交记录，请提供订单号或持仓编号。",
    )


def nothing_named(asked: Asked) -> Finding:
    return unanswered(
        asked,
        "account",
        "number of the order or position, or the exact time of the trade",
        "To examine an execution we need the number of the order or position, or the time of the trade.",
        "核查成交需要订单号、持仓编号或交易时间，请予提供。",
    )


def no_fee(asked: Asked) -> Finding:
    return unanswered(
        asked,
        "account",
        "number of the fee, or what it was called and when it was charged",
        "To examine a fee we need its number, or what it was called and when it was charged.",
        "核查收费需要该笔费用的编号，或其名称及收取时间，请予提供。",
    )


def too_many(asked: Asked, most_en: str, most_zh: str) -> Finding:
    return unanswered(
        asked,
        "account",
        "a smaller choice of trades",
        f"More than {most_en} are concerned, too many to be examined at once. Please name those you complain of.",
        f"涉及的记录超过 {most_zh}，无法一次核查，请指明您所投诉的具体记录。",
    )


def unreadable(asked: Asked, error: Exception) -> Finding:
    return unanswered(
        asked,
        "account",
        str(error),
        "Our records of this are damaged and have to be put right before they can be examined.",
        "我司的相关记录存在异常，须修正后方可核查。",
    )


def failed(asked: Asked, error: Exception) -> Finding:
    finding = unanswered(
        asked,
        "account",
        f"a check that does not break off ({type(error).__name__})",
        "Our examination of this could not be completed by machine; a person will look at it.",
        "系统未能完成对此项的核查，将由人工处理。",
    )
    return finding.model_copy(update={"formula": FAILED})


def no_position(asked: Asked) -> Finding:
    return unanswered(
        asked,
        "account",
        "positions of these trades",
        "Our records hold these trades, but no position that they opened or closed.",
        "我司记录中有相关交易，但没有对应的持仓。",
    )


def no_row(asked: Asked, what_en: str, what_zh: str) -> Finding:
    return unanswered(
        asked, "account", what_en, f"The log of your account has no {what_en}.", f"您的账户日志中没有{what_zh}记录。"
    )


def closed_by_another(asked: Asked, execution: Execution) -> Finding:
    """That an order closed a position against an opposite one of the customer's own: no market price is in it."""
    currency = execution.instrument.currency if execution.instrument else "USD"
    return Finding(
        check=asked.check,
        subject=execution.id,
        verdict=Verdict.NO_FAULT,
        confidence=Confidence.CERTAIN,
        reason=Bilingual(
            en=f"Order {execution.id} closed a position against an opposite one of your own, at the prices at which "
            "the two were opened: no market price is in it.",
            zh=f"订单 {execution.id} 以您自有的反向持仓对冲平仓，成交价为两笔持仓的开仓价，不涉及市场价格。",
        ),
        harm=Money.zero(currency),
        formula=asked.formula,
    )
