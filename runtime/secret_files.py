"""Secrets from files, as containers are given them: `VARIABLE_FILE` names the file that holds what `VARIABLE` would."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

SUFFIX: Final = "_FILE"
_LONGEST: Final = 64_000


def read_secret_files(variables: Iterable[str], environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What the files that *environment* names hold, by variable, and a line for each that is wrong.

    Line ends at the end of a file are no part of a secret, as editors and `echo` leave them. Both a variable and its
    file may be set only where they say the same, as they do for a process that was started with what this one has read.
    """
    read: dict[str, str] = {}
    wrong: list[str] = []
    for variable in variables:
        if named := environment.get(variable + SUFFIX):
            try:
                value = _text(Path(named))
            except (OSError, ValueError) as error:
                wrong.append(f"{variable}{SUFFIX}: {named}: {error}. Expected: a file with what {variable} would hold.")
                continue
            if environment.get(variable) not in (None, "", value):
                wrong.append(f"{variable}{SUFFIX}: {variable} is set as well, and says something else; keep one.")
            read[variable] = value
    return read, wrong


def _text(path: Path) -> str:
    """The secret in the file. Raises `OSError` and `ValueError` without quoting it."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1).rstrip("\r\n")
    except OSError as error:
        raise OSError(error.strerror or "it cannot be read") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if not text.strip():
        raise ValueError("it is empty")
    if len(text) > _LONGEST or "\0" in text:
        raise ValueError("it is no secret: too long, or no text")
    return text
