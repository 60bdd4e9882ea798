"""What a firm gives for its returns: figures the record does not know, and which definitions it has read."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.generated_cases import generated
from bench.reporting import facts_rows
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.learning.facts import Award, CaseFact
from domain.learning.given import GivenFigures
from domain.learning.periods import Period
from domain.learning.returns import ReturnMade, make_return
from runtime.calendars import read_calendars
from runtime.database import Pool
from runtime.identity.keys import own_keys
from runtime.paths import POLICIES
from starter.reports.figures import FiguresFile, figures_in, given_of
from starter.reports.returns import form_of, to_data
from tests.cli.command_line import CommandLine
from tests.cli.conftest import redress as redress  # noqa: PLC0414 (a fixture)

GB = read_calendars(POLICIES / "calendars")[POLICIES / "calendars" / "gb-england.toml"]
OFFICER = Actor(id="c-1", role=Role.COMPLIANCE_OFFICER)
NOW = datetime(2027, 7, 5, 9, 0, tzinfo=UTC)
FIGURES: dict[str, dict[str, Any]] = {
    "fca-2027": {
        "permission_section": {"values": {"CFD": "Investments", "binary option": "Investments", "-": "Other"}},
        "product_taxonomy": {"values": {"CFD": "Contracts for difference", "binary option": "Options", "-": "Other"}},
    },
    "asic-idr": {
        "complainant_type": {"value": "1"},
        "product": {"by": "product", "values": {"CFD": "45", "binary option": "46", "-": "99"}},
        "channel": {"values": {"web": "3", "phone": "1"}},
    },
}


def case(number: int, received: datetime, **more: object) -> CaseFact:
    fields = {"policy": "uk-fca", "channel": "web", "entity": "uk", "represented": False, **more}
    return CaseFact(f"RD-{number}", received, **fields)  # type: ignore[arg-type]


def cases(year: int) -> list[CaseFact]:
    begin = datetime(year, 2, 1, tzinfo=UTC)
    answered = (("responded", begin.replace(month=3)),)
    paid = (Award(begin.replace(month=4), Decimal("12.50"), "GBP"),)
    return [
        case(1, begin, product="CFD", turns=answered, outcome="upheld", awards=paid),
        case(2, begin, product="binary option", channel="phone", represented=True),
        case(3, begin, turns=answered, outcome="not_upheld", vulnerable=True),
    ]


def file_of(name: str, **more: object) -> FiguresFile:
    """All that the form lacks: its figures, and that all of its cells were read."""
    read = [{"where": "the form in force, read 2027-07-02", "cells": [cell.name for cell in form_of(name).cells]}]
    return FiguresFile.model_validate({"form": name, "cells": FIGURES[name], "read": read, **more})


def given(file: FiguresFile, by: Actor = OFFICER) -> GivenFigures:
    return given_of(file, form_of(file.form), by, NOW)


def made(name: str, *what: GivenFigures, entity: str | None = None) -> ReturnMade:
    form = form_of(name)
    found = cases(2027 if name == "fca-2027" else 2026)
    period = Period.named("2027-H1" if name == "fca-2027" else "2026-H1", "Europe/London")
    return make_return(form, found, period, 1, calendar=GB, entity=entity, given=what)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FIGURES)
def test_a_return_is_complete_once_the_firm_gave_its_figures_and_has_read_every_definition(name: str) -> None:
    lacking, whole = made(name), made(name, given(file_of(name)))
    assert lacking.missing
    assert lacking.unconfirmed
    assert not lacking.complete
    assert (whole.missing, whole.unconfirmed, whole.complete) == ((), (), True)
    assert to_data(whole)["complete"]
    assert not to_data(whole, over=False)["complete"]
    assert {(one.by, one.at) for one in whole.stated} == {("compliance_officer:c-1", NOW)}
    assert {one.cell for one in whole.stated if one.what == "figure"} == FIGURES[name].keys()
    measured = {cell.name for cell in form_of(name).cells if cell.measure} - FIGURES[name].keys()
    for (_, before), (_, after) in zip(lacking.rows, whole.rows, strict=True):
        assert [one for one in before if one.cell in measured] == [one for one in after if one.cell in measured]


@pytest.mark.parametrize("name", FIGURES)
def test_without_any_one_of_what_was_given_it_is_not_complete(name: str) -> None:
    for cell in FIGURES[name].keys() - {"channel"}:  # which the record knows, in its own words
        less = {one: figure for one, figure in FIGURES[name].items() if one != cell}
        assert made(name, given(file_of(name, cells=less))).missing == (cell,)
    unread = [cell.name for cell in form_of(name).cells if not cell.confirmed]
    for cell in unread:
        others = [one.name for one in form_of(name).cells if one.name != cell]
        told = file_of(name, read=[{"where": "the form", "cells": others}])
        assert made(name, given(told)).unconfirmed == (cell,)


def test_values_go_by_the_row_by_a_field_of_the_case_or_as_codes_for_what_the_record_says() -> None:
    rows = {
        row: {one.cell: one.value for one in filled}
        for row, filled in made("asic-idr", given(file_of("asic-idr"))).rows
    }
    told = {row: (one["product"], one["channel"], one["complainant_type"]) for row, one in rows.items()}
    assert told == {"RD-1": ("45", "3", "1"), "RD-2": ("46", "1", "1"), "RD-3": ("99", "3", "1")}
    assert [one["representative"] for one in rows.values()] == ["no", "yes", "no"]
    by_row = {row: filled[1].value for row, filled in made("fca-2027", given(file_of("fca-2027"))).rows}
    assert by_row == {"CFD": "Investments", "binary option": "Investments", "-": "Other"}
    few = {**FIGURES["asic-idr"], "channel": {"values": {"web": "3"}}}
    assert made("asic-idr", given(file_of("asic-idr", cells=few))).missing == ("channel",)  # no code for the telephone


def test_the_last_word_counts_and_before_that_of_all_periods_the_one_of_its_own() -> None:
    def section(value: str, **more: object) -> GivenFigures:
        return given(
            FiguresFile.model_validate({"form": "fca-2027", "cells": {"permission_section": {"value": value}}, **more})
        )

    def told(*what: GivenFigures, entity: str | None = None) -> str | None:
        return made("fca-2027", *what, entity=entity).rows[0][1][1].value

    general, own = section("all"), section("own", period="2027-H1")
    assert told(own, general) == "own"
    assert told(own, general, section("later", period="2027-H1")) == "later"
    assert told(general, section("other", period="2027-H2")) == "all"
    assert told(general, section("of uk", entity="uk")) == "all"
    assert told(general, section("of uk", entity="uk"), entity="uk") == "of uk"


def test_what_was_said_of_another_definition_says_nothing_of_this() -> None:
    kept = given(file_of("fca-2027"))
    changed = [cell.model_copy(update={"means": f"{cell.means}, otherwise"}) for cell in form_of("fca-2027").cells]
    form = form_of("fca-2027").model_copy(update={"cells": tuple(changed)})
    again = make_return(form, cases(2027), Period.named("2027-H1"), 1, calendar=GB, given=[kept])  # type: ignore[arg-type]
    assert again.missing == ("permission_section", "product_taxonomy")
    assert not again.stated


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cells": {"opened": {"value": "7"}}}, "the record knows it"),
        ({"cells": {"guess": {"value": "7"}}}, "fca-2027 has no 'guess'"),
        ({"cells": {"permission_section": {}}}, "give either value or values"),
        ({"cells": {"permission_section": {"value": "a", "values": {"CFD": "b"}}}}, "give either value or values"),
        ({"cells": {"permission_section": {"by": "product", "values": {"CFD": "b"}}}}, "by is for cells of a list"),
        ({"period": "2027-03"}, "fca-2027 is made for each half-year"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        given(file_of("fca-2027", **changes))


def test_only_who_speaks_for_the_firm_gives_its_figures() -> None:
    with pytest.raises(NotAllowed, match="role handler may not; compliance_officer, executive may"):
        given(file_of("fca-2027"), Actor(id="h-1", role=Role.HANDLER))


async def test_by_the_command_a_return_is_complete_signed_and_made_again_with_what_was_given_then(
    redress: CommandLine, pool: Pool, database_url: str, tmp_path: Path
) -> None:
    redress.set("DATABASE_URL", database_url)
    key, _ = own_keys(tmp_path / "key", "auditor")
    redress.set("REDRESS_CHECKPOINT_KEY", str(key))
    known = [replace(one, represented=False) for one in generated(40) if one.product]
    rows = [row for one in known for row in facts_rows(one)]
    rows += [(one.reference, "represented", one.received_at, "r", {"represented": False}) for one in known]
    insert = "insert into reporting.facts (reference, kind, at, key, data) values ($1, $2, $3, $4, $5)"
    await pool.executemany(insert, rows)
    cells = [cell.name for cell in form_of("asic-idr").cells]
    path = tmp_path / "figures.toml"
    path.write_text(
        'form = "asic-idr"\n[cells.complainant_type]\nvalue = "1"\n[cells.product]\nvalue = "45"\n'
        '[cells.brand]\nvalues = { cy = "Brand CY", hk = "Brand HK", "-" = "Brand" }\n'
        f'[[read]]\nwhere = "IDR data dictionary, read 2026-11-30"\ncells = {cells}\n'
    )
    assert figures_in(path).form == "asic-idr"
    make = ("returns", "make", "asic-idr", "2026-H1", "--json", "--as", "compliance_officer:c-1", "--output")
    before = await redress(*make, tmp_path / "before")
    assert (before.code, before.data["missing"]) == (5, ["brand", "complainant_type", "product"])
    refused = await redress("returns", "give", path, "--as", "handler:h-1")
    assert (refused.code, "role handler may not" in refused.err) == (2, True)
    said = await redress("returns", "give", path, "--as", "compliance_officer:c-1")
    assert "asic-idr: 16 cell(s) given for every period by compliance_officer:c-1" in said.out
    after = await redress(*make, tmp_path / "after", "--issue")
    assert (after.code, after.data["complete"], after.data["stated"][0]["by"]) == (0, True, "compliance_officer:c-1")
    (issued,) = (await redress("returns", "verify", "asic-idr", "2026-H1", "--json")).data
    assert (issued["signed"], issued["record_changed"], issued["figures_changed"]) == (True, False, False)
    path.write_text(path.read_text().replace('"45"', '"47"'))
    assert not (await redress("returns", "give", path, "--as", "executive:e-1")).code
    for cut_off, folder in ((before.data["cut_off"], "before"), (after.data["cut_off"], "after")):
        await redress(*make, tmp_path / "again", "--cut-off", cut_off)
        name = "asic-idr-2026-H1.csv"
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / folder / name).read_bytes()
