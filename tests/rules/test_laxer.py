"""A pack that extends a rule: as strict as it likes, never laxer, and with a source of its own for what it changes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.rules.policy_check import check_pack
from domain.rules.problem import PolicyProblem
from runtime.policies import load_packs, read_pack, survey
from runtime.shelf import PolicyError

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SOURCE = 'source = "Our board"\nconfirmed = true\n'


def file(folder: Path, more: str, *, extends: str = "uk-fca", name: str = "ours") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        f'id = "{name}"\nversion = "1"\ntitle = "Ours"\neffective_from = 2026-01-01\nextends = "{extends}"\n{more}',
        encoding="utf-8",
    )
    return path


def clock(name: str, terms: str, source: str = SOURCE) -> str:
    return f'[[clocks]]\nname = "{name}"\n{terms}\n{source}'


def told(path: Path) -> list[PolicyProblem]:
    """What is found of the file beyond what is wrong with the pack that it extends."""
    pack, extends = read_pack(path)
    known = {(one.field, one.message) for base in extends for one in check_pack(base, NOW)}
    return [one for one in check_pack(pack, NOW, extends) if (one.field, one.message) not in known]


# -- the source --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ("length = { weeks = 6 }", "clocks[eight-weeks].length"),
        ("first_day_counts = true", "clocks[eight-weeks].first_day_counts"),
        ('on_closed_day = "next_business_day"', "clocks[eight-weeks].on_closed_day"),
        ('satisfied_by = ["responded"]', "clocks[eight-weeks].satisfied_by"),
        ('trigger = "acknowledged"', "clocks[eight-weeks].trigger"),
        ('kind = "internal"', "clocks[eight-weeks].kind"),
        ('own_days = { source = "x", confirmed = true }', "clocks[eight-weeks].own_days"),
    ],
)
def test_whoever_changes_a_term_of_the_law_states_source_and_confirmation_anew(
    tmp_path: Path, terms: str, field: str
) -> None:
    for given, lacking in (("", "source and confirmed"), ('source = "x"', "confirmed"), ("confirmed = true", "source")):
        with pytest.raises(PolicyError) as refused:
            read_pack(file(tmp_path, clock("eight-weeks", terms, given)))
        assert str(refused.value).startswith(f"ours.toml: {field}: ")
        assert f"state {lacking} anew" in str(refused.value)
    assert read_pack(file(tmp_path, clock("eight-weeks", terms))).pack.clock("eight-weeks").source == "Our board"


def test_an_early_closure_is_such_a_term_too(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"early_closure\.within: .* state source and confirmed anew"):
        read_pack(file(tmp_path, "[early_closure]\nwithin = { business_days = 2 }"))
    assert read_pack(file(tmp_path, "[early_closure]\nclose_of_business = 18:00:00")).pack.early_closure


def test_an_aim_of_the_firm_and_rungs_are_changed_without_a_word(tmp_path: Path) -> None:
    warning = '{ name = "warning", before = { weeks = 3 }, actions = ["warn"] }'
    rungs = f'rungs = [{warning}, {{ name = "due", actions = ["breach"] }}]'
    more = clock("response", "length = { business_days = 25 }", "") + clock("eight-weeks", rungs, "")
    assert read_pack(file(tmp_path, more)).pack.clock("eight-weeks").confirmed


def test_an_aim_that_becomes_a_statutory_clock_states_what_makes_it_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"clocks\[response\]\.kind: .* state source and confirmed anew"):
        read_pack(file(tmp_path, clock("response", 'kind = "statutory"', "")))


# -- laxer -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extends", "more", "field", "said"),
    [
        (
            "uk-fca",
            clock("eight-weeks", "length = { weeks = 9 }"),
            "length",
            "9 weeks is laxer than the rule's 8",
        ),
        # 40 business days are 8 weeks, but for the weeks with a holiday.
        ("uk-fca", clock("eight-weeks", "length = { business_days = 40 }"), "length", "40 business days is laxer"),
        ("uk-fca", clock("eight-weeks", 'on_closed_day = "next_business_day"'), "length", "8 weeks is laxer"),
        ("uk-fca", clock("eight-weeks", 'trigger = "acknowledged"'), "trigger", "runs from received"),
        (
            "uk-fca",
            clock("eight-weeks", 'satisfied_by = ["responded", "held", "acknowledged"]'),
            "satisfied_by",
            "acknowledged does not keep it",
        ),
        (
            "uk-fca",
            clock("acknowledgement", 'own_days = { source = "x", confirmed = true }'),
            "own_days",
            "does not count business days by the firm",
        ),
        (
            "au-asic",
            clock("idr-response", "lengths = []"),
            "length",
            "30 days is laxer than the rule's 21 days",
        ),
    ],
)
def test_what_is_laxer_than_the_rule_is_an_error(
    tmp_path: Path, extends: str, more: str, field: str, said: str
) -> None:
    problems = [one for one in told(file(tmp_path, more, extends=extends)) if one.field.endswith(f"].{field}")]
    assert [(one.severity, one.about) for one in problems] == [("error", "clocks")]
    assert said in problems[0].message
    assert extends in problems[0].message


EXTENSION = """
[[clocks]]
name = "response"
{source}
[[clocks.extensions]]
name = "{name}"
{terms}
approval = ["executive"]
source = "Our board"
confirmed = true
[clocks.extensions.ground]
en = "So our board."
zh = "董事会决定。"
"""


@pytest.mark.parametrize(
    ("name", "terms", "said"),
    [
        ("special", "by = { days = 31 }", "by 31 days is more than the rule's by 30 days"),
        ("special", "to = { days = 31 }", "the rule extends by 30 days"),
        ("special", "by = { days = 30 }\nat_most = 2", "the rule grants it once"),
        ("holiday", "by = { days = 1 }", "the rule knows no such extension"),
    ],
)
def test_an_extension_beyond_those_of_the_rule_is_an_error(tmp_path: Path, name: str, terms: str, said: str) -> None:
    more = EXTENSION.format(source=SOURCE, name=name, terms=terms)
    (problem,) = told(file(tmp_path, more, extends="cn-banking"))
    assert (problem.severity, problem.field) == ("error", f"clocks[response].extensions[{name}]")
    assert said in problem.message


def test_a_rule_for_exceptional_circumstances_stays_one(tmp_path: Path) -> None:
    terms = EXTENSION.format(source=SOURCE, name="exceptional", terms="to = { business_days = 35 }")
    (problem,) = [
        one
        for one in told(file(tmp_path, terms.replace('"response"', '"fifteen-days"'), extends="eu-psd2"))
        if one.field == "clocks[fifteen-days].extensions[exceptional]"
    ]
    assert (problem.severity, "only for beyond_control" in problem.message) == ("error", True)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (f"[retention]\nafter_closing = {{ months = 30 }}\n{SOURCE}", ("error", "retention")),
        (f"[retention]\nafter_closing = {{ months = 40 }}\n{SOURCE}", None),
        ('[[routes]]\nname = "fos"\nwithin = { months = 5 }\n', ("error", "routes[fos].within")),
        ('without = { routes = ["fos"] }', ("warning", "routes[fos]")),
        ('without = { clocks = ["progress"] }', ("error", "timetable")),
        (clock("progress", "length = { business_days = 20 }", ""), ("error", "timetable")),
        (clock("progress", "length = { business_days = 3 }", ""), None),
        (
            '[[letters]]\nname = "final-response"\nmust_name = ["reasons"]\n',
            ("error", "letters[final-response].must_name"),
        ),
    ],
)
def test_what_the_rule_has_beside_its_clocks_is_not_the_firms_to_shorten(
    tmp_path: Path, more: str, found: tuple[str, str] | None
) -> None:
    fields = {"retention", "routes[fos]", "routes[fos].within", "timetable", "letters[final-response].must_name"}
    problems = [(one.severity, one.field) for one in told(file(tmp_path, more)) if one.field in fields]
    assert (found in problems) if found else not problems


def test_a_shorter_extension_and_fewer_of_them_are_no_matter(tmp_path: Path) -> None:
    more = EXTENSION.format(source=SOURCE, name="special", terms="by = { days = 20 }")
    assert told(file(tmp_path, more, extends="cn-banking")) == []


def test_a_longer_early_closure_is_an_error_and_another_closing_hour_none(tmp_path: Path) -> None:
    longer = f"[early_closure]\nwithin = {{ business_days = 4 }}\n{SOURCE}"
    (problem,) = told(file(tmp_path, longer))
    assert (problem.severity, problem.field) == ("error", "early_closure.within")
    assert told(file(tmp_path, "[early_closure]\nclose_of_business = 18:30:00")) == []


@pytest.mark.parametrize("weeks", [1, 7, 8])
def test_a_firm_may_be_as_strict_as_it_likes(tmp_path: Path, weeks: int) -> None:
    more = clock("eight-weeks", f"length = {{ weeks = {weeks} }}")
    assert [one for one in told(file(tmp_path, more)) if one.field.endswith("length")] == []


# -- left out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('without = { clocks = ["eight-weeks"] }', "a statutory clock of uk-fca is left out"),
        (clock("eight-weeks", 'kind = "internal"'), "a statutory clock of uk-fca is no statutory clock here"),
    ],
)
def test_a_statutory_clock_that_is_not_there_any_more_is_a_warning(tmp_path: Path, more: str, said: str) -> None:
    (problem,) = [one for one in told(file(tmp_path, more)) if one.field == "clocks[eight-weeks]"]
    assert problem.severity == "warning"
    assert said in problem.message


def test_one_that_keeps_the_same_duty_sooner_stands_in_for_it() -> None:
    (payments,) = load_packs()["uk-fca-payments"]
    assert "eight-weeks" not in {one.name for one in payments.clocks}
    (extends,) = [one.extends for one in survey()[0] if one.pack.id == "uk-fca-payments"]
    assert not any(one.field == "clocks[eight-weeks]" for one in check_pack(payments, NOW, extends))


# -- from pack to pack -------------------------------------------------------------------------------------------------


def test_the_rule_holds_however_many_packs_lie_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(tmp_path))
    file(tmp_path, clock("response", "length = { business_days = 15 }"), name="between")
    last = file(tmp_path, clock("eight-weeks", "length = { weeks = 9 }"), extends="between", name="last")
    assert [one.pack.id for one in survey()[0] if one.pack.id in {"between", "last"}] == ["between", "last"]
    assert [one.field for one in told(last)] == ["clocks[eight-weeks].length"]


def test_a_new_version_of_a_rule_book_says_itself_what_the_rule_is(tmp_path: Path) -> None:
    path = tmp_path / "uk-fca-2027.toml"
    path.write_text(
        'id = "uk-fca"\nversion = "2027.1"\ntitle = "UK"\neffective_from = 2027-01-01\nextends = "uk-fca"\n'
        + clock("eight-weeks", "length = { weeks = 10 }", 'source = "DISP as amended"\nconfirmed = false\n'),
        encoding="utf-8",
    )
    assert not any(one.severity == "error" for one in told(path))


def test_no_shipped_pack_is_laxer_than_one_it_extends() -> None:
    read, broken = survey()
    assert not broken
    for one in read:
        assert told_of(one.pack.id) == [], one.pack.id


def told_of(pack_id: str) -> list[str]:
    (pack, extends), *_ = [one for one in survey()[0] if one.pack.id == pack_id]
    without = {(one.field, one.message) for one in check_pack(pack, NOW)}
    return [one.field for one in check_pack(pack, NOW, extends) if (one.field, one.message) not in without]
