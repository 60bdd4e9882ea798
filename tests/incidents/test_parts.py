"""Dividing what was traded into parts, or trading beside it, changes nothing in the list of an incident."""

import random
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import pytest

from domain.ground.base import Record
from domain.log.firm_records import AccountTerms, Balance, MarginRate
from domain.log.trade_log import Fill, Order, Position
from tests.checks.rows import after, fill, order, position, store
from tests.incidents.minute import Pool, new
from tests.incidents.test_cohort import Desk
from tests.incidents.test_same_as_complaint import BESIDE, FAULT, quotes, trader

ACCOUNTS: Final = 30
NAMES: Final[dict[type[Record], str]] = {
    Fill: "fill",
    Order: "order",
    Position: "position",
    AccountTerms: "terms",
    Balance: "balance",
    MarginRate: "margin",
}
PARTS: Final[dict[type[Record], tuple[type[Record], ...]]] = {
    Fill: (Fill,),
    Order: (Fill, Order),
    Position: (Fill, Order, Position),
}


def renamed(rows: Iterable[Record], mark: str) -> list[Record]:
    """The same rows of another account, with ids of their own."""
    own = list(rows)
    ids = {getattr(row, NAMES[type(row)]) for row in own}
    found = []
    for row in own:
        values = row.model_dump()
        update = {name: f"{value}{mark}" for name, value in values.items() if name in NAMES.values() and value in ids}
        found.append(row.model_copy(update={**update, "account": f"{values['account']}{mark}"}))
    return found


def in_parts(rows: Iterable[Record], kind: type[Record], share: Decimal) -> Iterator[Record]:
    """Each row of *kind*, and what belongs to it, in two: fills go with their orders, orders with their positions."""
    own, kinds = list(rows), PARTS[kind]
    names = [NAMES[each] for each in kinds]
    ids = {getattr(row, NAMES[type(row)]) for row in own if isinstance(row, kinds)}
    for row in own:
        if not isinstance(row, kinds):
            yield row
            continue
        values = row.model_dump()
        for mark, part in (("x", share), ("y", 1 - share)):
            update = {name: f"{values[name]}{mark}" for name in names if values.get(name) in ids}
            yield row.model_copy(update={**update, "volume": values["volume"] * part})


def beside(rows: Iterable[Record], account: str) -> list[Record]:
    """With trades of the same account that were over before."""
    name: dict[str, Any] = {"account": account, "volume": Decimal(2)}
    position_ = f"Z{account}"
    return [
        *rows,
        position(
            position=position_, opened_at=after(-9000), closed_at=after(-8000), close_price=Decimal("1939.5"), **name
        ),
        order(order=f"ZO{account}", position=position_, **name),
        fill("1939.5", fill=f"ZF{account}", order=f"ZO{account}", at=after(-8000), position=position_, **name),
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_listed_does_not_depend_on_how_it_was_divided(pool: Pool, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 (any accounts will do)
    seen = quotes(rng)
    rows: list[Record] = [*seen, *BESIDE]
    for number in range(ACCOUNTS):
        own = trader(rng, number, seen)
        share = Decimal(rng.randrange(10, 90)) / 100
        rows += own
        for mark, kind in (("f", Fill), ("o", Order), ("p", Position)):
            rows += renamed(in_parts(own, kind, share), mark)
        rows += renamed(beside(own, f"71{number:06d}"), "u")
    await store(pool, *sorted(rows, key=lambda row: type(row).__name__))
    desk, incident = Desk(pool), new(fault=FAULT)
    await desk.list(incident)
    listed = await desk.members(incident)
    for number in range(ACCOUNTS):
        whole = listed.get(f"71{number:06d}")
        if whole is None:  # nobody quoted what it waited for
            assert not {f"71{number:06d}{mark}" for mark in "fopu"} & listed.keys()
            continue
        for mark in "fopu":
            divided = listed[f"71{number:06d}{mark}"]
            same = (whole.state, whole.harm, whole.gained) == (divided.state, divided.harm, divided.gained)
            assert same, [each.reason.en for each in (*whole.findings, *divided.findings)]
            about = [(each.check, each.subject) for each in divided.findings]
            assert len(about) == len(set(about)), "an order is told of once"
