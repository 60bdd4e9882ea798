"""Files and rows of a trade log, as the tests write and read them."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import asyncpg

from domain.ground.base import Record
from starter.importing.formats.cells import to_cells
from starter.importing.formats.kinds import Kind
from starter.importing.loading import import_file

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

GOLD = "symbol,contract_size,currency,digits\nXAUUSD,100,USD,2\n"
QUOTES = "symbol,source,at,bid,ask\n"


def write(path: Path, text: str) -> Path:
    """*text* as it stands, line ends included."""
    path.write_bytes(text.encode())
    return path


def write_rows(path: Path, kind: Kind, rows: Iterable[Record]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(kind.columns)
        writer.writerows(map(to_cells, rows))
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def quote_line(second: int, bid: str = "1935.25", ask: str = "1935.55", source: str = "LP-1") -> str:
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"XAUUSD,{source},2023-11-12T{hour:02}:{minute:02}:{second:02}Z,{bid},{ask}\n"


async def with_gold(pool: Pool, folder: Path) -> None:
    """Make XAUUSD a known instrument."""
    await import_file(pool, write(folder / "instruments.csv", GOLD))


async def rows_of(pool: Pool, kind: Kind) -> list[Record]:
    """What the database holds of *kind*, in the order of its keys."""
    columns, key = (", ".join(f'"{name}"' for name in names) for names in (kind.columns, kind.key))
    found = await pool.fetch(f"select {columns} from {kind.schema}.{kind} order by {key}")  # noqa: S608
    return [kind.model.model_validate(dict(row)) for row in found]
