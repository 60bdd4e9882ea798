"""Looking at cases: what is in the case file reaches people and programs whole."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from starter.cli.program import ExitCode
from tests.starter import stories
from tests.starter.command_line import CommandLine

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

UNKNOWN = "RD-V55M-ZRNE-2S9JM"


@pytest.fixture
def look(redress: CommandLine, database_url: str) -> CommandLine:
    """The command line with a database."""
    redress.set("DATABASE_URL", database_url)
    return redress


@pytest.fixture
async def waiting(pool: "Pool", tmp_path: Path) -> str:
    return await stories.proposed(pool, tmp_path / "outbox")


@pytest.fixture
async def closed(pool: "Pool", tmp_path: Path) -> str:
    return await stories.late_and_closed(pool, tmp_path / "outbox")


@pytest.fixture
async def overdue(pool: "Pool", tmp_path: Path) -> str:
    return await stories.forgotten(pool, tmp_path / "outbox")


@pytest.fixture
def cases(waiting: str, closed: str, overdue: str) -> dict[str, str]:
    return {waiting: "waiting", closed: "closed", overdue: "overdue"}


async def test_the_list_shows_each_case_in_a_row_of_at_most_80_columns(
    look: CommandLine, waiting: str, closed: str, overdue: str
) -> None:
    ran = await look("list")
    assert ran.code == 0
    rows = {reference: row(ran.out, reference) for reference in (waiting, closed, overdue)}
    assert "deciding" in rows[waiting]
    assert "h-17" in rows[waiting]
    assert "in " in rows[waiting]
    assert "upheld" in rows[closed]
    assert "OVERDUE" in ran.out
    assert "3 cases" in ran.out
    assert max(cell_len(line) for line in ran.out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], {"waiting", "closed", "overdue"}),
        (["--stage", "deciding"], {"waiting"}),
        (["--stage", "closed"], {"closed"}),
        (["--category", "fee"], {"overdue"}),
        (["--category", "execution"], {"waiting", "closed"}),
        (["--overdue"], {"overdue"}),
        (["--not-overdue"], {"waiting", "closed"}),
        (["--handler", "h-17"], {"waiting"}),
        (["--handler", "h-18"], set()),
        (["--team", "dealing", "--stage", "closed"], {"closed"}),
        (["--limit", "1"], {"waiting"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_the_list_is_filtered(
    look: CommandLine, cases: dict[str, str], filters: list[str], found: set[str]
) -> None:
    ran = await look("list", *filters, "--json")
    assert {cases[case["reference"]] for case in ran.data} == found
    for_people = await look("list", *filters)
    assert all((reference in for_people.out) == (name in found) for reference, name in cases.items())


async def test_a_list_that_was_cut_off_says_so(look: CommandLine, waiting: str, closed: str) -> None:
    assert "--limit 1 is reached" in (await look("list", "--limit", "1")).out
    assert "is reached" not in (await look("list", "--limit", "3")).out


async def test_a_page_tells_all_that_matters_about_a_case(look: CommandLine, waiting: str) -> None:
    ran = await look("show", waiting)
    assert ran.code == 0
    deadline = (await look("show", waiting, "--json")).data["next_deadline"]
    for told in (
        "deciding for 1 h 5",
        "execution · ",
        "customer@example.com",
        "Stopped out on a wrong price",
        "gold never traded there",
        "USD 1,200.00",
        "provider fault execution P-100234 wrongful-stop-out/1 harm USD 900.00",
        "The close lies 14.29 below the valid bid.",
        "partly upheld, USD 900.00 by handler:h-17",
        "waits for a second person",
        "[the claim] exceeds the harm",
        "acknowledgement",
        f"{deadline['clock']}: {deadline['rung']} in ",
        f"redress approve {waiting}",
        f"redress rejected {waiting}",
        "TEMPORAL_ADDRESS",  # the workflow itself could not be asked
    ):
        assert told in " ".join(ran.out.split()), told
    assert f"redress propose {waiting}" not in ran.out
    assert max(cell_len(line) for line in ran.out.splitlines()) <= 80


async def test_findings_give_their_reasons_in_chinese_on_demand(look: CommandLine, waiting: str) -> None:
    assert "平仓价较有效买价低 14.29" in (await look("show", waiting, "--language", "zh-CN")).out


async def test_a_page_for_programs_is_one_document_with_everything(look: CommandLine, waiting: str) -> None:
    page = (await look("show", waiting, "--json")).data
    assert page["case"]["reference"] == waiting
    assert page["case"]["complaint"]["amount_claimed"] == {"amount": "1200", "currency": "USD"}
    assert page["findings"][0]["evidence"][0]["key"] == "P-100234"
    assert page["proposal"]["decision"] == "waits for a second person"
    assert page["letters"][0]["attempts"][0]["outcome"] == "accepted"
    assert page["status"] is None
    assert "TEMPORAL_ADDRESS" in page["unasked"]
    assert datetime.fromisoformat(page["next_deadline"]["due"]) > datetime.now(UTC)


async def test_a_closed_case_waits_for_nothing_and_nothing_can_be_done(look: CommandLine, closed: str) -> None:
    ran = await look("show", closed)
    text = " ".join(ran.out.split())
    assert "closed for" in text
    assert "Outcome upheld, USD 900.00" in text
    assert "a deadline was missed" in text
    assert "一位客户" in text
    assert "characters; all of it with --json" in text
    assert "What you can do" not in text
    assert "Next deadline" not in text
    assert "TEMPORAL_ADDRESS" not in text
    page = (await look("show", closed, "--json")).data
    assert (page["next_deadline"], page["possible"]) == (None, [])


async def test_a_reference_may_be_written_as_people_write_it(look: CommandLine, waiting: str) -> None:
    spoken = waiting.removeprefix("RD-").replace("-", " ").lower()
    assert (await look("timeline", spoken, "--json")).data == (await look("timeline", waiting, "--json")).data


async def test_the_timeline_tells_what_happened_in_order(look: CommandLine, waiting: str) -> None:
    told = (await look("timeline", waiting, "--json")).data
    assert [entry["kind"] for entry in told] == [
        "received",
        "assessed",
        "letter",
        "stage",
        "finding",
        "stage",
        "propose_resolution",
        "rejected",
    ]
    assert [entry["at"] for entry in told] == sorted(entry["at"] for entry in told)
    shown = " ".join((await look("timeline", waiting)).out.split())
    assert "accepted by outbox" in shown
    assert "propose resolution" in shown
    assert "handler:h-17" in shown


async def test_letters_are_listed_with_their_delivery_and_shown_whole_on_demand(
    look: CommandLine, waiting: str
) -> None:
    listed = await look("letters", waiting)
    assert "acknowledgement" in listed.out
    assert "outbox" in listed.out
    assert "Message-ID" not in listed.out
    whole = await look("letters", waiting, "--text")
    assert "Message-ID" in whole.out
    assert waiting in whole.out
    written = (await look("letters", waiting, "--json")).data
    assert " ".join(written[0]["body"].split()) in " ".join(whole.out.split())


async def test_the_deadline_ledger_tells_kept_from_missed(look: CommandLine, waiting: str, closed: str) -> None:
    kept = (await look("deadlines", waiting)).out
    assert "kept: acknowledged" in " ".join(kept.split())
    missed = (await look("deadlines", closed)).out
    assert "MISSED: acknowledged" in re.sub(r"\s+", " ", missed)
    rows = (await look("deadlines", closed, "--json")).data
    breach = next(one for one in rows if one["breach"])
    assert breach["clock"] == "acknowledgement"
    assert breach["kept"] is False
    assert breach["how"]


async def test_rejected_messages_are_shown_with_the_reason(look: CommandLine, waiting: str, closed: str) -> None:
    ran = await look("rejected", waiting)
    assert "escalate" in ran.out
    assert "greater than or equal to 1" in ran.out
    message = (await look("rejected", waiting, "--json")).data[0]
    assert json.loads(message["payload"]) == [{"reason": "投诉", "level": 0}]
    assert "Every message fitted" in (await look("rejected", closed)).out


@pytest.mark.parametrize("command", ["show", "timeline", "letters", "deadlines", "rejected"])
async def test_an_unknown_case_has_its_own_exit_code(look: CommandLine, command: str) -> None:
    ran = await look(command, UNKNOWN, "--json")
    assert ran.code == ExitCode.NOT_FOUND
    assert ran.error["kind"] == "not_found"
    assert UNKNOWN in ran.error["message"]
    assert ran.out == ""


async def test_the_ledger_check_proves_balance(look: CommandLine, closed: str) -> None:
    ran = await look("ledger", "check")
    assert ran.code == 0
    assert "The ledger balances" in ran.out
    assert (await look("ledger", "check", "--json")).data["totals"] == [
        {"currency": "USD", "postings": 1, "awarded": "900.00", "debits": "900.00", "credits": "900.00"}
    ]


async def test_a_ledger_that_differs_from_the_cases_fails_the_check(
    look: CommandLine, pool: "Pool", closed: str
) -> None:
    await pool.execute("UPDATE casefile.cases SET compensation_amount = 901, revision = revision + 1")
    ran = await look("ledger", "check", "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    assert ran.error["kind"] == "check_failed"
    assert ran.data["faults"][0]["reference"] == closed


async def test_an_empty_service_is_shown_as_such(look: CommandLine) -> None:
    assert "No case fits" in (await look("list")).out
    assert (await look("list", "--json")).data == []
    assert "The ledger is empty" in (await look("ledger", "check")).out


async def test_a_database_without_our_schema_is_told_how_to_get_it_and_gets_it(
    redress: CommandLine, empty_database_url: str
) -> None:
    redress.set("DATABASE_URL", empty_database_url)
    for arguments in (["list"], ["show", UNKNOWN], ["ledger", "check"]):
        ran = await redress(*arguments, "--json")
        assert ran.code == ExitCode.UNAVAILABLE
        assert "redress migrate" in ran.error["message"]
    applied = (await redress("migrate", "--json")).data["applied"]
    assert applied[0].startswith("0001_")
    assert (await redress("list", "--json")).data == []
    again = await redress("migrate")
    assert (again.code, again.out) == (0, "The schema is up to date.\n")


async def test_the_policy_packs_are_listed_with_what_nobody_has_confirmed(redress: CommandLine) -> None:
    ran = await redress("policy", "list")
    assert "platform-default" in ran.out
    packs: list[dict[str, Any]] = (await redress("policy", "list", "--json")).data
    default = next(pack for pack in packs if pack["default"])
    assert default["id"] == "platform-default"
    assert len(default["hash"]) == 64
    unconfirmed = sum(not clock["confirmed"] for clock in default["clocks"])
    assert f"{unconfirmed} of {len(default['clocks'])}" in ran.out


async def test_the_reference_of_a_complaint_is_told(redress: CommandLine) -> None:
    assert (await redress("reference", "web-form", "2026-000123")).out == f"{UNKNOWN}\n"
    told = (await redress("reference", "web-form", "2026-000123", "--json")).data
    assert told == {"source": "web-form", "idempotency_key": "2026-000123", "reference": UNKNOWN}


async def test_schemas_are_written_and_checked(redress: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    stale = await redress("schema", "--out", folder, "--check", "--json")
    assert stale.code == ExitCode.CHECK_FAILED
    assert str(folder) in stale.error["message"]
    assert not folder.exists()
    assert str(folder / "complaint.json") in (await redress("schema", "--out", folder, "--json")).data["written"]
    assert (await redress("schema", "--out", folder, "--check")).code == 0


def row(out: str, reference: str) -> str:
    return next(line for line in out.splitlines() if line.startswith(reference))
