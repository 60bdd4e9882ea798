"""What people say in their own words: heard for what it is, and not where it is denied, asked or quoted."""

import sys
from collections import defaultdict
from types import FrameType

import pytest

from domain.ground.phrases import PhraseBook, Pieces, listed
from domain.ground.words import Category, Severity
from domain.speech import signs_en, signs_zh, topics_en, topics_zh
from domain.speech.patterns import PatternBook, PatternError
from domain.speech.signs import DANGER_TO_LIFE, Heard, signs
from runtime.corpus import Sentence, sentences
from runtime.paths import CORPUS
from tests.case.test_assessment import assessed, grounds

LOW, HIGH, CRITICAL = Severity.LOW, Severity.HIGH, Severity.CRITICAL
NO_WORDS: PhraseBook[tuple[Severity, str] | None] = PhraseBook({})


def heard(text: str) -> list[Heard]:
    return list(signs(Pieces(text), NO_WORDS))


WAYS_OF_SPEAKING = {
    "a thing ends itself": ("Your chart commits suicide at the open.", "My brother committed suicide at the open."),
    "a folly": ("It is suicide to trade with such a spread.", "My brother talks of suicide."),
    "business goes on": ("I can't go on paying for this terminal.", "I can't go on. I paid for everything."),
    "a thing is lived with": ("I don't want to live with such a delay.", "I don't want to live with these debts."),
    "an ultimatum": (
        "This is my last message before I go to the ombudsman.", "This is my last message before I go.",
    ),
    "an ultimatum and what is next": (
        "This is my last mail to you, the next one goes to the regulator.",
        "This is my last message, the next one writes my sister.",
    ),
    "a scene": (
        "I know the scene where she jumps off the bridge.", "I know she jumps off the bridge tonight.",
    ),
    "long ago and over": (
        "Twelve years ago I cut my wrists. I've been well for years and ask about a fee.",
        "Twelve years ago I cut my wrists. I've been well for years but the thoughts are back.",
    ),
    "早已过去": ("十五年前我想不开过，早就好了，只问税表。", "十五年前我想不开过，早就好了，最近又想割腕。"),
    "a superior": ("My accountant would kill me for this.", "My husband would kill me for this."),
    "a way of speaking": (
        '"I could murder someone" is an expression, no more.', '"I could murder someone", I said, and I meant it.',
    ),
    "a machine's words": (
        "The chatbot suggested a helpline for suicidal people.", "The chatbot is no use, I am suicidal.",
    ),
    "an estate": (
        "I am executor for a client of yours who took his own life.", "A friend of mine took his own life over this.",
    ),
    "要我命": ("验证码真的要我命。", "他们要我命，就在门外。"),
    "讲师": ("分析师喊亏了我去跳黄浦江。", "亏光了，我去跳黄浦江。"),
    "行情": ("行情跳楼了，没有成交。", "行情这样，我要跳楼了。"),
    "话题": ("看了自杀的新闻，你们有什么措施？", "看完行情我只想自杀。"),
    "不会为了": ("我不会为这点手续费寻短见的。", "我会为这笔钱寻短见的。"),
    "后置否定": ("傻事我不会干，退钱就行。", "我怕自己会干傻事。"),
    "了结": ("一键了结只成交了一半。", "我想了结自己。"),
    "机器回复": ("机器人回我轻生请拨热线。", "没人回我，我想轻生。"),
    "说法": ("我说“被逼到绝路”就是个说法。", "我已经被逼到绝路。"),
}  # fmt: skip
"""Ways of speaking that sound like danger to life, each beside one that is none."""


@pytest.mark.parametrize("way", WAYS_OF_SPEAKING)
def test_a_way_of_speaking_is_told_from_danger_to_life(way: str) -> None:
    harmless, meant = WAYS_OF_SPEAKING[way]
    for text, expected in ((harmless, False), (meant, True)):
        found = any(one.kind == DANGER_TO_LIFE and not one.not_meant for one in heard(text))
        assert found is expected, text


