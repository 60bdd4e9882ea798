"""What a complaint says in its own words of the facts that lead into the log: an account, a trade, a time."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from domain.checks.choice import names_an_option


class Told(StrEnum):
    """A fact that need not be asked for."""

    ACCOUNT = "account"
    TRADE = "trade"
    TIME = "time"


_NUMBER: Final = (
    r"(?<![a-z0-9])(?:[a-z]{1,6}[-_#]?[0-9]{1,18}|#?[0-9]{4,18})(?![a-z0-9])(?![.,:/][0-9])"
    r"(?! ?(?:usd|eur|gbp|hkd|cny|rmb|dollar|euro|pound|lots?\b|ounce|oz\b|percent|%|"
    r"美元|美金|港元|港币|元|块|手|万|盎司))"
)
_BETWEEN: Final = (
    r"(?: |[#:=(“\"']|numbers?\b|no\b\.?|nr\b\.?|id\b|with\b|the\b|is\b|was\b|of mine\b|"
    r"号码|號碼|编号|編號|号|號|为|為|是){0,8}"
)
"""Few at a time: a text that repeats them must not take long."""
_BEFORE: Final = r"(?: |,|is\b|was\b|my\b|the\b|trading\b|这个|這個|这笔|這筆|这|這|该|該|号|號|是|为|為|的|我){0,8}"
_ACCOUNT: Final = (
    r"(?:accounts?|acct\.?|a/c|log-?in|mt[45]|账户|帐户|帳戶|賬戶|账号|帐号|帳號|賬號|户口|戶口|账戶|登录号|登錄號)"
)
_TRADE: Final = (
    r"(?:orders?|positions?|tickets?|deals?|trades?|options?|contracts?|订单|訂單|定单|单号|單號|单子|單子|持仓|持倉|"
    r"仓位|倉位|委托|委託|成交|期权|期權|合约|合約|交易)"
)
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_DATE: Final = (
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})(?![0-9])|"
    rf"\b[0-9]{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b|\b{_MONTH}\s+[0-9]{{1,2}}(?:st|nd|rd|th)?\b|"
    r"[0-9]{1,2}\s*月\s*[0-9]{1,2}\s*[日号號]|[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号號]|"
    r"\byesterday\b|\btoday\b|\blast night\b|\bthis morning\b|昨天|昨日|昨晚|前天|今天|今日|今早|今晨"
)


def _either(word: str) -> str:
    """A number beside *word*, on either side."""
    return rf"{word}{_BETWEEN}{_NUMBER}|{_NUMBER}{_BEFORE}{word}"


_SIGNS: Final = {
    Told.ACCOUNT: re.compile(_either(_ACCOUNT)),
    Told.TRADE: re.compile(_either(_TRADE)),
    Told.TIME: re.compile(_DATE),
}


def told_in(text: str) -> tuple[Told, ...]:
    """What *text* tells, in English or Chinese. It only saves a question: what was told is looked up by people."""
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    told = {fact for fact, sign in _SIGNS.items() if sign.search(plain)}
    if names_an_option(plain):
        told.add(Told.TRADE)
    return tuple(fact for fact in Told if fact in told)
