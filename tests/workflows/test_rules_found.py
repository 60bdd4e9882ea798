"""A complaint whose rules the firm's table does not know is a case all the same, and a person's task."""

from pathlib import Path

import pytest

from domain.ground.words import Stage
from tests.workflows.house import House


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a firm whose table of rules knows one company."""
    folder = tmp_path / "firm"
    (folder / "tables").mkdir(parents=True)
    row = 'name = "hk"\neffective_from = 2020-01-01\nentities = ["hk"]\npolicy = ["hk-hkma"]\nwhy = "Our bank"'
    (folder / "tables" / "which-rules.toml").write_text(f'version = "1"\n[[rows]]\n{row}\n', encoding="utf-8")
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(folder))
    return str(folder)


async def notices(house: House, reference: str) -> str:
    rows = await house.fetch(
        "select body from casefile.letters where reference = $1 and kind = 'staff_notice'", reference
    )
    return "\n".join(row["body"] for row in rows)


async def test_a_case_whose_rules_nobody_can_find_goes_on_and_tells_people(table: str, house: House) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[])
    await house.at(reference, Stage.DECIDING)
    told = await notices(house, reference)
    assert "The table of rules has no answer for this complaint (not known: entity" in told
    assert "It is handled under platform-default for now" in told
    [task] = await house.fetch("select data from casefile.timeline where kind = 'task_given' order by id limit 1")
    assert (task["data"]["kind"], task["data"]["role"]) == ("review", "compliance_officer")


async def test_the_table_holds_whatever_rules_the_complaint_asks_for(table: str, house: House) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[], entity="hk", policy="demo")
    await house.at(reference, Stage.DECIDING)
    assert "came with the rules demo; by the table of rules they are hk-hkma" in await notices(house, reference)
    assert await house.fetchval("select id from casefile.policy_packs") == "hk-hkma"


async def test_a_case_whose_rules_were_found_tells_nobody(table: str, house: House) -> None:
    reference = await house.submit(description="Something is wrong.", trades=[], entity="hk")
    await house.at(reference, Stage.DECIDING)
    assert "table of rules" not in await notices(house, reference)
    assert (await house.timeline(reference, "rules"))[0].startswith("rules: table of rules 1: hk-hkma by row hk")
