"""What a row of the balance was: by the type that the platform gives it, else by the words of its comment.

MT5 gives each such deal a type (its ``ENUM_DEAL_TYPE``). MT4 has only ``balance`` and ``credit``, so there the words
tell, in English and Chinese, and where they tell nothing, the sign. Both give the same kinds for the same money.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domain.log.trade_log import EntryKind

BALANCE: Final = "balance"

_TYPES: Final[Sequence[tuple[re.Pattern[str], EntryKind]]] = (
    (re.compile(r"charge|.*commission.*|agent.*"), EntryKind.FEE),
    (re.compile(r"interest"), EntryKind.SWAP),
    # credit, bonus, correction, dividend, franked dividend, tax, buy canceled, so compensation, and what comes yet
    (re.compile(r"(?!balance$).*"), EntryKind.ADJUSTMENT),
)
_MAKES_GOOD: Final = (
    r"\bnegative balance|\bnbp\b|\breset\b.*\b(?:zero|balance)",
    r"\b(?:null|zero)(?:ed|ing)?\b.*\b(?:balance|compensation)",
    "负余额|負餘額|负结余|負結餘|清零|归零|歸零",
)
"""What a firm writes where it takes over what an account is below nothing."""
_WORDS: Final[Sequence[tuple[re.Pattern[str], EntryKind]]] = tuple(
    (re.compile("|".join(words), re.IGNORECASE), kind)
    for kind, *words in (
        (  # what the firm gives, or takes that is no charge
            EntryKind.ADJUSTMENT,
            *_MAKES_GOOD,
            r"\brefund|\breimburse|\bcompensation\b|\brebates?\b|\bcash ?back\b",
            r"\bwithdrawals?\b.*\b(?:cancel|reject|return|fail|declin)",
            r"\b(?:cancel|reject|return|fail|declin|revers)\w* withdrawal",
            "(?:出金|提款|取款|提现|提現).*(?:退回|取消|撤销|撤銷|拒绝|拒絕|失败|失敗|驳回|駁回)",
            "(?:退回|取消|撤销|撤銷|拒绝|拒絕|驳回|駁回)(?:出金|提款|取款|提现|提現)",
            r"\bdividends?\b|\btax(?:es)?\b|\bbonus(?:es)?\b|\bcredit\b(?! card)",
            "补偿|補償|赔偿|賠償|退还|退還|返还|返還|返佣|返点|返點",
            "股息|股利|分红|分紅|红利|紅利|税|稅|赠金|贈金|奖金|獎金|体验金|體驗金|信用额|信用額",
        ),
        (
            EntryKind.SWAP,
            r"\bswaps?\b(?![ -]?free)|\brollover\b|\bovernight\b|\binterest\b|\bstorage\b",
            "(?<!免)(?<!免隔夜)(?<!免过夜)(?<!免過夜)利息|(?<!免)隔夜",
            "(?<!免)(?:过夜费|過夜費|库存费|庫存費|仓储费|倉儲費|递延费|遞延費)",
        ),
        (
            EntryKind.FEE,
            r"(?<!\bno )(?<!\bzero )\b(?:commissions?|fees?|charges?|inactivity)\b(?![ -]?free)",
            r"\bsubscriptions?\b|\bvps\b|\bdata[ -]?feed\b",
            "(?<!免)(?:手续费|手續費|手数料|手數料|佣金|服务费|服務費|管理费|管理費|订阅费|訂閱費|扣费|扣費|收费|收費|费用|費用)",
        ),
        (
            EntryKind.ADJUSTMENT,
            r"\bcorrect(?:ion|ed|ing)\b|\badjust(?:ment|ed)?\b|\brevers(?:al|ed|e|ing)\b|\bstorno\b",
            "更正|冲正|沖正|调整|調整",
        ),
    )
)


def entry_kind(type_: str, amount: Decimal, note: str) -> EntryKind:
    """The kind of a row of the balance. *type_* is what the platform calls it, in lower case."""
    for shape, kind in _TYPES:
        if shape.fullmatch(type_):
            return kind
    for words, kind in _WORDS:
        if words.search(note):
            return kind
    if not amount:
        return EntryKind.ADJUSTMENT
    return EntryKind.DEPOSIT if amount > 0 else EntryKind.WITHDRAWAL


def makes_good(amount: Decimal, note: str) -> bool:
    """Whether a row of the balance says that the account stood below nothing before it."""
    return amount > 0 and any(re.search(words, note, re.IGNORECASE) for words in _MAKES_GOOD)


def entry_note(type_: str, kind: EntryKind, note: str) -> str | None:
    """What is kept of it: the comment, and before it the type where the kind does not say what it was."""
    if type_ == BALANCE or (note and kind in (EntryKind.FEE, EntryKind.SWAP)):
        return note or None
    return f"{type_}: {note}" if note else type_
