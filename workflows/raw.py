"""What strangers send, as it came: decoded here and nowhere else, and kept as it is where that fails."""

import base64
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from temporalio.common import RawValue

_JSON = b"json/plain"
_NULL = b"binary/null"
_LONGEST_KEPT = 48_000
"""Bytes of one message that are kept in the case file; a longer one is in the workflow's history whole."""


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
        return json.loads(value.payload.data.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at character {error.pos}") from None


def weight(values: Sequence[Any]) -> int:
    """How many bytes were sent."""
    return sum(len(value.payload.data) if isinstance(value, RawValue) else 100 for value in values)


def kept(values: Sequence[Any]) -> str:
    """What was sent, as text for the case file; what is no text in base64, and what is very long is cut."""
    return f"[{', '.join(_kept(value) for value in values)}]"


def _kept(value: Any) -> str:
    if not isinstance(value, RawValue):
        return json.dumps(value, default=str)[:_LONGEST_KEPT]
    data = value.payload.data
    if not data:
        return "null"
    cut = data[:_LONGEST_KEPT]
    try:
        text = data.decode("utf-8") and cut.decode("utf-8", errors="ignore")
    except UnicodeDecodeError:
        text = f"base64:{base64.b64encode(cut[: _LONGEST_KEPT * 3 // 4]).decode()}"
    return text if len(data) <= _LONGEST_KEPT else f"{text}… ({len(data)} bytes; the whole is in the workflow history)"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
