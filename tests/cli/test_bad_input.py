"""What is typed wrongly is told plainly: the option or field, the way out, an exit code, and never a traceback."""

import fcntl
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from runtime.paths import ROOT
from starter.cli import program
from starter.cli.program import ExitCode
from starter.client import contracts
from tests.cli.command_line import CommandLine
from tests.reasons import a_no

_TYPED = r"(?:`|^ *|; |with |see |and )redress ([a-z][a-z-]+)(?: ([a-z][a-z-]+)\b)?"
REF = "RD-V55M-ZRNE-2S9JM"
STAFF = ("--as", "handler:h-17")
COMPLAINT: dict[str, Any] = contracts.contracts()[0].example

EARLY = ("resolve-early", REF, "--reasons", "So it is.", "--told", "By mail.")
ACTS: tuple[tuple[str, ...], ...] = (
    ("reply", REF, "--text", "hello", *STAFF),
    ("escalate", REF, "--reason", "late", *STAFF),
    ("assign", REF, "h-17", *STAFF),
    ("reclassify", REF, "--reason", "wrong", "--category", "fee", *STAFF),
    ("evidence", REF, "--note", "a note", *STAFF),
    ("request-info", REF, "--questions", "Which?", *STAFF),
    ("propose", REF, "--outcome", "upheld", "--amount", "USD 1", "--reasons", "So it is.", *STAFF),
    (*EARLY, "--outcome", "upheld", "--remedy", "apology", *STAFF),
    ("extend", REF, "--clock", "response", "--extension", "special", "--reasons", "So it is.", *STAFF),
    ("referral", "record", REF, "--route", "fos", "--at", "2026-03-02T09:00Z", *STAFF),
    ("approve", REF, "--proposal", "5b1f0c3a9d7e", *STAFF),
    ("return", REF, "--proposal", "5b1f0c3a9d7e", "--reasons", "why", *STAFF),
    ("feedback", REF, "5", *STAFF),
    ("withdraw", REF, "--reason", "They rang to say so.", *STAFF),
    ("reopen", REF, "--reason", "again", *STAFF),
    ("contact", REF, "--email", "new@example.com", *STAFF),
)
LOOKS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("show", REF),
    ("timeline", REF),
    ("letters", REF),
    ("deadlines", REF),
    ("rejected", REF),
    ("deadlines", "--next", "24h"),
    ("ledger", "check"),
    ("restore", "list"),
    (
        "restore",
        "declare",
        "--store",
        "postgresql",
        "--since",
        "2026-03-02T09:00Z",
        "--reason",
        "the disk broke",
        *STAFF,
    ),
    ("policy", "compare", "platform-default", "uk-fca"),
    ("calendar", "replan", *STAFF),
    ("migrate",),
)
named = pytest.mark.parametrize("arguments", [*ACTS, *LOOKS], ids=lambda arguments: arguments[0])
named_with_reference = pytest.mark.parametrize(
    "arguments", [one for one in (*ACTS, *LOOKS) if REF in one], ids=lambda arguments: arguments[0]
)
every_act = pytest.mark.parametrize("arguments", ACTS, ids=lambda arguments: arguments[0])


@named_with_reference
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("RD-V55M-ZRNE-2S9JN", "check character does not fit"),
        ("RD-V55M-ZRNE-2S9MJ", "check character does not fit"),
        ("RD-V55M-ZRNE-2S9J", "has 12 characters"),
        ("RD-V55M-ZRNE-2S9J0", "0 never occurs"),
        ("nonsense", "never occurs"),
        ("", "has 0 characters"),
    ],
)
async def test_a_mistyped_reference_is_caught_before_anything_is_connected_to(
    redress: CommandLine, arguments: tuple[str, ...], wrong: str, reason: str
) -> None:
    ran = await redress(*[wrong if argument == REF else argument for argument in arguments], "--json")
    assert ran.code == ExitCode.INVALID
    assert ran.error["kind"] == "invalid_reference"
    assert reason in ran.error["message"]


