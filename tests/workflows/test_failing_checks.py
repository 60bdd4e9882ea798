"""A check that breaks off ends as inconclusive, staff are told once, and the case goes on."""

from itertools import cycle
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from activities.checks import investigating
from activities.checks.evidence_queries import EvidenceSnapshot
from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, Finding, InvestigationRequest, Verdict
from domain.checks.gathering.asked import Asked
from domain.ground.words import Stage
from tests.checks.rows import AT
from tests.workflows.house import House

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

_GATHER = investigating.gather


def poisoned(check: Check, error: Exception) -> Any:
    async def gather(asked: Asked) -> list[Finding]:
        if asked.check is check:
            if isinstance(error, ArithmeticError):
                assert isinstance(asked.log, EvidenceSnapshot)
                await asked.log._connection.execute("select 1 / 0")
            raise error
        return await _GATHER(asked)

    return gather


async def known(pool: "Pool") -> None:
    await pool.execute(
        "INSERT INTO tradelog.account_entries (entry, account, kind, amount, currency, requested_at, booked_at)"
        " VALUES ('w-9', '70012345', 'withdrawal', -5, 'USD', $1, $1)",
        AT,
    )


@pytest.mark.parametrize(
    ("check", "error"),
    list(zip(Check, cycle([ValueError("list.remove"), RecursionError(), ArithmeticError()]), strict=False)),
)
async def test_any_check_that_breaks_off_is_inconclusive_and_the_others_keep_their_findings(
    pool: "Pool", monkeypatch: pytest.MonkeyPatch, check: Check, error: Exception
) -> None:
    await known(pool)
    request = InvestigationRequest(checks=tuple(Check), account="70012345", as_of=AT)
    whole = await Investigating(TradeLog(pool)).look(request)
    monkeypatch.setattr(investigating, "gather", poisoned(check, error))
    found = await Investigating(TradeLog(pool)).look(request)
    (failed,) = (finding for finding in found if finding.failed)
    assert (failed.check, failed.verdict) == (check, Verdict.INCONCLUSIVE)
    assert [one for one in found if not one.failed] == [one for one in whole if one.check is not check]


@pytest.mark.parametrize("error", [OSError(), TimeoutError(), asyncpg.CannotConnectNowError("starting")], ids=repr)
async def test_an_outage_is_no_fault_of_a_check(
    pool: "Pool", monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await known(pool)
    monkeypatch.setattr(investigating, "gather", poisoned(Check.STOP_OUT, error))
    with pytest.raises(type(error)):
        await Investigating(TradeLog(pool)).look(
            InvestigationRequest(checks=(Check.STOP_OUT,), account="70012345", as_of=AT)
        )


async def test_staff_are_told_once_of_a_check_that_breaks_off_and_the_case_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(investigating, "gather", poisoned(Check.WITHDRAWAL_DELAY, ValueError("list.remove")))
    await house.late_withdrawal()
    reference = await house.submit()
    await house.at(reference, Stage.DECIDING)

    async def told() -> list[str]:
        return [line for line in await house.timeline(reference, "fault") if "broke off" in line]

    assert await house.eventually(told) == ["fault: checks that broke off, left to people: delay of the withdrawal"]
