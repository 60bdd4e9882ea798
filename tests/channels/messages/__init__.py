"""Messages as raw bytes, written for these tests, each with what it is to be taken for."""

from typing import Final

from tests.channels.messages.complaining import complaints, odd, texts
from tests.channels.messages.making import VOICES, Row
from tests.channels.messages.programs import (
    bounces,
    bounces_of_providers,
    doubtful,
    notices,
    of_exchange,
    older_bounces,
    robots,
)
from tests.channels.messages.replying import replies, whose

_KINDS: Final = (
    *(complaints, texts, odd, replies, whose, bounces, older_bounces, bounces_of_providers),
    *(robots, notices, of_exchange, doubtful),
)
TABLE: Final[tuple[Row, ...]] = tuple(row for voice in VOICES for kind in _KINDS for row in kind(voice))
"""Every structure in each of the voices: English in UTF-8, Chinese in gb2312 and in big5."""
