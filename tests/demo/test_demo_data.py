"""The demo's trade log: looks like a market, holds one bad minute, and leads the checks where the demo wants them."""

import csv
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import pytest

from activities.checks.investigating import Investigating
from activities.log.trade_log import TradeLog
from domain.checks.choice import checks_for, pointed_to
from domain.checks.findings import Check, Finding, InvestigationRequest, Verdict
from domain.ground.base import Record
from domain.ground.words import Outcome
from domain.log.trade_log import AccountEntry, Fill, Order, Position, Quote
from runtime.policies import find_pack
from starter.demo.stories import tell
from starter.demo.trade_log import BAD_PROVIDER, write_demo_data
from starter.importing.formats.kinds import Kind
from starter.importing.loading import import_file
from tests.importing.support import Pool, names_in

START = datetime(2023, 11, 12, 23, 0, tzinfo=UTC)  # 01:00 of 13 November at UTC+2
SECOND = timedelta(seconds=1)


class Demo:
    """What was written, read back from the files."""

    def __init__(self, folder: Path) -> None:
        self.data = write_demo_data(folder, START)
        rows = [row for file in self.data.files for row in read(file)]
        self.quotes = [row for row in rows if isinstance(row, Quote)]
        self.by_source: dict[str, list[Quote]] = {}
        for quote in self.quotes:
            self.by_source.setdefault(quote.source, []).append(quote)
        self.orders = {row.order: row for row in rows if isinstance(row, Order)}
        self.fills = {row.fill: row for row in rows if isinstance(row, Fill)}
        self.positions = {row.position: row for row in rows if isinstance(row, Position)}
        self.entries = {row.entry: row for row in rows if isinstance(row, AccountEntry)}

    def last(self, at: datetime, source: str) -> Quote:
        quotes = self.by_source[source]
        return quotes[bisect_right(quotes, at, key=lambda quote: quote.at) - 1]


def read(file: Path) -> Iterator[Record]:
    model = Kind(file.stem).model
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield model.model_validate({name: cell for name, cell in row.items() if cell})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo"))


def test_the_same_seed_and_start_give_the_same_files_to_the_byte(tmp_path: Path) -> None:
    def written(folder: str, start: datetime = START, seed: int = 1) -> list[bytes]:
        data = write_demo_data(tmp_path / folder, start, seed)
        platform = ("fills", "instruments", "messages", "orders", "positions", "quotes")
        assert names_in(tmp_path / folder) == sorted(
            f"{kind}.csv" for kind in (*platform, "account_entries", "account_terms", "balances")
        )
        return [file.read_bytes() for file in data.files]

    first = written("first")
    assert written("again") == first
    assert written("other seed", seed=2)[1] != first[1]
    assert written("other start", start=START + timedelta(days=400))[1] != first[1]


def test_a_start_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="start needs a time zone"):
        write_demo_data(tmp_path, datetime(2023, 11, 12, 23, 0))  # noqa: DTZ001


@pytest.mark.parametrize("seed", range(5))
def test_every_seed_has_its_stories(tmp_path: Path, seed: int) -> None:
    data = write_demo_data(tmp_path, START, seed)
    assert 2500 < data.stop_out.loss.amount < 5500
    assert 1500 < data.stop_loss.loss.amount < 3500
    assert 6 <= data.slippage.loss.amount <= 9
    assert data.bad_from <= data.stop_loss.at <= data.stop_out.at < data.bad_until


