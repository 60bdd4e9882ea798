"""Bytes as the text that was meant: charsets as senders really use them, and headers as they really write them."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import Header, decode_header
from typing import Final

from domain.ground.base import clean

LONGEST_HEADER: Final = 8_000
"""Bytes of a header that are looked at."""
_WIDER: Final = {
    # What is labelled as the first often holds characters of the second, which has the same ones at the same places.
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
}
_CHINESE: Final = (("gb18030", "gb2312", range(0xB0, 0xD8)), ("big5hkscs", "big5", range(0xA4, 0xC7)))
"""What reads Chinese bytes, with the charset whose common characters begin with one of these bytes."""
_READ_NEARLY_ANYTHING: Final = {"gb18030", "big5hkscs", "cp1252"}
_MOSTLY: Final = 0.6
_NOT_SAID: Final = {"", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default", "8bit", "binary"}


def text_of(content: bytes, charset: str | None) -> str:
    """*content* as text. What a charset that is wrong, unknown or not said cannot read is guessed, never refused.

    A charset that reads nearly any bytes is not believed where what is read is not its everyday characters, and those
    of another one are.
    """
    said = (charset or "").strip().strip("\"'").lower()
    named = [] if said in _NOT_SAID else [_WIDER.get(said, said)]
    likely = _likely(content)
    meant = likely[:1] if named and named[0] in _READ_NEARLY_ANYTHING else []
    for name in (*meant, *named, "utf-8", *likely, "cp1252"):
        try:
            codec = codecs.lookup(name)
            if codec._is_text_encoding:
                return clean(codec.decode(content, "strict")[0]).removeprefix("\ufeff")
        except (LookupError, UnicodeError, ValueError):
            continue
    return clean(content.decode("utf-8", "replace"))


def _likely(content: bytes) -> list[str]:
    """The charsets of Chinese text that *content* may be in, the likelier first: some read nearly any bytes."""
    if content.isascii():
        return []
    found = [
        (share, name) for name, plain, common in _CHINESE if (share := _common(content, name, plain, common)) > _MOSTLY
    ]
    if _common_in_utf8(content) > _MOSTLY:  # which is never by chance what it is read as
        return ["utf-8"]
    return [name for _, name in sorted(found, reverse=True)]


def _common_in_utf8(content: bytes) -> float:
    """The same of *content* read as UTF-8: Chinese characters and their punctuation."""
    try:
        beyond = [letter for letter in content.decode() if ord(letter) > 127]
    except UnicodeDecodeError:
        return 0.0
    usual = sum("\u3000" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uffef" for letter in beyond)
    return usual / len(beyond) if beyond else 0.0


def _common(content: bytes, name: str, plain: str, common: range) -> float:
    """Of the characters beyond ASCII in *content*, read as *name*, the share that is in everyday use."""
    try:
        beyond = [letter for letter in content.decode(name) if ord(letter) > 127]
    except UnicodeDecodeError:
        return 0.0
    usual = sum(letter.encode(plain, "replace")[0] in common or letter in "，。、：；？！「」（）" for letter in beyond)
    return usual / len(beyond) if beyond else 0.0


def raw_header(value: object) -> bytes:
    """A header's value as it stood in the message: bytes beyond ASCII too, which the parser hides in surrogates."""
    if isinstance(value, Header):  # what the parser makes of bytes beyond ASCII: as text they are lost
        return b"".join(
            piece if isinstance(piece, bytes) else piece.encode("utf-8", "replace") for piece, _ in decode_header(value)
        )
    return str(value).encode("ascii", "surrogateescape") if _is_plain(value) else str(value).encode("utf-8", "replace")


def header_text(value: object) -> str:
    """A header's value as one line of text: encoded words, and what is wrongly not encoded, in their charsets."""
    raw = raw_header(value)[:LONGEST_HEADER]
    try:
        plain = raw.decode("ascii")
    except UnicodeDecodeError:
        plain = text_of(raw, None)
    joined = re.sub(r"(\?=)\s+(=\?)", r"\1\2", plain)
    return " ".join(_ENCODED_WORDS.sub(lambda found: _decoded(found.group()), joined).split())


# Several that follow each other are read as one: some programs cut a character in two.
_ENCODED_WORDS: Final = re.compile(r"(?:=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=)+")


def _decoded(words: str) -> str:
    try:
        return "".join(_piece(content, charset) for content, charset in decode_header(words.replace("?==?", "?= =?")))
    except (HeaderParseError, ValueError):
        return words


def _piece(content: bytes | str, charset: str | None) -> str:
    return text_of(content, charset.partition("*")[0] if charset else None) if isinstance(content, bytes) else content


def _is_plain(value: object) -> bool:
    return all(ord(letter) < 128 or 0xDC80 <= ord(letter) <= 0xDCFF for letter in str(value))
