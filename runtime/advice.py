"""The notes on risks: those of the firm, or ours."""

from functools import cache
from pathlib import Path

from domain.rules.advice import Advice
from runtime.paths import POLICIES
from runtime.toml_files import read_toml, to_record


@cache
def load_advice(path: Path = POLICIES / "learning" / "advice.toml") -> Advice:
    """The notes of that file. Raises :class:`~runtime.toml_files.TomlFileError`."""
    return to_record(path, read_toml(path), Advice)
