"""What somebody types who has a customer erased, and what they are told."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from tests.case.support import keeping, opened
from tests.cli.command_line import CommandLine

ACCOUNT = "of-a-test-of-erasing"


async def test_an_erasure_is_asked_for_refused_with_a_letter_and_declined(
    redress: CommandLine, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    redress.set("REDRESS_OUTBOX_DIR", str(tmp_path / "outbox"))
    reference = await opened(keeping(pool), account=ACCOUNT)
    why = ("--reason", "they asked for it")

    unknown = await redress("erase", "request", "nobody", *why, "--as", "handler:h-1")
    assert (unknown.code, "give an account, or the reference of a case" in unknown.err) == (3, True)
    assert "give the account" in (await redress("erase", "request", reference, *why, "--as", "handler:h-1")).err
    asked = await redress("erase", "request", ACCOUNT, *why, "--as", "handler:h-1")
    assert f"open case: {reference}" in asked.out
    erasure = asked.out.split(":")[0]
    for actor, told in (("handler:h-2", "decides on no erasure"), ("executive:h-1", "a second person does")):
        assert told in (await redress("erase", "approve", erasure, *why, "--as", actor)).err
    refused = await redress("erase", "approve", erasure, *why, "--as", "executive:e-1")
    assert "refused; it is looked at again on" in refused.out
    [letter] = (tmp_path / "outbox").glob("*.eml")
    assert "still being handled" in letter.read_text()
    again = await redress("erase", "approve", erasure, *why, "--as", "executive:e-1")
    assert (again.code, "it was refused on" in again.err) == (1, True)
    assert erasure in (await redress("erase", "list")).out
    shown = (await redress("erase", "show", erasure)).out
    assert (f"open case: {reference}" in shown, "looked at again on" in shown, "{" in shown) == (True, True, False)
    assert (await redress("erase", "show", "ER-none")).code == 3

    await redress("hold", "place", ACCOUNT, *why, "--as", "handler:h-1")
    assert ACCOUNT in (await redress("hold", "list")).out
    await redress("hold", "release", ACCOUNT, *why, "--as", "handler:h-1")
    assert "Nothing is held" in (await redress("hold", "list")).out

    file = tmp_path / "all.zip"
    assert (await redress("privacy", "export", ACCOUNT, "--output", file)).code == 0
    assert zipfile.ZipFile(file).namelist() == ["everything.json", "everything.txt"]
    assert (await redress("privacy", "export", ACCOUNT, "--output", file)).code == 2
    accessed = (await redress("audit", "accesses", "--case", reference, "--json")).data
    assert [one["what"] for one in accessed] == ["privacy export", "erase approve"]


async def test_whoever_asks_what_was_found_of_an_erased_case_is_told_that_it_was_erased(
    redress: CommandLine, pool: "asyncpg.Pool[asyncpg.Record]", database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    redress.set("REDRESS_OUTBOX_DIR", str(tmp_path / "outbox"))
    reference = await opened(keeping(pool), "told-to-be-erased", account="told-to-be-erased")
    closed = "update casefile.cases set closed_at = now() - interval '10 years', revision = revision + 1"
    await pool.execute(closed)
    asked = ("assess", "explain"), ("recompute",), ("evidence", "pack", "--output", tmp_path / "before")
    before = [(await redress(*one, reference)).out for one in asked]
    assert not any("erased" in told for told in before)
    made = await redress("erase", "request", "told-to-be-erased", "--reason", "asked", "--as", "handler:h-1")
    erasure = made.out.split(":")[0]
    assert (await redress("erase", "approve", erasure, "--reason", "ok", "--as", "executive:e-1")).code == 0

    day = f"{datetime.now(UTC):%Y-%m-%d}"
    after = ("assess", "explain"), ("recompute",), ("evidence", "pack", "--for", "customer", "--output", tmp_path / "z")
    for one in after:
        assert f"The case was erased on {day}: " in (await redress(*one, reference)).out
    [pack] = (tmp_path / "z").glob("*.html")
    assert f"What was personal in this case was erased on {day}" in pack.read_text()
    assert f"本案的个人资料已于 {day} 删除" in pack.read_text()
    assert not any(told in pack.read_text() for told in ("There are no findings", "案卷中没有核查结论"))
