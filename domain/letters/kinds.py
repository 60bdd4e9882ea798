"""The kinds of letters, one row each: what a letter is called, what it needs, and what it does.

What a kind says is in ``templates/en/KIND.txt`` and ``templates/zh-CN/KIND.txt``. It is posted in ``workflows/``: by a
stage, a message or a clock action. Tests tie each row to its templates, its facts and to where it is posted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.ground.bilingual import Bilingual
from domain.ground.spoken import said
from domain.ground.words import Action, LetterKind


@dataclass(frozen=True, kw_only=True)
class LetterRow:
    """A kind of letter."""

    name: Bilingual
    """What it is called in running text."""
    needs: tuple[str, ...] = ()
    """The fields of :class:`~domain.letters.letter.LetterFacts` without which it is not written."""
    to_staff: bool = False
    """It goes to staff, and tells nothing of the customer."""
    interim: bool = False
    """It is of no use any more once the case is closed."""
    response: bool = False
    """It has reasons, and with it the customer's times to go further begin."""
    all_routes: bool = False
    """It lists every route of the pack; others only those that a rule of the pack has them name."""
    answers: bool = False
    """It answers what the customer has just sent, at whatever hour."""
    owns_up: bool = False
    """It tells an expected date that has passed as missed, and promises a new one."""
    discloses: bool = False
    """It tells what the firm knows of the customer's account: only to who is known to be the customer."""
    wait_ends_by: Action | None = None
    """Its acceptance starts the wait for an answer, whose end does this."""

    @property
    def tells(self) -> bool:
        """Whether it may tell of the account, by what it discloses or in words that people wrote."""
        return self.discloses or not {"questions", "reasons"}.isdisjoint(self.needs)


LETTERS: Final[Mapping[LetterKind, LetterRow]] = {
    LetterKind.ACKNOWLEDGEMENT: LetterRow(
        name=said("acknowledgement", "受理告知"),
        needs=("expected_by",),
        answers=True,
        owns_up=True,
    ),
    LetterKind.INFORMATION_REQUEST: LetterRow(
        name=said("request for information", "资料询问"),
        needs=("questions", "reply_by"),
        wait_ends_by=Action.STOP_WAITING,
    ),
    LetterKind.REMINDER: LetterRow(
        name=said("reminder", "提醒"),
        needs=("questions", "reply_by"),
        interim=True,
    ),
    LetterKind.PROGRESS: LetterRow(
        name=said("progress letter", "进展告知"),
        needs=("stage",),
        interim=True,
        owns_up=True,
    ),
    LetterKind.OVERDUE: LetterRow(
        name=said("apology for the delay", "逾期告知"),
        needs=("expected_by",),
        interim=True,
        owns_up=True,
    ),
    LetterKind.HOLDING: LetterRow(
        name=said("holding letter", "延期说明"),
        needs=("letter", "expected_by"),
        interim=True,
        all_routes=True,
    ),
    LetterKind.EXTENSION: LetterRow(
        name=said("notice of an extension", "延长告知"),
        needs=("clock", "extension", "reasons"),
        interim=True,
    ),
    LetterKind.SUMMARY_RESOLUTION: LetterRow(
        name=said("summary of the resolution", "办结告知"),
        needs=("outcome",),
        discloses=True,
        response=True,
        all_routes=True,
    ),
    LetterKind.FINAL_RESPONSE: LetterRow(
        name=said("final response", "处理决定"),
        needs=("outcome", "reply_by"),
        discloses=True,
        response=True,
        all_routes=True,
        wait_ends_by=Action.ACCEPT_SILENCE,
    ),
    LetterKind.OUTSIDE_DECISION: LetterRow(
        name=said("letter that an outside decision is carried out", "外部决定落实告知"),
        needs=("outcome", "reasons", "route", "decided_at"),
        discloses=True,
    ),
    LetterKind.WITHDRAWAL: LetterRow(name=said("confirmation of the withdrawal", "撤回告知"), answers=True),
    LetterKind.REFERRAL: LetterRow(name=said("referral", "转介告知")),
    LetterKind.PAYMENT_DECLINED: LetterRow(
        name=said("letter that a payment was declined", "付款未成功告知"),
        needs=("unpaid",),
        discloses=True,
    ),
    LetterKind.PAYMENT_PARTIAL: LetterRow(
        name=said("letter that a part was paid", "部分付款告知"),
        needs=("paid", "unpaid"),
        discloses=True,
    ),
    LetterKind.PAYMENT_REVERSED: LetterRow(
        name=said("letter that a payment came back", "款项退回告知"),
        needs=("unpaid",),
        discloses=True,
    ),
    LetterKind.FEEDBACK_REQUEST: LetterRow(name=said("request for feedback", "满意度回访")),
    LetterKind.STAFF_NOTICE: LetterRow(
        name=said("notice to staff", "内部通知"),
        needs=("notice", "audience"),
        to_staff=True,
    ),
}
