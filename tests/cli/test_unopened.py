"""A start that is no case is found by everybody who looks for the case, with the reason."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from runtime.settings import load_settings
from starter.cli.program import ExitCode
from starter.reading.cases import get_case, get_letters, get_rejected, get_rules, get_timeline
from starter.reading.database import CaseNotFound
from starter.reading.deadlines import get_deadlines
from starter.upkeep.diagnosis import Kind
from starter.upkeep.doctor import diagnose
from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

REFERENCE = "RD-V55M-ZRNE-2S9JM"
REASONS = {"waiting": "policy: there is no pack atlantis", "refused": "description: Field required"}


@pytest.fixture(params=REASONS)
async def state(request: pytest.FixtureRequest, pool: "Pool", database_url: str, redress: CommandLine) -> str:
    redress.set("DATABASE_URL", database_url)
    state: str = request.param
    for number, name in enumerate(("start", "customer_reply")):
        await pool.execute(
            "insert into casefile.unopened (key, workflow_id, run_id, at, state, name, reason, payload)"
            " values ($1, $2, 'run', $3, $4, $5, $6, 'secret words')",
            f"run:{number}",
            REFERENCE,
            datetime.now(UTC),
            state,
            name,
            REASONS[state],
        )
    return state


@pytest.mark.parametrize(
    "look",
    [
        get_case,
        get_timeline,
        get_letters,
        get_deadlines,
        get_rules,
        get_rejected,
    ],
)
async def test_who_looks_for_the_case_is_told(
    pool: "Pool", state: str, look: Callable[["Pool", str], Awaitable[object]]
) -> None:
    with pytest.raises(CaseNotFound, match=REASONS[state]) as told:
        await look(pool, REFERENCE)
    assert told.value.start
    assert (told.value.start.state, told.value.start.messages) == (state, 2)
    with pytest.raises(CaseNotFound) as nothing:
        await look(pool, "RD-0000-0000-00000")
    assert nothing.value.start is None


async def test_show_and_list_have_fields_for_it(redress: CommandLine, state: str) -> None:
    shown = await redress("show", REFERENCE, "--json")
    assert shown.code == ExitCode.NOT_FOUND
    assert shown.data["state"] == state
    assert shown.data["reason"] == REASONS[state]
    assert REASONS[state] in shown.error["message"]
    listed = await redress("list", "--unopened", "--json")
    assert [(one["workflow_id"], one["state"], one["messages"]) for one in listed.data] == [(REFERENCE, state, 2)]
    people = await redress("list", "--unopened")
    assert REFERENCE in people.out
    assert "secret" not in people.out + shown.out + listed.out
    assert (await redress("list", "--json")).data == []


async def test_the_doctor_tells_the_reason(state: str) -> None:
    found = await diagnose(load_settings())
    assert [one.what for one in found.troubles if one.kind is Kind.START_NOT_OPENED] == [f"{state}: {REASONS[state]}"]
