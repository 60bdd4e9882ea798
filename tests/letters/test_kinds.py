"""Every kind of letter has its row, its templates, and a place that posts it."""

import re

import pytest

from domain.ground.words import LetterKind
from domain.letters.kinds import LETTERS
from domain.letters.letter import LetterFacts
from runtime.letters.stationery import LANGUAGES
from runtime.paths import ROOT, TEMPLATES

FOR_INCIDENTS = "incident"
"""The one template of a letter that no case sends."""


def test_every_kind_has_a_row_and_needs_facts_that_there_are() -> None:
    assert set(LETTERS) == set(LetterKind)
    assert {name for row in LETTERS.values() for name in row.needs} <= set(LetterFacts.model_fields)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_template_in_each_language_and_every_template_a_kind(language: str) -> None:
    written = {path.stem for path in (TEMPLATES / language).glob("*.txt") if not path.stem.startswith("_")}
    assert written == {*LetterKind, FOR_INCIDENTS}


@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_is_posted_somewhere(kind: LetterKind) -> None:
    workflows = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflows").rglob("*.py"))
    assert re.search(rf"\bLetterKind\.{kind.name}\b", workflows), f"nothing in workflows/ posts a {kind.value} letter"


@pytest.mark.parametrize("kind", LetterKind)
def test_the_documentation_names_what_every_kind_needs(kind: LetterKind) -> None:
    pages = (ROOT / "docs" / "letters.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in pages.splitlines() if line.startswith("| ") and line.count("|") == 4]
    [needed] = [cells[2] for cells in rows if kind.value.replace("_", " ") in cells[1].strip().split(", ")]
    assert [name for name in LETTERS[kind].needs if f"`{name}`" not in needed] == []
