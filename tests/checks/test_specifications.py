"""Contract specifications: dated, and corrected by a command that names what rests on the old one."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from domain.checks.findings import Check
from domain.ground.people import Actor
from domain.ground.words import Role
from starter.upkeep.instruments import NothingToCorrect, UnknownInstrument, correct, specifications
from tests.checks.rows import AT, after, store
from tests.checks.test_gathering import Pool, one
from tests.checks.test_investigating import INCIDENT
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk

WHO = Actor(role=Role.COMPLIANCE_OFFICER, id="c-1")
TEN: dict[str, Decimal | str | int] = {"contract_size": Decimal(10)}


async def test_a_size_that_was_wrong_is_corrected_and_findings_reckon_with_the_right_one(pool: Pool) -> None:
    await store(pool, *INCIDENT)
    assert str((await one(pool, Check.OFF_MARKET, "P1")).harm) == "USD 1,314.40"
    await correct(pool, "XAUUSD", TEN, effective_from=None, by=WHO, reason="a mini contract")
    assert str((await one(pool, Check.OFF_MARKET, "P1")).harm) == "USD 131.44"


@pytest.mark.parametrize(("since", "harm"), [(0, "USD 131.44"), (1, "USD 1,314.40")])
async def test_another_size_holds_from_its_day_on(pool: Pool, since: int, harm: str) -> None:
    await store(pool, *INCIDENT)
    await correct(pool, "XAUUSD", TEN, effective_from=AT + since * timedelta(seconds=1), by=WHO, reason="changed")
    assert str((await one(pool, Check.OFF_MARKET, "P1")).harm) == harm


async def test_what_was_recorded_stays_with_who_said_so_and_since_when(pool: Pool) -> None:
    await store(pool, *INCIDENT)
    await correct(pool, "XAUUSD", TEN, effective_from=after(-3600), by=WHO, reason="changed")
    (newest, _) = reversed(await specifications(pool, "XAUUSD"))
    assert (newest.instrument.contract_size, newest.effective_from, newest.recorded_by) == (
        Decimal(10),
        after(-3600),
        str(WHO),
    )


async def test_it_names_the_lists_that_were_reckoned_with_the_old_one(pool: Pool) -> None:
    await bad_minute(pool)
    await Desk(pool).list(new())
    done = await correct(pool, "XAUUSD", TEN, effective_from=None, by=WHO, reason="a mini contract", dry_run=True)
    assert (done.incidents, done.cases, done.fills) == ((new().reference,), (), 7)
    assert len(await specifications(pool, "XAUUSD")) == 1  # nothing was written


async def test_what_is_so_already_and_what_nobody_knows_are_refused(pool: Pool) -> None:
    await store(pool, *INCIDENT)
    same: dict[str, Decimal | str | int] = {"contract_size": Decimal(100)}
    with pytest.raises(NothingToCorrect, match="100 units a lot, USD, 2 digits"):
        await correct(pool, "XAUUSD", same, effective_from=None, by=WHO, reason="no reason")
    with pytest.raises(UnknownInstrument, match="no instrument PLATINUM"):
        await correct(pool, "PLATINUM", same, effective_from=None, by=WHO, reason="no reason")


async def test_a_correction_is_a_record(pool: Pool) -> None:
    await store(pool, *INCIDENT)
    await correct(pool, "XAUUSD", TEN, effective_from=None, by=WHO, reason="a mini contract")
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool.execute("update tradelog.instrument_corrections set contract_size = 1")
