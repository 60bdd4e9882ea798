"""Addresses as headers give them: normalised, with the name before them."""

import re
from collections.abc import Sequence
from email.utils import getaddresses
from typing import Final, NamedTuple

from domain.mail.decoding import LONGEST_HEADER, header_text, raw_header, text_of

_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()]+")
_IN_BRACKETS: Final = re.compile(r"<([^<>]*)>")
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"')


class Named(NamedTuple):
    """An address, normalised, and the name that stands before it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def normal(address: str) -> str | None:
    """*address* in lower case, its domain in ASCII; None where it is no address."""
    found = _ADDRESS.fullmatch(address.strip().strip("'\"").strip())
    if found is None:
        return None
    local, _, domain = found.group().rpartition("@")
    domain = domain.rstrip(".").lower()
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return f"{local.lower()}@{domain}" if domain else None


def addresses_in(values: Sequence[object]) -> list[Named]:
    """The addresses in headers of one name, in their order and each once."""
    found: dict[str, Named] = {}
    for value in values:
        for each in _in_one(value):
            found.setdefault(each.address, each)
    return list(found.values())


def _in_one(value: object) -> list[Named]:
    raw = raw_header(value)[:LONGEST_HEADER]
    text = text_of(raw, None) if not raw.isascii() else raw.decode()
    text = " ".join(text.split())
    bare = _QUOTED.sub("", text)
    bracketed = [each for each in _IN_BRACKETS.findall(bare) if each.strip()]
    if len(bracketed) == 1 and bare.rstrip().endswith(">"):
        # One pair of brackets at the end: before it is a name, whatever commas it has, unless it is an address.
        before = text[: text.rindex("<")]
        address = normal(bracketed[0])
        others = [each for each in map(normal, _ADDRESS.findall(_QUOTED.sub("", before))) if each and each != address]
        named = [Named(address, header_text(before).strip().strip("\"'").strip())] if address else []
        return named + [Named(each) for each in others]
    pairs = [(name, normal(address)) for name, address in getaddresses([text])]
    return [Named(address, header_text(name)) for name, address in pairs if address]
