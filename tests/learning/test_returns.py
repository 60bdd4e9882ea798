"""What authorities are told: each cell with its meaning and source, nothing guessed, and complete only when it is."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.generated_cases import generated
from domain.learning.balance import DoesNotBalance
from domain.learning.facts import Award, CaseFact
from domain.learning.periods import Period
from domain.learning.returns import COLUMNS, COUNTS, Form, ReturnMade, make_return
from runtime.calendars import read_calendars
from runtime.database import Pool
from runtime.identity.keys import own_keys
from runtime.keys.vault import Vault
from runtime.paths import POLICIES
from starter.reports.returns import form_of, load_forms, to_csv
from tests.case.support import keeping, opened
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)

H2 = Period.named("2026-H2", "Europe/London")
GB = read_calendars(POLICIES / "calendars")[POLICIES / "calendars" / "gb-england.toml"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def case(reference: str, received: str, *answered: str, **more: object) -> CaseFact:
    turns = tuple(("responded" if number % 2 == 0 else "disputed", at(day)) for number, day in enumerate(answered))
    made = CaseFact(reference, at(received), "uk-fca", "email", product="CFD", entity="uk", turns=turns)
    return replace(made, **more)  # type: ignore[arg-type]


def disp(*cases: CaseFact) -> dict[str, str | None]:
    made = make_return(form_of("disp-annex-1r"), cases, H2, 1, calendar=GB)  # type: ignore[arg-type]
    ((_, row),) = made.rows
    return {filled.cell: filled.value for filled in row}


def test_the_british_return_counts_by_its_bands_of_time() -> None:
    told = disp(
        case("RD-1", "2026-06-20", "2026-07-30", outcome="upheld"),  # open before, closed within eight weeks
        case(
            "RD-2", "2026-08-27T09:00", "2026-09-02T16:00", outcome="not_upheld"
        ),  # a bank holiday and a weekend: the 3rd day
        case("RD-3", "2026-08-27T09:00", "2026-09-03T09:00", outcome="partly_upheld"),  # the 4th
        case("RD-4", "2026-07-01", "2026-10-01", awards=(Award(at("2026-10-02"), Decimal("10.50"), "GBP"),)),
        case("RD-5", "2026-12-30"),  # open
        case("RD-6", "2026-11-01", "2026-11-20", "2026-11-25"),  # disputed: open again
        case("RD-7", "2026-01-01", "2026-02-01"),  # all before
        case("RD-8", "2027-01-01"),  # after
    )
    assert told == {
        "nil": "no",
        "outstanding_start": "1",
        "opened": "5",
        "closed_3_days": "1",
        "closed_8_weeks": "3",
        "closed_later": "1",
        "upheld": "2",
        "redress": "GBP 10.50",
        "accounts": None,
        "publication": None,
    }


def test_what_redress_does_not_know_is_left_empty_and_listed_and_the_return_is_not_complete() -> None:
    for form in load_forms().values():
        period = Period.of(form.every, at("2027-02-01") if form.first else at("2026-11-15"))
        made = make_return(form, list(generated(200)), period, 1, calendar=GB)  # type: ignore[arg-type]
        empty = {cell.name for cell in form.cells if cell.measure is None}
        assert all(one.value is None for _, row in made.rows for one in row if one.cell in empty)
        assert {cell.name for cell in form.cells if cell.needed and cell.measure is None} <= set(made.missing)
        assert set(made.unconfirmed) == {cell.name for cell in form.cells if not cell.confirmed}
        assert made.complete is not (bool(made.missing) or bool(made.unconfirmed))
    assert not made_complete(make_return(form_of("cn-quarterly"), [], Period.named("2026-Q4"), 1))


def made_complete(made: ReturnMade) -> bool:
    assert made.nil
    return made.complete


@pytest.mark.parametrize("name", load_forms())
def test_what_happens_after_the_period_changes_nothing_in_its_return(name: str) -> None:
    form = load_forms()[name].model_copy(update={"first": None, "last": None})
    cases, (first,) = list(generated(300, days=400)), generated(1, days=1)
    period = Period.of(form.every, first.received_at).before()
    at_its_end = [
        replace(
            one,
            turns=tuple(turn for turn in one.turns if turn[1] < period.end),
            closed_at=one.closed_at if one.closed_at and one.closed_at < period.end else None,
            awards=tuple(award for award in one.awards if award.at < period.end),
        )
        for one in cases
    ]
    now, then = (make_return(form, each, period, 1, calendar=GB) for each in (cases, at_its_end))  # type: ignore[arg-type]
    assert now.rows
    assert now == then


def test_a_nil_return_says_that_it_is_nil_with_a_row_of_zeros() -> None:
    for form in load_forms().values():
        if form.kind == "cells":
            period = Period.of(form.every, at("2027-02-01") if form.first else at("2026-11-15"))
            made = make_return(form, [], period, 1, calendar=GB)  # type: ignore[arg-type]
            ((_, row),) = made.rows
            known = {one.cell: one.value for one in row if one.value is not None}
            assert known.pop("nil", "yes") == "yes"
            assert set(known.values()) == {"0"}, form.id
            assert known.keys() >= {cell.name for cell in form.cells if cell.measure} - {"nil"}


def test_an_open_complaint_is_reported_again_under_the_same_id_and_a_closed_one_no_more() -> None:
    still_open, closed = case("RD-1", "2026-03-01"), case("RD-2", "2026-05-01", "2026-08-01", outcome="upheld")
    asic, halves = form_of("asic-idr"), [Period.named(name) for name in ("2026-H1", "2026-H2", "2027-H1")]
    made = [make_return(asic, [closed, still_open], half, 1) for half in halves]
    assert [[name for name, _ in one.rows] for one in made] == [["RD-1", "RD-2"], ["RD-1", "RD-2"], ["RD-1"]]
    lines = list(csv.DictReader(StringIO(to_csv(made[1]))))
    assert [(line["complaint_id"], line["status"], line["closed"]) for line in lines] == [
        ("RD-1", "open", ""),
        ("RD-2", "closed", "2026-08-01"),
    ]
    assert all(len({line[name] for line in lines} - {""}) == 0 for name in ("gender", "age", "postcode"))


@pytest.mark.parametrize("name", ["fca-2027", "cn-quarterly"])
def test_the_cells_of_a_return_balance_in_every_row_or_it_is_refused(name: str) -> None:
    form = form_of(name).model_copy(update={"published": False, "first": None, "by": "category"})
    period = Period.of(form.every, at("2026-11-15"))
    rows = make_return(form, generated(5_000), period, 1, calendar=GB).rows  # type: ignore[arg-type]
    told = [{one.cell: int(one.value) for one in row if one.value and one.value.isdigit()} for _, row in rows]
    told = [row | {"reopened": int(next(one.value or 0 for one in cells if one.cell == "reopened"))}
            for row, (_, cells) in zip(told, rows, strict=True)]  # fmt: skip
    bands = {"closed"} if name == "cn-quarterly" else {"closed_3_days", "closed_8_weeks", "closed_later"}
    for row in told:
        closed = sum(row[band] for band in bands)
        assert row["outstanding_start"] + row["opened"] + row["reopened"] - closed == row["outstanding_end"]
    assert any(row["reopened"] for row in told)
    out_of_order = replace(
        case("RD-1", "2026-10-30"), turns=(("responded", at("2026-12-20")), ("reopened", at("2026-11-05")))
    )
    with pytest.raises(DoesNotBalance, match="CFD"):
        make_return(form_of("cysec-monthly"), [out_of_order], Period.named("2026-11"), 1)


def published_rows(cases: list[CaseFact]) -> dict[str, dict[str, str]]:
    made = make_return(form_of("cn-quarterly"), cases, Period.named("2026-Q4"), 1)
    return {line["row"]: line for line in csv.DictReader(StringIO(to_csv(made)))}


def test_small_counts_do_not_leave_the_firm_where_they_are_published() -> None:
    few = [case(f"RD-{number}", "2026-11-02", category="fee") for number in range(4)]
    many = [case(f"RD-{number}", "2026-11-02", category="withdrawal") for number in range(9)]
    told = published_rows(few + many)
    assert {row: (line["opened"], line["closed"]) for row, line in told.items()} == {
        "fee": ("*", "0"),
        "withdrawal": ("9", "0"),
    }


def test_nor_do_counts_by_which_a_small_one_can_be_worked_out() -> None:
    upheld = [
        case(f"RD-U{number}", "2026-11-02", "2026-11-04", category="fee", outcome="upheld") for number in range(11)
    ]
    rejected = case("RD-R", "2026-11-02", "2026-12-30", category="fee", outcome="not_upheld")
    told = published_rows([*upheld, rejected])["fee"]
    assert {name: told[name] for name in ("opened", "closed", "closed_15_days", "closed_60_days", "upheld")} == {
        "opened": "12",
        "closed": "12",
        "closed_15_days": "*",
        "closed_60_days": "12",
        "upheld": "*",
    }


WORKED_OUT = {
    "open after": {"outstanding_start": 1, "opened": 1, "reopened": 1, "closed": -1},
    "open before": {"outstanding_end": 1, "opened": -1, "reopened": -1, "closed": 1},
    "received": {"outstanding_end": 1, "outstanding_start": -1, "reopened": -1, "closed": 1},
    "closed": {"outstanding_start": 1, "opened": 1, "reopened": 1, "outstanding_end": -1},
    "not upheld": {"closed": 1, "upheld": -1},
    "later than 15 days": {"closed": 1, "closed_15_days": -1},
    "within 16 to 30 days": {"closed_30_days": 1, "closed_15_days": -1},
    "within 31 to 60 days": {"closed_60_days": 1, "closed_30_days": -1},
    "later than 60 days": {"closed": 1, "closed_60_days": -1},
}
"""What a reader of the Chinese quarter can work out, by what it is called there."""


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 120))
def test_whatever_the_quarter_was_like_nobody_can_work_out_a_small_group(seed: int, size: int) -> None:
    for row in published_rows(list(generated(size, seed=seed))).values():
        for what, terms in WORKED_OUT.items():
            if all(row[name] != "*" for name in terms):
                assert sum(sign * int(row[name]) for name, sign in terms.items()) not in {1, 2, 3, 4}, (what, row)


def test_a_sum_that_few_were_paid_is_not_published() -> None:
    form = form_of("disp-annex-1r").model_copy(update={"published": True})
    paid = [
        case(f"RD-{number}", "2026-08-03", "2026-08-04", awards=(Award(at("2026-08-05"), Decimal("10.50"), "GBP"),))
        for number in range(5)
    ]
    for several, told in ((paid, "GBP 52.50"), (paid[:4], None)):
        ((_, row),) = make_return(form, several, H2, 1, calendar=GB).rows  # type: ignore[arg-type]
        assert next(one.value for one in row if one.cell == "redress") == told


@pytest.mark.parametrize(
    ("name", "period", "told"),
    [
        ("fca-2027", "2026-H2", "fca-2027 is made from 2027-H1, not for 2026-H2"),
        ("disp-annex-1r", "2027-H1", "disp-annex-1r is made until 2026-H2, not for 2027-H1"),
        ("cysec-monthly", "2026-Q4", "cysec-monthly is made for each month, not for 2026-Q4"),
    ],
)
def test_a_return_has_its_own_periods(name: str, period: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_return(form_of(name), [], Period.named(period), 1)


def test_of_one_company_only_its_own_cases_are_told() -> None:
    ours, others = case("RD-1", "2026-11-02"), case("RD-2", "2026-11-02", entity="hk")
    made = [
        make_return(form_of("cfpb-like"), [ours, others], Period.named("2026-11"), 1, entity=one)
        for one in ("uk", "hk")
    ]
    assert [[name for name, _ in one.rows] for one in made] == [["RD-1"], ["RD-2"]]


def test_a_cell_that_measures_nothing_known_is_refused() -> None:
    form = form_of("cfpb-like").model_dump()
    form["cells"] = [{**form["cells"][0], "measure": "guess"}]
    with pytest.raises(ValueError, match="measure: 'guess' is none of"):
        Form.model_validate(form)
    assert not set(COUNTS) & set(COLUMNS)


def test_days_to_an_answer_that_is_not_due_yet_are_left_open() -> None:
    now = Period.named("2026-11")
    late, young = case("RD-1", "2026-11-02"), case("RD-2", "2026-11-28")
    timely = case("RD-3", "2026-11-02", "2026-11-12")
    made = make_return(form_of("cfpb-like"), [late, young, timely], now, 1)
    found = {name: next(one.value for one in row if one.cell == "timely") for name, row in made.rows}
    assert found == {"RD-1": "no", "RD-2": None, "RD-3": "yes"}
    assert timely.received_at + timedelta(days=10) == timely.first("responded")


async def test_the_command_writes_a_return_says_what_it_lacks_and_signs_it_as_it_can_be_made_again(
    redress: CommandLine, pool: Pool, database_url: str, keys: Vault, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    key, _ = own_keys(tmp_path / "key", "auditor")
    redress.set("REDRESS_CHECKPOINT_KEY", str(key))
    reference = await opened(keeping(pool), "erased from a return")
    month = ("returns", "make", "cysec-monthly", "2026-03", "--json", "--output")
    made = await redress(*month, tmp_path, "--issue", "--as", "compliance_officer:c-1")
    assert made.code == 5
    assert "not known: country" in made.error["message"]
    data = made.data
    assert [name for name, _ in data["rows"]] == [reference]
    assert not data["complete"]
    assert (await redress("returns", "check", "fca-2027")).code == 5
    early = await redress("returns", "make", "cfpb-like", "2099-11", "--output", tmp_path, "--json")
    assert (early.code, early.data["complete"]) == (5, False)
    assert "the return is not complete: the period is not over" in early.error["message"]
    wrong = await redress("returns", "make", "cysec-yearly", "2026-03")
    assert wrong.code == 2
    assert "there is no 'cysec-yearly'; there are asic-idr" in wrong.err
    checking = ("returns", "verify", "cysec-monthly", "2026-03", "--json")
    issued = (await redress(*checking)).data
    assert [(one["signed"], one["record_changed"], one["figures_changed"]) for one in issued] == [(True, False, False)]
    assert not (await redress(*checking, "--entity", "uk")).data
    await keys.destroy([reference])
    await opened(keeping(pool), "2")
    await redress(*month, tmp_path / "again", "--cut-off", data["cut_off"])
    for name in map(Path, data["files"]):
        assert (tmp_path / "again" / name.name).read_bytes() == name.read_bytes(), name
    other, _ = own_keys(tmp_path / "other", "somebody else")
    assert (await redress(*checking, "--key", other)).code == 5
