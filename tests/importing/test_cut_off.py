"""The firm's own CSV that was cut off within a row: it is told, whatever the row looks like then."""

from pathlib import Path

import pytest

from starter.importing.failing import ImportFailed
from starter.importing.formats.csv_templates import template
from starter.importing.formats.kinds import Kind
from starter.importing.sources import Reading, open_source
from tests.importing.test_statements import KNOWN


def told(path: Path, kind: Kind) -> list[str]:
    """What is said of the file, warning or refusal."""
    try:
        with open_source(path, kind, Reading(), KNOWN) as source:
            for _ in source.rows:
                pass
            return source.warnings()
    except ImportFailed as refused:
        return [str(refused)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("kind", Kind)
def test_a_file_that_ends_within_a_row_is_told_and_names_the_last_line(
    tmp_path: Path, kind: Kind, encoding: str
) -> None:
    mark = "" if encoding == "utf-8" else "\ufeff"
    header, row = template(kind).splitlines()[:2]
    path = tmp_path / "rows.csv"
    for cut in range(1, len(row) + 1):
        path.write_bytes(f"{mark}{header}\n{row}\n{row[:cut]}".encode(encoding))
        (said,) = told(path, kind)
        assert "line 3, the last, does not end" in said or "line 3: a quoted value begins there" in said
    for end in ("\n", "\r\n", "\r"):
        path.write_bytes(f"{mark}{header}{end}{row}{end}".encode(encoding))
        assert told(path, kind) == []