# -- patterns ----------------------------------------------------------------------------------------------------------

BOOK = PatternBook(
    {
        "take {money} out": "class",
        "pressed ~ button": "gap",
        "clicked (at|) # ~ got #": "numbers",
        "扣 ~ 费": "中",
        "(my|the) own money": "either",
    },
    {"money": "cash, my cash, funds"},
)


@pytest.mark.parametrize(
    ("text", "meaning", "shown"),
    [
        ("I take my cash out", "class", "take my cash out"),
        ("Take FUNDS out!", "class", "Take FUNDS out"),
        ("pressed the button", "gap", "pressed … button"),
        ("pressed button", "gap", "pressed button"),
        ("pressed one two three four button", "gap", "pressed … button"),
        ("I clicked 1,980 and got 1983.5", "numbers", "clicked 1,980 … got 1983.5"),
        ("扣了我十二块的費", "中", "扣 … 費"),
        ("the own money", "either", "the own money"),
    ],
)
def test_a_pattern_is_found_and_shown_without_what_stands_in_its_gaps(text: str, meaning: str, shown: str) -> None:
    (hit,) = BOOK.find(Pieces(text))
    assert (hit.meaning, hit.shown) == (meaning, shown)


@pytest.mark.parametrize(
    "text",
    ["pressed one two three four five button", "pressed it. The button", "扣，费", "take out", "clicked and got 3"],
)
def test_a_pattern_reaches_neither_across_punctuation_nor_further_than_its_gap(text: str) -> None:
    assert not list(BOOK.find(Pieces(text)))


def test_a_pattern_is_found_at_each_place_or_once() -> None:
    text = Pieces("take cash out, then take funds out")
    assert len(list(BOOK.find(text))) == 2
    assert len(list(BOOK.find(text, once=True))) == 1


@pytest.mark.parametrize("pattern", ["~ money", "# lots", "(my|) money", "", "{stones} out"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        PatternBook({pattern: 1}, {})


def test_every_pattern_of_the_lists_can_be_read_and_no_weight_of_a_category_is_empty() -> None:
    for module in (topics_en, topics_zh):
        for category, by_weight in module.TOPICS.items():
            assert category is not Category.OTHER
            for weight, patterns in by_weight.items():
                assert 1 <= weight <= 5
                assert all(listed(patterns)), (category, weight)
                PatternBook(dict.fromkeys(listed(patterns)), module.CLASSES)
    for module in (signs_en, signs_zh):
        for kinds in module.SIGNS.values():
            for kind, patterns in kinds.items():
                assert all(listed(patterns)), kind
                PatternBook(dict.fromkeys(listed(patterns)), module.CLASSES)


# -- categories --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("They keep asking for another copy of my passport and I'm kept out of my own account.", "account"),
        ("Nine days and the money you promised still isn't in my bank.", "withdrawal"),
        ("I paid in by card yesterday and nothing has arrived.", "deposit"),
        ("I pressed 1.2010 and got 1.2034.", "execution"),
        ("Nobody told me there is a charge every month.", "fee"),
        ("The program closes itself whenever there is news.", "platform"),
        ("The man on the phone swore that I could not lose.", "conduct"),
        ("Nobody answers, and then they hung up.", "service"),
        ("A stranger on the phone knew my balance.", "privacy"),
        ("钱拿不出来，每次都给我退回", "withdrawal"),
        ("早上转了三千过去，账上一分没多", "deposit"),
        ("我按的2010，成交在2034", "execution"),
        ("不交易也每个月扣我钱", "fee"),
        ("行情一动软件就自己退出", "platform"),
        ("业务员说稳赚不赔", "conduct"),
        ("打了三次电话没人接", "service"),
        ("陌生人打电话来，知道我有多少钱", "privacy"),
        ("排了半小时，轮到我就断线", "service"),
        ("好好的号，昨天说我有风险，不让动了", "account"),
        ("You offered me terms in May and turned me down in June.", "lending"),
    ],
)
def test_everyday_words_decide_the_category(text: str, category: str) -> None:
    assert assessed(text).category == Category(category)


