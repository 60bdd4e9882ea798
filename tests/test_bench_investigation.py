"""What the benchmark of imports and investigations generates, counts and prints. How fast anything is, no test says."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from rich.console import Console

from bench import investigation as bench
from bench.investigation_result import Imported, Investigated, Listed, Measured, show
from bench.market import BAD, PROVIDERS, Market, trading_second, write_market
from starter.importing.formats.kinds import Kind

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

QUOTES, ORDERS = 21_000, 3_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return write_market(tmp_path_factory.mktemp("market"), quotes=QUOTES, orders=ORDERS, seed=5)


def rows_of(market: Market, kind: Kind) -> list[dict[str, str]]:
    heading, *lines = market.files[kind].read_text().splitlines()
    return [dict(zip(heading.split(","), line.split(","), strict=True)) for line in lines]


# -- the generated market ----------------------------------------------------------------------------------------------


def test_the_market_has_as_many_rows_as_asked_for(market: Market) -> None:
    assert market.rows[Kind.QUOTES] == QUOTES
    assert market.rows[Kind.ORDERS] == market.rows[Kind.FILLS] == 2 * market.rows[Kind.POSITIONS] == ORDERS
    assert {kind: len(rows_of(market, kind)) for kind in market.files} == dict(market.rows)


def test_the_same_seed_makes_the_same_market_and_another_another(market: Market, tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    (tmp_path / "other").mkdir()
    same = write_market(tmp_path / "same", quotes=QUOTES, orders=ORDERS, seed=5)
    other = write_market(tmp_path / "other", quotes=QUOTES, orders=ORDERS, seed=6)
    for kind in (Kind.QUOTES, Kind.ORDERS):
        assert market.files[kind].read_bytes() == same.files[kind].read_bytes()
        assert market.files[kind].read_bytes() != other.files[kind].read_bytes()


def test_for_a_minute_one_provider_quotes_too_low_and_no_other_does(market: Market) -> None:
    bids: dict[bool, dict[str, list[Decimal]]] = {True: {}, False: {}}
    for row in rows_of(market, Kind.QUOTES):
        inside = market.bad_from <= datetime.fromisoformat(row["at"]) < market.bad_until
        bids[inside].setdefault(row["source"], []).append(Decimal(row["bid"]))
    assert (market.bad_until - market.bad_from).total_seconds() == 60
    usual = min(min(each) for each in bids[False].values())
    for source in PROVIDERS:
        assert (max(bids[True][source]) < usual - 15) is (source == PROVIDERS[BAD])


def test_nobody_trades_in_the_daily_break_or_at_the_weekend() -> None:
    hours = [trading_second(3600 * hour) for hour in range(23 * 11)]
    assert hours[0] == datetime(2026, 1, 4, 23, tzinfo=UTC)  # a Sunday
    assert {at.weekday() for at in hours} == {6, 0, 1, 2, 3, 4}
    assert 22 not in {at.hour for at in hours}
    assert {at.hour for at in hours if at.weekday() == 6} == {23}
    assert len(set(hours)) == len(hours)


def test_the_bad_minute_stops_customers_out(market: Market) -> None:
    bad = [
        row for row in rows_of(market, Kind.ORDERS)
        if market.bad_from <= datetime.fromisoformat(row["ended_at"]) <= market.bad_until
    ]  # fmt: skip
    assert {row["type"] for row in bad} >= {"stop_loss", "stop_out"}
    for row in rows_of(market, Kind.POSITIONS):
        if row["close_reason"] == "stop_out":
            assert Decimal(row["margin_level"]) <= Decimal(row["stop_out_level"])


# -- what is done ------------------------------------------------------------------------------------------------------


class Here:
    """Does the work in this process."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def do(self, work: "Callable[..., Awaitable[Any]]", *arguments: object) -> Any:
        return await work(self._pool, *arguments)


async def test_the_market_is_imported_whole_and_every_sort_of_dispute_is_answered(
    pool: "Pool", market: Market, tmp_path: Path
) -> None:
    said: list[str] = []
    here: Any = Here(pool)
    imported = await bench.compare_import(pool, here, market, said.append)
    assert [(each.kind, each.rows) for each in imported] == [(kind, market.rows[kind]) for kind in bench.MEASURED]
    assert all(each.seconds > 0 and each.copy_seconds > 0 for each in imported)
    assert len(said) == len(bench.MEASURED)
    for kind, rows in market.rows.items():
        assert await pool.fetchval(f"SELECT count(*) FROM tradelog.{kind}") == rows  # noqa: S608
    assert await pool.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'bare'") == 0

    async with pool.acquire() as connection:
        one: Any = OneConnection(connection)
        investigated = await bench.investigate(one, market, 2, 1)
        whats = [each.what for each in investigated]
        assert len(set(whats)) == len(whats) >= 6  # nobody waited for twenty hours
        for each in investigated:
            assert len(each.seconds) == len(each.bare) == len(each.evidence) == 2
            assert min(each.lookups) > 3
            assert min(each.evidence) > 3
    listed = await bench.list_cohort(pool, market, 3)
    assert 0 < listed.harmed <= listed.accounts <= listed.orders
    assert len(listed.found) == 3


