"""Which rules apply: found by a dated table, with the reasons, and never guessed where a fact is not known."""

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.ground.words import ClientClass
from domain.rules.applying import Applicant, RulesRow, RulesTable, to_tell, which_rules
from runtime.policies import load_table
from runtime.shelf import PolicyError

DAY = date(2026, 3, 2)
TABLE = RulesTable.model_validate(
    {
        "version": "7",
        "rows": [
            {
                "name": "uk-cfd-before",
                "effective_from": date(2016, 6, 30),
                "effective_until": date(2018, 1, 2),
                "entities": ["uk"],
                "policy": ["uk-fca"],
                "why": "DISP 1 as it was",
            },
            {
                "name": "uk-cfd",
                "effective_from": date(2018, 1, 3),
                "entities": ["uk"],
                "products": ["CFD", "XAU"],
                "client_classes": ["retail"],
                "policy": ["uk-fca-mifid"],
                "why": "DISP 1.1A",
            },
            {
                "name": "uk-other",
                "effective_from": date(2018, 1, 3),
                "entities": ["uk"],
                "policy": ["uk-fca", "uk-fca-payments"],
                "why": "DISP 1",
            },
            {
                "name": "cyprus",
                "effective_from": date(2018, 1, 3),
                "entities": ["cy"],
                "residences": ["DE", "FR"],
                "policy": ["cy-cysec"],
                "why": "CySEC",
            },
        ],
    }
)


@pytest.mark.parametrize(
    ("applicant", "row", "policy", "missing"),
    [
        (Applicant(DAY, "uk", "GB", "XAUUSD", ClientClass.RETAIL), "uk-cfd", "uk-fca-mifid", ""),
        (Applicant(DAY, "uk", None, "a CFD on gold", ClientClass.RETAIL), "uk-cfd", "uk-fca-mifid", ""),
        (Applicant(DAY, "uk", "GB", "card", ClientClass.RETAIL), "uk-other", "uk-fca uk-fca-payments", ""),
        (Applicant(DAY, "uk", "GB", "card", None), "uk-other", "uk-fca uk-fca-payments", ""),
        (Applicant(date(2018, 1, 2), "uk"), "uk-cfd-before", "uk-fca", ""),
        (Applicant(DAY, "cy", "DE"), "cyprus", "cy-cysec", ""),
        # What is not known may be what decides.
        (Applicant(DAY, "uk", "GB", "XAUUSD", None), None, "", "client_class"),
        (Applicant(DAY, "uk", "GB", None, None), None, "", "product client_class"),
        (Applicant(DAY, None, "GB", "XAUUSD", ClientClass.RETAIL), None, "", "entity"),
        (Applicant(DAY, "cy"), None, "", "residence"),
        # Nothing fits, whatever else may be found out.
        (Applicant(DAY, "cy", "GB"), None, "", ""),
        (Applicant(DAY, "hk", "HK"), None, "", ""),
        (Applicant(date(2015, 1, 1), "uk", "GB"), None, "", ""),
    ],
)
def test_the_first_row_that_fits_holds_and_an_unknown_fact_decides_nothing(
    applicant: Applicant, row: str | None, policy: str, missing: str
) -> None:
    found = which_rules(TABLE, applicant)
    assert found
    assert (found.table, found.row) == ("7", row)
    assert (" ".join(found.policy), " ".join(found.missing)) == (policy, missing)


def test_the_reasons_name_the_facts_and_the_row() -> None:
    found = which_rules(TABLE, Applicant(DAY, "cy", "DE"))
    assert found
    assert found.why == "entity cy, residence DE: CySEC"
    unknown = which_rules(TABLE, Applicant(DAY, "cy"))
    assert unknown
    assert unknown.why == "not known: residence; without that it may be cyprus"


def test_without_rows_nothing_is_looked_for() -> None:
    assert which_rules(RulesTable(version="1"), Applicant(DAY, "uk")) is None
    assert which_rules(load_table(), Applicant(DAY)) is None


