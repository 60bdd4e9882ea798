"""Finding phrases in Chinese and English text, in time linear in its length.

Text and phrases are cut into the same pieces: an English word, a Chinese character, or a break (punctuation, an emoji,
an empty line) that no phrase reaches across. Letter case, full-width letters, plural and possessive endings, hyphens,
line wraps and traditional characters make no difference.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Generic, TypeVar

_LATIN = "a-z0-9à-ɏ"
_HAN = "㐀-鿿"
_RUN = re.compile(rf"[{_LATIN}]+(?:'[a-z]+)*|(?P<han>[{_HAN}]+)|\n\s*\n|[^{_LATIN}{_HAN}\s-]+")
_COMMAS = frozenset(",，、")
_GAP = re.compile(r"[\s-]{2,}|\s")

# Every character is replaced by exactly one, so that a place in the folded text is the same place in the text.
_UPPER, _LOWER, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"


def _wide(letters: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in letters)


# Traditional characters of the word lists and their simplified forms: extend both when a new word needs it.
_TRADITIONAL = (
    "與專業喪個箇臨舉書買亂虧產産親倉們價眾衆會傳傷倫體餘傭偵債傾償儲兒關養農況凍齣別彆製辦務勁醫協單賣發"
    "髮檯臺颱號喫弔衕後嚇嗎聽員迴團糰睏場壞處復複頭婦寶實審傢對尋導儘盡侷屬崗佈師帶並併庫開異強歸噹當彔錄"
    "録徵徑懷態噁惡戲戶釦掃擾護報擔掛綑損據數斬斷無時朮術機殺權桿槓來櫃覈橋樓殘毆毀燬譭氣匯彙滙汙溝沒洩註"
    "潑濟遊潰點爺獨豬現電療癥瘓癱監盜盤碼離俬積穩係繫約縱綫線經綁結給絡絕絶統續維網罰羣聯腫脅臟髒腦盪蕩葯"
    "藥獲穫虛規視訂認討讓訊記訟訪証證詐訴話詳誤誘諾諉財責敗帐帳賬貨販貴貸費資賺蹤車轉軟輕較過邁還違連遲踰"
    "遺鬱裏裡針鍼鈡鍾鐘錢銀銷鎖鍋錯門閃問間鬧聞隊陸隱難項頓題額風飛飯驗騙騷黃齡廣應閒閑說講談劃萬兩標寫塊"
)
_SIMPLIFIED = (
    "与专业丧个个临举书买乱亏产产亲仓们价众众会传伤伦体余佣侦债倾偿储儿关养农况冻出别别制办务劲医协单卖发"
    "发台台台号吃吊同后吓吗听员回团团困场坏处复复头妇宝实审家对寻导尽尽局属岗布师带并并库开异强归当当录录"
    "录征径怀态恶恶戏户扣扫扰护报担挂捆损据数斩断无时术术机杀权杆杠来柜核桥楼残殴毁毁毁气汇汇汇污沟没泄注"
    "泼济游溃点爷独猪现电疗症痪瘫监盗盘码离私积稳系系约纵线线经绑结给络绝绝统续维网罚群联肿胁脏脏脑荡荡药"
    "药获获虚规视订认讨让讯记讼访证证诈诉话详误诱诺诿财责败账账账货贩贵贷费资赚踪车转软轻较过迈还违连迟逾"
    "遗郁里里针针钟钟钟钱银销锁锅错门闪问间闹闻队陆隐难项顿题额风飞饭验骗骚黄龄广应闲闲说讲谈划万两标写块"
)

_FOLD = str.maketrans(
    _UPPER + _wide(_UPPER) + _wide(_LOWER) + _wide(_DIGITS) + "’＇" + "‐‑" + _TRADITIONAL,
    _LOWER + _LOWER + _LOWER + _DIGITS + "''" + "--" + _SIMPLIFIED,
)

T = TypeVar("T")


def folded(text: str) -> str:
    """*text* as phrases are compared: small letters, narrow forms, simplified characters. As long as it was."""
    return text.translate(_FOLD)


class Pieces:
    """A text cut into pieces, and where each stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = folded(text)
        """The text in the letters that are compared, each where it stands in the text."""
        self.keys: list[str] = []
        self._runs: list[tuple[int, int]] = []
        for match in _RUN.finditer(self.folded):
            self._runs.append((len(self.keys), match.start()))
            if match.lastgroup == "han":
                self.keys.extend(match.group())
            else:
                self.keys.append(_key(match.group()))

    def as_written(self, first: int, end: int) -> str:
        """The words of the text from piece *first* to before piece *end*, as they stand there, spaces run together."""
        written = self.text[self._place(first) : self._place(end)]
        return _GAP.sub(" ", written).strip(" -")

    def between(self, begin: int, end: int) -> tuple[int, int]:
        """The first piece that begins from character *begin* to before *end*, and the one behind the last."""
        return self._next(begin), self._next(end)

    def without(self, spans: Iterable[tuple[int, int]]) -> "Rest":
        """What is left where the pieces of *spans*, each from its first to before its end, are taken out."""
        return Rest(self, spans)

    def _next(self, character: int) -> int:
        """The first piece that begins at that *character* or after it."""
        run = bisect_right(self._runs, character, key=itemgetter(1)) - 1
        if run < 0:
            return 0
        first, start = self._runs[run]
        end = self._runs[run + 1][0] if run + 1 < len(self._runs) else len(self.keys)
        return first if start == character else min(end, first + max(1, character - start))

    def _place(self, piece: int) -> int:
        """Where *piece* begins."""
        if piece == len(self.keys):
            return len(self.text)
        first, start = self._runs[bisect_right(self._runs, piece, key=itemgetter(0)) - 1]
        return start + piece - first


