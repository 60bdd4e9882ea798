"""The SQL of the sources, now or as they were when the newest migration was added, tried on the schema of today."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("activities", "runtime", "starter")

_STATEMENT: Final = re.compile(
    r"\s*(select|insert|update|delete|with)\b.*\b(casefile|tradelog|payments)\.", re.I | re.S
)
_INSERT: Final = re.compile(r"insert\s+into\s+(\w+)\.(\w+)(?:\s+as\s+\w+)?\s*\(([\w\s,]+)\)", re.IGNORECASE)
_GONE: Final = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
    asyncpg.DatatypeMismatchError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidColumnReferenceError,
)
_NEEDED: Final = """
    select column_name from information_schema.columns
    where table_schema = $1 and table_name = $2 and is_nullable = 'NO' and column_default is null
      and is_identity = 'NO' and is_generated = 'NEVER'
"""


def statements_in(source: str) -> Iterator[str]:
    """The whole SQL statements among the texts of a Python source, without those put together while it runs."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:  # noqa: SIM102
            if _STATEMENT.match(node.value):
                yield node.value


@cache
def statements_now() -> set[str]:
    """Those of the sources as they are."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {statement for path in paths for statement in statements_in(path.read_text("utf-8"))}


def statements_before(migration: Path) -> set[str] | None:
    """Those of the sources before the commit that added *migration* (or, if none has yet, of the last commit).

    None without the history of the repository.
    """
    added = _git("log", "--diff-filter=A", "--format=%H", "--", str(migration.relative_to(ROOT)))
    if added is None:
        return None
    before = f"{added.split()[-1]}^" if added.strip() else "HEAD"
    names = _git("ls-tree", "-r", "--name-only", before, *ROOMS)
    if names is None:
        return None
    sources = [_git("show", f"{before}:{name}") or "" for name in names.split() if name.endswith(".py")]
    return {statement for source in sources for statement in statements_in(source)}


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


async def refused(connection: "PoolConnectionProxy[asyncpg.Record]", statements: set[str]) -> list[str]:
    """What the schema of the database does not take any more, and why; nothing is run."""
    wrong = []
    # A table that the sources ask for before they use it may be missing.
    may_miss = {name for statement in statements for name in re.findall(r"to_regclass\('([\w.]+)'\)", statement)}
    for statement in sorted(statements):
        try:
            await connection.prepare(statement)
        except _GONE as error:
            if any(f'relation "{name}" does not exist' in str(error) for name in may_miss):
                continue
            wrong.append(f"{error}: {' '.join(statement.split())}")
        except asyncpg.PostgresError:
            continue  # a part of a statement, or one whose parameters only the driver's codecs explain
        for schema, table, columns in _INSERT.findall(statement):
            needed = {row["column_name"] for row in await connection.fetch(_NEEDED, schema.lower(), table.lower())}
            if left_out := needed - {column.strip().lower() for column in columns.split(",")}:
                named = ", ".join(sorted(left_out))
                wrong.append(f"{schema}.{table} wants {named}: {' '.join(statement.split())}")
    return wrong
