"""Customers on file: imported, authorised, and what a case then knows of who complains."""

from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest

from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.customers import Speaker
from domain.people.matching import Ground, IdentityState
from starter.client.customers import Customers, CustomerUnknown, read_customers_file, too_many_spokespersons
from tests.case.support import keeping, opening
from tests.signing import signed

LEAD = Actor(id="l-1", role=Role.TEAM_LEAD)
FILE = """
[[customers]]
account = "70012345"
name = "Chen Wei"
language = "zh-CN"
addresses = [{ email = "wei@example.com", how = "a code that came back", at = 2026-01-02T00:00:00Z }]
preferences = { zone = "Asia/Shanghai" }

[[groups]]
id = "g-1"
accounts = ["70012345", "70012346"]
spokespersons = [
  { name = "Speaker", email = "speaker@example.com", authority = "chosen by the group", first = 2026-01-01 },
]
"""


async def test_a_file_is_kept_once_and_a_case_knows_holder_spokesperson_and_representative_by_it(
    pool: "asyncpg.Pool[asyncpg.Record]", tmp_path: Path
) -> None:
    (tmp_path / "customers.toml").write_text(FILE, encoding="utf-8")
    content = read_customers_file(tmp_path / "customers.toml")
    customers = Customers(pool, signed)
    with pytest.raises(CustomerUnknown, match="account 70012345: nobody is on file for it"):
        await customers.authorise("70012345", _office(), by=LEAD)

    assert len(await customers.replace(content, by=LEAD, dry_run=True)) == 3
    assert await customers.show("70012345") is None
    changed = await customers.replace(content, by=LEAD)
    assert [(one.kind, one.what) for one in changed] == [("holder", "added"), ("customer", "added"), ("group", "added")]
    assert await customers.replace(content, by=LEAD) == []
    await customers.authorise("70012345", _office(), by=LEAD)
    shown = await customers.show("70012345")
    assert shown
    assert [one.name for one in shown.on_file.representatives] == ["Law Office"]
    assert shown.on_file.preferences.zone == "Asia/Shanghai"

    for key, name, email, state, ground in (
        ("1", "CHEN Wei", "wei@example.com", IdentityState.VERIFIED, Ground.HOLDER),
        ("2", "Law Office", "office@example.com", IdentityState.VERIFIED, Ground.REPRESENTATIVE),
        ("3", "Speaker", "speaker@example.com", IdentityState.VERIFIED, Ground.SPOKESPERSON),
        ("4", "Chen Wei", "thief@example.com", IdentityState.MISMATCH, Ground.ADDRESS_DIFFERS),
    ):
        opened = await keeping(pool).open_case(opening(key, complainant={"name": name, "email": email}))
        assert (opened.identity.state, opened.identity.because) == (state, (ground,))
    signs = await pool.fetch("select key from casefile.signs where key like 'heard:identified:%'")
    assert [row["key"] for row in signs] == ["heard:identified:impersonation"]


def test_a_group_with_more_spokespersons_than_the_rules_let_speak_is_told(tmp_path: Path) -> None:
    one = '{ name = "S", authority = "chosen", first = 2026-01-01 },'
    many = FILE.replace("spokespersons = [", f"spokespersons = [{one * 5}")
    (tmp_path / "customers.toml").write_text(many, encoding="utf-8")
    told = too_many_spokespersons(read_customers_file(tmp_path / "customers.toml"), datetime(2026, 7, 3, tzinfo=UTC))
    assert told == ["groups[g-1].spokespersons: 6 are named; the first 5 may speak"]


def _office() -> Speaker:
    return Speaker(name="Law Office", email="office@example.com", authority="power of attorney", first=date(2026, 1, 1))
