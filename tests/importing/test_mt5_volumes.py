"""Volumes of MT5 reports in thousands and millions, in lots or in units: what the deals tell, and nothing guessed."""

from decimal import Decimal

import pytest

from starter.importing.formats.kinds import Kind
from tests.importing.test_account_reports import Rows, deal, money, order, read, reckoned, report
from tests.importing.test_statements import reasons, records


def ordered(ticket: int, volume: str, state: str = "filled") -> list[object]:
    return [volume if place == 4 else cell for place, cell in enumerate(order(ticket, state=state))]


def volumes(rows: Rows) -> list[str]:
    return [str(each["volume"]) for each in records(read(rows)[0], Kind.ORDERS)]


@pytest.mark.parametrize(
    ("stated", "dealt", "lots"),
    [
        ("10K / 10K", ["10000"], "10000"),
        ("1.5M / 1.5M", ["1000000", "500000"], "1500000"),
        ("1.5M / 1.5M", ["1523000.5"], "1523000.5"),
        ("10k / 10k", ["100"], "100"),
        ("40 / 40", ["0.4"], "0.4"),
        ("0.4 / 0.4", ["0.4"], "0.4"),
        ("10K", ["10K"], "10000"),
    ],
    ids=["lots", "two deals", "rounded", "units", "few units", "plain", "alone"],
)
def test_the_volume_of_an_order_is_that_of_its_deals_in_lots(stated: str, dealt: list[str], lots: str) -> None:
    deals = [deal(2 + n, "buy", "in", 3000, order=1, volume=each) for n, each in enumerate(dealt)]
    rows = report(orders=[ordered(1, stated)], deals=deals)
    assert Decimal(volumes(rows)[0]) == Decimal(lots)


@pytest.mark.parametrize(("dealt", "lots"), [("10K", "20000"), ("100", "200")], ids=["lots", "units"])
def test_an_order_without_deals_is_in_what_the_others_are_in(dealt: str, lots: str) -> None:
    rows = report(
        orders=[ordered(1, "20K / 0", "canceled"), ordered(2, "10K / 10K")],
        deals=[deal(3, "buy", "in", 3000, order=2, volume=dealt)],
    )
    assert Decimal(volumes(rows)[0]) == Decimal(lots)


@pytest.mark.parametrize("deals", [[], [deal(3, "buy", "in", 3000, order=9)]], ids=["none", "of another order"])
def test_thousands_that_no_deal_explains_are_a_bad_row(deals: Rows) -> None:
    rows, _ = read(report(orders=[ordered(1, "20K / 0", "canceled"), ordered(2, "0.4 / 0")], deals=deals))
    assert reasons(rows) == ["volume: '20K / 0' may be lots or units, and no order with deals tells: save it in lots"]


def test_thousands_that_contradict_their_deals_are_a_bad_row() -> None:
    rows, _ = read(report(orders=[ordered(1, "10K / 10K")], deals=[deal(3, "buy", "in", 3000, order=1, volume="7")]))
    assert reasons(rows) == ["volume: '10K / 10K' is neither the lots nor the units of its deals, which are 7"]


def test_deals_in_units_are_found_by_their_profits_and_thousands_are_told() -> None:
    deals = [
        money(9, "balance", 10_000, 10_000),
        deal(1, "buy", "in", 3000, order=1, volume="10K"),
        deal(2, "sell", "out", 3001, order=2, volume="10K", profit=10_000, balance=20_000),
    ]
    rows = report(orders=[ordered(1, "10K / 10K"), ordered(2, "10K / 10K")], deals=deals)
    assert "volumes such as 10K were read as lots" in read(rows)[1].notes
    assert reckoned(rows).sizes.misfits() != []
