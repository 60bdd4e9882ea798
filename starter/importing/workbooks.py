"""Workbooks: the rows of their sheets, and how little one may cost that says it is one."""

import contextlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from starter.importing.failing import ImportFailed
from starter.importing.formats.mt5_report import Row

# What a workbook may cost is bounded by its own size: a few kilobytes can claim a trillion cells.
_WORKBOOK: Final = 1 << 30  # bytes of a workbook unpacked
_STRINGS: Final = 1 << 28  # bytes of its shared strings, which are kept in memory
_DENSEST: Final = 100  # bytes that a byte of a workbook may unpack to; reports have some 10 to 20 ...
_SMALL: Final = 4 << 20  # ... and up to so many bytes it does not matter
_READINGS: Final = 3  # times that all of a file may be read: sheets may share one part
_COLUMNS: Final = 256  # a report has some 15
_ROWS: Final = 1 << 20  # of all sheets, as many as Excel allows one
_GAP: Final = 10_000  # rows that stand between two and are empty


def is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


class _Metered(io.FileIO):
    """A file that cannot be read much more often than once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = _READINGS * path.stat().st_size + (64 << 10)

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(-1 if size is None else size)
        self._left -= len(found)
        if self._left < 0:
            raise ValueError("its parts are used again and again")
        return found


def sheet_rows(path: Path, stack: contextlib.ExitStack) -> tuple[Iterator[Row], Callable[[], int]]:
    """The rows of every sheet, and about how many bytes are done.

    A sheet that is called after a section begins it, as its title would.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    # Whatever a part of it may hold: openpyxl raises what it stumbles over.
    damaged = (zipfile.BadZipFile, zlib.error, InvalidFileException, SyntaxError, LookupError, ValueError, TypeError,
               AttributeError, ArithmeticError, EOFError, RuntimeError)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles, which nobody looks at
        try:
            _check_workbook(path)
            file = stack.enter_context(_Metered(path))
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except damaged as error:
            why = str(error).partition("\n")[0]
            raise ImportFailed(f"{path.name}: is no workbook, or a damaged one ({why}): export it again.") from error
    stack.callback(book.close)

    read, size = 0, path.stat().st_size
    total = sum(sheet.max_row or 0 for sheet in book.worksheets) or 1

    def rows() -> Iterator[Row]:
        nonlocal read
        try:
            for sheet in book.worksheets:
                if len(book.worksheets) > 1:
                    yield 0, [sheet.title]
                sheet.reset_dimensions()  # what it says of its size would have every row filled up to it
                for number, cells in _bounded(sheet.iter_rows(values_only=True), f"{path.name}, {sheet.title[:40]}"):
                    read += 1
                    if read > _ROWS:
                        raise ImportFailed(f"{path.name}: more than {_ROWS:,} rows: export the report in parts.")
                    yield number, cells
        except damaged as error:
            raise ImportFailed(f"{path.name}: the workbook is damaged ({error}): export it again.") from error

    return rows(), lambda: min(size * read // total, size)


def _check_workbook(path: Path) -> None:
    """Raise `ImportFailed` if it unpacks to more than its size makes likely. Nothing is unpacked for it."""
    with zipfile.ZipFile(path) as archive:
        sizes = {part.filename: part.file_size for part in archive.infolist()}
    whole = sum(sizes.values())
    strings = sum(size for name, size in sizes.items() if name.lower().endswith("sharedstrings.xml"))
    if whole > _WORKBOOK or strings > _STRINGS:
        raise ImportFailed(
            f"{path.name}: more than a workbook may hold here (1 GB unpacked, 256 MB of texts): export it in parts."
        )
    if whole > max(_SMALL, _DENSEST * path.stat().st_size):
        raise ImportFailed(
            f"{path.name}: its {path.stat().st_size:,} bytes unpack to {whole:,}, as no report does: export it again"
            " from the terminal, or open it in a spreadsheet and save it anew."
        )


def _bounded(rows: Iterator[tuple[object, ...]], name: str) -> Iterator[Row]:
    """The *rows* of a sheet, numbered. Raises `ImportFailed` where a cell lies far from all others."""
    way_out = "clear what lies there in a spreadsheet and save it anew, or export it again."
    empty = 0
    for number, cells in enumerate(rows, start=1):
        if len(cells) > _COLUMNS:
            raise ImportFailed(f"{name}, row {number}: {len(cells):,} columns, and a report has some 15: {way_out}")
        empty = 0 if cells else empty + 1
        if empty > _GAP:
            raise ImportFailed(f"{name}, row {number}: after more than {_GAP:,} empty rows there are others: {way_out}")
        yield number, cells
