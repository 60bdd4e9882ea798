"""``redress demo`` as people run it: a process of its own, its servers, and seven complaints to their ends."""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import psutil
import pytest

from runtime.embedded import DATABASE
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.embedded_temporal import EmbeddedTemporal
from runtime.keys.here import KEYRING, hold, keys_here
from runtime.keys.keyring import FileKeyring
from runtime.keys.store import KeyStore
from runtime.keys.vault import Vault
from runtime.paths import ROOT
from tests.replaying import LIVES
from tests.scanning import leaks, rows_with, unsealed

# What a firm has configured, and the demo must leave alone.
CONFIGURED = {
    "DATABASE_URL": "postgresql://redress@127.0.0.1:1/production",
    "TEMPORAL_ADDRESS": "127.0.0.1:1",
    "TEMPORAL_NAMESPACE": "production",
    "REDRESS_SMTP_HOST": "mail.example.com",
    "REDRESS_DEFAULT_POLICY": "platform-default",
}
# Category, outcome, compensation, deadlines. One was met too late: its customer's mailbox was away.
ENDS = [
    ("execution", "upheld", "USD 3,157.80", "3 met"),
    ("execution", "not upheld", "–", "3 met"),
    ("withdrawal", "upheld", "USD 18.41", "3 met"),
    ("fee", "referred", "–", "2 met"),
    ("withdrawal", "not upheld", "–", "1 met, 1 missed"),
    ("execution", "withdrawn", "–", "2 met"),
    ("execution", "upheld", "USD 2,014.40", "3 met"),
]
# Of every customer the end of the address, of their names and of what they wrote what no letter of ours says.
PERSONAL = (
    "@example.org",
    "Customer 7",
    "客户 7",
    "was closed by a stop out at",
    "worse than the price on",
    "has taken the fee for a gold futures account twice",
    "was only paid out the next day. I expect it at once",
    "executed at another price than the one I had set",
    "的黄金多单",
)
DOCUMENTED = ("trade-log/",)
"""Files that were brought in, as they came."""
ROW = re.compile(
    r"^RD-[\w-]{15} +(\w+) +((?:not |partly )?\w+) +(–|USD [\d,.]+) +(\d+ met(?:, \d+ missed)?) +(\d+) *$", re.MULTILINE
)


async def run_demo(folder: Path) -> tuple[int | None, str]:
    """Exit code and what was printed."""
    environment = {**os.environ, **CONFIGURED, "REDRESS_STATE_DIR": str(folder), "COLUMNS": "80"}
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starter.cli", "demo"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await demo.communicate()
    finally:
        if demo.returncode is None:
            demo.terminate()
            await demo.wait()
    return demo.returncode, printed.decode()


def processes_of(folder: Path) -> Sequence[str]:
    """The processes that were told of this folder or are in it."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join([*process.cmdline(), *process.environ().values(), process.cwd()])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if str(folder) in told:
            found.append(" ".join(process.cmdline()))
    return found


async def replay(state: Path, folder: Path) -> list[tuple[str, str]]:
    """Replay what the demo ran, whose servers have left *state*, with the keys that it made for itself.

    Returns what is personal and in the clear in a row, by table.
    """
    held = keys_here()
    kept = EmbeddedTemporal(state, namespace="default", log=folder / "temporal.log")
    async with EmbeddedPostgres(state / "postgres", log=folder / "postgres.log") as record:
        vault = Vault(KeyStore(lambda: record.url(DATABASE)), FileKeyring(state / KEYRING))
        hold(vault)
        try:
            await kept.start()
            await kept.stop()  # on its way it tells what the demo ran
            assert await LIVES.replay(folder) == []
            async with asyncpg.create_pool(record.url(DATABASE), min_size=0) as pool:
                return [(column, "") for column in await unsealed(pool)] + await rows_with(pool, PERSONAL)
        finally:
            hold(held)
            await vault.close()


@pytest.mark.long
@pytest.mark.timeout(500)
async def test_seven_complaints_come_to_their_ends_on_servers_of_the_demos_own() -> None:
    with tempfile.TemporaryDirectory(prefix="redress-") as place:  # a short path, for PostgreSQL's socket
        old = Path(place) / "state/demo/trade-log/quotes.csv"  # of an earlier demo
        old.parent.mkdir(parents=True)
        for file in (old, Path(place) / "state/demo/lock"):
            file.write_text("old")
        code, printed = await run_demo(Path(place) / "state")
        print(printed)

        assert code == 0
        assert processes_of(Path(place)) == []
        assert old.read_text() != "old"
        assert await replay(old.parents[1], Path(place)) == []
        assert [one for one in leaks(old.parents[1], PERSONAL) if not one[0].startswith(DOCUMENTED)] == []

    cases = ROW.findall(printed)
    assert [tuple(case[:4]) for case in cases] == ENDS
    assert "Compensation ledger: balanced: 3 postings, USD 5,190.61 debited and credited." in printed
    assert re.search(r"Letters: \d\d delivered by SMTP, [1-9] attempts turned away", printed)
    assert "Our final response to your complaint" in printed
    assert "投诉处理决定" in printed
    assert "Traceback" not in printed
    assert max(map(len, printed.split("How they ended")[1].splitlines())) <= 90


async def test_a_folder_that_is_somebody_elses_is_not_emptied(tmp_path: Path) -> None:
    mine = tmp_path / "demo/mine.txt"
    mine.parent.mkdir()
    mine.touch()
    code, printed = await run_demo(tmp_path)
    assert code == 1
    assert "was never a state folder" in printed
    assert "Traceback" not in printed
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]
