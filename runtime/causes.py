"""The tree of root causes: that of the firm, or ours."""

from functools import cache
from pathlib import Path

from domain.rules.causes import CauseTree
from runtime.paths import POLICIES
from runtime.toml_files import read_toml, to_record


@cache
def load_causes(path: Path = POLICIES / "learning" / "causes.toml") -> CauseTree:
    """The tree of that file. Raises :class:`~runtime.toml_files.TomlFileError`."""
    return to_record(path, read_toml(path), CauseTree)
