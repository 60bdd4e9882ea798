"""Files of text: how they are encoded, and what would break them off in the middle."""

import codecs
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from starter.importing.failing import ImportFailed
from starter.importing.formats.code_pages import ChineseLikelihood, utf_16

CHUNK = 1 << 20  # bytes
_TAIL = 1 << 12  # bytes that have the last two lines of prices


def open_text(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def numbered_lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(stream, start=1):
        if text := line.rstrip("\r\n"):
            yield number, text


def _known_encoding(path: Path, name: str) -> str:
    try:
        known = codecs.lookup(name).name
        "".encode(known)
    except LookupError:
        raise ImportFailed(f"{path.name}: {name!r} is no encoding known here; try gbk, cp1251 or latin-1.") from None
    return "utf-8-sig" if known == "utf-8" else name


def text_encoding(path: Path, named: str | None) -> str:
    """The encoding of a file of lines: as named, else as its mark says, else UTF-8. Nothing is guessed."""
    if named is not None:
        return _known_encoding(path, named)
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def check_text(path: Path, encoding: str) -> int:
    """Read the whole file once for what would break it off in the middle, so that a broken file loads nothing.

    Returns the number of quote marks in it. Raises `ImportFailed`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = quotes = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeError as error:
                before = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                raise _undecodable(path, lines + before.decode(encoding, "replace").count("\n") + 1, encoding) from None
            if "\0" in text:
                line = lines + text[: text.index("\0")].count("\n") + 1
                raise ImportFailed(
                    f"{path.name}, line {line}: a NUL byte. The file is damaged, or no text: export it again."
                )
            if len(chunk) == CHUNK and "\n" not in text and "\r" not in text:
                raise ImportFailed(f"{path.name}, line {lines + 1}: longer than a megabyte. This is no CSV of rows.")
            lines += text.count("\n")
            quotes += text.count('"')
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise ImportFailed(f"{path.name}: ends in the middle of a character. Export it again.") from None
    return quotes


def breaks_off(path: Path, encoding: str) -> bool:
    """Whether the last line of a file of prices does not end, and is shorter than the one before it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL) // 4 * 4)
        tail = file.read().decode({"utf-16": "utf-16-le"}.get(encoding, encoding), "ignore")
    lines = tail.splitlines(keepends=True)
    return len(lines) > 1 and not lines[-1].endswith(("\n", "\r")) and len(lines[-1]) < len(lines[-2].rstrip("\r\n"))


def ends_its_line(path: Path, encoding: str) -> bool:
    """Whether the last line of a file of text ends, as those of a file that was written to its end do."""
    with path.open("rb") as file:
        file.seek(-min(4, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    codes = {"utf-16": ("utf-16-le", "utf-16-be"), "utf-8-sig": ("utf-8",)}.get(encoding, (encoding,))
    return any(tail.endswith(end.encode(code)) for code in codes for end in "\r\n")


def _undecodable(path: Path, line: int, encoding: str) -> ImportFailed:
    if encoding == "utf-8-sig":
        return ImportFailed(
            f"{path.name}, line {line}: not UTF-8. Name its encoding with --encoding (a Chinese Excel saves gbk), or"
            " save it as UTF-8."
        )
    return ImportFailed(f"{path.name}, line {line}: not in {encoding}: name its encoding with --encoding.")


def page_encoding(path: Path, named: str | None) -> str:
    """The encoding of a page: as named, else UTF-16 by its mark or its shape, else UTF-8, else GBK if it reads so."""
    with path.open("rb") as file:
        head = file.read(1 << 10)
    tried = [_known_encoding(path, named)] if named else [utf_16(head) or "utf-8-sig", "gb18030"]
    for encoding in tried:
        chinese = ChineseLikelihood()
        with path.open("rb") as file:
            try:
                for piece in pieces_of(file, encoding):
                    if encoding == "gb18030":
                        chinese.see(piece)
            except UnicodeError:
                continue
        if named or encoding != "gb18030" or chinese.likely:
            return encoding
    said = f"is not in {named}" if named else "is not in UTF-8, and does not read as the Chinese of GBK"
    raise ImportFailed(
        f"{path.name}: {said}: name its encoding with --encoding, such as gbk, big5, shift_jis, euc-kr or cp1251."
    )


def pieces_of(file: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    while chunk := file.read(64 << 10):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
