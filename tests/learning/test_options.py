"""The status table of complaints about binary options, as the firm has always kept it."""

import csv
from pathlib import Path

from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Stage
from runtime.database import Pool
from starter.reading import actions
from tests.case.support import after, keeping, occurred, opened, summary, update, usd
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)


async def test_it_has_number_name_time_type_handler_status_when_handled_and_a_remark(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    case_file = keeping(pool)
    by_product = await opened(case_file, product="Binary option EURUSD", complainant={"name": "=HYPERLINK()"})
    by_check = await opened(case_file, "2")
    await opened(case_file, "3")
    found = {"check": "binary_option", "verdict": "firm_fault", "evidence": []}
    entry = Entry(key="finding:1", at=after(2), kind="finding", actor="system:redress", text="found", data=found)
    handled = summary(2, stage=Stage.RESPONDED, outcome="upheld", compensation=usd("12.30"), handler="h-17")
    answered = occurred(CaseEvent.RESPONDED, 3, 60)
    await case_file.record(update(by_check, 2, summary=handled, entries=(entry,), events=(answered,)))
    file = tmp_path / "options.csv"
    ran = await redress("report", "options", "--csv", file, "--language", "zh-CN", "--json")
    assert {line["number"] for line in ran.data} == {by_product, by_check}
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["编号", "姓名", "时间", "类型", "处理人", "状态", "处理时间", "备注"]
    assert next(row for row in rows if row["编号"] == by_product)["姓名"] == "'=HYPERLINK()"
    assert (await redress("audit", "accesses", "--case", by_check, "--json")).data[0]["what"] == "report options"
    row = next(row for row in rows if row["编号"] == by_check)
    assert list(row.values()) == [
        by_check, "A Customer", "2026-03-02 09:30", "交易执行", "h-17", "已答复", "2026-03-02 10:30", "投诉成立",
    ]  # fmt: skip


async def test_complaints_about_options_are_found_by_index(pool: Pool) -> None:
    asked = [(actions._OPTIONS, (200,)), ("select * from reporting.option_complaints", ())]
    async with pool.acquire() as connection, connection.transaction():
        # Of an empty table the planner has no idea: which index it takes then is chance.
        await connection.execute(
            "insert into reporting.facts (reference, kind, at, key) select 'RD-' || case_, 'opened', now(), 'opened'"
            " from generate_series(1, 5000) as case_"
        )
        await connection.execute("set local enable_seqscan = off")
        for query, values in asked:
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {query}", *values))
            assert "facts_of_options" in plan, plan
            assert "Index Cond: (reference = ANY" in plan or "Index Cond: ((reference = ANY" in plan, plan
