"""Policy packs on the command line: what they say, what is wrong with them, what is due under them."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from domain.clocks.calendar import Closure
from domain.clocks.deadlines import Occurred
from domain.ground.scope import Facts
from domain.ground.words import CaseEvent, Category
from runtime.policies import find_pack, find_policy
from starter.cli.program import ExitCode
from starter.reading.comparing import compare_history
from tests.cli import stories
from tests.cli.command_line import CommandLine, Ran

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

LATER = """
id = "own"
version = "2"
title = "Acknowledged within three days"
effective_from = 2020-01-01
extends = "platform-default"

[[clocks]]
name = "acknowledgement"
length = { hours = 72 }
"""


def written(folder: Path, content: str, name: str = "own") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(content, encoding="utf-8")
    return file


def squeezed(ran: Ran) -> str:
    assert max(map(cell_len, ran.out.splitlines()), default=0) <= 80
    return " ".join(ran.out.split())


# -- list and show -----------------------------------------------------------------------------------------------------


async def test_the_policy_packs_are_listed_with_what_nobody_has_confirmed(redress: CommandLine) -> None:
    text = squeezed(await redress("policy", "list"))
    assert "platform-default" in text
    assert "the firm must set: clocks[response].length" in text
    packs: list[dict[str, Any]] = (await redress("policy", "list", "--json")).data
    default = next(pack for pack in packs if pack["default"])
    assert default["id"] == "platform-default"
    assert len(default["hash"]) == 64
    unconfirmed = sum(not clock["confirmed"] for clock in default["clocks"])
    assert f"{unconfirmed} of {len(default['clocks'])}" in text


async def test_a_pack_is_shown_whole_with_sources_and_what_is_not_confirmed(redress: CommandLine) -> None:
    text = squeezed(await redress("policy", "show", "uk-fca"))
    for told in (
        "uk-fca 2026.1 United Kingdom: FCA DISP 1",
        "gb-england: GB-ENG, Europe/London, holidays known until 2027-12-31",
        "eight-weeks statutory, from received Length 8 weeks Satisfied by responded, held",
        "holding letter 'eight-week'",
        "due, at the end: breach, escalate to level 3",
        "DISP 1.6.1 R: promptly, in writing; the number of days is firm-set NOT CONFIRMED",
        "Settled within 3 business days of receipt, on the last day until 17:00: a summary letter ends the case.",
        "fos ombudsman: Financial Ombudsman Service",
        "Exchange Tower, London E14 9SR",
        "Firm belongs yes",
        "Within 6 months of responded",
        "with the final response, or 8 weeks after receipt without one",
        "eight-week holding, must name expected date, ombudsman.",
        "By rule what is wholly in the customer's favour",
        "executive any amount",
        "bank of england base rate + 1 % a year, simple, for cases referred from 2026-01-01",
        "36 months after it was closed",
        "NOT CONFIRMED: needs your compliance function's word before use.",
    ):
        assert told in text, told


async def test_what_depends_on_the_complaint_and_what_can_be_extended_is_shown(redress: CommandLine) -> None:
    text = squeezed(await redress("policy", "show", "cn-banking"))
    assert "or (1) 30 days for complex complaints" in text
    assert re.search(r"\+ [a-z-]+ by 30 days, once, approved by executive", text), text
    assert "stands still while" not in text


async def test_several_packs_are_shown_as_the_one_that_a_case_would_have(redress: CommandLine) -> None:
    text = squeezed(await redress("policy", "show", "uk-fca@2026.1", "uk-fca-payments"))
    assert "uk-fca-payments/fifteen-days statutory, from received" in text
    assert "Duty response-or-holding Applies to payment, deposit, withdrawal, card" in text
    shown = (await redress("policy", "show", "uk-fca", "uk-fca-payments", "--json")).data
    assert [part["id"] for part in shown["parts"]] == ["uk-fca", "uk-fca-payments"]
    assert len(shown["hash"]) == 64


async def test_a_pack_is_shown_in_chinese_on_demand(redress: CommandLine) -> None:
    assert "您即可免费将投诉提交" in (await redress("policy", "show", "uk-fca", "--language", "zh-CN")).out


# -- check -------------------------------------------------------------------------------------------------------------


async def test_a_pack_that_cannot_be_used_yet_fails_the_check_where_it_is_named(redress: CommandLine) -> None:
    ran = await redress("policy", "check", "eu-mifid")
    assert ran.code == ExitCode.CHECK_FAILED
    assert "error clocks[response].length: the law leaves it to the firm" in squeezed(ran)


async def test_all_packs_that_are_shipped_pass_the_check_together(redress: CommandLine) -> None:
    ran = await redress("policy", "check", "--json")
    assert ran.code == ExitCode.DONE
    assert "eu-mifid" in {pack["id"] for pack in ran.data["packs"]}
    assert ran.data["errors"] == 0
    (unset,) = [one for one in ran.data["problems"] if one["field"] == "clocks[response].length"]
    assert (unset["pack"], unset["severity"]) == ("eu-mifid 2026.1", "warning")


async def test_warnings_alone_pass_unless_they_are_not_to(redress: CommandLine) -> None:
    ran = await redress("policy", "check", "platform-default")
    assert ran.code == 0
    assert re.search(r"warning \d+ not confirmed: clocks\[response\]", squeezed(ran))
    strict = await redress("policy", "check", "platform-default", "--strict", "--json")
    assert strict.code == ExitCode.CHECK_FAILED
    assert strict.data["warnings"] == len(strict.data["problems"]) > 0


async def test_a_file_is_checked_beside_the_packs_there_are(redress: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path / "drafts", LATER)
    checked = (await redress("policy", "check", file, "--json")).data
    assert [(pack["id"], pack["version"]) for pack in checked["packs"]] == [("own", "2")]
    broken = written(tmp_path / "drafts", LATER.replace("hours", "moons"), "broken")
    ran = await redress("policy", "check", broken, file, "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    (error,) = [one for one in ran.data["problems"] if one["severity"] == "error"]
    assert (error["pack"], error["about"]) == (str(broken), "file")
    assert "clocks[acknowledgement].length" in error["message"]
    assert "own 2" in {one["pack"] for one in ran.data["problems"]}


BROKEN = {
    "no toml": "id = [",
    "no pack": "id = 1",
    "an unknown unit": LATER.replace("hours", "hour"),
    "the same day twice": LATER.replace('id = "own"', 'id = "platform-default"'),
    "a pack that is not there": LATER.replace('"platform-default"', '"nowhere"'),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_file_of_the_firm_fails_the_check_and_the_others_are_checked_all_the_same(
    redress: CommandLine, tmp_path: Path, what: str
) -> None:
    written(tmp_path / "own", BROKEN[what], "broken")
    written(tmp_path / "own", LATER.replace('id = "own"', 'id = "sound"'), "sound")
    redress.set("REDRESS_POLICY_DIR", str(tmp_path / "own"))
    ran = await redress("policy", "check", "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    assert {"sound", "uk-fca", "eu-mifid"} <= {pack["id"] for pack in ran.data["packs"]}
    (error,) = [one for one in ran.data["problems"] if one["severity"] == "error"]
    told = f"{error['pack']}: {error['message']}"
    assert "broken.toml" in told or "policy pack platform-default: versions 2026.1 and 2 are both in force" in told
    if what == "an unknown unit":
        assert "unknown unit hour; there are seconds, hours, days, business_days, weeks, months" in told
    # By name, nothing else is in the way; what is in a broken file is told as such.
    assert (await redress("policy", "check", "sound", "uk-fca")).code == ExitCode.DONE
    ran = await redress("policy", "check", "lost", "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    assert [one["about"] for one in ran.data["problems"]] == ["file"]


async def test_a_broken_calendar_fails_the_packs_that_are_counted_in_it_and_no_others(
    redress: CommandLine, tmp_path: Path
) -> None:
    written(tmp_path / "own", LATER)
    (tmp_path / "own" / "calendars").mkdir()
    written(tmp_path / "own" / "calendars", 'id = "cn"\ntime_zone = "Mars/Base"\ncountry = "CN"', "cn")
    redress.set("REDRESS_POLICY_DIR", str(tmp_path / "own"))
    ran = await redress("policy", "check", "--json")
    errors = {one["pack"] for one in ran.data["problems"] if one["severity"] == "error"}
    assert errors == {"cn.toml", "cn-banking.toml"}
    assert {"own", "uk-fca"} <= {pack["id"] for pack in ran.data["packs"]}


async def test_a_firm_may_be_stricter_than_the_rule_and_never_laxer(redress: CommandLine, tmp_path: Path) -> None:
    ours = """
        id = "ours"
        version = "1"
        title = "Ours"
        effective_from = 2026-01-01
        extends = "cn-banking"
        [[clocks]]
        name = "response"
        length = {{ days = {days} }}
        source = "Our board"
        confirmed = true
    """
    stricter = await redress("policy", "check", written(tmp_path / "own", ours.format(days=12)))
    assert stricter.code == ExitCode.DONE
    laxer = await redress("policy", "check", written(tmp_path / "own", ours.format(days=16)))
    assert laxer.code == ExitCode.CHECK_FAILED
    assert "error clocks[response].length: 16 days is laxer than the rule's 15 days" in squeezed(laxer)


# -- due ---------------------------------------------------------------------------------------------------------------


async def due(redress: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await redress("policy", "due", *arguments, "--json")).data["deadlines"]
    return told


def the(told: list[dict[str, Any]], clock: str, rung: str = "due") -> dict[str, Any]:
    (one,) = [one for one in told if (one["clock"], one["rung"]) == (clock, rung) and not one["replaced"]]
    return one


async def test_every_rung_is_told_in_order_with_how_it_was_found(redress: CommandLine) -> None:
    told = await due(redress, "uk-fca", "--received", "2026-12-23T16:00+00:00")
    assert [one["due"] for one in told] == sorted(one["due"] for one in told)
    acknowledgement = the(told, "acknowledgement")
    assert acknowledgement["local"] == "2027-01-04T23:59:59+00:00"
    assert "24 Dec, 29 Dec (25 Dec Christmas Day, 26–27 Dec weekend, 28 Dec Boxing Day" in acknowledgement["how"]
    assert the(told, "eight-weeks")["due"] == "2027-02-17T23:59:59Z"
    text = squeezed(await redress("policy", "due", "uk-fca", "--received", "2026-12-23T16:00+00:00"))
    assert "Mon 04 Jan 2027 23:59:59 +0000 acknowledgement: due statutory breach, escalate (level 1)." in text
    assert "local time" not in text


async def test_a_time_without_offset_is_local_in_the_pack_and_that_is_said(redress: CommandLine) -> None:
    told = await redress("policy", "due", "cn-banking", "--received", "2026-09-30T20:00", "--json")
    assert told.data["received"] == "2026-09-30T20:00:00+08:00"
    ran = await redress("policy", "due", "cn-banking", "--received", "2026-09-30T20:00")
    assert "Times without an offset are local time in Asia/Shanghai." in squeezed(ran)


async def test_an_early_closure_is_shown_until_the_close_of_business(redress: CommandLine) -> None:
    arguments = ("uk-fca", "--received", "2026-12-23T16:00")
    told = (await redress("policy", "due", *arguments, "--json")).data
    assert told["early_until"] == "2026-12-30T17:00:00Z"
    assert told["early_until_local"] == "2026-12-30T17:00:00+00:00"
    text = squeezed(await redress("policy", "due", *arguments))
    assert "until Wed 30 Dec 2026 17:00:00 +0000 (3 business days, close of business)." in text
    barred = ("au-asic", "--received", "2026-03-02T10:00", "--category")
    assert (await redress("policy", "due", *barred, "hardship", "--json")).data["early_until"] is None
    assert (await redress("policy", "due", *barred, "fee", "--json")).data["early_until"]
    without = (await redress("policy", "due", "cn-banking", "--received", "2026-03-02T10:00", "--json")).data
    assert without["early_until"] is None


async def test_the_length_goes_by_the_complaint(redress: CommandLine) -> None:
    received = ("--received", "2026-03-02T10:00")
    simple = the(await due(redress, "cn-banking", *received), "response")
    complex_ = the(await due(redress, "cn-banking", *received, "--complexity", "complex"), "response")
    hardship = the(await due(redress, "au-asic", *received, "--category", "hardship"), "idr-response")
    assert simple["local"] == "2026-03-17T23:59:59+08:00"
    assert complex_["local"] == "2026-04-01T23:59:59+08:00"
    assert hardship["local"].startswith("2026-03-23T23:59:59+1")


async def test_clocks_run_from_what_happens_and_end_with_it(redress: CommandLine) -> None:
    told = await due(
        redress,
        "cn-banking",
        "--received=2026-03-02T10:00",
        "--trigger=disputed=2026-03-20T09:00",
        "--trigger=responded=2026-03-16T09:00",
    )
    response, review = the(told, "response"), the(told, "review")
    assert (response["ended_by"], response["ended_at"]) == ("responded", "2026-03-16T01:00:00Z")
    assert (review["since"], review["local"]) == ("disputed", "2026-04-19T23:59:59+08:00")


async def test_an_extension_replaces_the_end(redress: CommandLine) -> None:
    told = await due(
        redress,
        "cn-banking",
        "--received=2026-03-02T10:00",
        "--complexity=complex",
        "--trigger=extended:response:special=2026-03-30T09:00",
    )
    ends = {(one["local"], one["replaced"]) for one in told if (one["clock"], one["rung"]) == ("response", "due")}
    assert ends == {("2026-04-01T23:59:59+08:00", True), ("2026-05-01T23:59:59+08:00", False)}


async def test_a_later_assessment_moves_a_statutory_end_only_forward(redress: CommandLine) -> None:
    received = ("au-asic", "--received=2026-03-02T10:00")
    stricter = await due(redress, *received, "--trigger=reclassified:hardship=2026-03-05T09:00")
    assert the(stricter, "idr-response")["local"].startswith("2026-03-23T")
    laxer = await due(redress, *received, "--category=hardship", "--trigger=reclassified:fee=2026-03-05T09:00")
    assert the(laxer, "idr-response")["local"].startswith("2026-03-23T")


async def test_where_several_packs_set_a_time_for_one_duty_the_strictest_is_marked(redress: CommandLine) -> None:
    arguments = ("uk-fca", "uk-fca-payments", "--category=payment", "--received=2026-03-02T10:00")
    told = await due(redress, *arguments)
    assert the(told, "uk-fca-payments/fifteen-days")["strictest"]
    assert not the(told, "eight-weeks")["strictest"]
    held = await due(redress, *arguments, "--trigger=held=2026-03-20T10:00")
    assert not any(one["strictest"] for one in held if one["clock"].endswith("fifteen-days"))
    assert "fifteen-days: due statutory strictest" in squeezed(await redress("policy", "due", *arguments))
    alone = await due(redress, "uk-fca", "--received=2026-03-02T10:00")
    assert not any(one["strictest"] for one in alone)


async def test_an_end_beyond_the_known_holidays_is_provisional(redress: CommandLine) -> None:
    arguments = ("uk-fca", "--received", "2027-12-20T10:00")
    told = await due(redress, *arguments)
    assert the(told, "response")["provisional"]
    assert not the(told, "eight-weeks")["provisional"]
    assert "provisional: holidays are known until 2027-12-31" in squeezed(await redress("policy", "due", *arguments))


# -- compare -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def look(redress: CommandLine, database_url: str) -> CommandLine:
    """The command line with a database."""
    redress.set("DATABASE_URL", database_url)
    return redress


@pytest.fixture
async def closed(pool: "Pool", tmp_path: Path) -> str:
    """A closed case, acknowledged after two days instead of within one, and never answered."""
    return await stories.late_and_closed(pool, tmp_path / "outbox")


async def test_another_pack_is_tried_on_closed_cases(look: CommandLine, closed: str, tmp_path: Path) -> None:
    draft = written(tmp_path / "drafts", LATER)
    compared = (await look("policy", "compare", "platform-default", draft, "--json")).data
    (case,) = compared["cases"]
    assert case["reference"] == closed
    duties = {duty["duty"]: duty for duty in case["duties"]}
    acknowledgement = duties["acknowledgement"]
    assert acknowledgement["change"] == "now kept"
    assert (acknowledgement["before"]["kept"], acknowledgement["after"]["kept"]) == (False, True)
    assert acknowledgement["before"]["hours"] == pytest.approx(-24, abs=0.2)
    assert acknowledgement["after"]["hours"] == pytest.approx(24, abs=0.2)
    assert duties["response"]["change"] == "same"
    assert (duties["response"]["after"]["ended_by"], duties["response"]["after"]["kept"]) == ("closed", True)
    (total,) = [one for one in compared["totals"] if one["duty"] == "acknowledgement"]
    assert (total["kept_before"], total["missed_before"], total["kept_after"], total["missed_after"]) == (0, 1, 1, 0)
    assert (total["now_kept"], total["now_missed"]) == (1, 0)


async def test_people_see_only_what_changes(look: CommandLine, closed: str, tmp_path: Path) -> None:
    draft = written(tmp_path / "drafts", LATER)
    text = squeezed(await look("policy", "compare", "platform-default@2026.1", draft))
    assert "platform-default 2026.1 → own 2, 1 closed case(s)" in text
    assert "acknowledgement 0 → 1 1 → 0 1 0 0 0" in text
    assert "missed by 2" in text
    assert "h left" in text
    same = squeezed(await look("policy", "compare", "platform-default", "platform-default"))
    assert closed in text
    assert closed not in same


async def test_duties_that_come_and_go_are_told(look: CommandLine, closed: str) -> None:
    compared = (await look("policy", "compare", "platform-default", "uk-fca/uk-fca-payments", "--json")).data
    assert compared["new"] == "uk-fca/uk-fca-payments 2026.1/2026.1"
    changes = {duty["duty"]: duty["change"] for duty in compared["cases"][0]["duties"]}
    assert changes["response-or-holding"] == "new"
    assert changes["acknowledgement"] == "now kept"
    assert "final-response" not in changes  # no payment: the other pack's clocks are not for this case


async def test_a_duty_that_the_other_pack_does_not_know_is_gone(look: CommandLine, closed: str, tmp_path: Path) -> None:
    draft = written(
        tmp_path / "drafts",
        LATER.replace('"acknowledgement"', '"first-word"')
        .replace("[[clocks]]", 'without = { clocks = ["acknowledgement"] }\n[[clocks]]')
        .replace(
            "length =",
            'kind = "internal"\ntrigger = "received"\nsatisfied_by = ["acknowledged"]\nsource = "ours"\n'
            'confirmed = true\nrungs = [{ name = "due", actions = ["breach"] }]\nlength =',
        ),
    )
    compared = (await look("policy", "compare", "platform-default", draft, "--json")).data
    changes = {duty["duty"]: duty["change"] for duty in compared["cases"][0]["duties"]}
    assert (changes["acknowledgement"], changes["first-word"]) == ("gone", "new")


async def test_cases_that_are_open_or_were_closed_earlier_are_left_out(
    look: CommandLine, pool: "Pool", closed: str, tmp_path: Path
) -> None:
    await stories.proposed(pool, tmp_path / "outbox")
    closed_on = (datetime.now(UTC) - timedelta(days=28)).date()
    for since, count in ((closed_on - timedelta(days=1), 1), (closed_on + timedelta(days=1), 0)):
        ran = await look("policy", "compare", "platform-default", "uk-fca", "--since", since, "--json")
        assert len(ran.data["cases"]) == count
    none = await look("policy", "compare", "platform-default", "uk-fca", "--since", datetime.now(UTC).date())
    assert "No closed case of platform-default fits" in none.out


async def test_a_comparison_that_was_cut_off_says_so(look: CommandLine, pool: "Pool", closed: str) -> None:
    compare = ("policy", "compare", "platform-default", "uk-fca", "--limit", "1")
    assert (await look(*compare, "--json")).data["more"] is False
    other = closed.replace("RD", "RX")
    await pool.execute("alter table casefile.cases drop constraint sealed_for")
    await pool.execute(
        """
        INSERT INTO casefile.cases
        SELECT (jsonb_populate_record(c, jsonb_build_object('reference', $2::text, 'source', 'other'))).*
        FROM casefile.cases c WHERE reference = $1
        """,
        closed,
        other,
    )
    assert (await look(*compare, "--json")).data["more"] is True
    assert "--limit is reached" in (await look(*compare)).out


async def test_a_comparison_changes_nothing(look: CommandLine, pool: "Pool", closed: str) -> None:
    tables = ("cases", "events", "deadlines", "satisfactions", "policy_packs", "timeline")

    async def content() -> list[Any]:
        return [await pool.fetchval(f"SELECT array_agg(t::text) FROM casefile.{one} t") for one in tables]  # noqa: S608

    before = await content()
    await look("policy", "compare", "platform-default", "uk-fca")
    assert await content() == before


def test_a_letter_that_was_asked_for_first_and_came_last_does_not_count_before_the_one_in_time() -> None:
    received = datetime(2026, 3, 2, 9, tzinfo=UTC)
    pack = find_pack("uk-fca", received)
    facts = Facts(category=Category.SERVICE)
    events = [
        Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts=facts),
        Occurred(event=CaseEvent.HELD, at=received + timedelta(weeks=9), number=2),
        Occurred(event=CaseEvent.RESPONDED, at=received + timedelta(weeks=7), number=3),
        Occurred(event=CaseEvent.CLOSED, at=received + timedelta(weeks=12), number=4),
    ]
    (duty,) = [duty for duty in compare_history(events, pack, pack, {}) if duty.duty == "response-or-holding"]
    assert duty.before == duty.after
    assert duty.after
    assert (duty.after.kept, duty.after.ended_by) == (True, CaseEvent.RESPONDED)


def test_of_several_clocks_for_one_duty_the_one_that_was_missed_counts_or_else_the_strictest() -> None:
    received = datetime(2026, 3, 2, 9, tzinfo=UTC)
    pack = find_policy(["uk-fca", "uk-fca-payments"], received)
    strict, lax = "uk-fca-payments/fifteen-days", "eight-weeks"
    written = tuple(
        clock.model_copy(update={"satisfied_by": (CaseEvent.CONTACTED,)}) if clock.name == strict else clock
        for clock in pack.clocks
    )
    for weeks, clock, kept in ((1, strict, True), (9, lax, False)):
        events = [
            Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts=Facts(category=Category.PAYMENT)),
            Occurred(event=CaseEvent.CONTACTED, at=received + timedelta(days=2), number=2),
            Occurred(event=CaseEvent.RESPONDED, at=received + timedelta(weeks=weeks), number=3),
            Occurred(event=CaseEvent.CLOSED, at=received + timedelta(weeks=20), number=4),
        ]
        other = pack.model_copy(update={"clocks": written})
        (duty,) = [duty for duty in compare_history(events, pack, other, {}) if duty.duty == "response-or-holding"]
        assert duty.before
        assert duty.after
        assert (duty.before.clock, duty.before.kept) == (strict, kept)
        assert (duty.after.clock, duty.after.kept) == (clock, kept)


def test_a_target_that_was_missed_stays_missed_whatever_moves_it_afterwards() -> None:
    received = datetime(2026, 3, 2, 2, tzinfo=UTC)
    pack = find_pack("platform-default", received)
    closure = Closure(day=date(2026, 3, 10), why="Typhoon")
    later = pack.calendar.model_copy(update={"closures": (closure,)})
    for replanned, kept in ((13, True), (17, False)):  # it ended on Monday, the 16th
        events = [
            Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts=Facts(category=Category.SERVICE)),
            Occurred(event=CaseEvent.REPLANNED, at=received.replace(day=replanned), number=2, calendar=later.hash),
            Occurred(event=CaseEvent.RESPONDED, at=received.replace(day=17, hour=6), number=3),
            Occurred(event=CaseEvent.CLOSED, at=received.replace(day=30), number=4),
        ]
        (duty,) = [duty for duty in compare_history(events, pack, pack, {later.hash: later}) if duty.duty == "response"]
        assert duty.after
        assert duty.after.kept is kept


def test_a_duty_that_was_missed_before_its_end_was_moved_stays_missed() -> None:
    received = datetime(2026, 3, 2, 9, tzinfo=UTC)
    pack = find_pack("cn-banking", received)
    extended: dict[str, Any] = {"clock": "response", "extension": "special"}
    for day, kept in ((10, True), (16, False)):
        events = [
            Occurred(event=CaseEvent.RECEIVED, at=received, number=1, facts=Facts(category=Category.SERVICE)),
            Occurred(event=CaseEvent.EXTENDED, at=received + timedelta(days=day), number=2, **extended),
            Occurred(event=CaseEvent.RESPONDED, at=received + timedelta(days=40), number=3),
            Occurred(event=CaseEvent.CLOSED, at=received + timedelta(days=80), number=4),
        ]
        (duty,) = [duty for duty in compare_history(events, pack, pack, {}) if duty.duty == "response"]
        assert duty.after
        assert duty.after.kept is kept


async def test_a_receipt_recorded_before_assessments_were_is_judged_by_the_category_of_the_file(
    look: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC) - timedelta(days=30))
    hardship = "I have lost my job, am in financial hardship and cannot pay."
    await story.open(subject="Financial hardship", description=hardship, trades=[])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # past the triggers
        await connection.execute("UPDATE casefile.events SET particulars = NULL")
    story.pass_time(days=25)
    await story.tell("stage", "closed", closed_at=story.at, events=story.happened(CaseEvent.CLOSED))
    category = await pool.fetchval("SELECT data ->> 'category' FROM casefile.timeline WHERE key = 'assessed'")
    assert category == "hardship"
    (case,) = (await look("policy", "compare", "platform-default", "au-asic", "--json")).data["cases"]
    response = next(duty for duty in case["duties"] if duty["duty"] == "response-or-holding")
    assert response["after"]["hours"] < 0  # 21 days, and not 30


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["policy", "show"], "PACK"),
        (["policy", "show", "no-such-pack"], "there is no pack 'no-such-pack'; there are "),
        (["policy", "show", "uk-fca@1999"], "has no version '1999'; it has 2026.1"),
        (["policy", "show", "no-such-pack@1"], "there is no pack 'no-such-pack'"),
        (["policy", "show", "no-such.toml"], "no-such.toml: there is no such file"),
        (["policy", "show", "uk-fca", "uk-fca"], "named twice"),
        (["policy", "check", "no-such-pack"], "there is no pack"),
        (["policy", "due", "uk-fca"], "--received"),
        (["policy", "due", "uk-fca", "--received", "yesterday"], "--received: 'yesterday'"),
        (["policy", "due", "uk-fca", "--received", "2026-03-29 01:30"], "the clock of Europe/London skips it"),
        (["policy", "due", "uk-fca", "--received", "2026-10-25 01:30"], "the clock of Europe/London shows it twice"),
        (["policy", "due", "uk-fca", "--received", "0001-01-01T00:00Z"], "--received"),
        (["policy", "due", "uk-fca", "--received", "2010-01-01T00:00"], "no version of uk-fca is in force"),
        (["policy", "due", "eu-mifid", "--received", "2026-01-01T00:00"], "clocks[response].length"),
        (["policy", "due", "uk-fca", "--received", "2026-03-02", "--category", "gold"], "--category"),
        (["policy", "due", "uk-fca", "--received", "2026-03-02", "--complexity", "hard"], "--complexity"),
        (["policy", "due", "uk-fca", "--received", "2026-03-02", "--product", ""], "product"),
        *(
            (["policy", "due", "cn-banking", "--received", "2026-03-02", "--trigger", trigger], f"--trigger{told}")
            for trigger, told in (
                ("responded", ": 'responded' must be EVENT=TIME"),
                ("answred=2026-03-03", ": 'answred' is not one of"),
                ("responded=soon", " responded: 'soon'"),
                ("responded:x=2026-03-03", ": responded takes nothing after a colon"),
                ("responded=2026-03-01", ": responded lies before the receipt"),
                ("received=2026-03-03", ": received cannot be given here; give --received"),
                ("replanned=2026-03-03", ": replanned cannot be given here"),
                ("extended=2026-03-03", ": an extension is given as extended:CLOCK:EXTENSION=TIME"),
                ("extended:response=2026-03-03", ": an extension is given as"),
                ("extended:response:long=2026-03-03", ": the pack has no extension response:long; it has response:"),
                ("reclassified=2026-03-03", ": give the new assessment"),
                ("reclassified:gold=2026-03-03", ": 'gold' is neither"),
            )
        ),
        (["policy", "compare", "platform-default"], "NEW"),
        (["policy", "compare", "platform-default", "no-such-pack"], "there is no pack"),
        (["policy", "compare", "platform-default", "eu-mifid"], "clocks[response].length"),
        (["policy", "compare", "platform-default", "uk-fca", "--since", "June"], "--since: 'June'"),
        (["policy", "compare", "platform-default", "uk-fca", "--limit", "0"], "--limit"),
    ],
    ids=lambda value: " ".join(value)[:70] if isinstance(value, list) else None,
)
async def test_what_does_not_fit_is_named(redress: CommandLine, arguments: list[str], told: str) -> None:
    ran = await redress(*arguments, "--json")
    assert ran.code == ExitCode.INVALID
    assert told in ran.error["message"]
    assert ran.out == ""


async def test_a_pack_that_no_case_has_is_told_with_those_that_cases_have(look: CommandLine, closed: str) -> None:
    for old in ("uk-fca", "platform-default@1999"):
        ran = await look("policy", "compare", old, "uk-fca", "--json")
        assert ran.code == ExitCode.INVALID
        assert ran.error["message"].endswith("cases have platform-default@2026.1")


# -- letters -----------------------------------------------------------------------------------------------------------


async def test_every_letter_of_a_pack_is_shown_and_written_as_a_page(redress: CommandLine, tmp_path: Path) -> None:
    pages = tmp_path / "letters"
    ran = await redress("letters", "preview", "uk-fca", "--letter", "final_response", "--html", str(pages), "--json")
    assert [(one["language"], one["missing"]) for one in ran.data] == [("en", None), ("zh-CN", None)]
    page = (pages / "uk-fca-2026.1-final_response-zh-CN.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page
    assert "尊敬的王小明：" in page
    listed = squeezed(await redress("letters", "preview", "uk-fca", "--language", "en"))
    assert "We have received your complaint" in listed
    wanting = (
        LATER
        + """
[[letters]]
name = "reminder"
kind = "reminder"
must_name = ["ombudsman"]
source = "Test"
confirmed = false
"""
    )
    redress.set("REDRESS_POLICY_DIR", str(written(tmp_path / "own", wanting).parent))
    told = await redress("letters", "preview", "own")
    assert told.code == ExitCode.CHECK_FAILED
    assert "1 letter" not in told.err  # in each language
    assert "ombudsman" in told.out