def test_grounds_show_the_words_of_a_pattern_and_nothing_of_its_gaps() -> None:
    told = grounds(assessed("I pressed my fat thumb on 1980 and Jane gave me 1983"))
    assert "Jane" not in str(told)
    assert "thumb" not in str(told)


def test_everyday_words_decide_in_short_texts_only() -> None:
    short = "The man on the phone swore that I could not lose."
    assert assessed(short).category is Category.CONDUCT
    assert assessed(short + " We talked about many a thing." * 30).category is Category.OTHER


# -- signs -------------------------------------------------------------------------------------------------------------

DENIED = [
    ("I am not suicidal.", "denied"),
    ("I have never thought of killing myself.", "denied"),
    ("He never said that he wants to die.", "denied"),
    ("I am not pregnant.", "denied"),
    ("She is no longer homeless.", "denied"),
    ("我没有自杀的念头", "denied"),
    ("我从没想过自杀", "denied"),
    ("我不是残疾人", "denied"),
    ("If I were pregnant you would listen.", "supposed"),
    ("要是我失业了你们才理我吗", "supposed"),
    ("Your bot asked if I want to hurt myself.", "asked or quoted"),
    ("The form asks whether anybody is disabled.", "asked or quoted"),
    ("你们问我想不想自杀", "asked or quoted"),
    ("In the film the broker hangs himself.", "asked or quoted"),
    ("他开玩笑说跌破了他就跳楼", "asked or quoted"),
    ("I have no intention of taking this matter to a lawyer.", "denied"),
    ("这点事用不着去请什么律师", "denied"),
]
MEANT = [
    ("I will kill myself.", CRITICAL),
    ("If you do not pay I shall kill myself.", CRITICAL),
    ("I am not joking, I will kill myself.", CRITICAL),
    ("I cannot stop thinking of suicide.", CRITICAL),
    ("I saw it in the news and now I want to die.", CRITICAL),
    ("看到新闻我也想跳楼", CRITICAL),
    ("There is no need to call, I will kill myself.", CRITICAL),
    ("There is no need to wait until I kill myself.", CRITICAL),
    ("Don't make me kill myself.", CRITICAL),
    ("I do not want to live any more.", CRITICAL),
    ("No, I want to die.", CRITICAL),
    ("My husband said he wants to die.", CRITICAL),
    ("不给钱我就自杀", CRITICAL),
    ("别逼我跳楼", CRITICAL),
    ("我没办法了，只有死路一条", CRITICAL),
    ("我不想活了", CRITICAL),
    ("Nobody told me that my mother has dementia.", HIGH),
    ("I'm losing my sight and the letters come in tiny type.", HIGH),
    ("Dad is nearly deaf, he can't follow your phone menu.", HIGH),
    ("我爸耳朵听不见，电话验证过不了", HIGH),
    ("视力越来越差，账单上的字认不出", HIGH),
    ("My English is poor and I signed what I was given.", HIGH),
    ("我普通话不好，客服说的听不懂", HIGH),
    ("My husband reads all my messages, send nothing to the house.", HIGH),
    ("My ex forced me to take out this loan.", HIGH),
    ("He is my partner and he won't let me have money of my own.", HIGH),
    ("我老公天天翻我手机，短信别发了", HIGH),
    ("前夫逼我签的贷款合同", HIGH),
    ("男朋友把我的银行卡收走了，求你们换个联系方式", HIGH),
    ("You hold my wages and there is nothing left for groceries.", HIGH),
    ("工资冻在里面，我连吃饭的钱都没有", HIGH),
    ("你们的邮件里附着其他客户的护照", HIGH),
    ("I told you that I am disabled.", HIGH),
    ("你们不管我妈有老年痴呆", HIGH),
]


@pytest.mark.parametrize(("text", "why"), DENIED)
def test_what_is_denied_supposed_or_asked_is_no_sign_and_is_told(text: str, why: str) -> None:
    assessment = assessed(text)
    assert assessment.severity is LOW, assessment.grounds
    assert f"not counted: {why}" in grounds(assessment)