class OneConnection:
    """A pool of one connection, which is not reset between."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def acquire(self) -> "OneConnection":
        return self

    async def __aenter__(self) -> Any:
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_whole_benchmark_runs_small_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def noted(folder: Path, **sizes: int) -> Market:
        folders.append(folder)
        return write_market(folder, **sizes)

    monkeypatch.setattr(bench, "write_market", noted)
    for name in ("forget_configuration", "configure_logging"):  # which would last beyond this test
        monkeypatch.setattr(bench, name, lambda *_: None)
    code = bench.main(["--quotes", "20000", "--orders", "2000", "--disputes", "1", "--json"])
    said = capsys.readouterr()
    assert code in {0, 1}, said.err  # how fast it was, the machine decides
    answer = json.loads(said.out)
    assert [each["kind"] for each in answer["import"]] == ["quotes", "orders", "fills", "positions"]
    assert answer["cohort"]["accounts"] > 0
    assert set(answer["memory_bytes"]) == {"import", "investigations", "cohort"}
    assert all(10 << 20 < size < 1 << 30 for size in answer["memory_bytes"].values())
    assert [folder.exists() for folder in folders] == [False]


# -- what is printed ---------------------------------------------------------------------------------------------------


def investigated(*seconds: float, bare: float) -> Investigated:
    return Investigated("execution", seconds, [bare] * len(seconds), [8] * len(seconds), [20] * len(seconds))


LISTED: Final = Listed(orders=1234, accounts=321, harmed=45, found=[0.002, 0.004], seconds=1.5, alone=4.5)
SLOWLY: Final = replace(LISTED, alone=4.4)


@pytest.mark.parametrize(
    ("loading", "looking", "listed", "faultless"),
    [
        (Imported(Kind.QUOTES, 1000, 2.0, 1.0), investigated(0.005, bare=0.001), LISTED, True),
        (Imported(Kind.QUOTES, 1000, 2.1, 1.0), investigated(0.001, bare=0.001), LISTED, False),
        (Imported(Kind.QUOTES, 1000, 1.0, 1.0), investigated(0.006, bare=0.001), LISTED, False),
        (Imported(Kind.QUOTES, 1000, 1.0, 1.0), investigated(*[0.001] * 9, 0.006, bare=0.001), LISTED, False),
        (Imported(Kind.QUOTES, 1000, 2.0, 1.0), investigated(0.005, bare=0.001), SLOWLY, False),
    ],
    ids=["at the bounds", "import too slow", "investigations too slow", "one in ten too slow", "list too slow"],
)
def test_a_run_is_faultless_within_half_a_copy_five_times_the_look_ups_and_a_third_of_one_by_one(
    loading: Imported, looking: Investigated, listed: Listed, *, faultless: bool
) -> None:
    assert Measured([loading], [looking], listed, {}).faultless is faultless


def test_the_tables_tell_rates_times_and_memory() -> None:
    measured = Measured(
        [Imported(Kind.QUOTES, 1_000_000, 8.0, 6.0)],
        [investigated(0.01, 0.03, bare=0.005)],
        LISTED,
        {"import": 90 << 20},
    )
    console = Console(width=140, force_terminal=False, color_system=None)
    with console.capture() as capture:
        for part in show(measured):
            console.print(part)
    lines = [" ".join(line.split()) for line in capture.get().splitlines()]
    assert "quotes 1,000,000 125,000 166,667 0.75" in lines
    assert "execution 8 20 10.0 ms 5.0 ms 2.0 30.0 ms 5.0 ms 6.0" in lines
    text = " ".join(lines)
    assert "The bad minute touched 1,234 orders of 321 accounts, found in p50 2.0 ms and p95 4.0 ms." in text
    assert "45 harmed) took 1.5 s; one after another, with nothing shared, 4.5 s: 3.0 times as long." in text
    assert "Most memory: import 90 MB." in text


def test_json_has_the_same_in_seconds_and_bytes() -> None:
    answer: Mapping[str, Any] = Measured(
        [Imported(Kind.FILLS, 1000, 2.0, 1.0)], [investigated(0.01, bare=0.005)], LISTED, {"import": 5}
    ).as_json()
    assert answer["import"] == [
        {"kind": "fills", "rows": 1000, "import_rows_per_second": 500, "copy_rows_per_second": 1000, "ratio": 0.5}
    ]
    assert answer["investigations"][0]["p50"] == {"seconds": 0.01, "bare_seconds": 0.005, "times": 2.0}
    cohort = answer["cohort"]
    assert (cohort["list_seconds"], cohort["list_one_by_one_seconds"], cohort["times_as_fast"]) == (1.5, 4.5, 3.0)
    assert answer["memory_bytes"] == {"import": 5}
