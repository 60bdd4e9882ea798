"""The corpus of everyday complaints, for tests."""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "corpus"


class Row(NamedTuple):
    """A sentence: its language, its category (empty where it has none) and what it is a sign of."""

    language: str
    category: str
    sign: str
    text: str


def rows(path: Path) -> list[Row]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header.split("\t") == list(Row._fields), path
    return [Row(*line.split("\t")) for line in lines]


def training() -> list[Row]:
    return [row for path in sorted((FOLDER / "training").glob("*.tsv")) for row in rows(path)]


def kept_apart() -> list[Row]:
    return rows(FOLDER / "test.tsv")
