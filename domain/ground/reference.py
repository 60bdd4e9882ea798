"""The reference of a complaint: opaque, the same for the same complaint, easy to read over the phone.

``RD-`` and thirteen characters in groups, e.g. ``RD-K7M4-9QXT-2VBHC``. Twelve characters are the SHA-256 of source and
idempotency key written in base 30 (58.9 bits: with ten million complaints the chance of any two meeting is about one
in ten thousand, and such a meeting is detected when the case file is opened). The last is a check character by ISO 7064
hybrid system MOD 31,30, which catches every single wrong character and nearly all neighbours swapped. The alphabet
leaves out 0, 1, I, L, O and U, which are mistaken for others.
"""

import hashlib
import re
import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12
_GROUPS = (4, 8)
_FILLER = re.compile(r"[\s\-‐‑–—._]")

_LOOKS_LIKE_ONE = re.compile(
    r"(?<![A-Za-z0-9])RD[\s\-‐‑–—._:：#]{0,2}[A-Za-z0-9]{4}[\s\-‐‑–—._]?[A-Za-z0-9]{4}[\s\-‐‑–—._]?[A-Za-z0-9]{5}"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)


class InvalidReference(ValueError):
    """The text is not a reference: a character was mistyped, left out or swapped."""


COMPLAINT = "RD"
"""How the reference of a complaint begins."""
INCIDENT = "IN"
"""How the reference of an incident begins."""


def reference_for(source: str, idempotency_key: str, *, prefix: str = COMPLAINT) -> str:
    """Return the reference of the complaint (or incident, by *prefix*) that *source* names *idempotency_key*.

    The SHA-256 of ``source + "\\n" + idempotency_key`` (UTF-8), its first 16 bytes as a big-endian integer modulo
    30**12, twelve base-30 digits, most significant first, and the check character.
    """
    digest = hashlib.sha256(f"{source}\n{idempotency_key}".encode()).digest()
    number = int.from_bytes(digest[:16], "big") % len(ALPHABET) ** _LENGTH
    body = ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        body = ALPHABET[digit] + body
    return _written(body + _check_character(body), prefix)


def parse_reference(text: str, *, prefix: str = COMPLAINT) -> str:
    """Return *text* as a reference, whatever its case, spaces and dashes. Raises :class:`InvalidReference`."""
    letters = _FILLER.sub("", text).upper()
    if len(letters) > _LENGTH + 1 or letters == prefix:
        letters = letters.removeprefix(prefix)
    shown = text.strip()[:40]
    others = {COMPLAINT: "a complaint", INCIDENT: "an incident"}
    if (other := letters[:2]) in others and other != prefix and len(letters) == _LENGTH + 3:
        raise InvalidReference(f"{shown!r} is the reference of {others[other]}, not of {others[prefix]}")
    if strange := sorted({letter for letter in letters if letter not in ALPHABET}):
        named = ", ".join(repr(letter)[1:-1] for letter in strange[:8])
        raise InvalidReference(
            f"{shown!r} is not a reference: {named} never occurs in one "
            "(0, 1, I, L, O and U are left out because they are misread)"
        )
    if len(letters) != _LENGTH + 1:
        raise InvalidReference(
            f"{shown!r} is not a reference: it has {len(letters)} characters after {prefix}, not {_LENGTH + 1} "
            f"(the form is {prefix}-XXXX-XXXX-XXXXX)"
        )
    if _check_character(letters[:-1]) != letters[-1]:
        raise InvalidReference(
            f"{shown!r} is not a reference: its check character does not fit, "
            "so a character was mistyped or two are swapped"
        )
    return _written(letters, prefix)


def references_in(text: str) -> tuple[tuple[str, ...], bool]:
    """The references of complaints that *text* names, each once, and whether something in it only looks like one."""
    found: list[str] = []
    mistyped = False
    for each in _LOOKS_LIKE_ONE.findall(unicodedata.normalize("NFKC", text)):
        try:
            found.append(parse_reference(re.sub(r"[:：#]", "", each)))
        except InvalidReference:
            mistyped = True
    return tuple(dict.fromkeys(found)), mistyped


def _check_character(body: str) -> str:
    """What ISO 7064's hybrid system MOD 31,30 puts after *body*."""
    base = len(ALPHABET)
    check = base
    for letter in body:
        check = ((check + ALPHABET.index(letter)) % base or base) * 2 % (base + 1)
    return ALPHABET[(1 - check) % base]


def _written(letters: str, prefix: str) -> str:
    first, second = _GROUPS
    return f"{prefix}-{letters[:first]}-{letters[first:second]}-{letters[second:]}"
