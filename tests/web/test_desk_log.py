"""The page of a case tells what the trade log has otherwise than its findings had it."""

from pathlib import Path

from tests.cli.test_recompute import case_with
from tests.importing.support import Pool
from tests.web.conftest import doors_over
from tests.web.test_desk import signed_on
from web.app import create_app


async def test_a_case_shows_row_by_row_what_the_log_has_otherwise_now(pool: Pool, tmp_path: Path) -> None:
    page = f"/desk/cases/{await case_with(pool, tmp_path)}"
    async with signed_on(create_app(doors_over(pool)), "h-2") as browser:
        assert "The trade log has other values now" not in (await browser.get(page)).text
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute("update tradelog.account_entries set amount = -13000")
        shown = (await browser.get(page)).text
        assert "The trade log has other values now" in shown
        assert '<th scope="row">account_entries w-1</th><td>amount</td>' in shown
        assert '<td class="number">-12000</td><td class="number">-13000</td>' in shown