class Rest(Pieces):
    """What is left of a text where some of its pieces are taken out, and commas with what stands between two."""

    def __init__(self, whole: Pieces, spans: Iterable[tuple[int, int]]) -> None:
        super().__init__("")
        self._whole = whole
        out = bytearray(len(whole.keys))
        for first, end in spans:
            between = {*whole.keys[max(0, first - 1) : first], *whole.keys[end : end + 1]}
            out[first:end] = b"\1" * (end - first)
            if first and end < len(out) and between <= _COMMAS:
                out[first - 1] = out[end] = 1
        self._places = [at for at, gone in enumerate(out) if not gone]
        self.keys = [whole.keys[at] for at in self._places]

    def in_whole(self, first: int, end: int) -> tuple[int, int]:
        """Where the pieces from *first* to before *end*, at least one, stand in the whole."""
        return self._places[first], self._places[end - 1] + 1

    def as_written(self, first: int, end: int) -> str:
        """The words as they stand in the whole, with … for what was taken out between them."""
        runs: list[tuple[int, int]] = []
        for at in self._places[first:end]:
            if runs and runs[-1][1] == at:
                runs[-1] = (runs[-1][0], at + 1)
            else:
                runs.append((at, at + 1))
        return " … ".join(self._whole.as_written(*run) for run in runs)


@dataclass(slots=True)
class _Node(Generic[T]):
    """What may follow the pieces read so far, and the phrase they are if they are one."""

    following: dict[str, "_Node[T]"] = field(default_factory=dict)
    phrase: tuple[str, T] | None = None


class PhraseBook(Generic[T]):
    """Phrases, each with what it means."""

    def __init__(self, meanings: Mapping[str, T]) -> None:
        self._root: _Node[T] = _Node()
        for phrase, meaning in meanings.items():
            node = self._root
            for key in Pieces(phrase).keys:
                node = node.following.setdefault(key, _Node())
            node.phrase = (phrase, meaning)

    def find(self, pieces: Pieces) -> Iterator[tuple[str, str, T]]:
        """Yield each phrase that occurs in *pieces* once: as the book has it, as it is written, and what it means."""
        seen = set()
        for phrase, first, end, meaning in self.occurrences(pieces):
            if phrase not in seen:
                seen.add(phrase)
                yield phrase, pieces.as_written(first, end), meaning

    def occurrences(self, pieces: Pieces) -> Iterator[tuple[str, int, int, T]]:
        """Yield each occurrence of a phrase: as the book has it, its first piece and the one behind it, its meaning.

        From left to right the longest phrase at each place is taken, and what it covers is not read again.
        """
        keys, beginnings = pieces.keys, self._root.following
        read_until = 0
        for at in [at for at, key in enumerate(keys) if key in beginnings]:
            if at < read_until:
                continue
            following, longest, ahead, end = beginnings, None, at, at
            while ahead < len(keys) and (node := following.get(keys[ahead])):
                following = node.following
                ahead += 1
                if node.phrase:
                    longest, end = node.phrase, ahead
            if longest:
                read_until = end
                phrase, meaning = longest
                yield phrase, at, end, meaning


def listed(text: str) -> list[str]:
    """The phrases of a list in which commas separate them."""
    return [" ".join(phrase.split()) for phrase in text.split(",")]


def _key(piece: str) -> str:
    """What a piece is compared by: the word without a plural or possessive ending."""
    word = piece.removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word
