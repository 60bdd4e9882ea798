"""Policy packs: what is shipped can be used, and what cannot be used is refused with file and field."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.clocks.clock import Length
from domain.ground.words import Action, CaseEvent, Category, Role
from domain.money.amounts import Money
from domain.rules.policy import PolicyPack
from runtime.paths import POLICIES
from runtime.policies import (
    PolicyIncomplete,
    UnknownPolicyPack,
    calendars_in_use,
    find_pack,
    find_policy,
    load_packs,
    read_pack,
)
from runtime.shelf import PolicyError

SHIPPED = sorted(path.stem for path in POLICIES.glob("*.toml"))
NAMED = 'calendar = "hk"'
PLAIN = (
    (POLICIES / "platform-default.toml")
    .read_text(encoding="utf-8")
    .replace(NAMED, 'calendar = { time_zone = "Asia/Hong_Kong", country = "HK" }')
)


def in_folder(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content, encoding="utf-8")
    return folder


def default() -> PolicyPack:
    return find_pack("platform-default", date(2026, 3, 2))


# -- what is shipped ---------------------------------------------------------------------------------------------------


def test_the_default_pack_and_the_demonstration_are_shipped() -> None:
    assert {"platform-default", "demo"} <= set(load_packs())


def test_every_rule_book_that_is_promised_is_shipped() -> None:
    assert set(load_packs()) == {
        *("platform-default", "cn-banking", "hk-hkma", "uk-fca", "uk-fca-payments", "au-asic", "eu-mifid", "us-cfpb"),
        *("cy-cysec", "uk-fca-mifid", "eu-psd2", "demo"),
    }


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
    assert {clock.length and clock.length.unit for clock in demo.clocks} == {"seconds"}
    assert not any(clock.confirmed for clock in demo.clocks)
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
    assert feedback
    assert window
    assert feedback.at_least_days < window.at_least_days


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
    assert decision.within_limit(award) is by_rule
    assert [role.value for role in decision.approvers(award)] == approvers.split()


def test_an_award_in_a_currency_without_a_limit_is_for_the_executive() -> None:
    decision, award = default().decision, Money(amount=Decimal(1), currency="JPY")
    assert not decision.within_limit(award)
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
        (
            "length = { hours = 24 }",
            "length = { fortnights = 1 }",
            "clocks[acknowledgement].length: unknown unit fortnights; there are s",
        ),
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
        ('price = "1 spread"', 'price = "a lot"', "tolerances.price: String should match"),
        ("[rights]", "[wrongs]", "rights: Field required"),
        ("effective_from = 2000-01-01", 'effective_from = "soon"', "effective_from: Input should be a valid date"),
        (
            "effective_from = 2000-01-01",
            "effective_from = 2000-01-02\neffective_until = 2000-01-01",
            "effective_until: 2000-01-01 lies before effective_from, 2000-01-02",
        ),
        ("[decision]", "[decision", "not a TOML file"),
        ('country = "HK"', 'country = "ZZ"', "calendar.country: no holidays are known of 'ZZ'"),
        ("within = { days = 14 }", "within = { days = 14, weeks = 2 }", "routes[review].within: give exactly one"),
        ('must_name = ["reasons", "review"]', 'must_name = ["luck"]', "letters[final-response].must_name[0]: "),
        ("after_closing = { months = 60 }", "", "retention.after_closing: Field required"),
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
    with pytest.raises(UnknownPolicyPack, match=r"no pack 'platform'; there are au-asic, .*platform-default"):
        find_pack("platform", date(2026, 3, 2))


def test_a_day_before_every_version_is_refused_with_the_days_they_are_in_force(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownPolicyPack, match=r"2025-12-31; there are 2026\.1 from 2026-01-01 until 2026-06-30; 2026"
    ):
        find_pack("platform-default", date(2025, 12, 31), load_packs(two_versions(tmp_path)))


def test_the_hash_tells_content_not_spelling(tmp_path: Path) -> None:
    (tmp_path / "spaced").mkdir()
    plain = load_packs(in_folder(tmp_path, ours=PLAIN))["platform-default"][0]
    spaced = load_packs(in_folder(tmp_path / "spaced", ours=PLAIN.replace(" = ", "  =  ")))["platform-default"][0]
    assert spaced.hash == plain.hash
    changed = spaced.model_copy(update={"own_names": ("Example Bullion",)})
    assert changed.hash not in {spaced.hash, default().hash}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_clock_that_closes_or_accepts_is_stopped_by_what_makes_it_wrong(name: str) -> None:
    clocks = {
        action: clock for clock in load_packs()[name][0].clocks for rung in clock.rungs for action in rung.actions
    }
    assert CaseEvent.REOPENED in clocks[Action.CLOSE].satisfied_by
    assert CaseEvent.REOPENED in clocks[Action.ASK_FEEDBACK].satisfied_by
    assert CaseEvent.ANSWERED in clocks[Action.ACCEPT_SILENCE].satisfied_by
    assert CaseEvent.RESPONDED in clocks[Action.STOP_WAITING].satisfied_by


# -- calendars by name -------------------------------------------------------------------------------------------------

CALENDAR = """
id = "hk"
time_zone = "Asia/Hong_Kong"
country = "HK"
verified_until = 2027-12-31
closures = [{ day = 2026-06-01, why = "Moving house" }]
"""


def with_calendar(folder: Path, content: str = CALENDAR) -> Path:
    (folder / "calendars").mkdir(exist_ok=True)
    return in_folder(folder / "calendars", hk=content).parent


def test_a_calendar_named_in_a_pack_is_pinned_with_it_whole(tmp_path: Path) -> None:
    plain = (POLICIES / "platform-default.toml").read_text(encoding="utf-8")
    (pack,) = load_packs(in_folder(with_calendar(tmp_path), ours=plain))["platform-default"]
    assert (pack.calendar.id, pack.calendar.verified_until) == ("hk", date(2027, 12, 31))
    assert [closure.why for closure in pack.calendar.closures] == ["Moving house"]
    assert PolicyPack.model_validate_json(pack.model_dump_json()).calendar == pack.calendar


def test_an_unknown_calendar_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    folder = in_folder(with_calendar(tmp_path), ours=PLAIN.replace("calendar = {", 'calendar = "macau" # {'))
    with pytest.raises(PolicyError, match=r"^ours\.toml: calendar: there is no calendar 'macau'; there are hk$"):
        load_packs(folder)


def test_a_calendar_that_does_not_fit_is_told_as_such(tmp_path: Path) -> None:
    folder = in_folder(with_calendar(tmp_path, CALENDAR.replace("Asia/", "")), ours=PLAIN)
    with pytest.raises(PolicyError, match=r"^calendars/hk\.toml: time_zone: unknown time zone"):
        load_packs(folder)


# -- a pack that extends another ---------------------------------------------------------------------------------------

OURS = """
id = "ours"
version = "1"
title = "Ours"
effective_from = 2026-01-01
extends = "platform-default"
"""


def extended(folder: Path, more: str, base: str = PLAIN) -> PolicyPack:
    return load_packs(in_folder(folder, base=base, ours=OURS + more))["ours"][0]


def refused(folder: Path, more: str, base: str = PLAIN) -> str:
    with pytest.raises(PolicyError) as error:
        extended(folder, more, base)
    return str(error.value)


def test_a_pack_that_says_nothing_more_is_the_one_it_extends_under_its_own_name(tmp_path: Path) -> None:
    ours = extended(tmp_path, "")
    (base,) = load_packs(tmp_path)["platform-default"]
    named = {"id": "ours", "version": "1", "title": "Ours", "effective_from": date(2026, 1, 1)}
    assert ours == base.model_copy(update=named)


def test_when_a_pack_ends_is_not_inherited(tmp_path: Path) -> None:
    base = PLAIN.replace("effective_from = 2000-01-01", "effective_from = 2000-01-01\neffective_until = 2026-06-30")
    assert extended(tmp_path, "", base).effective_until is None


def test_a_version_and_a_title_are_not_inherited(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, base=PLAIN, ours='id = "ours"\nextends = "platform-default"')
    with pytest.raises(PolicyError, match=r"^ours\.toml: version: .*; title: .*; effective_from: Field required$"):
        load_packs(folder)


def test_a_named_clock_is_changed_in_what_is_said_and_kept_in_the_rest(tmp_path: Path) -> None:
    ours = extended(tmp_path, '[[clocks]]\nname = "response"\nlength = { days = 14 }\nsource = "Our board"')
    theirs = default().clock("response")
    assert ours.clock("response") == theirs.model_copy(update={"length": Length(days=14), "source": "Our board"})
    assert [clock.name for clock in ours.clocks] == [clock.name for clock in default().clocks]


def test_a_clock_of_another_name_comes_on_top(tmp_path: Path) -> None:
    ours = extended(
        tmp_path,
        """
        [[clocks]]
        name = "call-back"
        kind = "internal"
        trigger = "received"
        length = { hours = 4 }
        satisfied_by = ["contacted"]
        source = "Our board"
        confirmed = true
        rungs = [{ name = "due", actions = ["warn"] }]
        """,
    )
    assert [clock.name for clock in ours.clocks] == [*(clock.name for clock in default().clocks), "call-back"]


def test_the_same_clock_said_twice_is_refused(tmp_path: Path) -> None:
    twice = '[[clocks]]\nname = "response"\nlength = { days = 14 }\n'
    assert "clocks[response].kind: Field required" in refused(tmp_path, twice + twice)


def test_tables_are_laid_over_key_by_key_and_values_taken_whole(tmp_path: Path) -> None:
    ours = extended(tmp_path, "[tolerances]\nlatency_ms = 500\n[decision]\nrule_limits = { EUR = 50 }")
    assert (ours.tolerances.latency_ms, ours.tolerances.price) == (500, default().tolerances.price)
    assert ours.decision.rule_limits == {"EUR": Decimal(50)}
    assert ours.decision.approval == default().decision.approval


def test_a_text_must_be_given_again_in_both_languages(tmp_path: Path) -> None:
    assert refused(tmp_path, '[rights]\nen = "Ask us again."').endswith("ours.toml: rights.zh: Field required")


def test_a_list_without_names_takes_the_place_of_the_one_inherited(tmp_path: Path) -> None:
    ours = extended(tmp_path, '[[escalation]]\nlevel = 1\nrole = "executive"\n' + LOWER)
    assert [step.role for step in ours.escalation] == [Role.EXECUTIVE]


OUTSIDE = ("referral-file", "referral-decision")
LOWER = "".join(
    f"""
