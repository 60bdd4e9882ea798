"""The ground every model stands on: strict shapes, clean text, UTC instants."""

import hashlib
import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

# C0 and C1 control characters except tab and line ends, lone surrogates, and marks that turn the direction of
# writing: PostgreSQL refuses NUL and terminals obey the others, so none of them may travel on.
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")

_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""Categories of characters that show nothing: controls, formats such as a zero-width space, blanks."""

SHORT_TEXT = 200
LONG_TEXT = 20_000


def clean(text: str) -> str:
    """Return *text* with unsafe control characters replaced by U+FFFD and line ends as ``\\n``; emoji stay."""
    return _UNSAFE.sub("�", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_or_empty(text: str) -> str:
    """The same; of a text of which nothing can be seen, such as blanks and zero-width spaces, nothing is left."""
    cleaned = clean(text)
    return cleaned if any(unicodedata.category(each) not in _UNSEEN for each in cleaned) else ""


def _clean_if_text(value: Any) -> Any:
    return clean_or_empty(value) if isinstance(value, str) else value


def _to_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from error


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SHORT_TEXT, pattern=r"^[^\n\t]*$"),
    BeforeValidator(_clean_if_text),
]
"""One line of text, 1-200 characters."""

Identifier = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,99}$")]
"""A technical identifier of another system: up to 100 letters, digits and ``. _ : @ / # -``."""

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONG_TEXT),
    BeforeValidator(_clean_if_text),
]
"""Free text, 1-20,000 characters."""


def person_of(identifier: str) -> str:
    """The person whom *identifier* names: the same text for every spelling of one id.

    Spellings differ by case, width, compatibility forms or surrounding spaces. Two ids are two persons only if this
    differs; for the record what was typed is kept.
    """
    name = unicodedata.normalize("NFKC", identifier).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold()).strip()


StaffId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}$")]
"""A technical identifier of somebody or some team: no e-mail address, for it is shown in Temporal's lists."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""A country, as two letters of ISO 3166-1."""

Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment with a time zone, kept in UTC. Input without an offset is refused."""


class Record(BaseModel):
    """An immutable value that travels as JSON. Unknown fields are refused; error texts never quote the input."""

    # Each model is built once it is used: all at once took an eighth of the time in which a process starts.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class State(BaseModel):
    """A mutable part of a case. Unknown fields are ignored, so that a newer worker's state can be read."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, validate_assignment=False, defer_build=True)


def content_hash(record: Record) -> str:
    """SHA-256 of what *record* says, whatever the spelling of the file it came from."""
    content = json.dumps(record.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
