"""Writes that go to PostgreSQL together: one statement and one answer for what an activity has to write of a case."""

import re
from typing import TYPE_CHECKING, Any, Final

import asyncpg

if TYPE_CHECKING:
    from runtime.database import Connection


class AtOnce:
    """Inserts and updates that are sent as one statement.

    Each is a whole statement with parameters from ``$1``; they run in the order in which they were added, after the one
    they are sent with, and then the triggers of all of them. None sees what another has written, so no two may change
    one row.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._values: list[Any] = []

    def add(self, statement: str, *values: Any) -> None:
        """Have *statement* sent with the others."""
        self._parts.append(_numbered_from(len(self._values), statement))
        self._values += values

    async def run(self, connection: "Connection") -> None:
        """Send what was added, if anything was."""
        if self._parts:
            await self.fetch(connection, "select true")

    async def fetch(self, connection: "Connection", statement: str, *values: Any) -> list[asyncpg.Record]:
        """Send what was added with *statement*, whose rows are returned; nothing is left to be sent after that."""
        parts, before = self._parts, self._values
        self._parts, self._values = [], []
        if not parts:
            return list(await connection.fetch(statement, *values))
        # PostgreSQL runs the last first.
        beside = ", ".join(f"beside{number} as ({part})" for number, part in reversed([*enumerate(parts)]))
        own = _numbered_from(len(before), statement).strip()
        rest = f", {own[len(_WITH) :]}" if own.lower().startswith(_WITH) else f" {own}"
        return list(await connection.fetch(f"{_WITH}{beside}{rest}", *before, *values))


def _numbered_from(first: int, statement: str) -> str:
    """The *statement* with its ``$1`` after *first* others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + first}", statement)


_PARAMETER: Final = re.compile(r"\$(\d+)")
_WITH: Final = "with "
