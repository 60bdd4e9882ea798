"""``redress evidence pack`` on a real case file and trade log."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.case.approval import proposal_digest
from domain.ground.words import CaseEvent, LetterKind, Stage
from domain.log.trade_log import Quote
from starter.cli.program import ExitCode
from starter.evidence.reading import MOST_POINTS, read_facts
from tests.checks.rows import after, store
from tests.cli import stories
from tests.cli.command_line import CommandLine
from tests.evidence.support import BAD, VALID, off_market

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

UNKNOWN = "RD-V55M-ZRNE-2S9JM"


def content_of(file: dict[str, Any]) -> bytes:
    """What was written, which nobody else may read."""
    path = Path(file["path"])
    assert path.stat().st_mode & 0o077 == 0
    return path.read_bytes()


async def case_in(pool: "Pool", folder: Path, **changed: Any) -> str:
    """A closed case: investigated, decided by two people, told, and its award posted."""
    finding = off_market()
    story = stories.Story(pool, folder, datetime.now(UTC) - timedelta(hours=2))
    await story.open(trades=["O1"])
    data = {**finding.model_dump(mode="json"), "hash": finding.hash, **changed}
    await story.tell("finding", "off_market: provider_fault", data=data)
    assert finding.harm is not None
    resolution = {"outcome": "upheld", "reasons": "The quote was wrong.", "compensation": finding.harm}
    told = resolution | {"compensation": finding.harm.model_dump(mode="json"), "round": 1}
    proposed = await story.tell("propose_resolution", "upheld", by="handler:h-17", data=told)
    approved = {"round": 1, "decision": "approve", "proposal": proposal_digest(proposed)}
    await story.tell("decide_resolution", "approved", by="approver:a-3", data=approved)
    await story.letter(LetterKind.FINAL_RESPONSE, CaseEvent.RESPONDED, **resolution)
    await story.post(finding.harm)
    await story.tell("stage", "closed", stage=Stage.CLOSED, outcome="upheld", closed_at=story.at)
    return story.reference


async def test_a_handler_gets_a_page_and_a_pdf_with_all_there_is(
    redress: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    await store(pool, *VALID, *BAD)
    reference = await case_in(pool, tmp_path / "outbox")
    ran = await redress("evidence", "pack", reference, "--output", tmp_path / "packs", "--json")
    assert ran.code == ExitCode.DONE
    told = ran.data
    assert (told["reference"], told["reader"], told["languages"]) == (reference, "handler", ["en", "zh-CN"])
    assert (told["findings"], told["differences"]) == ([off_market().hash], [])
    names = [f"{reference}-evidence-handler-en+zh-CN.{suffix}" for suffix in ("html", "pdf")]
    assert [Path(file["path"]).name for file in told["files"]] == names
    for file in told["files"]:
        content = content_of(file)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    html = content_of(told["files"][0]).decode()
    for text in (
        "USD 1,643.00",
        "−1 × (1920.96 − 1937.39) × 100 oz × 1 lot = 1,643.00 USD",
        "The quote was wrong.",
        "handler h-17",
        "approver a-3",
        "final response",
        "Compensation posted to the ledger",
        told["content_hash"],
        off_market().hash,
        "Where a source was silent for more than 10 seconds nothing is drawn.",
        "<svg",
    ):
        assert text in html, text


async def test_made_again_it_is_the_same_and_another_file_is_not_overwritten(
    redress: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    reference = await case_in(pool, tmp_path / "outbox")
    first = (await redress("evidence", "pack", reference, "--output", tmp_path / "packs", "--json")).data
    again = (await redress("evidence", "pack", reference, "--output", tmp_path / "packs", "--json")).data
    assert [file["sha256"] for file in again["files"]] == [file["sha256"] for file in first["files"]]
    assert [file["written"] for file in again["files"]] == [False, False]
    path = tmp_path / "packs" / Path(first["files"][0]["path"]).name
    path.write_text("somebody's notes", encoding="utf-8")
    ran = await redress("evidence", "pack", reference, "--output", tmp_path / "packs")
    assert ran.code == ExitCode.FAILED
    assert f"{path} is there already, with other content; give --force" in ran.err
    assert path.read_text(encoding="utf-8") == "somebody's notes"
    forced = await redress("evidence", "pack", reference, "--output", tmp_path / "packs", "--force")
    assert forced.code == ExitCode.DONE
    assert "Evidence pack" in path.read_text(encoding="utf-8")


async def test_one_file_in_one_language_for_the_customer(redress: CommandLine, pool: "Pool", tmp_path: Path) -> None:
    reference = await case_in(pool, tmp_path / "outbox")
    page = tmp_path / "for-the-customer.html"
    ran = await redress(
        "evidence", "pack", reference, "--for", "customer", "--language", "zh-CN", "--output", page, "--json"
    )
    assert [file["format"] for file in ran.data["files"]] == ["html"]
    html = page.read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in html
    assert "h-17" not in html
    assert "70012345" not in html
    assert "LP-A" not in html


async def test_a_finding_that_was_tampered_with_is_told_with_an_exit_code(
    redress: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    reference = await case_in(pool, tmp_path / "outbox", harm={"amount": "99.00", "currency": "USD"})
    ran = await redress("evidence", "pack", reference, "--output", tmp_path / "packs", "--format", "html", "--json")
    assert ran.code == ExitCode.CHECK_FAILED
    assert {one["field"] for one in ran.data["differences"]} >= {"hash", "harm"}
    html = content_of(ran.data["files"][0]).decode()
    assert "USD 99.00" in html
    assert "are different:" in html


async def test_a_case_without_findings_has_a_pack_all_the_same(
    redress: CommandLine, pool: "Pool", tmp_path: Path
) -> None:
    story = stories.Story(pool, tmp_path / "outbox", datetime.now(UTC))
    ran = await redress("evidence", "pack", await story.open(), "--output", tmp_path / "packs")
    assert ran.code == ExitCode.DONE
    assert "The case has no findings" in ran.out


async def test_what_cannot_be_done_is_told_plainly(redress: CommandLine, pool: "Pool", tmp_path: Path) -> None:
    reference = await case_in(pool, tmp_path / "outbox")
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("", encoding="utf-8")
    for arguments, code, told in (
        ((UNKNOWN,), ExitCode.NOT_FOUND, f"there is no case {UNKNOWN}"),
        (("nonsense",), ExitCode.INVALID, "is not a reference"),
        ((reference, "--for", "everybody"), ExitCode.INVALID, "is not one of handler, customer, ombudsman"),
        ((reference, "--language", "fr"), ExitCode.INVALID, "is not one of en, zh-CN, both"),
        ((reference, "--format", "docx"), ExitCode.INVALID, "is not one of html, pdf, both"),
        ((reference, "--format", "html", "--output", "x.pdf"), ExitCode.INVALID, "is one file of pdf"),
        ((reference, "--output", in_the_way / "packs"), ExitCode.FAILED, "Not a directory"),
    ):
        ran = await redress("evidence", "pack", *arguments)
        assert ran.code == code, (arguments, ran)
        assert told in " ".join(ran.err.split()), (arguments, ran)


async def test_without_postgresql_it_says_so(redress: CommandLine) -> None:
    redress.set("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert (await redress("evidence", "pack", UNKNOWN)).code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize("form", [("evidence",), ("evidence", "add")])
async def test_evidence_is_still_put_into_a_case_by_the_shorter_form(
    redress: CommandLine, form: tuple[str, ...]
) -> None:
    ran = await redress(*form, UNKNOWN, "--note", "The call.", "--as", "handler:h-17")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "Temporal" in ran.err
    options_first = await redress(*form, "--note", "The call.", UNKNOWN, "--as", "handler:h-17")
    assert options_first.err == ran.err


async def test_many_quotes_become_few_that_are_all_real_and_keep_every_extreme(pool: "Pool", tmp_path: Path) -> None:
    """4,800 quotes of one source in the two minutes of the picture, and one of another source."""
    many = []
    for number in range(-2400, 2400):
        bid = Decimal("1937.00") + Decimal(number % 7) / 100
        many.append(
            Quote(
                symbol="XAUUSD",
                source="LP-Z",
                at=after(number / 40),
                bid=Decimal("1900.00") if number == -1234 else bid,
                ask=Decimal("1999.00") if number == 1111 else bid + Decimal("0.30"),
            )
        )
    await store(pool, *many, *VALID, *BAD)
    facts = await read_facts(pool, await case_in(pool, tmp_path / "outbox"))
    (chart,) = facts.charts
    drawn = [one for one in chart.quotes if one.source == "LP-Z"]
    assert chart.in_log["LP-Z"] > len(drawn)
    assert chart.in_log["LP-B"] == len([one for one in VALID if one.source == "LP-B"])
    assert len(drawn) <= MOST_POINTS
    assert {(one.at, one.bid, one.ask) for one in drawn} <= {(one.at, one.bid, one.ask) for one in many}
    assert min(one.bid for one in drawn) == Decimal("1900.00")
    assert max(one.ask for one in drawn) == Decimal("1999.00")
    shown = [one for one in many if chart.start <= one.at <= chart.end]
    assert {shown[0].at, shown[-1].at} <= {one.at for one in drawn}
    assert (chart.start, chart.end) == (after(-60.25), after(60))  # a minute before its receipt, and after its fill
