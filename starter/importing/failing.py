"""That an import could not be done."""

from pathlib import Path
from typing import Final

REPEAT: Final = "Repeat the import when it is mended: rows that are already loaded are recognised."


class ImportFailed(Exception):
    """The import could not be done; the text says why and what to do.

    ``rejects_path`` is the file with the bad rows if a strict import failed because of them.
    """

    def __init__(self, message: str, rejects_path: Path | None = None) -> None:
        super().__init__(message)
        self.rejects_path = rejects_path
