"""Messages as raw bytes, written for these tests, each with what it is to be taken for."""

from typing import Final

from tests.channels.messages.complaining import complaints, texts
from tests.channels.messages.making import VOICES, Row
from tests.channels.messages.programs import bounces, doubtful, notices, older_bounces, robots
from tests.channels.messages.replying import replies, whose

TABLE: Final[tuple[Row, ...]] = tuple(
    row
    for voice in VOICES
    for kind in (complaints, texts, replies, whose, bounces, older_bounces, robots, notices, doubtful)
    for row in kind(voice)
)
"""Every structure in each of the voices: English in UTF-8, Chinese in gb2312 and in big5."""
