"""The corpus of everyday complaints: sentences with their categories, for the model and for measurements."""

from pathlib import Path
from typing import NamedTuple

from domain.ground.words import Category
from domain.speech.proposing import Model
from runtime.paths import CORPUS


class CorpusError(ValueError):
    """A table of the corpus cannot be read; the message names file and line."""


class Sentence(NamedTuple):
    """A sentence, its language (``en`` or ``zh``), its category where it has one, and what it is a sign of."""

    language: str
    category: Category | None
    sign: str
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


def training(folder: Path = CORPUS) -> list[Sentence]:
    """All sentences that rules and model may be fitted to."""
    return [one for path in sorted((folder / "training").glob("*.tsv")) for one in sentences(path)]


def model() -> Model:
    """The model, counted from the training part of the corpus."""
    return Model((one.category, one.text) for one in training() if one.category)
