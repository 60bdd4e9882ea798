"""TOML files that hold one record each: read and checked whole, with errors that name the file and the field."""

import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.ground.base import Record

R = TypeVar("R", bound=Record)


class TomlFileError(ValueError):
    """A file that does not hold the record it should. The message names the file, and the fields that do not fit."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of the TOML file *path*. Raises :class:`TomlFileError`."""
    try:
        # Amounts of money with a fraction must not pass through a float.
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlFileError(f"{path.name}: not a TOML file: {error}") from None


def to_record(path: Path, content: dict[str, Any], model: type[R]) -> R:
    """*content*, read from *path*, as a record. Raises :class:`TomlFileError`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        lines = (_line(field(content, item["loc"]), item["msg"].removeprefix("Value error, ")) for item in problems)
        raise TomlFileError(f"{path.name}: {'; '.join(lines)}") from None


def field(content: Any, location: Iterable[int | str]) -> str:
    """Where in the file: ``clocks[response].rungs[due].level``. A list's items go by name where they have one."""
    path = ""
    for part in location:
        if isinstance(part, int):
            content = content[part] if isinstance(content, list) and part < len(content) else None
            name = content.get("name", content.get("id", part)) if isinstance(content, dict) else part
            path += f"[{name}]"
        else:
            content = content.get(part) if isinstance(content, dict) else None
            path += f".{part}" if path else part
    return path


def _line(place: str, problem: str) -> str:
    return f"{place}: {problem}" if place else problem
