"""What each pattern that a field must fit asks for, in words: nobody outside reads patterns."""

from collections.abc import Mapping
from typing import Final

SHAPES: Final[Mapping[str, str]] = {
    r"^[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,99}$": "must be 1 to 100 letters, digits and . _ : @ / # -, and begin with a "
    "letter or digit",
    r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}$": "must be 1 to 100 letters, digits and . _ : / # -, and begin with a "
    "letter or digit",
    r"^[^\n\t]*$": "must be one line without tabs",
    r"^[^\x00-\x1f\x7f-\x9f]+$": "must be one line, not empty, without control characters",
    r"^[A-Za-z]{3}$": "must be an ISO 4217 code of three letters such as USD",
    r"^[A-Z]{2}$": "must be two capital letters of ISO 3166-1 such as DE",
    r"^[A-Za-z]{2}$": "must be two letters of ISO 3166-1 such as DE",
    r"^\+?[0-9 ()-]{5,24}$": "must be 5 to 24 digits, spaces, hyphens and brackets, with or without a + before them",
    r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$": "must be a time zone of the IANA list such as Europe/Berlin",
    r"^[0-9a-f]{12}$": "must be the 12 digits and letters a to f by which it is shown",
    r"^[0-9a-f]{12,64}$": "must be the 12 to 64 digits and letters a to f by which it is shown",
    r"^[0-9a-f]{64}$": "must be 64 digits and letters a to f, as SHA-256 is written",
    r"^[a-z][a-z_]*/[a-z][a-z_]*$": "must be a cause of the firm's table, such as system/outage",
    r"^(0(\.\d+)?|1(\.0+)?)$": "must be from 0 to 1",
    r"^\d+(\.\d+)?$": "must be a number of 0 or more",
    r"^\d+(\.\d+)?( (points?|spreads?))?$": "must be a number of 0 or more, alone or of points or spreads",
}
"""By each pattern that a message, a complaint or a row of an import is held against; tests go through them."""
