"""What only says when, where, how much or how: words that may stand between the words of any phrase.

``出金两周没有到账`` says 出金没有到账, ``my account was on Monday in Leeds suddenly frozen`` says that it was frozen.
"""

import re
from typing import Final

from domain.ground.phrases import Pieces

_NUMBER_EN: Final = (
    r"(?:\d[\d.,]{0,12}(?:st|nd|rd|th|k|m)?|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen"
    r"|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand|half an?|several|many|some|a few|few|a couple of)"
)
_ROUGHLY_EN: Final = (
    r"(?:(?:about|around|over|nearly|almost|more than|at least|roughly|exactly|only|the (?:past|last)) )?"
)
_DAY_EN: Final = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:january|february|march|april|june|july|august"
    r"|september|october|november|december)(?: \d+(?:st|nd|rd|th)?)?|may \d+(?:st|nd|rd|th)?"
    r"|christmas|easter|new year|yesterday|today|noon|midnight|tonight|the \d+(?:st|nd|rd|th)(?: of \w+)?)"
)
_PART_EN: Final = r"(?:morning|afternoon|evening|night|week|month|year|weekend|spring|summer|autumn|winter)"
_UNIT_EN: Final = r"(?:working |business |full |whole |long |good )?(?:second|minute|hour|day|week|month|year)s?"
_AFTER_EN: Final = r"(?: (?:ago|now|already|later|long))?"
_CLOCK_EN: Final = (
    r"(?:\d{1,2}:\d\d(?: ?[ap]m)?|\d{1,2} ?[ap]m|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"(?= |$| o'clock)(?: o'clock)?)"
)
_SUM_EN: Final = r"(?:us|hk|a)?[$£€¥] ?\d[\d.,]{0,12}(?:k|m)?(?: thousand| million)?"
_MONEY_EN: Final = r"(?:dollars?|euros?|pounds?|bucks?|usd|eur|gbp|usdt|hkd|yuan|rmb|quid)"
_CITY_EN: Final = (
    r"(?:hong kong|london|singapore|new york|leeds|manchester|birmingham|dublin|edinburgh|glasgow|sydney|melbourne"
    r"|toronto|dubai|paris|berlin|beijing|shanghai|shenzhen|guangzhou|macau|taipei|tokyo|malta|cyprus|england|scotland"
    r"|ireland|australia|canada|germany|france|spain|italy|china|malaysia|thailand|indonesia|india|the uk|the us)"
)
_ENGLISH: Final = rf"""
    (?:(?:for|in|within|after|since|during) )?{_ROUGHLY_EN}{_NUMBER_EN}(?: {_NUMBER_EN})? {_UNIT_EN}{_AFTER_EN}
    (?:(?:on|since|from|until|till|by|in|at|late|early|already) )?(?:(?:last|this|next|the) )?{_DAY_EN}(?: {_PART_EN})?
    (?:(?:on|since|from|until|till|by|in|during) )?(?:last|this|yesterday|tomorrow) {_PART_EN}
    at (?:about |around |exactly )?{_CLOCK_EN}
    to this (?:day|hour) | to date | so far | up to now | until now | as of today
    for no reason | without (?:a |any )?reason | out of the blue | once again | all of a sudden
    (?:of|worth|totalling|about) {_ROUGHLY_EN}(?:\d[\d.,]{{0,12}}(?:k|m)?(?: {_MONEY_EN})?|{_SUM_EN}(?: {_MONEY_EN})?)
    (?:(?:of|worth|totalling) )?{_ROUGHLY_EN}{_NUMBER_EN}(?: {_NUMBER_EN}){{0,3}} {_MONEY_EN}
    {_ROUGHLY_EN}{_SUM_EN}
    (?:in|at|near|from) (?:(?:the|your) (?:branch|office) in )?{_CITY_EN}
    (?:at|from) (?:home|work|my desk) | on my (?:phone|computer|laptop|mobile)(?: at home| at work)?
    suddenly | still | simply | again | really | apparently | actually | just | already | even | always | finally
    completely | totally | obviously | clearly | honestly | basically | somehow | repeatedly | constantly | currently
"""

