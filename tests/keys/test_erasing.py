"""An erasure whose process dies at any of its steps ends erased, once, with the certificate that it would have had."""

import csv
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import record.erasing
from activities.keys.retention import erased_again
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.erasure import Certificate, DecideErasure, RequestErasure
from record.proofs import hold_proofs, proofs_here
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.identity.verifying import Verifier
from runtime.keys.vault import Vault
from runtime.left_behind import REJECTS_HEADER, Left
from runtime.mail import Outbox
from runtime.settings import Settings, load_settings
from starter.importing.loading import import_file
from starter.reading.cases import get_case
from starter.upkeep.erasing import ask, decide
from tests.case.support import keeping, opened

NOW = datetime.now(UTC)
HANDLER = Actor(id="h-1", role=Role.HANDLER)
OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
STEPS = {
    "approved": (Left, "remove", "before"),
    "files removed": (Left, "remove", "after"),
    "keys destroyed": (record.erasing, "certify", "before"),
    "rows removed": (record.erasing, "write_erased", "before"),
    "written": (record.erasing, "write_erased", "after"),
    "done": (record.erasing, "certify", "after"),
}


@pytest.fixture(autouse=True)
def signatures_count() -> Iterator[None]:
    held = proofs_here()
    hold_proofs(Verifier.of(load_settings()))
    yield
    hold_proofs(held)


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("again", ["decided again", "the worker starts"])
@pytest.mark.parametrize("step", STEPS)
async def test_an_erasure_broken_off_at_any_step_ends_once(
    step: str,
    again: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    keys: Vault,
    tmp_path: Path,
) -> None:
    settings = load_settings(outbox_dir=tmp_path / "outbox", backup_days=20)
    account = f"{step} {again}".replace(" ", "-")
    reference = await opened(keeping(pool), account, account=account)
    closed = "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = $1"
    await pool.execute(closed, reference, NOW - timedelta(days=3650))
    rejects = await rejected(pool, tmp_path, account)
    before, erasure = [  # what was refused, and asked again
        (
            await ask(pool, settings, RequestErasure(message_id=one, actor=HANDLER, subject=account, reason="they did"))
        ).erasure
        for one in "01"
    ]
    letters = [Outbox(settings.outbox_dir).path(f"{one}:refused") for one in (before, erasure)]
    letters[0].parent.mkdir()
    for letter in letters:
        letter.write_text("Dear Customer")
    await erased_again(pool, keys, Outbox(tmp_path), 35)  # those of other tests, which share the keys

    with pytest.MonkeyPatch.context() as patched:
        dies(patched, *STEPS[step])
        with pytest.raises(Died):
            await decided(pool, settings, erasure)
    if again == "the worker starts":
        await erased_again(pool, keys, Outbox(settings.outbox_dir), 35)
    steps = await pool.fetch("select step from casefile.erasures where erasure = $1", erasure)
    if "erased" not in {row["step"] for row in steps}:
        assert again == "decided again" or step in {"approved", "files removed"}, "only what is destroyed goes on"
        await decided(pool, settings, erasure)

    assert await erased_again(pool, keys, Outbox(tmp_path), 35) == []
    [row] = await pool.fetch(
        "select data, at, by from casefile.erasures where erasure = $1 and step = 'erased'", erasure
    )
    told = Certificate.model_validate(row["data"])
    assert (told.files, told.rejected_rows, told.cases) == (2, 2, (reference,))
    assert told.index_rows > 3
    assert (told.requested_by, told.approved_by, row["by"]) == (str(HANDLER), str(OFFICER), str(OFFICER))
    assert told.backups_until == (told.erased_at + timedelta(days=20)).date()
    assert "what the record has lost: this was applied again after a restore" not in told.remains
    assert (await keys.erased([reference]))[reference] == told.erased_at == row["at"]
    assert (await get_case(pool, reference)).complaint.complainant.name.startswith("[erased")
    assert await pool.fetchval("select count(*) from casefile.lookups where scope = $1", reference) == 0
    assert await pool.fetchval("select count(*) from casefile.timeline where kind = 'erased'") == 1
    assert not any(letter.exists() for letter in letters)
    with rejects.open(newline="") as file:
        assert [row[2] for row in list(csv.reader(file))[1:]] == ["somebody-else,,,"]


