"""The corpus of everyday complaints, and the model that was learned from it."""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from domain.ground.words import Category, Severity, SignKind
from domain.speech.proposing import Model, ModelError, Weights
from runtime.paths import CORPUS

SHIPPED = CORPUS / "model.json.gz"
"""The model that comes with Redress."""
_READ = ("first", "second_life", "second_category", "earlier_life", "earlier_everyday")
"""Sentences by other authors that are kept apart no more: rules and model are made with them."""


class CorpusError(ValueError):
    """A table of the corpus, or a model, cannot be read; the message names the file and, in a table, the line."""


class Sentence(NamedTuple):
    """A sentence, its language (``en`` or ``zh``), its category where it has one, what it is a sign of, and, where its
    author gave one, its severity.
    """

    language: str
    category: Category | None
    sign: str
    text: str
    severity: Severity | None = None


class Said(NamedTuple):
    """A sentence with words of a sign, its language, and whether the sign is *meant*: not denied, asked or supposed."""

    language: str
    sign: SignKind
    meant: bool
    text: str


def sentences(path: Path) -> list[Sentence]:
    """The sentences of one table. Raises :class:`CorpusError`."""
    read = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], start=2):
        try:
            language, category, sign, text = line.split("\t")
            read.append(Sentence(language, Category(category) if category else None, sign, text))
        except ValueError as error:
            raise CorpusError(f"{path.name}, line {number}: {error}") from None
    return read


def said(path: Path) -> list[Said]:
    """The sentences of a file of JSON lines about signs."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Said(one["lang"], SignKind(one["sign"]), one["meant"], one["text"]) for one in rows]


def authored(path: Path) -> list[Sentence]:
    """The sentences of a file of JSON lines. Raises :class:`CorpusError`."""
    read = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            category, severity = row["category"], row["severity"]
            read.append(
                Sentence(
                    row["lang"],
                    Category(category) if category else None,
                    "danger" if row["danger_to_life"] else "none",
                    " ".join(row["text"].split()),
                    Severity(severity) if severity else None,
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{path.name}, line {number}: {error}") from None
    return read


def training(folder: Path = CORPUS) -> list[Sentence]:
    """All sentences that rules and model may be fitted to."""
    tables = [one for path in sorted((folder / "training").glob("*.tsv")) for one in sentences(path)]
    read = [one for name in _READ for one in authored(folder / "authored" / f"{name}.jsonl")]
    return [*tables, *ear_training(folder), *read]


def ear_training(folder: Path = CORPUS) -> list[Sentence]:
    """Those of them about danger to life by which the alarm of the ear is set: no rule was written with them."""
    return [one for path in sorted((folder / "ear").glob("*.tsv")) for one in sentences(path)]


@cache
def model(path: Path = SHIPPED) -> Model:
    """The model in that file; by default the one that is shipped. Raises :class:`CorpusError`."""
    try:
        return Model(Weights.unpacked(path.read_bytes()))
    except (OSError, ModelError) as error:
        raise CorpusError(f"{path}: {error}") from None