[[clocks]]
name = "{name}"
rungs = [{{ name = "due", actions = ["breach", "escalate"], level = 1 }}]
"""
    for name in ("response", "overdue", "after-holding", "reconsideration", "reopened", "payment", "remedy", *OUTSIDE)
)


def test_a_team_of_ones_own_goes_before_those_inherited_so_that_the_last_stays_the_last(tmp_path: Path) -> None:
    ours = extended(tmp_path, '[[teams]]\nname = "cards"\ncategories = ["card", "execution"]')
    assert (ours.team_for(Category.EXECUTION), ours.team_for(Category.OTHER)) == ("cards", "customer-care")


def test_what_is_left_out_is_not_inherited(tmp_path: Path) -> None:
    ours = extended(tmp_path, 'without = { clocks = ["progress"], routes = ["review"] }')
    assert {clock.name for clock in default().clocks} - {clock.name for clock in ours.clocks} == {"progress"}
    assert ours.routes == ()


def test_a_clock_left_out_and_said_again_inherits_nothing(tmp_path: Path) -> None:
    again = 'without = { clocks = ["progress"] }\n[[clocks]]\nname = "progress"\nlength = { days = 1 }'
    assert "clocks[progress].trigger: Field required" in refused(tmp_path, again)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('without = { clocks = ["tick"] }', "without.clocks: there is no 'tick' in platform-default; there are ack"),
        (
            'without = { interest = ["late"] }',
            "without.interest: there is no 'late' in platform-default; there are none",
        ),
        ('without = { checks = ["execution"] }', "without.checks: there are clocks, letters, routes, teams, interest"),
        ('without = ["progress"]', 'without: name what is left out by list, such as { clocks = ["progress"] }'),
        ('[[routes]]\nname = "review"\nwithin = { days = -1 }', "routes[review].within.days: Input should be greater"),
    ],
)
def test_what_does_not_fit_over_the_other_pack_is_refused_naming_file_and_field(
    tmp_path: Path, more: str, message: str
) -> None:
    assert refused(tmp_path, more).startswith(f"ours.toml: {message}")


def test_a_pack_that_is_not_there_cannot_be_extended(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, base=PLAIN, ours=OURS.replace('extends = "platform-default"', 'extends = "uk"'))
    with pytest.raises(PolicyError, match=r"^ours\.toml: extends: there is no other pack 'uk'; there are platform-def"):
        load_packs(folder)


def test_without_a_pack_to_extend_there_is_nothing_to_leave_out(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, ours=PLAIN.replace("own_names", 'without = { clocks = ["progress"] }\nown_names', 1))
    with pytest.raises(PolicyError, match=r"^ours\.toml: without: .* it goes with extends$"):
        load_packs(folder)


def test_packs_that_extend_each_other_are_refused_with_the_way_round(tmp_path: Path) -> None:
    folder = in_folder(
        tmp_path,
        a=OURS.replace('"ours"', '"a"').replace('"platform-default"', '"b"'),
        b=OURS.replace('"ours"', '"b"').replace('"platform-default"', '"a"'),
    )
    with pytest.raises(
        PolicyError, match=r"extends: a pack cannot extend itself: a\.toml extends b\.toml extends a\.t"
    ):
        load_packs(folder)


def test_a_mistake_in_the_extended_pack_is_told_with_its_own_file(tmp_path: Path) -> None:
    assert refused(tmp_path, "", PLAIN.replace("hours = 24", "hours = -24")).startswith("base.toml: clocks[ack")


def test_extending_goes_on_to_any_depth(tmp_path: Path) -> None:
    theirs = OURS + '[[clocks]]\nname = "response"\nlength = { days = 14 }'
    branch = OURS.replace('"ours"', '"branch"').replace('"platform-default"', '"ours"')
    packs = load_packs(in_folder(tmp_path, z=PLAIN, m=theirs, a=branch + "[tolerances]\nlatency_ms = 500"))
    (pack,) = packs["branch"]
    assert (pack.clock("response").length, pack.tolerances.latency_ms) == (Length(days=14), 500)


@pytest.mark.parametrize(("since", "version"), [("2026-06-30", "10"), ("2026-07-01", "20"), ("2027-01-01", "20")])
def test_of_several_versions_the_newest_that_began_no_later_is_extended(
    tmp_path: Path, since: str, version: str
) -> None:
    new = PLAIN.replace("business_days = 10", "business_days = 20").replace('"2026.1"', '"2026.2"')
    old = PLAIN.replace("effective_from = 2000-01-01", "effective_from = 2000-01-01\neffective_until = 2026-06-30")
    new = new.replace("effective_from = 2000-01-01", "effective_from = 2026-07-01")
    ours = OURS.replace("effective_from = 2026-01-01", f"effective_from = {since}")
    (pack,) = load_packs(in_folder(tmp_path, new=new, old=old, ours=ours))["ours"]
    assert str(pack.clock("response").length) == f"{version} business days"


def test_a_pack_cannot_extend_one_that_only_begins_later(tmp_path: Path) -> None:
    later = PLAIN.replace("effective_from = 2000-01-01", "effective_from = 2026-01-02")
    assert "extends: platform-default begins on 2026-01-02 only, after this pack" in refused(tmp_path, "", later)


def test_a_new_version_may_extend_the_one_before(tmp_path: Path) -> None:
    old = PLAIN.replace("effective_from = 2000-01-01", "effective_from = 2000-01-01\neffective_until = 2025-12-31")
    new = OURS.replace('"ours"', '"platform-default"') + '[[clocks]]\nname = "response"\nlength = { days = 14 }'
    packs = load_packs(in_folder(tmp_path, new=new, old=old))
    assert find_pack("platform-default", date(2026, 1, 1), packs).clock("response").length == Length(days=14)


def test_closures_of_ones_own_are_added_to_those_of_the_calendar_which_then_is_the_packs(tmp_path: Path) -> None:
    base = PLAIN.replace("calendar = {", 'calendar = "hk" # {')
    more = 'closures = [{ day = 2026-12-24, until = 2026-12-31, why = "Closed" }, { day = 2026-06-01, why = "Moved" }]'
    ours = extended(with_calendar(tmp_path), f"[calendar]\n{more}", base)
    assert [(closure.day.isoformat(), closure.why) for closure in ours.calendar.closures] == [
        ("2026-06-01", "Moved"),
        ("2026-12-24", "Closed"),
    ]
    assert ours.calendar.verified_until == date(2027, 12, 31)
    assert set(calendars_in_use(load_packs(tmp_path))) == {"hk", "ours"}


# -- a folder of the firm's own ----------------------------------------------------------------------------------------


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(tmp_path))
    return tmp_path


def test_packs_of_the_firms_own_folder_are_known_beside_those_that_are_shipped(own_folder: Path) -> None:
    in_folder(own_folder, ours=OURS)
    assert set(load_packs()) == {*SHIPPED, "ours"}
    assert find_pack("ours", date(2026, 3, 2)).clocks == default().clocks


def test_a_calendar_of_the_firms_own_takes_the_place_of_the_shipped_one(own_folder: Path) -> None:
    with_calendar(own_folder)
    assert [closure.why for closure in default().calendar.closures] == ["Moving house"]


def test_a_pack_of_the_firms_own_cannot_hold_beside_a_shipped_one_of_the_same_name(own_folder: Path) -> None:
    in_folder(own_folder, platform=OURS.replace('"ours"', '"platform-default"'))
    with pytest.raises(PolicyError, match=r"versions 2026\.1 and 1 are both in force on 2026-01-01"):
        load_packs()


def test_a_file_is_read_wherever_it_lies(tmp_path: Path) -> None:
    path = in_folder(with_calendar(tmp_path), ours=OURS) / "ours.toml"
    pack = read_pack(path).pack
    assert (pack.id, pack.calendar.closures[0].why) == ("ours", "Moving house")
    assert read_pack(POLICIES / "demo.toml").pack == load_packs()["demo"][0]
    with pytest.raises(PolicyError, match=r"theirs\.toml: cannot be read"):
        read_pack(tmp_path / "theirs.toml")


# -- the rules of a case -----------------------------------------------------------------------------------------------


def test_one_pack_alone_stays_itself() -> None:
    assert find_policy(["platform-default"], date(2026, 3, 2)) == default()


def test_several_packs_become_one_that_names_its_parts() -> None:
    both = find_policy(["hk-hkma", "platform-default"], date(2026, 3, 2))
    assert both.id == "hk-hkma/platform-default"
    assert [part.hash for part in both.parts] == [
        load_packs()[name][0].hash for name in ("hk-hkma", "platform-default")
    ]


def test_a_pack_that_leaves_something_to_the_firm_is_read_but_not_used() -> None:
    day = date(2026, 3, 2)
    assert find_pack("eu-mifid", day).demands == ["clocks[response].length"]
    for names in (["eu-mifid"], ["platform-default", "eu-mifid"]):
        with pytest.raises(PolicyIncomplete, match=r'eu-mifid 2026\.1 .* clocks\[response\]\.length; .* = "eu-mifid" '):
            find_policy(names, day)


def test_a_pack_of_the_firms_own_sets_what_was_left_to_it(own_folder: Path) -> None:
    length = '[[clocks]]\nname = "response"\nlength = { business_days = 15 }\nsource = "Our board"\nconfirmed = true'
    in_folder(own_folder, ours=OURS.replace("platform-default", "eu-mifid") + length)
    pack = find_policy(["ours"], date(2026, 3, 2))
    assert pack.demands == []
    assert (pack.clock("response").length, pack.clock("response").kind) == (Length(business_days=15), "statutory")


def test_a_pack_named_twice_or_none_at_all_is_refused() -> None:
    for names in (["demo", "demo"], []):
        with pytest.raises(ValueError, match=r"twice|not enough"):
            find_policy(names, date(2026, 3, 2))
