"""Policy packs: what is shipped can be used, and what cannot be used is refused with file and field."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.money import Money
from domain.policy import PolicyPack
from domain.words import Action, CaseEvent, Category, Role
from runtime.paths import POLICIES
from runtime.policies import PolicyError, UnknownPolicyPack, find_pack, load_packs

SHIPPED = sorted(path.stem for path in POLICIES.glob("*.toml"))
PLAIN = (POLICIES / "platform-default.toml").read_text(encoding="utf-8")


def in_folder(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content, encoding="utf-8")
    return folder


def default() -> PolicyPack:
    return find_pack("platform-default", date(2026, 3, 2))


# -- what is shipped ---------------------------------------------------------------------------------------------------


def test_the_default_pack_and_the_demonstration_are_shipped() -> None:
    assert {"platform-default", "demo"} <= set(load_packs())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_pack_is_in_force_today_under_the_name_of_its_file(name: str) -> None:
    assert find_pack(name, datetime.now(UTC)).id == name


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_survives_its_way_through_the_case_file_with_its_hash(name: str) -> None:
    pack = load_packs()[name][0]
    again = PolicyPack.model_validate_json(pack.model_dump_json())
    assert (again, again.hash) == (pack, pack.hash)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_pack_answers_in_both_languages(name: str) -> None:
    pack = load_packs()[name][0]
    for text in (pack.timetable, pack.rights, pack.referral):
        assert text.en.isascii()
        assert "\n" not in text.en + text.zh
        assert any("一" <= letter <= "鿿" for letter in text.zh)


def test_only_the_24_hours_of_the_acknowledgement_are_a_confirmed_number() -> None:
    assert [(clock.name, str(clock.length)) for clock in default().clocks if clock.confirmed] == [
        ("acknowledgement", "24 hours")
    ]


def test_no_external_dispute_body_is_named_or_promised() -> None:
    assert "do not name an external body" in default().rights.en
    assert "未指定" in default().rights.zh


def test_the_demonstration_has_the_same_clocks_in_seconds() -> None:
    demo = find_pack("demo", date(2026, 3, 2))
    assert "demonstration only" in demo.title
    assert {clock.length.unit for clock in demo.clocks} == {"seconds"}
    assert [
        (clock.name, clock.trigger, clock.satisfied_by, [(rung.name, rung.actions, rung.level) for rung in clock.rungs])
        for clock in demo.clocks
    ] == [
        (clock.name, clock.trigger, clock.satisfied_by, [(rung.name, rung.actions, rung.level) for rung in clock.rungs])
        for clock in default().clocks
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_feedback_is_asked_before_the_follow_up_window_closes(name: str) -> None:
    clocks = {
        action: clock for clock in load_packs()[name][0].clocks for rung in clock.rungs for action in rung.actions
    }
    feedback, window = clocks[Action.ASK_FEEDBACK].length, clocks[Action.CLOSE].length
    assert feedback.unit == window.unit
    assert feedback.count < window.count


# -- who may decide what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "by_rule", "approvers"),
    [
        ("200", True, "team_lead approver compliance_officer executive"),
        ("200.01", False, "team_lead approver compliance_officer executive"),
        ("1000.01", False, "approver compliance_officer executive"),
        ("10000.01", False, "compliance_officer executive"),
        ("100000.01", False, "executive"),
    ],
)
def test_the_larger_the_award_the_higher_who_approves_it(amount: str, by_rule: bool, approvers: str) -> None:
    decision, award = default().decision, Money(amount=Decimal(amount), currency="USD")
    assert decision.decided_by_rule(award) is by_rule
    assert [role.value for role in decision.approvers(award)] == approvers.split()


def test_an_award_in_a_currency_without_a_limit_is_for_the_executive() -> None:
    decision, award = default().decision, Money(amount=Decimal(1), currency="JPY")
    assert not decision.decided_by_rule(award)
    assert decision.approvers(award) == [Role.EXECUTIVE]


def test_a_category_of_no_team_goes_to_the_last_one() -> None:
    assert (default().team_for(Category.EXECUTION), default().team_for(Category.LENDING)) == (
        "dealing",
        "customer-care",
    )


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "put", "message"),
    [
        ('id = "platform-default"', "", "id: Field required"),
        ('version = "2026.1"', "version = 2026.1", "version: Input should be a valid string"),
        ('time_zone = "Asia/Hong_Kong"', 'time_zone = "Hong Kong"', "calendar.time_zone: unknown time zone"),
        ('country = "HK"', 'country = "Hong Kong"', "calendar.country: String should match"),
        ("length = { hours = 24 }", "length = { hours = -1 }", "clocks[acknowledgement].length.hours: "),
        (
            "length = { hours = 24 }",
            "length = { hours = 24, days = 1 }",
            "clocks[acknowledgement].length: give exactly",
        ),
        ("length = { hours = 24 }", "length = { fortnights = 1 }", "clocks[acknowledgement].length.fortnights: Extra"),
        ('satisfied_by = ["acknowledged"]', "satisfied_by = []", "clocks[acknowledgement].satisfied_by: "),
        ('trigger = "overdue_noted"', 'trigger = "overdue"', "clocks[overdue].trigger: Input should be 'received'"),
        ('name = "overdue"', 'name = "response"', "two clocks have the same name"),
        ('actions = ["warn"]', 'actions = ["bark"]', "clocks[acknowledgement].rungs[warning].actions[0]: "),
        ('name = "warning"', 'name = "due"', "clocks[acknowledgement]: clock acknowledgement: two rungs"),
        (", level = 1 }", " }", "clocks[acknowledgement].rungs[due]: rung due: escalate goes with a level"),
        (", level = 3 }", ", level = 4 }", "clock overdue, rung due: there is no escalation level 4"),
        (
            '{ name = "reminder", after_start = { days = 5 },',
            '{ name = "reminder", after_start = { days = 5 }, before = { days = 1 },',
            "clocks[information].rungs[reminder]: rung reminder: give before or after_start, not both",
        ),
        ('actions = ["stop_waiting"]', 'actions = ["warn"]', "no clock started by 'information_requested' has a rung"),
        ('actions = ["close"]', 'actions = ["warn"]', "no clock started by 'settled' has a rung with action 'close'"),
        ('actions = ["accept_silence"]', 'actions = ["warn"]', "no clock started by 'responded' has a rung"),
        ("rule_limits = { USD = 200", "rule_limits = { USD = -200", "decision.rule_limits.USD: "),
        ("rule_limits = { USD = 200", "rule_limits = { DLR = 200", "decision.rule_limits.DLR.[key]: unknown currency"),
        ('{ role = "executive" }', '{ role = "king" }', "decision.approval[3].role: "),
        ("[[escalation]]\nlevel = 1", "[[escalation]]\nlevel = 2", "escalation: levels must be 1, 2, 3"),
        ('execution = ["execution"]', 'execution = ["astrology"]', "checks.execution[0]: "),
        ('price = "0.30"', 'price = "a lot"', "tolerances.price: String should match"),
        ("[rights]", "[wrongs]", "rights: Field required"),
        ("effective_from = 2000-01-01", 'effective_from = "soon"', "effective_from: Input should be a valid date"),
        ("[calendar]", "[calendar", "not a TOML file"),
    ],
)
def test_a_pack_that_does_not_fit_is_refused_naming_file_and_field(
    tmp_path: Path, found: str, put: str, message: str
) -> None:
    assert found in PLAIN
    folder = in_folder(tmp_path, ours=PLAIN.replace(found, put, 1))
    with pytest.raises(PolicyError) as refused:
        load_packs(folder)
    assert str(refused.value).startswith("ours.toml: ")
    assert message in str(refused.value)


def test_every_field_that_does_not_fit_is_named_at_once(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, ours=PLAIN.replace("hours = 24", "hours = -24").replace('"HK"', '"hk"'))
    with pytest.raises(PolicyError, match=r"calendar\.country: .*; clocks\[acknowledgement\]\.length\.hours: "):
        load_packs(folder)


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policy pack"):
        load_packs(tmp_path)


# -- versions ----------------------------------------------------------------------------------------------------------


def two_versions(folder: Path, until: str = "2026-06-30") -> Path:
    old = PLAIN.replace("effective_from = 2000-01-01", f"effective_from = 2026-01-01\neffective_until = {until}")
    new = PLAIN.replace('"2026.1"', '"2026.2"').replace("effective_from = 2000-01-01", "effective_from = 2026-07-01")
    return in_folder(folder, a_new=new, b_old=old)


@pytest.mark.parametrize(("day", "version"), [(date(2026, 6, 30), "2026.1"), (date(2026, 7, 1), "2026.2")])
def test_the_version_in_force_on_the_day_counts(tmp_path: Path, day: date, version: str) -> None:
    assert find_pack("platform-default", day, load_packs(two_versions(tmp_path))).version == version


def test_the_day_of_an_instant_is_the_one_in_the_time_zone_of_the_pack(tmp_path: Path) -> None:
    packs = load_packs(two_versions(tmp_path))
    before, after = datetime(2026, 6, 30, 15, 59, tzinfo=UTC), datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    assert find_pack("platform-default", before, packs).version == "2026.1"
    assert find_pack("platform-default", after, packs).version == "2026.2"


def test_two_versions_in_force_on_one_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"2026\.1 and 2026\.2 are both in force on 2026-07-01; set effective_until"):
        load_packs(two_versions(tmp_path, until="2026-07-01"))


def test_an_unknown_pack_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UnknownPolicyPack, match=r"no pack 'platform'; there are demo, .*platform-default"):
        find_pack("platform", date(2026, 3, 2))


def test_a_day_before_every_version_is_refused_with_the_days_they_are_in_force(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownPolicyPack, match=r"2025-12-31; there are 2026\.1 from 2026-01-01 until 2026-06-30; 2026"
    ):
        find_pack("platform-default", date(2025, 12, 31), load_packs(two_versions(tmp_path)))


def test_the_hash_tells_content_not_spelling(tmp_path: Path) -> None:
    spaced = load_packs(in_folder(tmp_path, ours=PLAIN.replace(" = ", "  =  ")))["platform-default"][0]
    assert spaced.hash == default().hash
    changed = spaced.model_copy(update={"own_names": ("Example Bullion",)})
    assert changed.hash != default().hash


@pytest.mark.parametrize("name", SHIPPED)
def test_a_clock_that_closes_or_accepts_is_stopped_by_what_makes_it_wrong(name: str) -> None:
    clocks = {
        action: clock for clock in load_packs()[name][0].clocks for rung in clock.rungs for action in rung.actions
    }
    assert CaseEvent.REOPENED in clocks[Action.CLOSE].satisfied_by
    assert CaseEvent.REOPENED in clocks[Action.ASK_FEEDBACK].satisfied_by
    assert CaseEvent.ANSWERED in clocks[Action.ACCEPT_SILENCE].satisfied_by
    assert CaseEvent.RESPONDED in clocks[Action.STOP_WAITING].satisfied_by
