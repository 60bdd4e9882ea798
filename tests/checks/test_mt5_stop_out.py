"""A liquidation in an MT5 report, which does not say what its deals closed: judged where that is sure, else told."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.findings import Check, Finding, InvestigationRequest, Verdict
from starter.importing.formats.kinds import Kind
from starter.importing.formats.server_clock import ServerClock
from tests.checks.checking import BAD, VALID
from tests.checks.rows import ACCOUNT, after, balance, store, terms
from tests.importing.statements import mt5_page
from tests.importing.support import Pool, write
from tests.importing.test_account_reports import money, report
from tests.importing.test_importing_formats import SERVER, load

OPENED, LIQUIDATED = "2023.11.12 23:00:00", "2023.11.12 23:30:00"
UTC = replace(SERVER, clock=ServerClock.named("UTC"))
STOPPED = "[so 17.84%/276.80/1552.00]"


def page(*, profit: str = "-761.60", listed: bool = True) -> str:
    """0.8 lots in two positions from 1940, liquidated at 1920.96."""
    held = [[OPENED, n, "XAUUSD", "buy", "0.4", 1940, None, None, LIQUIDATED, 1920.96, 0, 0, profit] for n in (1, 2)]
    orders = [[OPENED, n, "XAUUSD", "buy", "0.4 / 0.4", "market", None, None, OPENED, "filled", None, None, None]
              for n in (1, 2)]  # fmt: skip
    orders += [[LIQUIDATED, n, "XAUUSD", "sell", "0.4 / 0.4", "market", None, None, LIQUIDATED, "filled", None, None,
                STOPPED] for n in (8, 9)]  # fmt: skip
    deals = [money(20, "balance", 1800, 1800)]
    deals += [[OPENED, 20 + n, "XAUUSD", "buy", "in", "0.4", 1940, n, 0, 0, 0, 0, 1800, None] for n in (1, 2)]
    deals += [[LIQUIDATED, 20 + n, "XAUUSD", "sell", "out", "0.4", 1920.96, n, 0, 0, 0, "-761.60", 0, STOPPED]
              for n in (8, 9)]  # fmt: skip
    deals[0][0] = "2023.11.10 09:00:00"
    return mt5_page(report(positions=held if listed else [], orders=orders, deals=deals))


async def found(pool: Pool, folder: Path, trade: str, text: str) -> Finding:
    await load(pool, write(folder / "ReportHistory.html", text), UTC)
    await store(pool, *VALID, *BAD, terms(), balance("1800"))
    request = InvestigationRequest(checks=(Check.STOP_OUT,), account=ACCOUNT, trades=(trade,), as_of=after(86_400))
    (finding,) = (await Investigating(TradeLog(pool)).investigate(request)).findings
    return finding


@pytest.mark.parametrize("trade", ["1", "8", "29"], ids=["position", "order", "deal"])
async def test_a_liquidation_is_judged_whichever_number_the_customer_names(
    pool: Pool, tmp_path: Path, trade: str
) -> None:
    finding = await found(pool, tmp_path, trade, page())
    assert (finding.verdict, str(finding.harm)) == (Verdict.PROVIDER_FAULT, "USD 1,312.00")
    # no source is named, so the middle of the three is valid, 1937.36: 16.40 * 80 = 1,312.00, and
    # 1,800 - 2.64 * 80 = 1,588.80 of 0.8 * 100 * 1940 / 100 = 1,552
    assert (finding.numbers[f"{finding.subject}.equity"], finding.numbers[f"{finding.subject}.level"]) == (
        "1588.8",
        "102.37",
    )


@pytest.mark.parametrize("trade", ["8", "28"], ids=["order", "deal"])
async def test_one_whose_positions_are_not_sure_is_inconclusive_and_says_why(
    pool: Pool, tmp_path: Path, trade: str
) -> None:
    finding = await found(pool, tmp_path, trade, page(profit="-761.59"))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.missing == tuple(f"position that order broker:{ACCOUNT}:{n} closed" for n in (8, 9))


async def test_a_report_that_tells_less_of_a_deal_repeats_it(pool: Pool, tmp_path: Path) -> None:
    """Another report of the same account may not have the positions: that is no other value."""
    first = await load(pool, write(tmp_path / "a.html", page()), UTC)
    again = await load(pool, write(tmp_path / "b.html", page(listed=False)), UTC)
    assert (first.rejected, again.rejected, again.loaded) == (0, 0, 0)
    linked = await pool.fetchval("select count(*) from tradelog.fills where position is not null")
    assert (linked, again.log_rows[Kind.FILLS].duplicates) == (4, 4)