_NUMBER_ZH: Final = r"(?:(?<!\d)\d[\d.,]{0,12}|[零〇一二两三四五六七八九十百千半几数好]{1,8})"
_UNIT_ZH: Final = r"(?:个?(?:多)?(?:工作日|星期|礼拜|钟头|小时|月)|秒钟?|分钟|天|日|周|年)"
_AFTER_ZH: Final = "(?:多|半)?(?:了|以来|来|之后|以后|后|前|之前|内)?"
_MONEY_ZH: Final = r"(?:块钱?|元|美元|美金|刀|港币|港元|人民币|欧元|英镑|usdt|u)"
_DAY_ZH: Final = (
    r"(?:大前天|前天|昨天|昨日|今天|今日|昨晚|今早|今晚|昨夜|前晚|前几天|那天|当天|上个?(?:周|星期|礼拜)[一二三四五六日天]?|"
    r"这个?(?:周|星期|礼拜)[一二三四五六日天]?|(?:周|星期|礼拜)[一二三四五六日天]|上个?月|本月|这个月|去年|今年|年初|年底|"
    r"(?:(?<!\d)[\d一二三四五六七八九十]{1,3}月(?:份|初|底|中旬)?)(?:[\d一二三四五六七八九十]{1,3}[号日])?|"
    r"(?<!\d)[\d一二三四五六七八九十]{1,3}号)"
)
_HOUR_ZH: Final = (
    r"(?:早上|上午|中午|下午|晚上|凌晨|半夜|夜里)?(?:[\d一二三四五六七八九十]{1,3}点"
    r"(?:半|多|钟|[\d一二三四五十]{1,3}分?)?)?"
)
_CITY_ZH: Final = "(?:北京|上海|深圳|广州|香港|澳门|台北|台湾|杭州|成都|武汉|重庆|天津|南京|中环|旺角|佛山|东莞)"
_CHINESE: Final = rf"""
    (?:已经|都|整整|足足|前后|差不多|大概|将近|快|近|这|等了|过了|拖了){{0,3}}{_NUMBER_ZH}(?:来|多|几)?{_UNIT_ZH}{_AFTER_ZH}
    (?:从|自|打|自从)?{_DAY_ZH}{_HOUR_ZH}(?:开始|起|以来|到现在|到今天|至今|的时候)?
    到现在(?:为止)? | 到今天(?:为止)? | 至今 | 迄今 | 目前 | 现在 | 直到现在 | 最近
    (?:一共|总共|大概|大约|约|近|差不多|整整)?{_NUMBER_ZH}(?:来|多|几)?万?[一二三四五六七八九千百]{{0,4}}(?:来|多|几)?{_MONEY_ZH}
    (?:一共|总共|大概|大约|约|近|差不多|整整)?{_NUMBER_ZH}(?:来|多|几)?万(?:多|余)?{_MONEY_ZH}?
    (?:一共|总共)[零一二两三四五六七八九十百千万]{{2,8}}
    在(?:我)?(?:家里|家|公司|单位|办公室|外地|国外|手机上|电脑上)
    在?(?:你们)?{_CITY_ZH}(?:这边|那边|市|的)?(?:网点|分行|门店|公司)?
    突然 | 一直 | 根本 | 居然 | 竟然 | 莫名其妙 | 还是 | 总是 | 老是 | 始终 | 无缘无故 | 无故 | 平白无故 | 忽然 | 完全
    直接 | 不断 | 明明 | 偏偏 | 硬是 | 迟迟
"""


def _any(lines: str) -> str:
    """The alternatives of *lines*; a space in them is any white space."""
    alternatives = (one.strip() for line in lines.strip().splitlines() for one in re.split(r" \| ", line.strip()))
    return "|".join(alternatives).replace(" ", r"(?:\s+)")


_ADJUNCT: Final = re.compile(rf"(?<![\w'])(?:{_any(_ENGLISH)})(?![\w'])|{_any(_CHINESE)}")


def adjuncts(pieces: Pieces) -> list[tuple[int, int]]:
    """The first piece of each adjunct of *pieces* and the one behind it."""
    return [pieces.between(*match.span()) for match in _ADJUNCT.finditer(pieces.folded)]
