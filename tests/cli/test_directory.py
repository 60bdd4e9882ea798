"""``redress directory``, and what ``redress doctor`` tells of it."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from runtime.settings import load_settings
from starter.client.directory import DEMO, People, read_directory_file
from starter.upkeep.diagnosis import Kind
from starter.upkeep.doctor import diagnose
from tests.case.support import keeping, opened
from tests.cli.command_line import CommandLine
from tests.end_to_end.support import late_withdrawal_complaint
from tests.people.support import FILE, LEAD, directory, person, written
from tests.signing import signed

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]


async def test_the_command_line_checks_imports_and_shows(
    redress: CommandLine, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    file = str(written(tmp_path, FILE))
    checked = await redress("directory", "check", file)
    assert checked.code == 5
    assert "roles[executive]: nobody holds it" in checked.out
    assert (await redress("directory", "import", file)).code == 2  # who acts is not said
    assert (await redress("directory", "import", file, "--as", "customer:c-1")).code == 2
    done = await redress("directory", "import", file, "--as", "team_lead:tl-2", "--json")
    assert done.code == 0
    assert {one["id"] for one in done.data["changes"]} == {"dealing", "h-1"}
    shown = await redress("directory", "show", "H-1")
    assert "vulnerable customers" in shown.out
    assert "family" not in shown.out
    assert (await redress("directory", "show", "h-9")).code == 2
    listed = await redress("directory", "show", "--history", "--json")
    assert len(listed.data["changes"]) == 2


async def test_the_doctor_tells_of_roles_that_nobody_holds_and_of_training_that_has_lapsed(
    redress: CommandLine, database_url: str, pool: "Pool"
) -> None:
    redress.set("DATABASE_URL", database_url)

    async def told() -> dict[Kind, set[str]]:
        found: dict[Kind, set[str]] = {}
        for trouble in (await diagnose(load_settings())).troubles:
            found.setdefault(trouble.kind, set()).add(trouble.subject)
        return found

    assert (await told())[Kind.ROLE_UNHELD] == {"directory"}
    lapsed = {"course": "complaints", "first": date(2024, 1, 1), "last": date(2024, 12, 31)}
    await People(pool, signed).replace(directory(person("h-1", training=[lapsed])), by=LEAD)
    found = await told()
    assert "roles[executive]" in found[Kind.ROLE_UNHELD]
    assert found[Kind.TRAINING_LAPSED] == {"h-1"}
    nobodys = await opened(keeping(pool), description="h-1 did it.")
    assert (await told())[Kind.CASE_WITH_NOBODY] == {nobodys}
    await People(pool, signed).replace(read_directory_file(DEMO), by=LEAD)
    assert not {Kind.ROLE_UNHELD, Kind.TRAINING_LAPSED} & set(await told())


async def test_a_sign_is_noted_and_listed_by_the_command_line(service: CommandLine, pool: "Pool") -> None:
    complaint = late_withdrawal_complaint("a sign")
    submitted = await service("submit", "-", "--json", stdin=json.dumps(complaint))
    reference = submitted.data["submitted"][0]["reference"]
    asked = ("sign", "note", reference, "raise", "vulnerability", "--rests-on", "is in hospital")
    assert (await service(*asked, "--as", "handler:h-1")).code == 2  # the driver is not said
    assert (await service(*asked, "--driver", "health", "--as", "customer:c")).code == 1
    noted = await service(*asked, "--driver", "health", "--as", "handler:h-1")
    assert (noted.code, "hospital" in noted.out) == (0, False)
    assert "is in hospital" in (await service("sign", "list", reference)).out