def test_three_sources_quote_every_second_of_an_hour_like_a_market(demo: Demo) -> None:
    quotes = demo.quotes
    assert len(quotes) == 3 * 3600
    for source in ("LP-1", "LP-2", "LP-3"):
        instants = [quote.at for quote in quotes if quote.source == source]
        assert {(at - START) // SECOND for at in instants} == set(range(3600))
    assert 0.29 < mean(quote.ask - quote.bid for quote in quotes) < 0.31
    assert all(Decimal("0.28") <= quote.ask - quote.bid <= Decimal("0.32") for quote in quotes)
    steady = [quote.bid for quote in quotes if quote.source == "LP-1"]
    steps = [abs(after - before) for before, after in pairwise(steady)]
    assert Decimal("0.02") < median(steps) < Decimal("0.10")
    assert max(steps) < Decimal("0.50")
    assert all(1880 < price < 2000 for price in steady)


def test_one_provider_is_25_to_45_dollars_too_low_in_the_bad_minute_and_beside_the_others_else(
    demo: Demo,
) -> None:
    data = demo.data
    assert (data.bad_from, data.bad_until) == (START + 1800 * SECOND, START + 1860 * SECOND)
    depths = []
    for quote in demo.quotes:
        if quote.source == "LP-1" or quote.at < START + 2 * SECOND:
            continue
        apart = demo.last(quote.at, "LP-1").bid - quote.bid
        if quote.source == BAD_PROVIDER and data.bad_from <= quote.at < data.bad_until:
            depths.append(apart)
        else:
            assert abs(apart) < Decimal("0.50")
    assert len(depths) == 60
    assert 24 < min(depths) < 27
    assert 43 < max(depths) < 47


def test_the_stop_out_follows_from_the_false_price_and_from_no_other(demo: Demo) -> None:
    story = demo.data.stop_out
    position, fill, order = (
        demo.positions[story.position],
        demo.fills[story.fill],
        demo.orders[story.order],
    )
    deposit = next(entry for entry in demo.entries.values() if entry.account == story.account)
    margin = position.open_price * position.volume  # 100 ounces a lot, leverage 100

    def level(bid: Decimal) -> Decimal:
        return 100 * (deposit.amount + (bid - position.open_price) * position.volume * 100) / margin

    assert position.close_reason == "stop_out"
    assert position.stop_out_level == 20
    assert position.margin_level == round(level(fill.price), 2)
    assert position.margin_level <= 20
    assert fill.price == demo.last(fill.at, BAD_PROVIDER).bid
    assert order.position == position.position
    held = [quote for quote in demo.quotes if position.opened_at <= quote.at < fill.at - SECOND]
    assert min(level(quote.bid) for quote in held if quote.source != BAD_PROVIDER) > 100
    assert min(level(quote.bid) for quote in held) > 20


def test_the_slippage_is_within_the_valid_quotes_and_quick(demo: Demo) -> None:
    story = demo.data.slippage
    order, fill = demo.orders[story.order], demo.fills[story.fill]
    assert order.price is not None
    assert order.received_at is not None
    assert order.sent_at is not None
    assert Decimal("0.12") <= fill.price - order.price <= Decimal("0.18")
    assert fill.price == demo.last(fill.at, "LP-1").ask
    assert order.price == demo.last(order.sent_at, "LP-1").ask
    assert order.sent_at < order.received_at < fill.at < order.sent_at + timedelta(milliseconds=200)


def test_the_late_withdrawal_took_nine_days_and_was_over_before_the_hour(demo: Demo) -> None:
    story = demo.data.withdrawal
    entry = demo.entries[story.entry]
    assert entry.amount == -12_000
    assert entry.requested_at is not None
    assert entry.booked_at is not None
    assert entry.booked_at - entry.requested_at == timedelta(days=9)
    assert entry.booked_at < START


async def found(pool: Pool, account: str, check: Check, *trades: str) -> list[Finding]:
    as_of = START + timedelta(days=1)
    request = InvestigationRequest(checks=(check,), account=account, trades=trades, as_of=as_of)
    return list((await Investigating(TradeLog(pool)).investigate(request)).findings)


async def test_the_checks_find_in_it_what_the_demo_tells(pool: Pool, demo: Demo) -> None:
    data = demo.data
    for file in data.files:
        report = await import_file(pool, file, strict=True)
        assert report.loaded == report.read > 0

    stopped_out, due = await found(pool, data.stop_out.account, Check.EXECUTION, data.stop_out.position)
    assert (due.check, due.verdict) == (Check.STOP_OUT, Verdict.PROVIDER_FAULT)  # it is asked with the price
    assert stopped_out.verdict is Verdict.PROVIDER_FAULT
    assert due.harm is not None
    assert 2500 < due.harm.amount < 5500  # all of a liquidation is counted there

    (stopped,) = await found(pool, data.stop_loss.account, Check.EXECUTION, data.stop_loss.order)
    assert stopped.verdict is Verdict.PROVIDER_FAULT
    assert stopped.harm is not None
    assert 1500 < stopped.harm.amount < 3500

    (slipped,) = await found(pool, data.slippage.account, Check.EXECUTION, data.slippage.fill)
    assert slipped.verdict is Verdict.MARKET
    assert slipped.harm is not None
    assert slipped.harm.amount == 0

    (late,) = await found(pool, data.withdrawal.account, Check.WITHDRAWAL_DELAY, data.withdrawal.entry)
    assert late.verdict is Verdict.FIRM_FAULT
    assert late.harm is not None
    assert str(late.harm) == "USD 18.41"  # 12,000 at 8 % for 7 days

    account = data.clean_account
    fills = [fill.fill for fill in demo.fills.values() if fill.account == account]
    paid_out = [entry.entry for entry in demo.entries.values() if entry.account == account and entry.amount < 0]
    findings = await found(pool, account, Check.EXECUTION, *fills)
    findings += await found(pool, account, Check.WITHDRAWAL_DELAY, *paid_out)
    assert [finding.verdict for finding in findings] == [Verdict.MARKET, Verdict.MARKET, Verdict.NO_FAULT]


async def test_the_checks_that_the_demos_own_words_point_to_lead_to_the_sums_it_tells(pool: Pool, demo: Demo) -> None:
    for file in demo.data.files:
        await import_file(pool, file, strict=True)
    pack = find_pack("demo", datetime.now(UTC))
    sums = {}
    for story in tell(demo.data):
        complaint = story.complaint
        checks = checks_for(story.category, pack.checks, pointed_to(f"{complaint.subject}\n\n{complaint.description}"))
        if not checks or story.outcome is Outcome.WITHDRAWN or complaint.account is None:
            continue
        request = InvestigationRequest(
            checks=checks,
            account=complaint.account,
            trades=complaint.trades,
            occurred_from=complaint.occurred_from,
            occurred_until=complaint.occurred_until,
            as_of=START + timedelta(days=1),
        )
        findings = (await Investigating(TradeLog(pool)).investigate(request)).findings
        assert not [finding for finding in findings if finding.concerns_the_customer and finding.open], story.title
        harm = sum(finding.harm.amount for finding in findings if finding.harm)
        sums[story.title] = [finding.check.value for finding in findings], f"USD {harm:,.2f}" if harm else None
        assert sums[story.title][1] == story.compensation, (story.title, findings)
    assert sums["stop-out, bad price"][0] == ["execution", "stop_out"]
    assert sums["止损遇错误报价"][0] == ["execution", "trigger", "off_market"]
    assert sums["slippage"][0] == ["execution", "slippage", "slippage"]
    assert len(sums) == 5
