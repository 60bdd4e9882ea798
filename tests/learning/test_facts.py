"""What reports are made from: written with what it tells of, never changed, and without a word of the customer."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from activities.money.compensation import Compensation
from domain.case.requests import RecordContact
from domain.ground.timeline import Entry
from domain.ground.words import CaseEvent, Stage
from domain.learning.facts import CaseFact
from domain.learning.monthly import report_of
from domain.learning.periods import Period
from domain.learning.report import Report
from domain.learning.tally import Tally
from record.facts import NoSuchCutOff, cases_up_to, cut_off
from runtime.causes import load_causes
from runtime.database import Pool
from tests.case.support import OPENED_AT, after, awarding, keeping, occurred, opened, summary, update, usd
from tests.patience import eventually

MARCH = Period.named("2026-03")
FINDING = {
    "check": "execution",
    "verdict": "provider_fault",
    "subject": "F-1",
    "reason": {"en": "A Customer is right.", "zh": "属实。"},
    "formula": "execution@1",
    "evidence": [
        {"table": "fills", "key": "F-1", "values": {"account": "70012345", "source": "LP-B"}},
        {"table": "rates", "key": "r", "values": {"source": "ECB"}},
    ],
}


def noted(kind: str, **data: Any) -> Entry:
    return Entry(key=f"{kind}:1", at=after(20), kind=kind, actor="handler:h-17", text="A Customer said so", data=data)


async def lived(pool: Pool) -> str:
    """A case that was answered, with a finding, feedback and an award."""
    case_file = keeping(pool)
    reference = await opened(case_file, product="XAUUSD", entity="cy")
    await case_file.record(
        update(
            reference,
            1,
            entries=(
                noted("finding", **FINDING),
                noted("record_feedback", score=2, comment="A Customer was not pleased"),
                noted("customer_reply", text="call me at +852 5555 0100"),
            ),
            events=(occurred(CaseEvent.ACKNOWLEDGED, 2, 5), occurred(CaseEvent.RESPONDED, 3, 60)),
        )
    )
    await Compensation(pool, case_file, lambda: OPENED_AT + timedelta(hours=3), rail=None).record_compensation(
        awarding(reference, usd("12.30"))
    )
    return reference


async def known(pool: Pool, number: int | None = None) -> list[CaseFact]:
    return [one async for one in cases_up_to(pool, await cut_off(pool, number))]


async def reported(pool: Pool, number: int | None = None) -> Report:
    tally = Tally(MARCH, load_causes())
    for one in await known(pool, number):
        tally.count(one)
    return report_of(tally, await cut_off(pool, number))


async def test_a_case_is_told_by_its_facts(pool: Pool) -> None:
    reference = await lived(pool)
    (case,) = await known(pool)
    assert (case.reference, case.policy, case.product, case.entity) == (reference, "platform-default", "XAUUSD", "cy")
    assert (case.category, case.handler, case.score, case.vulnerable) == ("execution", "h-17", 2, False)
    assert [name for name, _ in case.turns] == ["acknowledged", "responded", "settled"]
    assert [(one.check, one.verdict, one.sources) for one in case.findings] == [
        ("execution", "provider_fault", ("LP-B",))
    ]
    assert [(str(one.amount), one.currency) for one in case.awards] == [("12.30", "USD")]
    assert {(one.clock, one.missed) for one in case.clocks} == {("acknowledgement", False), ("response", False)}


@pytest.mark.parametrize(
    ("because", "represented"),
    [("holder", False), ("representative", True), ("spokesperson", True), ("person", None), ("not_on_file", None)],
)
async def test_whether_somebody_speaks_for_the_customer_is_known_where_who_complains_is(
    pool: Pool, because: str, represented: bool | None
) -> None:
    reference = await opened(keeping(pool), residence="CY")
    (before,) = await known(pool)
    assert (before.residence, before.represented) == ("CY", None)
    told = await pool.fetchval("select count(*) from reporting.facts where kind = 'represented'")
    assert told == 1
    identified = noted("identified", state="verified", because=[because])
    await keeping(pool).record(update(reference, 1, entries=(identified,)))
    (after,) = await known(pool)
    assert (after.residence, after.represented) == ("CY", represented)


async def test_nothing_that_the_customer_is_or_said_is_among_the_facts(pool: Pool) -> None:
    reference = await lived(pool)
    contact = RecordContact(
        key=f"{reference}:contact:2", reference=reference, at=after(30), email="other@example.com", phone=None
    )
    await keeping(pool).record_contact(contact)
    rows = await pool.fetch("select row_to_json(f)::text as all from reporting.facts f")
    told = "\n".join(row["all"] for row in rows)
    assert len(rows) > 8
    for personal in ("A Customer", "example.com", "5555", "70012345", "stop loss", "pleased"):
        assert personal not in told


async def test_a_report_made_again_up_to_the_same_fact_is_the_same_and_a_later_one_shows_what_changed(
    pool: Pool,
) -> None:
    await lived(pool)
    first = await reported(pool)
    case_file = keeping(pool)
    other = await opened(case_file, "2")
    moved = update(other, 3, summary=summary(3, category="fee", stage=Stage.CLOSED, closed_at=after(90)))
    await case_file.record(moved)
    assert json.loads((await reported(pool, first.cut_off)).model_dump_json()) == json.loads(first.model_dump_json())
    later = (await reported(pool)).restated(first)
    assert later.restated_from == first.cut_off
    changed = {one.key: (one.first, one.value) for one in later.figures() if one.restated}
    assert changed["categories.fee.opened"] == (None, Decimal(1))
    assert changed["balance.total.opened"] == (Decimal(1), Decimal(2))
    assert first.restated(first).restated_from is None


async def test_what_is_told_twice_is_there_once(pool: Pool) -> None:
    case_file = CaseFile(pool, default_policy="platform-default", clock=lambda: OPENED_AT)
    reference = await opened(case_file)
    said = update(reference, 1, entries=(noted("record_feedback", score=4),))
    await case_file.record(said)
    before = await pool.fetchval("select count(*) from reporting.facts")
    await case_file.record(said)
    assert await pool.fetchval("select count(*) from reporting.facts") == before


async def test_facts_stay_and_no_cut_off_lies_ahead(pool: Pool) -> None:
    await opened(keeping(pool))
    with pytest.raises(asyncpg.RestrictViolationError, match="what is in the case file stays there"):
        await pool.execute("update reporting.facts set kind = 'x'")
    settled = await cut_off(pool)
    with pytest.raises(NoSuchCutOff, match=f"the record ends with fact {settled}"):
        await cut_off(pool, settled + 1)
    (flat,) = await pool.fetch("select policy, category, stage from reporting.cases")
    assert tuple(flat) == ("platform-default", "execution", "received")


async def test_a_cut_off_waits_for_those_who_are_writing(pool: Pool) -> None:
    add = "insert into reporting.facts (reference, kind, at) values ($1, 'settled', now())"
    async with pool.acquire() as writer:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute(add, "RD-1")
        waiting = asyncio.create_task(cut_off(pool))
        await eventually(lambda: pool.fetchval(_WAITING), "the reader to wait")
        assert not waiting.done()
        await transaction.commit()
        assert await waiting == await pool.fetchval("select max(number) from reporting.facts")


_WAITING = "select count(*) > 0 from pg_locks where not granted and relation = 'reporting.facts'::regclass"
