"""Whatever struck it, the record is as it was written: its hash chains, read by the verifier that auditors have."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from record.chain import export
from record.chain_verifier import CHAIN, STRAYS, check_chains, check_strays

if TYPE_CHECKING:
    from trial.report import Report


async def chains(url: str, report: "Report") -> None:
    """Every row that must stand in a chain does, as it was written and after what it followed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        connection = await asyncpg.connect(url)
        try:
            report.counted["rows in chains"] += await export(connection, folder)
        finally:
            await connection.close()
        for fault in (*check_chains(_rows(folder / CHAIN), set()), *check_strays(_rows(folder / STRAYS))):
            report.add("chain broken", fault.reference, f"{fault.kind}: {fault.what}")


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
