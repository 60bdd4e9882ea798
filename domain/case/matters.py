"""Matters of their own that a complaint speaks of, whatever its category: some rules give less time for them."""

from functools import cache
from typing import Final

from domain.case.complaint import Complaint
from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Matter

_WORDS: Final = {
    Matter.DEFAULT_NOTICE: """
        default notice, notice of default, default letter, section 88 notice, notice of demand,
        违约通知, 违约通知书, 违约告知, 违约函""",
    Matter.ENFORCEMENT: """
        postpone enforcement, postponement of enforcement, postpone the enforcement, postpone enforcing,
        delay enforcement, delay the enforcement, stop enforcement, stop the enforcement, suspend enforcement,
        suspend the enforcement, enforcement proceedings, enforcement action, enforcement against me, repossess,
        repossessed, repossessing, repossession, foreclosure, foreclose, warrant of possession, bailiff,
        暂缓执行, 推迟执行, 延期执行, 暂停执行, 中止执行, 强制执行程序, 申请强制执行, 强制拍卖, 收回抵押, 收回房屋""",
}


@cache
def _book() -> PhraseBook[Matter]:
    return PhraseBook({phrase: matter for matter, words in _WORDS.items() for phrase in listed(words)})


def matters_of(complaint: Complaint) -> tuple[Matter, ...]:
    """The matters that the words of *complaint* name, in the order of :class:`Matter`."""
    texts = [complaint.subject, complaint.product, complaint.description]
    named = {matter for text in texts if text for _, _, matter in _book().find(Pieces(text))}
    return tuple(matter for matter in Matter if matter in named)
