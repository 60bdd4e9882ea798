"""Whether a text asks how far a complaint is, and nothing else: then the record answers, and no person has to.

It is strict: a clause counts as such a question if it has the words of one and no word but those that go with it. The
rest must be courtesies and who signs. Whoever says anything else is read by a person.
"""

import re
from collections.abc import Iterable
from typing import Final

from domain.ground.phrases import folded

LONGEST: Final = 500
"""Whoever writes more says more than that."""
_MOST_PARTS: Final = 12
_MOST_OF_A_NAME: Final = 4

_QUESTION_EN: Final = r"""
    where (?:is|are|does|do|has|it|my|the|our|things|we|you)\b, where's, how far\b, (?:what|how) about my (?:complaint|
        case)\b,
    (?:status|progress|updates?|news)\b, (?:is|what's) happening\b, happened (?:to|with)\b, what stage\b, stands?\b,
    how(?: is| are|'s) .*(?:going|coming along|progressing|getting on)\b, how (?:long|much longer)\b,
    when (?:will|can|shall|do|may|should|might) .*(?:hear|answer|reply|response|decision|decided?|done|finish|
        resolved)\b,
    (?:have|has|did|is) (?:you|it|my complaint|my case|anybody|anyone|somebody|someone) .*(?:decided?|decision|finish|
        finished|done|resolved|looked (?:at|into)|looking (?:at|into)|dealing with|working on|handling)\b,
    when (?:i|we) (?:can|will|may|might|should) .*(?:hear|answer|reply|response|decision|result)\b,
    how (?:my|the|our) (?:complaint|case) (?:is|stands|goes)\b, (?:has|have) (?:a|any) decision\b, got anywhere\b,
    going on\b, latest\b, anything new\b,
    whats happening\b, got to\b, (?:you|your) .*finished\b,
    how soon\b, waiting to hear\b, any movement\b,
    (?:have|has|did) (?:you|any(?:body|one)|some(?:body|one)) .*(?:received?|get|got) (?:my |the )?(?:complaint|case)\b,
    any (?:answer|decision|result|reply) (?:yet|so far)\b, (?:checking in|following up|chasing)\b"""
"""One of these a question has."""
_GOES_WITH_EN: Final = frozenset(
    """
    a about again already am an and any anybody anyone are ask asking at be been being can case chasing check
    checking claim complaint could current currently dealing dealt decide decided decision did do does done enquire
    enquiring expect far file final find finish finished following for from get getting give go going got had
    handled handling has have hear heard how i i'd i'm in inform into is issue it it's just kindly know latest let
    like long longer look looked looking many matter may me might much my need new news now number of on or our out
    please pls progress progressing provide quick quickly receive reference regarding reply resolved response right
    see send should since so far somebody someone stage stand standing stands state status still take tell that
    the there things this ticket time to today up update updates us wait waiting want wanted was we what what's when
    where where's will wish with wonder wondering working would write writing yet you your yours answer happening
    happened hi hello hey dear team coming along sorry excuse shall back anywhere made movement case's how's share
    needful grateful obliged would if in up on someone anything soon advise whats think
    you'll report telling mind investigation investigating but u received submitted sent last week weeks day days month
    months ago yesterday
    """.split()  # noqa: SIM905 (it reads as text)
)
_COURTESY_EN: Final = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|to whom it may concern)(?: (?:there|again|all|team"
    r"|sir|madam|sirs|or|and|complaints|customer|support|service|colleagues|everybody|everyone|the))*"
    r"|please|pls|(?:many |much )?(?:thanks|thank you)(?: (?:so|very|much|a lot|in advance|again|for|your|help|time|and"
    r"|kind|best|regards))*|(?:i |we )?look(?:ing)? forward to (?:hearing from you|your (?:reply|answer|response))"
    r"|(?:with )?(?:kind|best|warm|kindest)? ?(?:regards|wishes)|yours(?: (?:sincerely|faithfully|truly))?|sincerely"
    r"|i (?:still )?(?:haven't|have not) (?:yet )?(?:heard|received|had)(?: (?:anything|a reply|back|yet|since|from you"
    r"|about my (?:complaint|case)))*"
    r"|(?:i'm |i am |we're )?still waiting|sorry to (?:bother|trouble|chase) you(?: again)?"
    r"|(?:it's|it is|it has) (?:now |already )?(?:been )?(?:over |more than |nearly |almost |about )?"
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|several|many|(?:a )?few|a couple of)"
    r"(?: (?:working|business|whole|full))? (?:days?|weeks?|months?)(?: (?:now|already|since))?"
    r"|cheers|best|(?:my |the |your )?(?:complaint |case )?(?:reference|complaint|case)(?: (?:number|no|id))?(?: is)?"
)