async def test_only_what_was_signed_for_is_destroyed_again_where_its_keys_came_back(
    pool: "asyncpg.Pool[asyncpg.Record]", keys: Vault, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Whoever writes to the record has no keys destroyed by a row of their own."""
    settings, file, outbox = load_settings(outbox_dir=tmp_path / "outbox"), keeping(pool), Outbox(tmp_path)
    theirs = await opened(file, "came-back", account="came-back")
    other, young = await opened(file, "other", account="other"), await opened(file, "young", account=None)
    for reference, years in ((theirs, 10), (other, 10), (young, 1)):
        closed = "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = $1"
        await pool.execute(closed, reference, NOW - timedelta(days=365 * years))
    backup = await asyncpg.connect(postgres.url("keys"))
    kept = await backup.fetchrow("select * from keys.keys where scope = $1", theirs)
    asked = RequestErasure(message_id="1", actor=HANDLER, subject="came-back", reason="they asked for it")
    erasure = (await ask(pool, settings, asked)).erasure
    await decided(pool, settings, erasure)
    await erased_again(pool, keys, outbox, 35)  # those of other tests, which share the keys
    copied = "insert into casefile.erasures (erasure, step, at, by, reason, token, data)"
    again = copied + " select $1, step, at, by, {}, token, data from casefile.erasures where erasure = $2"  # noqa: S608
    with pytest.raises(asyncpg.CheckViolationError, match="sealed_for"):
        await pool.execute(again.format("reason"), "ER-copied", erasure)
    await pool.execute(again.format("null"), "ER-copied", erasure)
    for name, scopes in (
        ("ER-nobody", [other]),
        (f"ER-{young}", [young]),
        (f"ER-{other}", [other, "installation:lookups"]),
    ):
        data = {"scopes": scopes, "cases": []}
        await pool.execute(f"{copied} values ($1, 'erased', now(), 'system:redress', null, null, $2)", name, data)
    await backup.execute("set session_replication_role = replica")
    await backup.execute("delete from keys.keys where scope = $1", theirs)
    await backup.execute("insert into keys.keys select ($1::keys.keys).*", kept)
    await backup.execute("delete from keys.erasures where erasure = $1", erasure)
    await backup.close()
    assert await erased_again(pool, keys, outbox, 35) == [erasure]
    assert set(await keys.erased([theirs, other, young, "installation:lookups"])) == {theirs}


def dies(patched: pytest.MonkeyPatch, owner: Any, name: str, when: str) -> None:
    whole = getattr(owner, name)

    async def later(*arguments: Any) -> None:
        if when == "after":
            await whole(*arguments)
        raise Died

    def now(*arguments: Any) -> None:
        if when == "after":
            whole(*arguments)
        raise Died

    dying: Callable[..., Awaitable[None] | None] = now if owner is Left else later
    patched.setattr(owner, name, dying)


async def decided(pool: "asyncpg.Pool[asyncpg.Record]", settings: Settings, erasure: str) -> None:
    said = DecideErasure(message_id="2", actor=OFFICER, approve=True, reason="nothing against it")
    assert (await decide(pool, settings, erasure, said, clock=lambda: NOW)).step == "erased"


async def rejected(pool: "asyncpg.Pool[asyncpg.Record]", folder: Path, account: str) -> Path:
    """A file of rejected rows, of which two name the *account* or its holder."""
    file = folder / "customers.csv"
    rows = (f"{account},,,", "somebody-else,,,", "x,A Customer,,")
    file.write_text("\n".join(("account,name,email,language", *rows)) + "\n")
    report = await import_file(pool, file)
    assert (report.rejected, report.rejects_path) == (3, file.with_name("customers.csv.rejects.csv"))
    assert report.rejects_path
    assert report.rejects_path.read_text().startswith(",".join(REJECTS_HEADER))
    return report.rejects_path
