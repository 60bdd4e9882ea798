"""How satisfied a customer is, as the answer to the letter that asks for a number."""

import re
from typing import Final

LOW: Final = 2
"""Up to this score somebody calls the customer."""
_SCORE: Final = re.compile(
    r"""[\W_]*(?P<score>[1-5１-５])\s*
    (?:/\s*5\b|\(?(?:out\s+)?of\s+5\b\)?|分|星|stars?\b|points?\b)?\s*
    (?:(?:very\s+|not\s+(?:at\s+all\s+)?)?satisfied|neither\s+satisfied\s+nor\s+dissatisfied|[很不满意一般非常]{2,5})?\s*
    (?:[.。!！]?$|[,，;；:：–—-]\s*(?P<words>\D.*)$)""",
    re.IGNORECASE | re.VERBOSE,
)

_PHRASES: Final[dict[int, str]] = {
    1: r"(?:not\s+(?:at\s+all\s+satisfied|satisfied\s+at\s+all)|(?:very|extremely|totally)\s+(?:dis|un)satisfied"
    r"|(?:很|非常|十分|极其|极)不满意|一分|一星)",
    2: r"(?:not\s+satisfied|(?:dis|un)satisfied|不满意|不太满意|不大满意|两分|二分|两星|二星)",
    3: r"(?:neither(?:\s+satisfied)?\s+nor(?:\s+dissatisfied)?|neither|neutral|一般|还行|还可以|三分|三星)",
    4: r"(?:satisfied|满意|比较满意|四分|四星)",
    5: r"(?:(?:very|extremely|completely|fully)\s+satisfied|(?:很|非常|十分|极其)满意|五分|五星)",
}
"""The words of the scale of the letter, and what says the same."""
_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_TAIL: Final = r"\s*(?:[.。!！]*$|[,，;；:：.。!！–—-]+\s*(?P<words>\S.*)$)"
_IN_WORDS: Final = {
    score: re.compile(
        rf"[\W_]*(?:(?:i\s+am|i[’']m|we\s+are|we[’']re|我们?|对此|总体)\s*)?{phrase}(?:了|吧)?{_TAIL}", re.IGNORECASE
    )
    for score, phrase in _PHRASES.items()
}
_NAMED: Final = re.compile(
    rf"""[\W_]*(?:(?:my\s+)?(?:score|rating|answer)(?:\s+is)?|评分|打分|得分|我?(?:给|打|评)(?:个)?)\s*[:：]?\s*
    (?P<score>[1-5１-５])\s*(?:/\s*5\b|out\s+of\s+5\b|分|星|stars?\b|points?\b)?{_TAIL}
    |[\W_]*(?P<number>one|two|three|four|five)\s*(?:out\s+of\s+five|stars?|points?)?\s*[.!]*$""",
    re.IGNORECASE | re.VERBOSE,
)
_WITH_WORDS: Final = re.compile(
    r"[\W_]*(?P<score>[1-5１-５])\s*(?:/\s*5\b|分|星|stars?\b|points?\b)?[\s:：=（(–—-]*(?P<words>[^\d\s].*?)[)）]?$",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(
    r"(?:hi|hello|dear|good\s+(?:morning|afternoon|evening)|您好|你好)[^\d,，!！:：。]{0,40}[,，!！:：。]?",
    re.IGNORECASE,
)


def score_of(text: str) -> tuple[int, bool] | None:
    """The score of a reply to the letter, and whether it says more; ``None`` where it does not give one score.

    A score stands at the beginning of a line, below a greeting at most, as a number or in the words of the scale, and
    is all that the line says but for what follows a comma. Two such lines are a list, and a number within a sentence is
    no score. Where number and words contradict each other there is none: some take 1 for the best.
    """
    lines = _lines(text)
    if len(lines) > 1 and _GREETING.fullmatch(lines[0]):
        lines = lines[1:]
    found = [told for line in lines if (told := _of_line(line))]
    if not lines or _of_line(lines[0]) is None or len({score for score, _ in found}) != 1:
        return None
    return found[0][0], len(lines) > 1 or found[0][1]


def _lines(text: str) -> list[str]:
    """The lines that say something, with single spaces: runs of them would take the patterns cubic time."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _of_line(line: str) -> tuple[int, bool] | None:
    if (number := _WITH_WORDS.match(line)) and (said := _in_words(number["words"])):
        return said if said[0] == int(number["score"]) else None
    if named := _NAMED.match(line):
        score = int(named["score"]) if named["score"] else _NUMBERS[named["number"].lower()]
        return score, bool(named["words"])
    if plain := _SCORE.match(line):
        return int(plain["score"]), bool(plain["words"])
    return _in_words(line)


def _in_words(text: str) -> tuple[int, bool] | None:
    for score, pattern in _IN_WORDS.items():
        if told := pattern.match(text):
            return score, bool(told["words"])
    return None
