"""Files outside of the record in which a person is named: letters of the outbox, rows that an import rejected."""

import csv
import os
import re
import secrets
import socket
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from runtime.mail import Outbox

if TYPE_CHECKING:
    from runtime.database import Connection

REJECTS_HEADER: Final = ("line", "reason", "original")
"""How a file of rejected rows begins."""


class Left(NamedTuple):
    """Files of this machine that go with a person: whole letters, and of rejects the rows with one of the words."""

    letters: tuple[Path, ...]
    rejects: tuple[Path, ...]
    words: frozenset[str]

    def counted(self) -> dict[str, int]:
        """How many letters and rows there are, as the certificate says."""
        rows = sum(len(_parted(path, self.words)[1]) for path in self.rejects)
        return {"files": sum(path.exists() for path in self.letters), "rejected_rows": rows}

    def remove(self) -> None:
        """Remove them. A file of rejects without rows is removed as well."""
        for path in self.letters:
            path.unlink(missing_ok=True)
        for path in self.rejects:
            others, theirs = _parted(path, self.words)
            if theirs and others:
                _write(path, others)
            elif theirs:
                path.unlink(missing_ok=True)


async def left_of(
    connection: "Connection", outbox: Outbox, account: str | None, cases: Sequence[str], letters: Sequence[str]
) -> Left:
    """What is left on this machine of who has that *account* and these *cases*; *letters* are their keys."""
    words = {row["word"] for row in await connection.fetch(_WORDS, account, list(cases))}
    rejects = await connection.fetch(_REJECTS, socket.gethostname())
    return Left(
        letters=tuple(map(outbox.path, letters)),
        rejects=tuple(Path(row["path"]) for row in rejects),
        words=frozenset(word for word in words if isinstance(word, str) and word.strip()),
    )


async def made_rejects(connection: "Connection", path: Path) -> None:
    """Write down that an import makes this file, if it rejects rows."""
    await connection.execute(_MADE, socket.gethostname(), _whole(path))


def _whole(path: Path) -> str:
    return str(path.absolute())


def _parted(path: Path, words: Collection[str]) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of a file of rejects that name nobody of these, and those that do."""
    if not words or not path.is_file():
        return [], []
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if tuple(header) != REJECTS_HEADER:
        return [], []  # it is another file by now
    named = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)
    theirs = [row for row in rows if any(map(named.search, row))]
    return [row for row in rows if row not in theirs], theirs


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with open(part, "w", encoding="utf-8", newline="", opener=for_its_owner) as file:
            csv.writer(file).writerows([REJECTS_HEADER, *rows])
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def for_its_owner(path: str, flags: int) -> int:
    """Open a file that nobody else may read: rejected rows hold what customers are called and how to reach them."""
    return os.open(path, flags, 0o600)


_WORDS: Final = """
    select $1::text as word where $1 is not null
    union
    select unnest(array[name, email, phone]) from casefile.customers where account = $1
    union
    select unnest(array[name, email, phone]) from casefile.contacts where reference = any($2::text[])
"""
_REJECTS: Final = "select path from tradelog.rejects where host = $1 order by path"
_MADE: Final = "insert into tradelog.rejects (host, path) values ($1, $2) on conflict do nothing"