_QUESTION_ZH: Final = re.compile(
    r"(?:到|在)哪|哪(?:一)?步|(?:什么|哪个|啥)(?:阶段|环节|程度|状态|进度|进展|情况)|(?:得|的)?(?:怎么样|怎样|如何|咋样)|进度|进展|"
    r"处理情况|办理情况|处理状态|(?:什么时候|何时|几时|多久|多长时间|哪天)"
    r"|(?:有没有|是否有|有什么|有啥)新?(?:结果|消息|答复|回复|结论|情况|动静|说法)"
    r"|(?:有|出)(?:新)?(?:的)?(?:结果|消息|答复|回复|结论|动静|说法|人.*(?:处理|跟进|负责|管|看))了?(?:吗|没有|没|么|嘛|\?)"
    r"|(?:处理|办理|受理|办|解决)(?:完|好)?了?(?:吗|没有|没|么|嘛|\?)"
    r"|(?:而家|依家)点|点样|有冇(?:消息|结果|进展|回复|回音)|去到边|(?:结果|消息|进展)未"
    r"|投诉呢|收到.*投诉.*(?:吗|没有|没|么)"
    r"|(?:结果|消息|答复|结论)出来了?(?:吗|没有|没|么)"
    r"|(?:怎么|为什么)(?:还)?没(?:消息|结果|动静|进展|回复)|(?:处理|办|搞)(?:好|掂|完)咗?未"
)
_GOES_WITH_ZH: Final = re.compile(
    "|".join(
        sorted(
            """
            我们 我 本人 咱 俺 的 这个 那个 这 那 个 之前 上次 提交 投诉 案件 案子 工单 事情 事儿 事 问题 单子
            申诉 编号 单号 现在 目前 如今 到底 究竟 今天 最近 一直 还 都 已经 已 有没有 是否 是不是 处理 办理
            受理 办 进行 进展 进度 走 查询 核实 弄 到 得 哪里 哪儿 哪个 哪天 哪 一步 步 环节 什么 阶段 程度
            怎么样 怎样 如何 咋样 了 呢 啊 呀 吗 嘛 没有 没 么 哦 吧 最新 当前 情况 状态 结果 消息 动静 回音
            下文 说法 答复 回复 结论 请问 请 麻烦 劳驾 你好 您好 想要 想 要 能不能 能否 能 可以 可否 搞 掂 帮我 帮忙
            给 你们 您 你 问一下 问 打听 知道 了解 告诉 告知 查 看看 看 说说 说 一下 下 再 就是 就 催 关于 有 出
            新 人 在 谁 跟进 负责 管 什么时候 何时 几时 多久 多长 时间 需要 得 等 才 会 收到 得到 完 好 解决
            大概 大约 是 为 啥 或 而家 依家 点样 点 有冇 去到 边度 边 嘅 咗 喇 未 件 单 case 贵司 贵公司
            咨询 尽快 上周 昨天 出来 怎么 为什么
            """.split(),  # noqa: SIM905 (it reads as text)
            key=len,
            reverse=True,
        )
    )
)
_COURTESY_ZH: Final = re.compile(
    r"(?:你好|您好|你们好|在吗|客服|亲|早上好|上午好|下午好|晚上好|打扰了|打扰一下|不好意思|尊敬的|投诉|处理|团队|请问)+"
    r"|(?:谢谢|多谢|感谢|辛苦|麻烦|拜托)(?:您|你|们|了|啦|大家|一下)*"
    r"|(?:盼复|期待(?:您的|你们的)?(?:回复|答复)|请回复|请答复|此致|敬礼|祝好|顺祝商祺)+"
    r"|(?:我|都|已经)*(?:投诉|提交|等)了?(?:都|已经)?(?:这么|很|好|那么)(?:久|长时间)了?|等咗好耐"
    r"|(?:都|已经|已|这|现在)*(?:过|过去)?了?(?:[一二两三四五六七八九十半几]|\d)+个?多?(?:天|周|星期|礼拜|月)多?了?"
    r"|(?:我|本人)?(?:的)?(?:投诉|案件)?(?:编号|单号|案号)?(?:是|为)?"
)
_ENDING: Final = re.compile(r"thank|regards|wishes|sincerely|yours|best|谢|祝|此致|敬礼|盼复")

