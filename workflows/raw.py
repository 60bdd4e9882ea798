"""What strangers send, as it came: decoded here and nowhere else, and kept as it is where that fails."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from temporalio.common import RawValue

from domain.ground.base import clean
from domain.ground.json_text import read_json
from domain.ground.sizes import LONGEST_KEPT, beginning, size
from domain.keys.public import IN_PLAIN

_JSON = b"json/plain"
_NULL = b"binary/null"


def decoded(value: Any) -> Any:
    """The JSON value that was sent. Raises ``ValueError`` saying why it cannot be read, without quoting it.

    Half an emoji, as a cut text has it at its end, is no reason to refuse a message; the models replace it.
    """
    if not isinstance(value, RawValue):
        return value
    encoding = value.payload.metadata.get("encoding", b"")
    if encoding == _NULL:
        return None
    if encoding != _JSON:
        name = encoding.decode("ascii", errors="replace")[:40] or "none"
        raise ValueError(f"encoding {name!r} cannot be read; send JSON with the encoding json/plain")
    try:
        return read_json(value.payload.data.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at character {error.pos}") from None


def is_plain(value: Any) -> bool:
    """Whether Temporal keeps it in the clear."""
    return isinstance(value, RawValue) and IN_PLAIN in value.payload.metadata


def weight(values: Sequence[Any]) -> int:
    """How many bytes were sent, near enough: what could be read is measured as it would be sent again."""
    return sum(map(_bytes, values))


def _bytes(value: Any) -> int:
    if isinstance(value, RawValue):
        return len(value.payload.data)
    return len(_as_text(value).encode("utf-8", "surrogatepass"))


def kept(values: Sequence[Any]) -> str:
    """What was sent, as text for the case file: at most :data:`LONGEST_KEPT` bytes; what is no text is in base64."""
    text = clean(f"[{', '.join(map(_as_text, values))}]")
    if size(text) <= LONGEST_KEPT:
        return text
    told = f"… (of {len(text)} characters; the whole is in the workflow history)"
    return beginning(text, LONGEST_KEPT - size(told)) + told


def _as_text(value: Any) -> str:
    if not isinstance(value, RawValue):
        return json.dumps(value, default=str, ensure_ascii=False)
    try:
        return value.payload.data.decode("utf-8") or "null"
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(value.payload.data).decode()}"
