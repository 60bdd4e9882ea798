"""What the templates say: each sentence with the predicates under which it stands, as ``tests/letters/said`` has it.

``python -m tests.letters.saying`` writes it anew, for who has read what is new beside its predicate.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runtime.letters.stationery import LANGUAGES, stationery_in
from runtime.paths import TEMPLATES

_TAG: Final = re.compile(r"(^[ \t]*\{%[^%]*%\}[ \t]*$|\{%\s*(?:says\s+\w+|endsays)\s*%\})", re.MULTILINE)
"""A tag that has its line to itself, or ``says`` anywhere. Another tag within a line is part of its sentence."""
_OPENS, _TURNS, _SHUTS = {"says", "if", "for"}, {"elif", "else"}, {"endsays", "endif", "endfor"}
_FRAME: Final = re.compile(r"{%\s*(?:end)?block\b.*?%}")
_INLINE: Final = re.compile(r"{%.*?%}|{{.*?}}")
_ENDS: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z{])|(?<=[。！？])(?!{%)")
_WORDS: Final = ("progress", "outcome", "payment_reason", "to_do")
"""The tables of ``words.toml`` that hold sentences, and not names."""


def record_of(language: str) -> Path:
    """Where it is recorded what the templates of *language* say."""
    return Path(__file__).parent / "said" / f"{language}.txt"


def said_in(language: str) -> str:
    """All that the templates of *language* say, one sentence a line, under what makes it true."""
    words = stationery_in(language).words
    said = {"holding letter": [words["not_finished"]]}
    said |= {f"{table}: {name}": [text] for table in _WORDS for name, text in words[table].items()}
    for file in sorted((TEMPLATES / language).glob("*.txt")):
        for holds, sentence in sentences(file.read_text(encoding="utf-8")):
            said.setdefault(holds, []).append(sentence)
    return "\n".join(f"[{holds}]\n" + "\n".join(dict.fromkeys(said[holds])) + "\n" for holds in sorted(said))


def sentences(template: str) -> Iterator[tuple[str, str]]:
    """The sentences of *template*, each with the tags around it, the outermost first."""
    around: list[str] = []
    for part in _TAG.split(template):
        tag = part.strip().removeprefix("{%").removesuffix("%}").strip() if _TAG.fullmatch(part) else ""
        word, _, of = tag.partition(" ")
        if word in _TURNS:
            before = around.pop()
            around.append(tag if word == "elif" else f"not {before}")
        elif word in _OPENS:
            around.append(of if word == "says" else tag)
        elif word in _SHUTS:
            around.pop()
        elif not tag:
            yield from ((", ".join(around) or "as given", sentence) for sentence in _parted(_FRAME.sub("", part)))


def _parted(text: str) -> Iterator[str]:
    for line in text.splitlines():
        whole = _INLINE.sub(lambda tag: tag[0].replace(" ", "\0"), line)  # no sentence ends within a tag
        for sentence in _ENDS.split(whole):
            if re.search(r"\w", plain := sentence.replace("\0", " ").strip()):
                yield plain


if __name__ == "__main__":
    for one in LANGUAGES:
        record_of(one).parent.mkdir(exist_ok=True)
        record_of(one).write_text(said_in(one), encoding="utf-8")
