"""Submitting complaints, importing the trade log, investigating without a case."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.checks.findings import Check
from domain.ground.reference import reference_for
from starter.cli.loading import KINDS
from starter.cli.program import ExitCode
from starter.cli.submitting import _AT_ONCE
from starter.importing.formats.csv_templates import template
from starter.importing.formats.kinds import Kind
from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]


def a_complaint(**changes: Any) -> dict[str, Any]:
    return {
        "source": "tests",
        "idempotency_key": str(uuid.uuid4()),
        "received_at": datetime.now(UTC).isoformat(),
        "channel": "chat",
        "language": "zh-CN",
        "complainant": {"name": "一位客户"},
        "description": "客服态度恶劣。🙂\u0000\u001b[2J",
        **changes,
    }


def reference(complaint: dict[str, Any]) -> str:
    return reference_for(complaint["source"], complaint["idempotency_key"])


async def test_a_complaint_gets_its_reference_and_again_the_same(connected: CommandLine, tmp_path: Path) -> None:
    complaint = a_complaint()
    file = tmp_path / "complaint.json"
    file.write_text(json.dumps(complaint), encoding="utf-8")
    first = await connected("submit", file)
    assert (first.code, first.out) == (0, f"{reference(complaint)} is opened\n")
    again = await connected("submit", file)
    assert (again.code, again.out) == (0, f"{reference(complaint)} was known already\n")
    told = (await connected("submit", file, "--json")).data
    assert told == {
        "submitted": [{"position": 1, "reference": reference(complaint), "already_known": True}],
        "rejected": [],
    }


@pytest.mark.parametrize("form", ["array", "lines", "lines with a byte order mark", "array over many lines"])
async def test_of_many_complaints_the_good_ones_are_submitted_and_the_bad_ones_named(
    connected: CommandLine, form: str
) -> None:
    good = [a_complaint(), a_complaint(description="Two\u2028lines")]
    bad = [a_complaint(channel="pigeon"), a_complaint(received_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())]
    given = [good[0], bad[0], good[1], bad[1], a_complaint(policy="no-such-pack")]
    if form.startswith("array"):
        text = json.dumps(given, ensure_ascii=False, indent=2 if "many" in form else None)
    else:
        text = "\n".join(json.dumps(one, ensure_ascii=False) for one in given) + "\n\n"
        text = f"\ufeff{text}" if "mark" in form else text
    ran = await connected("submit", "-", "--json", stdin=text)
    assert ran.code == ExitCode.INVALID
    assert ran.error["message"] == "standard input: 3 of 5 complaints were not submitted"
    assert [(one["position"], one["reference"]) for one in ran.data["submitted"]] == [
        (1, reference(good[0])),
        (3, reference(good[1])),
    ]
    told = {one["position"]: one["error"] for one in ran.data["rejected"]}
    assert told[2].startswith("channel: ")
    assert told[4].startswith("received_at: ")
    assert "no-such-pack" in told[5]
    for_people = await connected("submit", "-", stdin=text)
    assert reference(good[1]) in for_people.out
    assert "received_at: " in for_people.out


async def test_a_line_that_is_no_json_is_named_and_the_others_are_submitted(connected: CommandLine) -> None:
    good = a_complaint()
    ran = await connected("submit", "-", "--json", stdin=f'oops\n{json.dumps(good)}\n{{"source": }}\n')
    assert ran.code == ExitCode.INVALID
    assert ran.out == ""  # it does not begin like complaints: nothing is guessed
    ran = await connected("submit", "-", "--json", stdin=f'{json.dumps(good)}\noops\n{{"source": }}\n')
    assert [one["reference"] for one in ran.data["submitted"]] == [reference(good)]
    assert "line 2, column 1" in ran.data["rejected"][0]["error"]
    assert "line 3, column 12" in ran.data["rejected"][1]["error"]


async def test_many_more_than_are_sent_at_once_are_submitted_in_their_order(connected: CommandLine) -> None:
    given = [a_complaint() for _ in range(6 * _AT_ONCE)]
    ran = await connected("submit", "-", "--json", stdin=json.dumps([*given, given[0]]))
    assert ran.code == 0
    assert [one["reference"] for one in ran.data["submitted"][:-1]] == [reference(one) for one in given]
    assert sum(one["already_known"] for one in ran.data["submitted"]) == 1


async def test_nothing_is_lost_when_temporal_does_not_answer(redress: CommandLine) -> None:
    ran = await redress("submit", "-", "--json", stdin=json.dumps([a_complaint(), a_complaint()]))
    assert ran.code == ExitCode.UNAVAILABLE
    assert "TEMPORAL_ADDRESS" in ran.error["message"]


# -- import and investigate --------------------------------------------------------------------------------------------

HEADER = "entry,account,kind,amount,currency,requested_at,booked_at"
LATE = "w-1,70012345,withdrawal,-12000,USD,2026-03-02T09:00:00Z,2026-03-11T09:00:00Z"
WRONG = "w-2,70012345,withdrawal,12000,USD,2026-03-02T09:00:00Z,2026-03-11T09:00:00Z"


def write(file: Path, *rows: str) -> Path:
    file.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return file


@pytest.fixture
def entries(redress: CommandLine, database_url: str, tmp_path: Path) -> Path:
    redress.set("DATABASE_URL", database_url)
    return write(tmp_path / "entries.csv", LATE)


async def test_rows_are_imported_once(redress: CommandLine, entries: Path, pool: "Pool") -> None:
    first = await redress("import", entries, "--json")
    assert first.code == 0
    told = first.data["files"][0]
    assert (told["file"], told["kind"], told["loaded"]) == (str(entries), "account_entries", 1)
    again = (await redress("import", entries, "--json")).data["files"][0]
    assert (again["loaded"], again["duplicates"]) == (0, 1)
    assert await pool.fetchval("SELECT count(*) FROM tradelog.account_entries") == 1
    assert "account entries" in (await redress("import", entries)).out


async def test_bad_rows_are_kept_with_the_reason_while_the_good_ones_load(
    redress: CommandLine, entries: Path, pool: "Pool", tmp_path: Path
) -> None:
    write(entries, WRONG, LATE)
    ran = await redress("import", entries, "--rejects", tmp_path / "bad.csv", "--json")
    assert ran.code == ExitCode.INVALID
    assert ran.error["message"] == "1 bad row(s) were left out"
    assert ran.data["files"][0]["rejects_path"] == str(tmp_path / "bad.csv")
    assert "must be below zero" in (tmp_path / "bad.csv").read_text()
    assert await pool.fetchval("SELECT count(*) FROM tradelog.account_entries") == 1
    assert f"{entries}.rejects.csv\n" in (await redress("import", entries)).out


async def test_a_strict_import_takes_all_or_nothing(redress: CommandLine, entries: Path, pool: "Pool") -> None:
    write(entries, WRONG, LATE)
    ran = await redress("import", entries, "--strict", "--json")
    assert ran.code == ExitCode.INVALID
    assert "nothing was loaded" in ran.error["message"]
    assert await pool.fetchval("SELECT count(*) FROM tradelog.account_entries") == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "header"),
        (b"entry;account\n", "separated by ';'"),
        (f"{HEADER}\n\xff".encode("latin-1"), "line 2: not UTF-8"),
        (f'{HEADER}\n"w-1,\n'.encode(), "closing quote"),
        (f"{HEADER}\n\0".encode(), "NUL"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_broken_file_loads_nothing_and_the_next_file_loads(
    redress: CommandLine, entries: Path, tmp_path: Path, content: bytes, told: str
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(content)
    ran = await redress("import", broken, entries, "--json")
    assert ran.code == ExitCode.INVALID
    assert told in ran.error["message"]
    assert {one["file"]: one.get("loaded") for one in ran.data["files"]} == {str(broken): None, str(entries): 1}


async def test_an_import_into_an_empty_database_asks_for_the_migrations(
    redress: CommandLine, entries: Path, empty_database_url: str
) -> None:
    redress.set("DATABASE_URL", empty_database_url)
    ran = await redress("import", entries, "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "migrations" in ran.error["message"]


async def test_the_kind_of_rows_can_be_named_and_rejects_belong_to_one_file(
    redress: CommandLine, entries: Path
) -> None:
    unknown = await redress("import", entries, "--kind", "entries", "--json")
    assert unknown.code == ExitCode.INVALID
    assert "account_entries" in unknown.error["message"]
    other = await redress("import", entries, "--kind", "orders", "--json")
    assert other.code == ExitCode.INVALID
    assert "does not fit orders" in other.error["message"]
    both = await redress("import", entries, entries, "--rejects", "bad.csv", "--json")
    assert both.code == ExitCode.INVALID
    assert "--rejects" in both.error["message"]


@pytest.mark.parametrize("kind", Kind)
async def test_a_template_is_a_file_that_can_be_imported_whatever_the_width(
    redress: CommandLine, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert (await redress("import", "--template", kind)).out == template(kind)
    assert (await redress("import", "--template", kind, "--json")).data == {"kind": kind, "template": template(kind)}


async def test_the_help_and_an_unknown_template_name_every_kind(redress: CommandLine) -> None:
    assert ", ".join(Kind) == KINDS
    unknown = await redress("import", "--template", "customer", "--json")
    assert unknown.code == ExitCode.INVALID
    assert f"--template: 'customer' is not one of {KINDS}" in unknown.error["message"]


async def test_what_a_file_of_customers_says_is_not_printed(
    redress: CommandLine, entries: Path, tmp_path: Path, pool: "Pool"
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(
        "account,name,email,phone,language\n70012345,Zebra,,,en\n70012346,Zebra,zebra,,en\n", encoding="utf-8"
    )
    for options in ((), ("--json",), ("--debug",)):
        ran = await redress("import", entries, file, *options)
        assert ran.code == ExitCode.INVALID
        assert "zebra" not in (ran.out + ran.err).lower()
    assert await pool.fetchval("SELECT count(*) FROM casefile.customers") == 1


async def test_an_investigation_without_a_case_prints_its_findings(service: CommandLine, tmp_path: Path) -> None:
    await service("import", write(tmp_path / "entries.csv", LATE))
    asked = ("investigate", "--account", "70012345", "--trade", "w-1", "--check", "withdrawal_delay")
    found = (await service(*asked, "--json")).data["findings"]
    assert [(one["subject"], one["verdict"]) for one in found] == [("w-1", "firm_fault")]
    # 12,000 x 8 % x 7/365
    assert found[0]["harm"] == {"amount": "18.41", "currency": "USD"}
    shown = await service(*asked, "--language", "zh-CN")
    assert "harm USD 18.41" in shown.out
    assert found[0]["reason"]["zh"][:10] in shown.out

    nothing = await service("investigate", "--account", "70099999", "--json")
    assert nothing.code == 0
    assert {one["check"] for one in nothing.data["findings"]} == set(Check)
    assert {one["verdict"] for one in nothing.data["findings"]} == {"inconclusive"}


async def test_an_investigation_without_a_worker_ends_by_saying_so(
    connected: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.cli.investigating._WAIT", timedelta(seconds=1))
    ran = await connected("investigate", "--account", "70012345", "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert ran.error == {"kind": "no_answer", "message": "no worker answered within 1 s"}
