"""What is held of a person, as a file to hand out: for programs, and to read."""

import json
import zipfile
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_jsonable_python

from domain.keys.places import SEALED
from starter.reading.held import LEFT_OUT, Everything

_FILES: Final = "intake.files"


def write_zip(everything: Everything, to: Path) -> list[str]:
    """Write *everything* to the new file *to*, which its owner alone may read. Returns the names of what is in it.

    Raises ``FileExistsError``.
    """
    tables = {table: [_told(row) for row in rows] for table, rows in everything.tables.items()}
    whole = {**everything.model_dump(exclude={"tables"}), "tables": tables, "left_out": LEFT_OUT}
    to.touch(mode=0o600, exist_ok=False)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("everything.json", json.dumps(whole, ensure_ascii=False, indent=1))
        file.writestr("everything.txt", "\n".join(_lines(everything, tables)) + "\n")
        for row in everything.tables.get(_FILES, []):
            file.writestr(f"files/{row['name']}", row["content"])
        return file.namelist()


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON; bytes as the text they are, and of a file where it is."""
    told = {name: _text(value) if isinstance(value, bytes) else value for name, value in row.items()}
    if "content" in row and isinstance(row["content"], bytes) and "sha256" in row:
        told["content"] = f"files/{row['name']}"
    plain: dict[str, Any] = to_jsonable_python(told)
    return plain


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _lines(everything: Everything, tables: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What is personal first, then the rest."""
    cases = ", ".join(everything.cases) or "none"
    lines = [f"What is held of {everything.subject}", f"Cases: {cases}", "Times are in UTC."]
    for table in sorted(tables, key=lambda table: (table not in SEALED, table)):
        lines += ["", f"== {table}: {len(tables[table])} =="]
        for row in tables[table]:
            lines += ["", *(f"{name}: {_shown(value)}" for name, value in row.items() if value is not None)]
    lines += ["", "== Left out ==", "", *(f"{table}: {why}" for table, why in LEFT_OUT.items())]
    return lines


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
