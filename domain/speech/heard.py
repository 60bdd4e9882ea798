"""Whether what is said is meant: what is denied, only supposed, asked by us, quoted from us, told of a film or in the
news, or over long since is no sign.

It is looked for before the words, in the same clause. When in doubt it is meant: a sign too many costs a look.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cache
from typing import Final

from domain.ground.phrases import Pieces, listed
from domain.speech.patterns import PatternBook, Spans, clauses

DENIED, SUPPOSED, ASKED, OVER = "denied", "supposed", "asked or quoted", "over long since"

_DENIES: Final = """
    not, never, no, isn't, wasn't, aren't, weren't, neither, nor, without, nobody, hasn't, haven't, hadn't, didn't,
    doesn't, don't, won't, wouldn't, no longer, no one, none, nothing like, far from, instead of, rather than,
    ain't, am not, nobody is, can't be, couldn't be, not even, cannot be, no child, no debt, no illness, 没有, 没,
    不是, 并非, 并没有, 不会, 从未, 从没, 不曾, 未曾, 没说, 没想, 没想过, 没说过, 不想, 不打算, 不至于, 不可能,
    不老也没, 可不是, 我不, 绝不, 不再, 冇, 唔会, 唔系, 没打算"""
"""Before the words of a sign they deny it."""

_NOT_A_DENIAL: Final = """
    can't stop, cannot stop, can't help, cannot help, couldn't stop, not only, never stop, not just, don't make me,
    not joking, no choice but, not kidding, no other way than, no way but, nothing but, no way out,
    not know whether, not know if, not lying, not bluffing, no joke, nothing left but, no option but,
    not afraid to, won't stop, no use, not exaggerating, don't let, do not make me, do not let, don't push me,
    don't drive me, don't think i won't, not getting over, nobody to, no one to, no one cares that,
    nobody cares that, no one told, nobody told, nobody asked, no one asked, not long ago, never mind that,
    no doubt, not because, didn't care that, don't care that, didn't ask, not told, didn't know, doesn't know,
    don't know, not knowing, not aware, never got over, without work, no income, 没办法, 没法, 不得不, 不止, 不光,
    不只, 不如, 忍不住, 没开玩笑, 不开玩笑, 不是开玩笑, 别逼, 不要逼, 没活路, 没别的, 没路, 没有别的, 没有办法,
    没有路, 没人, 没地方, 没人管, 没钱, 无路, 无力, 没收入, 不管, 不顾, 没考虑, 没告诉, 没问, 不知道"""
"""Where these stand nothing is denied."""

_SAYS: Final = frozenset(
    ["think", "say", "said", "mean", "meant", "claim", "thought", "want", "going", "about", "that", "to"]
)
_NEEDLESS: Final = """
    no intention of, no intention to, no need for, no need of, no need to, no plan to, no wish to, don't need,
    do not need, needn't, not worth, no reason to (call|take|see|ask), 用不着, 不必, 无需, 不需要, 没必要, 犯不着,
    不用找, 不用请, 不用去"""
"""Before the words of a sign other than danger to life they deny it, however far."""

_I: Final = frozenset(["i", "i'm", "i'll", "i'd", "i've", "my", "我", "俺", "咱"])
_TOLD: Final = """
    (in|from|on|of) (the|that|this|a|your) (news|newspaper|paper|papers|film|movie|novel|series|podcast|advert|ad),
    in the paper, (i|we) (read|saw) ~ (about|news|paper|papers|article), (film|movie|podcast|novel|advert) ~ about,
    (podcast|film|movie|advert|article|newsletter|joke|jokes) (you|that|talks|about|shows),
    (scene|bit|part|moment|episode|chapter|ending) (where|when|in which), 那一幕, 那一集, 那一章, 里面有个人, 那个桥段,
    (he|she|salesman|agent|manager|adviser|they) (joked|was joking|jokes), joked that, joke about, jokes about,
    (robot|bot|machine|line|system) (understood|heard|misheard), when i (wrote|said) that,
    (bot|robot|chatbot|machine|form|system|menu) (replied|answered|responded|suggested|offered) ~ (if|hotline|
        helpline|to),
    (机器人|自动回复|弹窗|智能客服|语音菜单) (回我|回复我|回复|回的|回|弹出|提示|推给我|发给我|让我选),
    (误点|误选|点错|勾错|误触) 了,
    新闻, 报上, 报纸, 电影, 电视剧, 小说, 播客, 讲座, 笑话, 他开玩笑, 经理开玩笑, 业务员开玩笑, 客服开玩笑, 看报道,
    看到报道, 听说书, 游戏里"""
"""What follows it in its clause, without an I between, is told of a film, in the news or as a joke."""

_FIGURE: Final = """
    (is|was|it's|that's|just|only) (an expression|a figure of speech|an idiom|a metaphor|a saying|a song title|a lyric),
    (就是|只是|不过是|无非是|是) (个|一个|一种|句|一句|) (说法|比喻|夸张|歌词|口头禅|成语|俗语|俗话|形容)"""
"""What follows it, in its clause or the next, says that it was a way of speaking. That it was a joke is not enough."""

_LONG_AGO: Final = """
    (years|decades) (ago|back), (years|decades) before, long ago, (back|that was) in #, in my (teens|twenties|youth),
    when i was (a student|a teenager|young|#), 年前, 多年以前, 很久以前, 年轻的时候, 上学的时候, 读书的时候"""
"""Before the words of a sign, in its clause, or after them: it is told of a time long past."""
_BEHIND_ME: Final = """
    (i'm|i am|i have been|i've been) (well|fine|healthy|stable|in good health) ~ (now|since|for years|today),
    (i'm|i am|i have) (fully|completely|long since|long) recovered, (that is|that's|it is|it's|all) ~ (behind me|
        behind us|in the past), 早就好了, 早已好了, 早好了, 已经过去了, 早就过去了, 都过去了, 早已过去, 早就走出来了,
    已经康复, 早已康复, 完全康复"""
"""What says, after the words of a sign, that it is over. Told of a time long past as well, it is no sign."""
_RETURNS: Final = """
    (thought|thoughts|feeling|feelings|urge|urges|it|they|darkness|depression) ~ (back|again|returned|returning),
    again, relapse, relapsed, relapsing, until now, until today, till now, not any more, 复发, 又来, 又有, 又回来, 又想,
    再次, 重新, 直到"""
"""Where it is said that it returns nothing is over."""

_SUBJECTS: Final = frozenset(["i", "i'm", "i'll", "i'd", "he", "she", "they", "we", "he'", "you"])

_SUPPOSES: Final = """
    if i were, if i was, if i had, if we were, if he were, if she were, as
    if i were, as though i were, whether i am, whether anyone, if i were to,
    if i had to, if i should, 要是请, 如果请, 要是找, 如果找, 要是我, 如果我是, 假如我, 假如我是, 我要是,
    若我, 假使我, 倘若我, 当我是, 以为我是"""
"""Before the words of a sign they only suppose it."""

_ASKED: Final = """
    (bot|form|agent|chat|support|robot|questionnaire|you|page|staff) (asked|ask|asks|keeps asking|
        kept asking) ~ (if|whether), (was|were|been|am) asked (if|whether),
    (bot|form|robot|questionnaire) (said|say|says|suggested|wrote|writes|claims),
    (you|your agent|your bot|your staff|your chat) (say|said|claim|claimed|think|believe|assume) (i|i'm|i am),
    made that up, as (my|our) (nephew|friend|cousin) puts it,
    (机器人|表上|表格|问卷|客服|你们|系统) (问我|说我|问家里|问有没有|问是不是|以为我), 问家里有没有, 问我想不想,
    问我是不是, 问是否, 客服编的"""
"""What we asked or put into somebody's mouth."""

_LOOK_BACK: Final = 5
"""So many pieces, words of English or characters of Chinese, may stand between a denial and what it denies."""


@cache
def _book() -> PatternBook[str]:
    meanings = dict.fromkeys(listed(_DENIES), "denies")
    meanings |= dict.fromkeys(listed(_NOT_A_DENIAL), "not")
    meanings |= dict.fromkeys(listed(_SUPPOSES), "supposes")
    meanings |= dict.fromkeys(listed(_NEEDLESS), "needless") | dict.fromkeys(listed(_TOLD), "told")
    meanings |= dict.fromkeys(listed(_FIGURE), "figure")
    meanings |= dict.fromkeys(listed(_LONG_AGO), "long ago") | dict.fromkeys(listed(_BEHIND_ME), "behind me")
    meanings |= dict.fromkeys(listed(_RETURNS), "returns")
    return PatternBook(meanings | dict.fromkeys(listed(_ASKED), "asked"), {})


class Ears:
    """Tells of a place in a text whether what stands there is meant."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._begins = [begin for begin, _ in clauses(pieces.keys)]
        self._ends: dict[tuple[str, int], int] = {}
        """Where the first of each kind ends, by the clause it stands in."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for hit in _book().find(pieces):
            found[hit.meaning].append((hit.first, hit.end))
            place = (hit.meaning, self._clause(hit.first))
            self._ends[place] = min(hit.end, self._ends.get(place, hit.end))
        self._figures = sorted(first for first, _ in found["figure"])
        self._long_ago = sorted(first for first, _ in found["long ago"])
        self._behind = [] if found["returns"] else [first for first, _ in found["behind me"]]
        self._denies, self._not = Spans(found["denies"]), Spans(found["not"])

    def why_not_meant(self, first: int, *, danger: bool) -> str | None:
        """``DENIED``, ``SUPPOSED``, ``ASKED`` or ``OVER`` if the words from piece *first* on are not meant; ``None`` if
        they are.

        Of *danger* to life a supposition is meant: who writes "if you do not pay I shall …" is in danger.
        """
        clause = self._clause(first)
        if self._stands("asked", clause, first):
            return ASKED
        if self._stands("told", clause, first) and not _I & set(self._pieces.keys[self._ends["told", clause] : first]):
            return ASKED
        after = bisect_right(self._figures, first)
        if after < len(self._figures) and self._figures[after] < self._end_of_next(first):
            return ASKED
        if self._is_over(clause, first):
            return OVER
        if not danger and self._stands("supposes", clause, first):
            return SUPPOSED
        if not danger and self._stands("needless", clause, first):
            return DENIED
        for start, end in self._denies.around(first - _LOOK_BACK, first):
            if start < clause or end > first or first - end >= _LOOK_BACK:
                continue
            if any(high > start for _, high in self._not.around(start, first)):
                continue
            between = self._pieces.keys[end:first]
            if any(key in _SUBJECTS for key in between) and not _SAYS & set(between):
                continue
            return DENIED
        return None

    def _clause(self, first: int) -> int:
        """Where the clause of piece *first* begins."""
        return self._begins[bisect_right(self._begins, first) - 1]

    def _is_over(self, clause: int, first: int) -> bool:
        """Whether what piece *first* tells, in that *clause*, was long ago, and is said to be over."""
        at = bisect_left(self._long_ago, clause)
        told = at < len(self._long_ago) and self._long_ago[at] < self._end_of_next(first)
        return told and any(behind > first for behind in self._behind)

    def _end_of_next(self, first: int) -> int:
        """Where the clause after that of piece *first* ends."""
        after = bisect_right(self._begins, first) + 1
        return self._begins[after] if after < len(self._begins) else len(self._pieces.keys)

    def _stands(self, kind: str, begin: int, first: int) -> bool:
        """Whether one of that *kind* stands in the clause that begins there, before piece *first*."""
        return self._ends.get((kind, begin), first + 1) <= first
