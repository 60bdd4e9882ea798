"""Looking at cases: what is in the case file reaches people and programs whole."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from activities.letters.ways import BY_MESSAGE, CASE_FILE, PRINT_SHOP
from domain.checks import findings
from domain.ground import words
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, LetterKind, Stage
from domain.money import parts
from domain.people import matching
from domain.rules import deciding, routes
from runtime.letter_hook import LetterHook
from runtime.letters.way_names import NO_ADDRESS, way_of_contact
from runtime.mail import Mailer, Outbox
from starter.cli.case_pages import letters
from starter.cli.pages import timeline
from starter.cli.program import ExitCode
from starter.reading.cases import Attempt, WrittenLetter
from starter.reading.deadlines import COMING_DUE
from tests.cli import stories
from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

UNKNOWN = "RD-V55M-ZRNE-2S9JM"
A_PAYMENT: dict[str, Any] = {
    "subject": "Card payment declined",
    "description": "My card payment was taken twice and the refund of the card payment has not arrived.",
    "trades": [],
    "amount_claimed": None,
}


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


FILTERED: Final[list[tuple[list[str], set[str]]]] = [
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
]
"""Options of the list, and which cases it has then."""


async def test_the_list_is_filtered(look: CommandLine, cases: dict[str, str]) -> None:
    for filters, found in FILTERED:
        ran = await look("list", *filters, "--json")
        assert {cases[case["reference"]] for case in ran.data} == found, filters
        for_people = await look("list", *filters)
        assert all((reference in for_people.out) == (name in found) for reference, name in cases.items()), filters


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


async def test_a_way_to_go_further_is_named_once(look: CommandLine, waiting: str) -> None:
    ran = await look("show", waiting)
    assert "  review: " in ran.out
    assert "review review" not in ran.out


async def test_findings_give_their_reasons_in_chinese_on_demand(look: CommandLine, waiting: str) -> None:
    assert "平仓价较有效的客户卖出价（Bid）低 14.29" in (await look("show", waiting, "--language", "zh-CN")).out


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
        "identified",
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


async def test_why_a_case_was_assessed_so_is_told_from_its_file(look: CommandLine, waiting: str) -> None:
    (told,) = (await look("assess", "explain", waiting, "--json")).data
    assert told["kind"] == "assessed"
    assert told["data"]["grounds"]
    shown = " ".join((await look("assess", "explain", waiting)).out.split())
    assert f"category {told['data']['category']}" in shown
    assert "by system" in shown


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


@pytest.mark.parametrize(
    ("channel", "detail", "said"),
    [
        (Outbox.name, way_of_contact(3), "outbox, the address given"),
        (Mailer.name, "on file 0123456789ab", "e-mail, an address on file"),
        (LetterHook.name, BY_MESSAGE, "the firm's system, by text message"),
        (LetterHook.name, PRINT_SHOP, "the firm's system, to be printed and posted"),
        (Outbox.name, NO_ADDRESS, "outbox, to be posted"),
        (CASE_FILE, NO_ADDRESS, "case file, nobody's address is known"),
        (Mailer.name, "address of h-17", "e-mail, address of h-17"),
        (Mailer.name, f"{way_of_contact(3)}: 450 later", "e-mail, the address given: 450 later"),
        (Mailer.name, "restored: as it was told", "e-mail, restored: as it was told"),
    ],
)
def test_how_a_letter_went_is_said_in_the_words_of_the_field(channel: str, detail: str, said: str) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    letter = WrittenLetter(
        key="k",
        number=1,
        kind=LetterKind.ACKNOWLEDGEMENT,
        language="en",
        recipient=None,
        subject="s",
        body="b",
        message_id="<m@example.com>",
        rendered_at=at,
        attempts=(Attempt(at=at, channel=channel, outcome="accepted", detail=detail),),
    )
    for texts in (False, True):
        screen = Console(width=200, file=io.StringIO())
        screen.print(*letters([letter], texts=texts), sep="\n")
        assert said in screen.file.getvalue()  # type: ignore[attr-defined]


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


async def test_of_several_packs_clocks_for_one_duty_the_strictest_is_marked(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(days=1))
    reference = await story.open(policy=["uk-fca", "uk-fca-payments"], **A_PAYMENT)
    rows = (await look("deadlines", reference, "--json")).data
    marked = {row["clock"] for row in rows if row["strictest"]}
    assert "uk-fca-payments/fifteen-days" in marked
    assert not marked & {"eight-weeks", "response"}  # the later one, and one without a rival
    shown = " ".join((await look("deadlines", reference)).out.split())
    assert "(strictest)" in shown
    assert "of several packs' clocks for one duty the one that acts" in shown
    await story.tell("letter", "holding", events=story.happened(CaseEvent.HELD))
    rows = (await look("deadlines", reference, "--json")).data
    assert {row["clock"] for row in rows if row["strictest"]} == marked - {"uk-fca-payments/fifteen-days"}
    statutory = (await look("deadlines", reference, "--statutory", "--json")).data
    assert {row["clock"] for row in statutory} < {row["clock"] for row in rows}
    assert all(row["statutory"] for row in statutory)


# -- what comes due ----------------------------------------------------------------------------------------------------


async def test_what_comes_due_is_listed_across_the_open_cases_with_what_is_late_first(
    look: CommandLine, waiting: str, closed: str, overdue: str
) -> None:
    due = (await look("deadlines", "--next", "4d", "--json")).data
    assert {rung["reference"] for rung in due} == {overdue}  # the other's are all done, or later, or closed
    assert [rung["due"] for rung in due] == sorted(rung["due"] for rung in due)
    assert {rung["clock"] for rung in due} >= {"acknowledgement", "response"}
    later = (await look("deadlines", "--next", "52w", "--json")).data
    mine = [rung for rung in later if rung["reference"] == waiting]
    assert {rung["clock"] for rung in mine} == {"response", "progress"}
    assert (mine[0]["handler"], mine[0]["stage"]) == ("h-17", "deciding")
    assert not any(rung["reference"] == closed for rung in later)
    shown = await look("deadlines", "--next", "52w")
    text = " ".join(shown.out.split())
    assert max(map(cell_len, shown.out.splitlines())) <= 80
    assert re.search(overdue + r" \d+ d late acknowledgement:", text)
    assert f"{len(later)} within 52w" in text


async def test_a_rung_that_acted_is_not_coming(look: CommandLine, pool: "Pool", tmp_path: Path) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(days=2))
    await story.open()
    await story.tell("breach", "acknowledgement was due", firings=story.missed("acknowledgement"), breached=True)
    due = (await look("deadlines", "--next", "1h", "--json")).data
    assert [(rung["clock"], rung["rung"]) for rung in due] == [("acknowledgement", "warning")]


async def test_nothing_comes_due_in_a_closed_case(look: CommandLine, pool: "Pool", waiting: str) -> None:
    assert (await look("deadlines", "--next", "52w", "--json")).data
    await pool.execute("UPDATE casefile.cases SET closed_at = now(), revision = revision + 1")
    assert (await look("deadlines", "--next", "52w", "--json")).data == []


@pytest.mark.parametrize(("within", "hours"), [("90m", 1.5), ("24h", 24), ("7d", 168), ("2w", 336), (" 3 D ", 72)])
async def test_how_far_it_looks_is_said_in_minutes_hours_days_or_weeks(
    look: CommandLine, pool: "Pool", tmp_path: Path, within: str, hours: float
) -> None:
    now = datetime.now(UTC)
    await stories.Story(pool, tmp_path / "outbox", now).open(policy="uk-fca")
    asked = (await look("deadlines", "--next", within, "--json")).data
    whole = (await look("deadlines", "--next", "60w", "--json")).data
    assert len(whole) >= 6
    until = (now + timedelta(hours=hours)).isoformat()
    assert [one["due"] for one in asked] == [one["due"] for one in whole if one["due"] <= until]


async def test_only_statutory_deadlines_on_demand_and_a_list_that_was_cut_off_says_so(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    await stories.Story(pool, tmp_path / "outbox", datetime.now(UTC)).open(policy="uk-fca")
    statutory = (await look("deadlines", "--next", "60w", "--statutory", "--json")).data
    assert {rung["clock"] for rung in statutory} == {"acknowledgement", "eight-weeks"}
    assert "--limit 1 is reached" in (await look("deadlines", "--next", "60w", "--limit", "1")).out
    assert "is reached" not in (await look("deadlines", "--next", "60w")).out
    assert (await look("deadlines", "--next", "1m")).out == "Nothing comes due within 1m.\n"


async def test_what_comes_due_is_found_by_index_and_not_among_all_deadlines_there_ever_were(
    pool: "Pool", tmp_path: Path
) -> None:
    for number in range(3):
        await stories.Story(pool, tmp_path / "outbox", datetime.now(UTC)).open(str(number))
    for statement in _OF_YEARS:
        await pool.execute(statement)
    now = datetime.now(UTC)
    ((plan,),) = await pool.fetchrow(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {COMING_DUE.format(next='next_rung')}",
        now,
        now + timedelta(days=4),
        False,
        50,
    ) or ([],)
    steps = list(every_step(plan["Plan"]))
    read = [step for step in steps if step.get("Relation Name") == "deadlines"]
    assert len(read) == 1
    assert all("Scan" in step["Node Type"] and step["Node Type"] != "Seq Scan" for step in read), read
    looked_at = sum(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"] for step in read
    )
    assert looked_at < 50
    assert await pool.fetchval("SELECT count(*) FROM casefile.deadlines") > 4_000


_OF_YEARS = (
    "alter table casefile.cases drop constraint sealed_for",
    """
    insert into casefile.cases
    select (jsonb_populate_record(c, jsonb_build_object(
        'reference', c.reference || n, 'source', n::text, 'closed_at', c.received_at))).*
    from casefile.cases c, generate_series(1, 400) n
    """,
    """
    insert into casefile.deadlines
    select (jsonb_populate_record(d, jsonb_build_object(
        'reference', d.reference || n, 'due', d.due - interval '3 years' + n * interval '2 days'))).*
    from casefile.deadlines d, generate_series(1, 400) n
    """,
    "insert into casefile.events "
    "select e.reference || n, e.number, e.event, e.at from casefile.events e, generate_series(1, 400) n",
    """
    insert into casefile.satisfactions
    select distinct reference, clock, number, 'received', 1, started_at from casefile.deadlines
    where reference not in (select reference from casefile.cases where closed_at is null)
    """,
    "analyze casefile.cases, casefile.deadlines, casefile.satisfactions, casefile.firings",
)
"""A house with many closed cases. One by one: a statement has ten seconds, and they may be short beside other work."""


def every_step(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for step in plan.get("Plans", ()):
        yield from every_step(step)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either REF, for one case, or --next SPAN"),
        ((UNKNOWN, "--next", "24h"), "give either REF"),
        (("--next", "soon"), "--next: 'soon' is no length of time; give a number and m, h, d or w"),
        (("--next", "-5h"), "--next: "),
        (("--next", "5"), "--next: "),
        (("--next", "1.5h"), "--next: "),
        (("--next", "9999w"), "--next: it is longer than ten years"),
        (("--next", "1h", "--limit", "0"), "--limit"),
    ],
)
async def test_what_to_look_at_is_given_in_one_way(look: CommandLine, arguments: tuple[str, ...], told: str) -> None:
    ran = await look("deadlines", *arguments, "--json")
    assert ran.code == ExitCode.INVALID
    assert told in ran.error["message"]


# -- rights and times of the rules on the page of a case ---------------------------------------------------------------


async def test_a_page_tells_the_ways_to_go_further_and_how_long_an_early_closure_is_possible(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(hours=1))
    reference = await story.open(policy="uk-fca")
    await story.tell("stage", "investigating", stage=Stage.INVESTIGATING)
    ran = await look("show", reference)
    text = " ".join(ran.out.split())
    assert max(map(cell_len, ran.out.splitlines())) <= 80
    assert "not yet ombudsman fos: Financial Ombudsman Service" in text
    assert "It opens with the final response" in text
    assert "Early closure with a summary letter until" in text
    assert f"redress resolve-early {reference}" in text
    page = (await look("show", reference, "--json")).data
    assert (page["routes"][0]["route"], page["routes"][0]["status"]) == ("fos", "not_yet")
    assert page["kept_until"] is None
    assert "英国金融申诉专员" in (await look("show", reference, "--language", "zh-CN")).out

    await story.tell("stage", "responded", stage=Stage.RESPONDED, events=story.happened(CaseEvent.RESPONDED))
    page = (await look("show", reference, "--json")).data
    assert (page["routes"][0]["status"], page["early_until"]) == ("open", None)
    assert f"referral record {reference} --route fos --at TIME" in page["possible"]


async def test_the_time_for_an_early_closure_is_not_told_once_it_is_over(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(days=12))
    reference = await story.open(policy="uk-fca")
    assert (await look("show", reference, "--json")).data["early_until"] is None
    assert "Early closure" not in (await look("show", reference)).out


async def test_extensions_of_clocks_that_run_are_named_among_what_can_be_done(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(days=1))
    reference = await story.open(policy="cn-banking")
    extend = f"extend {reference} --clock response --extension special --reasons TEXT"
    assert extend in (await look("show", reference, "--json")).data["possible"]
    await story.tell("stage", "responded", stage=Stage.RESPONDED, events=story.happened(CaseEvent.RESPONDED))
    assert extend not in (await look("show", reference, "--json")).data["possible"]


async def test_a_closed_case_tells_how_long_its_file_is_kept(
    look: CommandLine, pool: "Pool", closed: str, tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime(2026, 2, 3, 10, tzinfo=UTC))
    reference = await story.open("9", policy="uk-fca")
    await story.tell("stage", "closed", stage=Stage.CLOSED, closed_at=story.at, events=story.happened(CaseEvent.CLOSED))
    assert (await look("show", reference, "--json")).data["kept_until"] == "2029-02-03T23:59:59Z"
    assert "Kept until 2029-02-03 23:59 UTC" in " ".join((await look("show", reference)).out.split())


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
        {"currency": "USD", "postings": 1, "awarded": "900.00", "paid": "0", "debits": "900.00", "credits": "900.00"}
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


_VOCABULARIES: Final[set[type[StrEnum]]] = {
    one
    for module in (words, findings, parts, matching, deciding, routes)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum
}


@pytest.mark.parametrize("kind", sorted(_VOCABULARIES, key=repr))
def test_the_timeline_speaks_every_word_of_the_field_and_leaves_names_alone(kind: type[StrEnum]) -> None:
    texts = [f"{one.value}: {one.value} ({one.value})" for one in kind] + ["asked j_doe", "of charges/wrong_charge"]
    entries = [
        Entry(key=str(number), at=datetime.now(UTC), kind="note", actor="system:redress", text=text)
        for number, text in enumerate(texts)
    ]
    (table,) = timeline(entries)
    assert isinstance(table, Table)
    *told, person, cause = [str(cell) for cell in table.columns[3].cells]
    assert told == [text.replace("_", " ") for text in texts[:-2]]
    assert (person, cause) == ("asked j_doe", "of charges/wrong_charge")
