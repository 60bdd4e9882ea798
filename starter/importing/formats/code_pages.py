"""In which code page a text is, where it does not say: UTF-16 by its shape, GBK only if what it reads as is Chinese.

Nearly any bytes are GBK: a statement in Big5, Shift-JIS, Korean or Cyrillic decodes as Chinese characters that nobody
writes. So what decodes is looked at.
"""

import codecs
from typing import Final

_ENOUGH: Final = 0.95
"""So many of the characters beyond ASCII are common ones in a Chinese text; in another one, hardly more than half."""
_STATEMENTS: Final = frozenset(
    "入金出金存款取款提款转账手续费佣金利息隔夜库存费盈亏余额调整赠金返佣平仓开仓止损止盈爆仓强平黄金白银"
    "银行卡支付宝微信电汇内部划转账户交易补偿清零负分红税年月日元美欧，。：；（）！？、“”－　"
)


def utf_16(head: bytes) -> str | None:
    """The name of UTF-16 as Python has it, if a text that begins with *head* is in it."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[: len(head) // 2 * 2][:512]
    if len(sample) >= 8:  # its markup is ASCII, every other byte of which is zero
        for encoding, zeros, others in (
            ("utf-16-le", sample[1::2], sample[::2]),
            ("utf-16-be", sample[::2], sample[1::2]),
        ):
            if zeros.count(0) > 0.9 * len(zeros) and not others.count(0):
                return encoding
    return None


class ChineseLikelihood:
    """Looks at what a text reads as in GBK."""

    def __init__(self) -> None:
        self._common = self._others = 0
        self._beyond_korean = False
        self._words_only = True

    def see(self, text: str) -> None:
        """The next piece of the text."""
        for character in text:
            if character >= "\x80":
                code = character.encode("gb18030")
                lead, trail = code[0], code[1]
                # rows 1 and 3 of GB 2312 are punctuation, 16 to 55 the 3,755 common characters
                common = len(code) == 2 and trail >= 0xA1 and (lead in (0xA1, 0xA3) or 0xB0 <= lead <= 0xD7)
                self._common += common
                self._others += not common
                # Korean has its syllables in the same rows up to C8; Chinese is spread over all of them
                self._beyond_korean = self._beyond_korean or (common and lead > 0xC8)
                self._words_only = self._words_only and character in _STATEMENTS

    @property
    def likely(self) -> bool:
        """Whether it is Chinese beyond reasonable doubt. A text without such characters is."""
        seen = self._common + self._others
        return self._common >= _ENOUGH * seen and (self._beyond_korean or self._words_only)