ENTITIES, COUNTRIES = ["uk", "cy", "hk"], ["GB", "DE", "HK"]
PRODUCTS, CLASSES = ["CFD", "card"], list(ClientClass)
ROWS = st.lists(
    st.builds(
        lambda entities, residences, products, classes, policy: {
            "effective_from": date(2020, 1, 1),
            "entities": entities,
            "residences": residences,
            "products": products,
            "client_classes": classes,
            "policy": [policy],
            "why": "so",
        },
        st.lists(st.sampled_from(ENTITIES), unique=True, max_size=2),
        st.lists(st.sampled_from(COUNTRIES), unique=True, max_size=2),
        st.lists(st.sampled_from(PRODUCTS), unique=True, max_size=1),
        st.lists(st.sampled_from(CLASSES), unique=True, max_size=2),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda rows: RulesTable(
        version="1", rows=tuple(RulesRow.model_validate({**row, "name": f"r{at}"}) for at, row in enumerate(rows))
    )
)


@given(
    table=ROWS,
    known=st.tuples(
        st.none() | st.sampled_from(ENTITIES),
        st.none() | st.sampled_from(COUNTRIES),
        st.none() | st.sampled_from(PRODUCTS),
        st.none() | st.sampled_from(CLASSES),
    ),
)
def test_an_answer_is_that_of_everything_the_unknown_facts_may_turn_out_to_be(
    table: RulesTable, known: tuple[str | None, str | None, str | None, ClientClass | None]
) -> None:
    found = which_rules(table, Applicant(DAY, *known))
    assert found
    may_be = [[one] if one is not None else every for one, every in zip(known, _EVERY, strict=True)]
    answers = {answer.policy for facts in product(*may_be) if (answer := which_rules(table, Applicant(DAY, *facts)))}
    if found.policy:
        assert answers == {found.policy}
    elif not found.missing:
        assert answers == {()}


_EVERY: list[list[Any]] = [ENTITIES, COUNTRIES, PRODUCTS, CLASSES]


def test_people_are_told_where_there_is_no_answer_or_another_one() -> None:
    uk, unknown = which_rules(TABLE, Applicant(DAY, "uk", "GB", "card")), which_rules(TABLE, Applicant(DAY, "cy"))
    assert uk
    assert unknown
    assert to_tell(uk, uk.policy, named=uk.policy) is None
    assert to_tell(uk, uk.policy) is None
    other = to_tell(uk, uk.policy, named=("hk-hkma",))
    assert other
    assert "came with the rules hk-hkma; by the table of rules they are uk-fca, uk-fca-payments" in other.en
    nothing = to_tell(unknown, ("platform-default",))
    assert nothing
    assert "no answer" in nothing.en
    assert "缺少居住地" in nothing.zh


def test_two_rows_of_one_name_and_an_end_before_the_beginning_are_refused() -> None:
    row = TABLE.rows[0].model_dump()
    with pytest.raises(ValidationError, match="rows: two have the same name"):
        RulesTable.model_validate({"version": "1", "rows": [row, row]})
    with pytest.raises(ValidationError, match="effective_until: 2015-01-01 lies before"):
        RulesRow.model_validate({**row, "effective_until": date(2015, 1, 1)})


def written(folder: Path, policy: str) -> Path:
    (folder / "tables").mkdir()
    (folder / "tables" / "which-rules.toml").write_text(
        f'''
        version = "9"
        [[rows]]
        name = "all"
        effective_from = 2020-01-01
        policy = ["{policy}"]
        why = "Everything"
        ''',
        encoding="utf-8",
    )
    return folder


def test_the_table_of_the_firm_takes_the_place_of_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(written(tmp_path, "hk-hkma")))
    found = which_rules(load_table(), Applicant(DAY))
    assert found
    assert (found.table, found.policy, found.why) == ("9", ("hk-hkma",), "any complaint: Everything")


def test_a_table_that_names_a_pack_which_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(written(tmp_path, "mars")))
    with pytest.raises(PolicyError, match=r"tables/which-rules\.toml: rows\[all\]\.policy: there is no pack 'mars'"):
        load_table()