_REFERENCE: Final = re.compile(r"\(?#?(?<![a-z0-9])rd-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{5}(?![a-z0-9])\)?")
_PARTS: Final = re.compile(r"(?<=\?)|\s-\s|[.!…,;:，。！；：、~\n()\[\]\"“”–—]+")
_SIMPLIFIED: Final = str.maketrans("進請麼這誰幾邊為謝煩覆詢結諮咨", "进请么这谁几边为谢烦复询结咨咨")
"""Characters of such questions that the lists of phrases do not know."""
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")


def _any(patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(re.sub(r"\n\s+", "", one).strip() for one in patterns.split(",")))


_QUESTIONS_EN: Final = _any(_QUESTION_EN)


def asks_how_far(text: str) -> bool:
    """Whether *text* asks how far the complaint is, and says nothing else but courtesies and who signs."""
    if len(text) > LONGEST:
        return False
    plain = folded(text.casefold()).translate(_SIMPLIFIED).replace("？", "?")
    parts = [" ".join(part.split()) for part in _PARTS.split(_REFERENCE.sub(" ", plain))]
    return _only_asks(part for part in parts if part.strip("? -"))


def _only_asks(parts: Iterable[str]) -> bool:
    asked = ending = False
    for number, part in enumerate(parts):
        if number >= _MOST_PARTS:
            return False
        if _is_courtesy(part):
            ending = ending or (asked and bool(_ENDING.search(part)))
        elif _is_question(part):
            asked = True
        elif not (ending and _may_be_a_name(part)):
            return False
    return asked


def _is_courtesy(part: str) -> bool:
    part = part.rstrip("? ")
    return bool(_COURTESY_EN.fullmatch(part) or _COURTESY_ZH.fullmatch(part))


def _is_question(part: str) -> bool:
    if not _CHINESE.search(part):
        return bool(_QUESTIONS_EN.search(part)) and set(part.rstrip("? ").split()) <= _GOES_WITH_EN
    packed = part.replace(" ", "")
    return bool(_QUESTION_ZH.search(packed)) and not _GOES_WITH_ZH.sub("", packed).strip("?")


def _may_be_a_name(part: str) -> bool:
    """Behind the courtesies of the end: who signs, in a few words that are none of a sentence."""
    if _CHINESE.search(part):
        return len(part) <= _MOST_OF_A_NAME
    said = part.split()
    return len(said) <= _MOST_OF_A_NAME and part.replace(" ", "").isalpha() and not {*said} & _NOT_A_NAME


_NOT_A_NAME: Final = frozenset(["i", "you", "we", "my", "me", "not", "no", "will", "is", "are", "have", "to", "for"])