@pytest.mark.parametrize(("text", "severity"), MEANT)
def test_what_is_meant_is_a_sign_whatever_stands_around_it(text: str, severity: Severity) -> None:
    assessment = assessed(text)
    assert assessment.severity is severity, assessment.grounds


@pytest.mark.parametrize(
    "text",
    [
        "My husband reads your newsletter and likes it.",
        "My wife keeps telling me to close the account.",
        "My English teacher recommended your app.",
        "The sound is so low that the agent seemed deaf to me.",
        "My hearing at the tribunal is on Friday.",
        "My English is good and your agent has broken English.",
        "I'm going blind looking at your tiny font.",
        "My wife won't let me hear the end of it.",
        "老婆不让我再买你们的基金",
        "我老公也在你们这儿开户",
        "英文版界面挺好",
        "电话里声音太小，听不见",
        "看电影的钱我出",
    ],
)
def test_words_of_vulnerability_that_tell_of_something_else_raise_nothing(text: str) -> None:
    assert assessed(text).severity is LOW


def test_a_denial_in_one_sentence_denies_nothing_in_the_next() -> None:
    assert assessed("I am not suicidal. My brother is suicidal.").severity is CRITICAL
    assert assessed("我不是残疾人。我妈是残疾人。").severity is HIGH


@pytest.mark.parametrize(
    "text",
    [
        "This spread is killing me.",
        "My phone died.",
        "A dead slow platform.",
        "I'm dying to know who set that price.",
        "这次亏死了",
        "慢得要死",
        "软件卡死",
        "价格跳水",
        "Shoot me an e-mail when it is ready.",
        "对你们热线彻底绝望了",
        "Shorting the yen was trading suicide.",
        "A fee that eats my corpse of an account.",
        "The candle jumped off a cliff and took my limit with it.",
        "重仓扛单等于自杀，所以我设了止损",
        "K线上吊一样挂在那",
    ],
)
def test_a_manner_of_speaking_is_no_danger(text: str) -> None:
    assert assessed(text).severity is not CRITICAL


@pytest.mark.parametrize(
    "row",
    [row for row in sentences(CORPUS / "training" / "signs.tsv") if row.sign == "danger"][::7],
    ids=lambda row: row.text[:30],
)
def test_without_its_words_a_sign_is_gone(row: Sentence) -> None:
    text = row.text
    for _ in range(8):
        found = [one for one in heard(text) if one.kind == DANGER_TO_LIFE and not one.not_meant]
        if not found:
            break
        for part in found[0].words.split(" … "):
            text = text.replace(part, " ", 1)
    assert not [one for one in heard(text) if one.kind == DANGER_TO_LIFE and not one.not_meant]


def test_signs_are_found_in_nearly_all_sentences_of_the_corpus_and_hardly_in_others() -> None:
    severities: dict[str, list[Severity]] = defaultdict(list)
    for row in sentences(CORPUS / "training" / "signs.tsv"):
        severities[row.sign].append(assessed(row.text).severity)
    danger, none = severities["danger"], severities["none"]
    assert sum(one is CRITICAL for one in danger) >= 0.98 * len(danger)
    assert sum(one is CRITICAL for one in none) <= 0.05 * len(none)
    assert sum(one in {HIGH, CRITICAL} for one in severities["vulnerable"]) >= 0.95 * len(severities["vulnerable"])


def test_a_text_of_one_clause_full_of_signs_and_denials_takes_work_in_proportion_to_its_length() -> None:
    def calls(text: str) -> int:
        counted = 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal counted
            counted += event == "call"

        sys.setprofile(count)
        try:
            heard(text)
        finally:
            sys.setprofile(None)
        return counted

    for unit in ("我想死", "不想死没办法", "not kill myself no ", "savings life savings "):
        heard(unit)
        assert calls(unit * 800) < 5 * calls(unit * 200), unit
