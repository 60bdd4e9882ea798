"""Where the data folders of Redress are: the same in a clone and in an image."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The folder that holds `worker.py`, the packages and the data folders."""

POLICIES: Final = ROOT / "policies"
CORPUS: Final = ROOT / "corpus"
"""Everyday complaints with their categories, in tables."""
"""Policy packs, one `NAME.toml` each."""

TEMPLATES: Final = ROOT / "templates"
"""Letters, one folder a language."""

MIGRATIONS: Final = ROOT / "migrations"
"""The database schema, `NNNN_name.sql` in order."""

KEY_MIGRATIONS: Final = MIGRATIONS / "keys"
"""The table of keys, likewise; it may live in another database."""
