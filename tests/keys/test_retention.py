"""Retention runs out case by case, and what visitors typed long ago is forgotten with the key of its month."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from temporalio.testing import ActivityEnvironment

from activities.intake.bringing import CUSTOMER
from activities.intake.dealing import Dealing
from activities.keys.retention import Retention, erased_again
from domain.case.messages.signals import CustomerReply
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.intake.received import Door, Ending
from domain.keys.erasure import RequestErasure, RunOut
from domain.keys.personal import Row
from domain.keys.scopes import scope_of_visits
from record.erasing import refusal_of
from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.vault import Vault
from runtime.mail import Outbox
from runtime.settings import load_settings
from starter.intake.receiving import receive_message
from starter.reading.cases import get_case
from starter.upkeep.erasing import ask, hold
from tests.case.support import keeping, opened
from tests.intake.test_dealing import Cases, deal

LEAD = Actor(id="l-1", role=Role.TEAM_LEAD)
LATER = datetime.now(UTC)
"""Not later: other tests share the keys, and those of visits long ago are destroyed."""


async def test_what_its_pack_keeps_no_longer_is_erased_once_nothing_stands_against_it(
    pool: "asyncpg.Pool[asyncpg.Record]", keys: Vault, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    case_file = keeping(pool)
    old, held, young, running, moved = [
        await opened(case_file, f"retention-{name}", account="of-retention" if name == "old" else None)
        for name in ("old", "held", "young", "running", "moved")
    ]
    event = "insert into casefile.events (reference, number, event, at) values ($1, 99, 'closed', $2)"
    await pool.execute(event, moved, LATER - timedelta(days=365))  # closed_at may be changed, this may not
    for reference, years in ((old, 9), (held, 9), (young, 1), (moved, 9)):
        closed = LATER - timedelta(days=365 * years)
        await pool.execute(
            "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = $1", reference, closed
        )
    await hold(pool, load_settings(), held, LEAD, "a court asks", placed=True)
    month = scope_of_visits(datetime(2019, 1, 5, tzinfo=UTC))
    typed = Row("web.drafts", month, f"{b'x'.hex()}/y")("content", b"typed and never sent")
    await pool.execute("insert into web.drafts values ('x', 'y', $1, now())", typed)

    async def run_out() -> tuple[str, ...]:
        retention = Retention(pool, Outbox(tmp_path), lambda: LATER, 35)
        return (await ActivityEnvironment().run(retention.run_out, RunOut())).erased

    backup = await asyncpg.connect(postgres.url("keys"))
    kept = await backup.fetchrow("select * from keys.keys where scope = $1", old)
    assert await run_out() == (old,)
    assert await run_out() == ()
    names = {
        reference: (await get_case(pool, reference)).complaint.complainant.name
        for reference in (held, young, running, moved)
    }
    assert not any(name.startswith("[erased") for name in names.values())
    assert (await get_case(pool, old)).complaint.complainant.name.startswith("[erased")
    assert await pool.fetchval("select count(*) from casefile.lookups where scope = $1", old) == 0
    assert (await pool.fetchval("select content from web.drafts")).startswith(b"[erased")
    again = await opened(case_file, "retention-again", account="of-retention")
    assert not (await get_case(pool, again)).complaint.complainant.name.startswith("[erased"), "its customer goes on"
    reply = CustomerReply(message_id="m-1", actor=CUSTOMER, text="And the swap?")
    key, _ = await receive_message(pool, Door.PAGES, old, reply, at=LATER)
    dealt = await deal(Dealing(pool, Cases(closed={old}), lambda: LATER), key)
    assert dealt.ending is Ending.CASE_CLOSED, "nothing goes on from what is erased; a person looks"
    steps = await pool.fetch("select step, by, data from casefile.erasures where step = 'erased'")
    assert [(row["step"], row["by"], row["data"]["cases"]) for row in steps] == [("erased", "system:redress", [old])]

    # A key that comes back from its backup is destroyed again, with its erasure written down beside it.
    await erased_again(pool, keys, Outbox(tmp_path), 35)  # those of other tests, which share the keys
    assert await erased_again(pool, keys, Outbox(tmp_path), 35) == []
    await backup.execute("set session_replication_role = replica")
    await backup.execute("delete from keys.keys where scope = $1", old)
    await backup.execute("insert into keys.keys select ($1::keys.keys).*", kept)
    await backup.execute("delete from keys.erasures where erasure = $1", f"ER-{old}")
    assert await erased_again(pool, keys, Outbox(tmp_path), 35) == [f"ER-{old}"]
    assert await backup.fetchval("select wrapped is null from keys.keys where scope = $1", old)
    assert f"ER-{old}" in await keys.store.erasures()
    await backup.close()


async def test_what_runs_out_takes_the_letters_that_had_refused_its_erasure(
    pool: "asyncpg.Pool[asyncpg.Record]", keys: Vault, tmp_path: Path
) -> None:
    """Those of the case itself, and those of its account once nothing else is kept of that."""
    case_file, outbox, settings = keeping(pool), Outbox(tmp_path), load_settings(outbox_dir=tmp_path)
    alone, one, other, young = [
        await opened(case_file, f"runs-out-{name}", account=account)  # the keys are those of other tests too
        for name, account in (("alone", None), ("one", "of-two"), ("other", "of-two"), ("young", "of-another"))
    ]
    subjects = (alone, "of-two", "of-another")
    letters = []
    for number, subject in enumerate(subjects):
        asked = RequestErasure(message_id=str(number), actor=LEAD, subject=subject, reason="They asked for it.")
        letters.append(outbox.path(refusal_of((await ask(pool, settings, asked)).erasure)))
        letters[-1].write_text("Dear Customer")

    async def runs_out(*references: str) -> list[bool]:
        closed = "update casefile.cases set closed_at = $2, revision = revision + 1 where reference = any($1)"
        await pool.execute(closed, list(references), LATER - timedelta(days=365 * 9))
        retention = Retention(pool, outbox, lambda: LATER, 35)
        assert set((await ActivityEnvironment().run(retention.run_out, RunOut())).erased) == set(references)
        return [letter.exists() for letter in letters]

    assert await runs_out(alone, one) == [False, True, True], "another case of the account is kept"
    assert await runs_out(other) == [False, False, True]
    assert not (await get_case(pool, young)).complaint.complainant.name.startswith("[erased")
    certificate = await pool.fetchval(
        "select data from casefile.erasures where (erasure, step) = ($1, 'erased')", f"ER-{alone}"
    )
    assert certificate["files"] == 1