@named
async def test_without_temporal_and_postgresql_it_says_what_does_not_answer_and_what_to_set(
    redress: CommandLine, arguments: tuple[str, ...]
) -> None:
    ran = await redress(*arguments, "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert ran.error["kind"] == "unavailable"
    looks_first = arguments[0] == "referral"  # whether there is such a case
    needed = "TEMPORAL_ADDRESS" if arguments in ACTS and not looks_first else "DATABASE_URL"
    assert needed in ran.error["message"]
    assert "redress up" in ran.error["message"]


async def test_a_database_that_does_not_answer_is_named_without_its_password(redress: CommandLine) -> None:
    redress.set("DATABASE_URL", "postgresql://redress:hunter2@127.0.0.1:1/redress")
    ran = await redress("list", "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "127.0.0.1:1" in ran.error["message"]
    assert "hunter2" not in ran.error["message"]


@pytest.mark.parametrize("arguments", [act for act in ACTS if STAFF[0] in act], ids=lambda arguments: arguments[0])
async def test_what_staff_do_names_who_does_it(redress: CommandLine, arguments: tuple[str, ...]) -> None:
    anonymous = [argument for argument in arguments if argument not in STAFF]
    ran = await redress(*anonymous, "--json")
    assert ran.code == ExitCode.INVALID
    assert "--as ROLE:ID" in ran.error["message"]
    assert "REDRESS_ACTOR" in ran.error["message"]

    redress.set("REDRESS_ACTOR", "handler:h-17")
    assert (await redress(*anonymous)).code == ExitCode.UNAVAILABLE  # the actor is known now, Temporal is not


@pytest.mark.parametrize("actor", ["h-17", "handler", "handler:", "boss:h-17", "handler:h 17", ":h-17"])
async def test_an_actor_that_is_none_is_refused(redress: CommandLine, actor: str) -> None:
    ran = await redress("assign", REF, "h-17", "--as", actor, "--json")
    assert ran.code == ExitCode.INVALID
    assert ran.error["message"].startswith("--as: ")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["assign", REF, "no spaces", *STAFF], "handler"),
        (["assign", REF, "h-17", "--message-id", "no spaces", *STAFF], "message_id"),
        (["reply", REF, *STAFF], "text"),
        (["reply", REF, "--intent", "maybe", *STAFF], "intent"),
        (["reply", REF, "--text", " ", *STAFF], "text"),
        (["reply", REF, "--text", "x" * 20_001, *STAFF], "text"),
        (["reply", REF, "--text", "x", "--trade", "no spaces", *STAFF], "trades.0"),
        (["reply", REF, "--text", "x", "--attach", "screenshot.png", *STAFF], "--attach"),
        (["escalate", REF, "--reason", "x", "--level", "0", *STAFF], "level"),
        (["escalate", REF, "--reason", "x", "--level", "up", *STAFF], "--level"),
        (["escalate", REF, *STAFF], "--reason"),
        (["withdraw", REF, *STAFF], "--reason"),
        (["withdraw", REF, "--reason", "Withdrawn.", *STAFF], "reason"),
        (["withdraw", REF, "--reason", "They rang to say so."], "--as"),
        (["reclassify", REF, "--reason", "x", *STAFF], "category"),
        (["reclassify", REF, "--reason", "x", "--category", "gold", *STAFF], "--category"),
        (["reclassify", REF, "--reason", "x", "--complexity", "hard", *STAFF], "--complexity"),
        (["extend", REF, "--clock", "response", "--reasons", "So it is.", *STAFF], "--extension"),
        (["extend", REF, "--clock", "a b", "--extension", "special", "--reasons", "So it is.", *STAFF], "clock"),
        (["extend", REF, "--clock", "response", "--extension", "special", "--reasons", " ", *STAFF], "reasons"),
        ([*EARLY, "--outcome", "withdrawn", *STAFF], "outcome"),
        ([*EARLY, "--outcome", "upheld", "--amount", "5", *STAFF], "--amount"),
        (["referral", "record", REF, "--route", "fos", "--at", "yesterday", *STAFF], "referred_at"),
        (["referral", "record", REF, "--route", "fos", "--at", "2026-03-02T09:00", *STAFF], "referred_at"),
        (["referral", "record", REF, "--route", "a b", "--at", "2026-03-02T09:00Z", *STAFF], "route"),
        (["feedback", REF, "6", *STAFF], "score"),
        (["feedback", REF, "good", *STAFF], "SCORE"),
        (["contact", REF, *STAFF], "email, phone, by_post"),
        (["contact", REF, "--by-post", "--email", "new@example.com", *STAFF], "by_post: it removes the e-mail address"),
        (["contact", REF, "--email", "nowhere", *STAFF], "email"),
        (["contact", REF, "--phone", "call me", *STAFF], "phone"),
        (["propose", REF, "--outcome", "upheld", "--reasons", "So it is.", *STAFF], "compensation"),
        (["propose", REF, "--outcome", "withdrawn", "--reasons", "So it is.", *STAFF], "outcome"),
        (["propose", REF, "--outcome", "not_upheld", "--reasons", a_no(), "--remedy", "gold", *STAFF], "--remedy"),
        *(
            (["propose", REF, "--outcome", "upheld", "--reasons", "So it is.", "--amount", amount, *STAFF], "--amount")
            for amount in ("100", "USD", "USD -5", "USD 0", "USD 1,5", "USD 1 000", "XYZ 5", "USD 1e5", "USD NaN", "$5")
        ),
        (["list", "--stage", "nowhere"], "--stage"),
        (["list", "--limit", "0"], "--limit"),
        (["investigate"], "--account"),
        (["investigate", "--account", "no spaces"], "account"),
        (["investigate", "--case", REF, "--account", "1"], "--case"),
        (["investigate", "--case", REF], "--check"),
        (["investigate", "--case", REF, "--check", "everything"], "--check"),
        (["propose", REF, "--outcome", "upheld", "--reasons", "So it is.", "--goodwill", "USD 5"], "--goodwill"),
        (["propose", REF, "--outcome", "upheld", "--reasons", "So it is.", "--distress", "5=R"], "--distress"),
        (["investigate", "--account", "1", "--check", "everything"], "--check"),
        (["investigate", "--account", "1", "--from", "yesterday"], "occurred_from"),
        (["investigate", "--account", "1", "--from", "2026-03-02T09:00:00"], "occurred_from"),
        (["investigate", "--account", "1", "--policy", "no-such-pack"], "policy"),
        (["import", "no-such-file.csv"], "no-such-file.csv"),
        (["submit", "no-such-file.json"], "no-such-file.json"),
        (["submit", "."], "."),
        (["show"], "REF"),
        (["lsit"], "list"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
async def test_what_does_not_fit_is_named(redress: CommandLine, arguments: list[str], field: str) -> None:
    ran = await redress(*arguments, "--json")
    assert ran.code == ExitCode.INVALID
    assert field in ran.error["message"]
    assert ran.out == ""
    for_people = await redress(*arguments)
    assert for_people.code == ExitCode.INVALID
    assert for_people.err.startswith("redress: ")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": None}, "source"),
        ({"idempotency_key": None}, "idempotency_key"),
        ({"received_at": None}, "received_at"),
        ({"received_at": "2026-03-02T09:15:00"}, "received_at"),
        ({"received_at": "last week"}, "received_at"),
        ({"complainant": {}}, "complainant.name"),
        ({"complainant": {"name": "x", "email": "secret-address"}}, "complainant.email"),
        ({"descripton": "misspelt"}, "descripton"),
        ({"description": "x" * 5_000_000}, "description"),
        ({"description": 7}, "description"),
        ({"description": ""}, "description"),
        ({"idempotency_key": "\ud800"}, "idempotency_key"),
        ({"channel": "pigeon"}, "channel"),
        ({"language": "fr"}, "language"),
        ({"amount_claimed": {"amount": "-5", "currency": "USD"}}, "amount_claimed.amount"),
        ({"amount_claimed": {"amount": "5", "currency": "XYZ"}}, "amount_claimed.currency"),
        ({"amount_claimed": {"amount": "many", "currency": "USD"}}, "amount_claimed.amount"),
        ({"trades": "P-1"}, "trades"),
        ({"trades": [f"P-{number}" for number in range(101)]}, "trades"),
        ({"occurred_from": "2026-03-02T10:00Z", "occurred_until": "2026-03-02T09:00Z"}, "occurred_until"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_a_complaint_that_does_not_fit_is_refused_with_the_field_and_without_quoting_it(
    redress: CommandLine, changes: dict[str, Any], field: str
) -> None:
    given = {name: value for name, value in {**COMPLAINT, **changes}.items() if value is not None}
    ran = await redress("submit", "-", "--json", stdin=json.dumps(given))
    assert ran.code == ExitCode.INVALID
    assert field in ran.error["message"]
    assert "secret" not in ran.err
    assert len(ran.err) < 500


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "nothing in it"),
        (b" \n ", "nothing in it"),
        (b'{\n "source": "web-form",\n oops\n}', "line 3, column 2"),
        (b'[{"source": "a"},\n {"source": }]', "line 2, column 13"),
        (b'{"amount_claimed": {"amount": NaN}}', "NaN is no number"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"source": "\xff"}', "line 1 is not UTF-8"),
        ('{"source": "web"}'.encode("utf-16"), "not UTF-8"),
        (b'{"source": "' + b"x" * 10_000_000 + b'"}', "longer than 10 MB"),
        (b'"a complaint"', "input"),
        (b"null", "input"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
async def test_a_file_that_cannot_be_read_says_where(
    redress: CommandLine, tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "complaints.json"
    file.write_bytes(content)
    for arguments in (("submit", file), ("submit", "-")):
        ran = await redress(*arguments, "--json", stdin=content)
        assert ran.code == ExitCode.INVALID
        assert told in ran.error["message"]


async def test_nothing_to_submit_is_no_error(redress: CommandLine) -> None:
    ran = await redress("submit", "-", "--json", stdin="[]")
    assert (ran.code, ran.data) == (0, {"submitted": [], "rejected": []})


@pytest.mark.parametrize("variable", ["REDRESS_SMTP_PROT", "REDRESS_LOG_LEVEL"])
async def test_a_wrong_setting_is_named(redress: CommandLine, variable: str) -> None:
    redress.set(variable, "nonsense")
    ran = await redress("list", "--json")
    assert ran.code == ExitCode.INVALID
    assert ran.error["kind"] == "invalid_configuration"
    assert variable in ran.error["message"]


async def test_an_error_nobody_foresaw_is_told_in_a_line_and_with_debug_shows_where(
    redress: CommandLine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("the moon is full")

    monkeypatch.setattr("domain.ground.reference.reference_for", broken)
    ran = await redress("reference", "a", "b", "--json")
    assert ran.code == ExitCode.FAILED
    assert ran.error["kind"] == "internal"
    assert "ZeroDivisionError: the moon is full" in ran.error["message"]
    assert program.main(["reference", "a", "b", "--debug"]) == ExitCode.FAILED
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("--json", "list"), "redress list --json"),
        (("--debug", "list"), "redress list --debug"),
        (("--json", "policy", "list"), "redress policy list --json"),
        (("policy", "--strict", "check"), "redress policy check --strict"),
        (("--as", "handler:h-17", "assign", REF), "redress assign --as"),
    ],
)
async def test_an_option_before_its_command_is_told_where_it_belongs(
    redress: CommandLine, arguments: tuple[str, ...], where: str
) -> None:
    ran = await redress(*arguments)
    assert ran.code == ExitCode.INVALID
    assert f"belongs after the command, as in `{where}`" in ran.err


@pytest.mark.parametrize("arguments", [("--nowhere", "list"), ("list", "--nowhere")])
async def test_an_option_of_no_command_is_not_sent_elsewhere(redress: CommandLine, arguments: tuple[str, ...]) -> None:
    ran = await redress(*arguments)
    assert "No such option: --nowhere" in ran.err
    assert "belongs after" not in ran.err


def test_every_error_that_the_command_line_knows_by_name_exists() -> None:
    for name in program._ERRORS:
        module, _, kind = name.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        assert issubclass(found, Exception)
        assert f"{found.__module__}.{found.__qualname__}" == name


@pytest.mark.parametrize(
    ("command", "without"),
    [("--help", {"temporalio", "pydantic", "asyncpg", "babel"}), ("list", {"temporalio", "openpyxl", "reportlab"})],
)
def test_a_command_comes_quickly_and_loads_nothing_that_it_does_without(
    command: str, without: set[str], tmp_path: Path
) -> None:
    look = f"import sys; from starter.cli import main; main(['{command}']); print(sorted({without} & set(sys.modules)))"
    nowhere = os.environ | {"REDRESS_STATE_DIR": str(tmp_path / "nowhere")}
    run = [sys.executable, "-c", look]
    ran = subprocess.run(run, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_seen_enough_ends_the_command_without_a_word() -> None:
    run = f"{sys.executable} -m starter.cli policy list --json | true"
    ran = subprocess.run(["/bin/sh", "-c", run], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def unread(pipe: int) -> int:
    """Bytes in the pipe that nobody has taken yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_ctrl_c_ends_a_command_quietly_with_its_own_exit_code() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from starter.cli import main; print('ready', flush=True); exit(main(['submit', '-']))"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "ready\n"
        assert process.stdin
        process.stdin.write("[")
        process.stdin.flush()
        while unread(process.stdin.fileno()):  # until it waits for more of its input
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == ExitCode.INTERRUPTED
        assert process.stderr.read() == ""


def test_the_documentation_tells_every_command_and_every_exit_code() -> None:
    told = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", told, flags=re.MULTILINE)} == {*ExitCode}
    assert {kind for kind, _ in program._ERRORS.values()} <= set(re.findall(r"`(\w+)`", told))
    tables = told[: told.index("## Who acts")]
    commands = [*every_command(get_command(program.app))]
    assert len(commands) > 80
    untold = [name for name in commands if not re.search(rf"^\| .*`{name}[ `]", tables, flags=re.MULTILINE)]
    assert not untold, untold


def test_every_command_that_is_told_of_is_there() -> None:
    """In the documentation, and where people are told what to type: in mails, on pages, in errors."""
    there = set(every_command(get_command(program.app)))
    groups = {name.partition(" ")[0] for name in there if " " in name}
    told = list(told_to_type())
    assert len(told) > 300
    for file, first, second in told:
        assert first in there | groups, (file, first)
        known = first in there or not second or any(f"{name} ".startswith(f"{first} {second} ") for name in there)
        assert known, (file, first, second)


def told_to_type() -> Iterator[tuple[str, str, str]]:
    """The commands that texts tell somebody to type: the file, the first word after ``redress``, and the second."""
    folders = ("docs", "starter", "activities", "domain", "record", "runtime", "templates", "web")
    for path in [ROOT / "README.md", *(one for folder in folders for one in sorted((ROOT / folder).rglob("*")))]:
        if path.suffix in {".md", ".py", ".toml", ".html"}:
            text = path.read_text(encoding="utf-8")
            for first, second in re.findall(_TYPED, text, flags=re.MULTILINE):
                yield str(path.relative_to(ROOT)), first, second


def every_command(of: Any, name: str = "") -> Iterator[str]:
    """The names of the commands as they are typed, those of groups with the group's name before them."""
    for part, command in of.commands.items():
        whole = f"{name} {part}".strip()
        yield from every_command(command, whole) if hasattr(command, "commands") else [whole]


def test_a_terminal_that_knows_no_chinese_still_shows_what_it_can_and_programs_lose_nothing() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "starter.cli", *arguments]
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)

    assert json.loads(run("reference", "app", "投诉", "--json").stdout)["idempotency_key"] == "投诉"
    shown = run("show", "投诉")
    assert shown.returncode == ExitCode.INVALID
    assert b"is not a reference" in shown.stderr
    assert b"Traceback" not in shown.stderr
