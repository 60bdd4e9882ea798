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


def score_in(text: str) -> tuple[int, bool] | None:
    """The score of a reply to the letter, and whether it says more; ``None`` where it does not give one score.

    A score stands at the beginning of a line and is all that the line says, but for the words of the scale or what
    follows a comma. Two such lines are a list, and a number within a sentence is no score.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [told for line in lines if (told := _SCORE.match(line))]
    if len(found) != 1 or not _SCORE.match(lines[0]):
        return None
    return int(found[0]["score"]), bool(len(lines) > 1 or found[0]["words"])
