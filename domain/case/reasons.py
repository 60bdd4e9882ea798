"""Reasons have a floor: what was claimed, what was looked at, what was found."""

import re
from typing import Final

HEADINGS: Final = {
    "claimed": ("You complained", "您投诉"),
    "looked at": ("We looked at", "我司核查"),
    "found": ("We found", "我司认定"),
}
"""How each part begins, in both languages: the customer reads them."""

_ANY: Final = "|".join(re.escape(one) for both in HEADINGS.values() for one in both)
_PART: Final = re.compile(rf"({_ANY})\s*[:：]\s*(.*?)(?=(?:{_ANY})\s*[:：]|\Z)", re.DOTALL)
_WORDS: Final = re.compile(r"[一-鿿]{2}|[^\W一-鿿]+")


def reasons_of(claimed: str, looked_at: str, found: str) -> str:
    """The three parts as one text, with headings in the language they are written in."""
    which = 1 if re.search("[一-鿿]", claimed + looked_at + found) else 0
    parts = zip(HEADINGS.values(), (claimed, looked_at, found), strict=True)
    return "\n".join(f"{both[which]}{'：' if which else ': '}{part.strip()}" for both, part in parts)


def check_said(reasons: str) -> None:
    """Raise ``ValueError`` where *reasons* are one word, which tells nobody why."""
    if not is_said(reasons):
        raise ValueError("reasons: one word is no reason; say in a sentence what was found")


def check_whole(reasons: str) -> None:
    """Raise ``ValueError`` unless *reasons* say what was claimed, looked at and found, each in words of its own."""
    parts: dict[str, str] = {}
    for heading, text in _PART.findall(reasons):
        parts[next(name for name, both in HEADINGS.items() if heading in both)] = text
    said = {name: text for name, text in parts.items() if is_said(text)}
    missing = [name for name in HEADINGS if name not in said]
    if missing:
        form = " … ".join(f"{en}:" for en, _ in HEADINGS.values())
        forms = " … ".join(f"{zh}：" for _, zh in HEADINGS.values())
        raise ValueError(
            f"reasons: a no says what was claimed, looked at and found, each in more than a word, as {form} … "
            f"(or {forms} …); missing: {', '.join(missing)}"
        )
    if len({" ".join(_WORDS.findall(text)).casefold() for text in said.values()}) < len(said):
        raise ValueError("reasons: what was claimed, looked at and found are three things; the same words stand twice")


def is_said(text: str) -> bool:
    """Whether *text* is more than one word said again and again."""
    return len({word.casefold() for word in _WORDS.findall(text)}) > 1
