"""Whether the record is as it was written, by the command line and by what left the firm."""

from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from record.chain_verifier import TYPE
from record.checkpointing import Checkpointing
from runtime.identity.keys import own_keys, read_signing_key
from runtime.outside import FILE, Outside
from runtime.settings import load_settings
from tests.case.support import keeping, opened
from tests.cli.command_line import CommandLine

AUDITOR = "audit@example.com"


async def test_checkpoints_leave_the_firm_and_find_out_who_rewrote_the_record(
    redress: CommandLine, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, tmp_path: Path
) -> None:
    key, _ = own_keys(tmp_path / "key", "auditor")
    redress.set("REDRESS_CHECKPOINT_KEY", str(key))
    redress.set("DATABASE_URL", database_url)
    signing = read_signing_key(key)
    settings = load_settings(checkpoint_dir=tmp_path / "share", auditor=AUDITOR, outbox_dir=tmp_path / "outbox")
    making = Checkpointing(
        pool, lambda said: signing.sign(said, TYPE), Outside(settings).deliver, lambda: datetime.now(UTC)
    )
    reference = await opened(keeping(pool))
    await making.once()
    await making.once()  # nothing is new
    left = tmp_path / "share" / FILE
    assert len(left.read_text().splitlines()) == 1
    [mail] = (tmp_path / "outbox").glob("*.eml")
    assert AUDITOR in mail.read_text()

    fine = await redress("audit", "verify", "--checkpoints", left)
    assert fine.out.startswith("All is as it was written")
    whole = await redress("audit", "export", tmp_path / "exported")
    assert (tmp_path / "exported" / "verify.py").exists()
    assert whole.code == 0

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        for table in ("chain_checkpoints", "chain", "timeline"):
            await connection.execute(f"delete from casefile.{table} where true")  # noqa: S608
    # Brought back from somewhere, with a history of its own: what left the firm before stays in the file.
    await pool.execute(
        "insert into casefile.recusals (reference, person, why, about, at) values ($1, 'x', 'named', 'y', now())",
        reference,
    )
    await making.once()
    assert len(left.read_text().splitlines()) == 2
    ran = await redress("audit", "verify", "--checkpoints", left, "--json")
    assert ran.code == 5
    assert {"rewritten", "inserted"} <= {fault["kind"] for fault in ran.data["faults"]}


async def test_without_a_key_it_says_which_to_name(redress: CommandLine) -> None:
    assert "REDRESS_CHECKPOINT_KEY" in (await redress("audit", "verify")).err


async def test_who_reads_personal_data_is_written_down_before_it_is_shown(
    redress: CommandLine, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str
) -> None:
    redress.set("DATABASE_URL", database_url)
    reference = await opened(keeping(pool))
    await redress("timeline", reference)
    redress.set("REDRESS_ACTOR", "handler:h-17")
    redress.set("REDRESS_PURPOSE", "the customer has called")
    for command in (
        ("letters",),
        ("rejected",),
        ("evidence", "pack", "--output", "/dev/null/no", "--for", "ombudsman"),
    ):
        await redress(command[0], *command[1:2], reference, *command[2:])
    await redress("find", "nobody-of-this-name")
    await redress("assess", "explain", reference)  # that names nothing itself, and opens what was written
    await redress("list")
    await redress("deadlines", reference)
    noted = (await redress("audit", "accesses", "--of", "handler:h-17", "--json")).data
    assert [(one["what"], one["reference"]) for one in noted] == [
        ("assess", reference),
        ("find", None),
        ("evidence pack for ombudsman", reference),
        ("rejected", reference),
        ("letters", reference),
    ]
    assert {one["purpose"] for one in noted} == {"the customer has called"}
    everybody = (await redress("audit", "accesses", "--case", reference, "--json")).data
    assert everybody[-1]["who"].startswith("os:")
    await pool.execute("drop table casefile.accesses")
    hidden = await redress("timeline", reference)
    assert (hidden.code, hidden.out) == (4, "")
