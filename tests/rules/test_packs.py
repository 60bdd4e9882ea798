"""The shipped policy packs, read as a specification: due dates by hand, sources and marks, letters and their ways."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.clocks.clock import Clock
from domain.clocks.deadlines import Deadline, Occurred
from domain.clocks.planning import plan, replay
from domain.ground.bilingual import Bilingual
from domain.ground.scope import Facts, Sourced
from domain.ground.words import Action, CaseEvent, Category, Complexity, Element, LetterKind, Matter, Role, RouteKind
from domain.rules.policy import PolicyPack
from runtime.paths import POLICIES, ROOT
from runtime.policies import UnknownPolicyPack, find_pack, find_policy, load_packs

DAY = date(2026, 3, 2)
SHIPPED = sorted(load_packs())
LEFT_TO_THE_FIRM = {"eu-mifid", "eu-psd2"}
REAL = [name for name in SHIPPED if name not in {"demo", "platform-default"}]

ORDINARY = Facts(category=Category.EXECUTION)
COMPLEX = Facts(category=Category.EXECUTION, complexity=Complexity.COMPLEX)
PAYMENT = Facts(category=Category.PAYMENT)
HARDSHIP = Facts(category=Category.HARDSHIP)
DEFAULTED = Facts(category=Category.LENDING, matters=(Matter.DEFAULT_NOTICE,))
ENFORCED = Facts(category=Category.DEBT_COLLECTION, complexity=Complexity.COMPLEX, matters=(Matter.ENFORCEMENT,))
SUPER = Facts(category=Category.SERVICE, product="MySuper superannuation account")


@pytest.fixture
def eu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PolicyPack:
    """What a firm makes of eu-mifid."""
    (tmp_path / "our-eu.toml").write_text(
        """
        id = "our-eu"
        version = "1"
        title = "Ours"
        effective_from = 2026-01-01
        extends = "eu-mifid"
        [[clocks]]
        name = "response"
        length = { business_days = 15 }
        source = "Our board"
        confirmed = true
        """,
        encoding="utf-8",
    )
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(tmp_path))
    return find_policy(["our-eu"], DAY)


def planned(pack: PolicyPack, trigger: str, facts: Facts = ORDINARY, event: CaseEvent = CaseEvent.RECEIVED) -> Any:
    """The rungs of the clocks that *event* starts, by clock and rung. *trigger* is a local time of the pack."""
    moment = datetime.fromisoformat(trigger).replace(tzinfo=pack.calendar.zone)
    rungs = plan(pack, Occurred(event=event, at=moment, number=1), facts)
    return {f"{rung.clock}/{rung.rung}": rung for rung in rungs}


def local(pack: PolicyPack, moment: datetime) -> str:
    return f"{moment.astimezone(pack.calendar.zone):%a %Y-%m-%d %H:%M:%S}"


def ends(pack: PolicyPack, clock: str, rungs: dict[str, Deadline]) -> str:
    (end,) = {rung.clock_due for rung in rungs.values() if rung.clock == clock}
    return local(pack, end)


# -- when things are due -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack_id", "received", "facts", "clock", "due"),
    [
        # The custom of platforms: 24 hours, over a weekend too.
        ("platform-default", "2026-03-06 18:00", ORDINARY, "acknowledgement", "Sat 2026-03-07 18:00:00"),
        # 10 business days in Hong Kong: 30 and 31 March, 1 and 2 April; 3 April Good Friday, 4 April the day after it,
        # 6 April for Ching Ming, 7 April for Easter Monday; 8 to 10 April, 13 to 15 April.
        ("platform-default", "2026-03-27 10:00", ORDINARY, "response", "Wed 2026-04-15 23:59:59"),
        # 15 days, 30 where complex: calendar days, whatever the Spring Festival (15 to 23 February).
        ("cn-banking", "2026-02-10 09:00", ORDINARY, "response", "Wed 2026-02-25 23:59:59"),
        ("cn-banking", "2026-02-10 09:00", COMPLEX, "response", "Thu 2026-03-12 23:59:59"),
        ("cn-banking", "2026-12-20 23:30", ORDINARY, "response", "Mon 2027-01-04 23:59:59"),
        ("hk-hkma", "2026-02-16 10:00", ORDINARY, "acknowledgement", "Mon 2026-02-23 23:59:59"),
        ("hk-hkma", "2026-02-16 10:00", ORDINARY, "response", "Wed 2026-03-18 23:59:59"),
        # 8 weeks: 56 days; from March into British Summer Time.
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "eight-weeks", "Mon 2026-04-27 23:59:59"),
        ("uk-fca", "2026-12-23 16:00", ORDINARY, "eight-weeks", "Wed 2027-02-17 23:59:59"),
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "acknowledgement", "Mon 2026-03-09 23:59:59"),
        # 24, 29, 30, 31 December, 4 January: 25 Christmas Day, 28 for Boxing Day on a Saturday, 1 New Year's Day.
        ("uk-fca", "2026-12-23 16:00", ORDINARY, "acknowledgement", "Mon 2027-01-04 23:59:59"),
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "response", "Mon 2026-03-30 23:59:59"),
        # 31 March, 1 and 2 April; 3 April Good Friday, 6 April Easter Monday; 7 to 10, 13 to 17, 20 to 22 April.
        ("uk-fca-payments", "2026-03-30 10:00", PAYMENT, "fifteen-days", "Wed 2026-04-22 23:59:59"),
        # On: 23 and 24, 27 to 30 April, 1 May: 22; 4 May bank holiday; 5 to 8, 11 to 15: 31; 18 to 21 May: 35.
        ("uk-fca-payments", "2026-03-30 10:00", PAYMENT, "thirty-five-days", "Thu 2026-05-21 23:59:59"),
        ("uk-fca-payments", "2026-03-30 10:00", PAYMENT, "response", "Wed 2026-04-15 23:59:59"),
        # Friday before Australia Day: the next business day is Tuesday, the 24 hours are over on Saturday.
        ("au-asic", "2026-01-23 17:00", ORDINARY, "acknowledgement", "Tue 2026-01-27 23:59:59"),
        ("au-asic", "2026-01-23 17:00", ORDINARY, "acknowledgement-24-hours", "Sat 2026-01-24 17:00:00"),
        ("au-asic", "2026-01-23 17:00", ORDINARY, "idr-response", "Sun 2026-02-22 23:59:59"),
        ("au-asic", "2026-01-23 17:00", HARDSHIP, "idr-response", "Fri 2026-02-13 23:59:59"),
        ("au-asic", "2026-01-23 17:00", DEFAULTED, "idr-response", "Fri 2026-02-13 23:59:59"),
        ("au-asic", "2026-01-23 17:00", ENFORCED, "idr-response", "Fri 2026-02-13 23:59:59"),
        ("au-asic", "2026-01-23 17:00", SUPER, "idr-response", "Mon 2026-03-09 23:59:59"),
        ("au-asic", "2026-03-20 09:00", ORDINARY, "idr-response", "Sun 2026-04-19 23:59:59"),
        ("us-cfpb", "2026-11-20 15:00", ORDINARY, "fifteen-days", "Sat 2026-12-05 23:59:59"),
        # Calendar days and months; the last day of a shorter month stands for a day that it does not have.
        ("cy-cysec", "2026-03-27 18:00", ORDINARY, "acknowledgement", "Wed 2026-04-01 23:59:59"),
        ("cy-cysec", "2026-03-27 18:00", ORDINARY, "response", "Wed 2026-05-27 23:59:59"),
        ("cy-cysec", "2026-12-31 23:30", ORDINARY, "response", "Sun 2027-02-28 23:59:59"),
        ("uk-fca-mifid", "2026-03-02 10:00", ORDINARY, "eight-weeks", "Mon 2026-04-27 23:59:59"),
        # 13, 16, 18 to 20 March (17 St Patrick's Day), 23 to 27, 30 and 31 March, 1 to 3 April.
        ("eu-psd2", "2026-03-12 10:00", PAYMENT, "fifteen-days", "Fri 2026-04-03 23:59:59"),
        ("us-cfpb", "2026-11-20 15:00", ORDINARY, "sixty-days", "Tue 2027-01-19 23:59:59"),
    ],
)
def test_what_runs_from_receipt_is_due_as_counted_by_hand(
    pack_id: str, received: str, facts: Facts, clock: str, due: str
) -> None:
    pack = find_pack(pack_id, DAY)
    assert ends(pack, clock, planned(pack, received, facts)) == due


def test_what_the_firm_sets_for_the_union_is_counted_in_the_calendar_of_its_member_state(eu: PolicyPack) -> None:
    # 13, 16, 18 (17 St Patrick's Day), 19, 20, 23 to 27, 30 and 31 March, 1 to 3 April: Good Friday is worked.
    assert ends(eu, "response", planned(eu, "2026-03-12 10:00")) == "Fri 2026-04-03 23:59:59"


@pytest.mark.parametrize(
    ("pack_id", "event", "happened", "clock", "due"),
    [
        # 核查 runs from the dispute, not from the decision.
        ("cn-banking", CaseEvent.DISPUTED, "2026-03-20 10:00", "review", "Sun 2026-04-19 23:59:59"),
        ("cn-banking", CaseEvent.RESPONDED, "2026-03-20 10:00", "acceptance", "Sun 2026-04-19 23:59:59"),
        # 12, 13 and (a Saturday worked) 14 February, then 24 and 25, after the Spring Festival.
        ("cn-banking", CaseEvent.CONTACTED, "2026-02-11 10:00", "progress", "Wed 2026-02-25 23:59:59"),
        ("uk-fca", CaseEvent.RESPONDED, "2026-03-20 10:00", "acceptance", "Fri 2026-04-17 23:59:59"),
        ("uk-fca", CaseEvent.SETTLED, "2026-08-31 10:00", "follow-up", "Sun 2027-02-28 23:59:59"),
        ("hk-hkma", CaseEvent.RESPONDED, "2026-03-20 10:00", "acceptance", "Fri 2026-04-03 23:59:59"),
    ],
)
def test_what_runs_from_another_event_is_due_as_counted_by_hand(
    pack_id: str, event: CaseEvent, happened: str, clock: str, due: str
) -> None:
    pack = find_pack(pack_id, DAY)
    assert ends(pack, clock, planned(pack, happened, event=event)) == due


@pytest.mark.parametrize(
    ("pack_id", "received", "facts", "rung", "due"),
    [
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "eight-weeks/letter", "Thu 2026-04-23 10:00:00"),
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "eight-weeks/escalation", "Mon 2026-04-20 09:00:00"),
        ("uk-fca", "2026-03-02 10:00", ORDINARY, "eight-weeks/warning", "Mon 2026-04-13 09:00:00"),
        ("uk-fca-payments", "2026-03-30 10:00", PAYMENT, "fifteen-days/letter", "Tue 2026-04-21 10:00:00"),
        ("au-asic", "2026-01-23 17:00", ORDINARY, "idr-response/letter", "Thu 2026-02-19 10:00:00"),
        ("au-asic", "2026-01-23 17:00", HARDSHIP, "idr-response/letter", "Wed 2026-02-11 10:00:00"),
        ("us-cfpb", "2026-11-20 15:00", ORDINARY, "fifteen-days/letter", "Thu 2026-12-03 10:00:00"),
        # The 23rd is the last day off at Chinese New Year; the working Saturday is the business day before.
        ("cn-banking", "2026-02-10 09:00", ORDINARY, "response/escalation", "Sat 2026-02-14 09:00:00"),
    ],
)
def test_warnings_and_holding_letters_come_before_the_end(
    pack_id: str, received: str, facts: Facts, rung: str, due: str
) -> None:
    pack = find_pack(pack_id, DAY)
    assert local(pack, planned(pack, received, facts)[rung].due) == due


@pytest.mark.parametrize(
    ("pack_id", "received", "until"),
    [
        # By close of business, not by midnight.
        ("uk-fca", "2026-03-02 10:00", "Thu 2026-03-05 17:00:00"),
        ("uk-fca", "2026-12-23 16:00", "Wed 2026-12-30 17:00:00"),
        ("uk-fca", "2026-03-25 10:00", "Mon 2026-03-30 17:00:00"),  # in British Summer Time since the 29th
        ("uk-fca-payments", "2026-04-02 10:00", "Thu 2026-04-09 17:00:00"),
        ("au-asic", "2026-01-23 17:00", "Mon 2026-02-02 23:59:59"),
    ],
)
def test_a_complaint_may_end_early_until_as_counted_by_hand(pack_id: str, received: str, until: str) -> None:
    pack = find_pack(pack_id, DAY)
    end = pack.early_until(datetime.fromisoformat(received).replace(tzinfo=pack.calendar.zone))
    assert end
    assert local(pack, end) == until


def test_hardship_and_default_are_owed_a_full_answer_in_australia_however_early_they_are_settled() -> None:
    early = find_pack("au-asic", DAY).early_closure
    assert early
    assert [early.bars(facts) for facts in (HARDSHIP, DEFAULTED, ENFORCED, ORDINARY)] == [True, True, True, False]
    both = find_policy(["uk-fca", "au-asic"], DAY).early_closure
    assert both
    assert [both.bars(facts) for facts in (HARDSHIP, DEFAULTED, ENFORCED, ORDINARY)] == [True, True, True, False]


@pytest.mark.parametrize("pack_id", [name for name in SHIPPED if name not in {"uk-fca", "uk-fca-payments", "au-asic"}])
def test_where_no_rule_lets_a_complaint_end_early_none_does(pack_id: str) -> None:
    assert find_pack(pack_id, DAY).early_closure is None


def test_the_extensions_are_those_of_the_rules() -> None:
    told = {
        (name, clock.name, extension.name): (str(extension.by or extension.to), extension.at_most, extension.approval)
        for name in SHIPPED
        for clock in find_pack(name, DAY).clocks
        for extension in clock.extensions
    }
    senior = (Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
    assert told == {
        ("cn-banking", "response", "complex"): ("30 days", 1, (Role.TEAM_LEAD, Role.APPROVER, *senior)),
        ("cn-banking", "response", "special"): ("30 days", 1, (Role.EXECUTIVE,)),
        ("hk-hkma", "response", "sixty-days"): ("60 days", 1, senior),
        ("uk-fca-payments", "fifteen-days", "exceptional"): ("35 business days", 1, senior),
        ("au-asic", "idr-response", "delay"): ("30 days", 1, senior),
        ("cy-cysec", "response", "three-months"): ("3 months", 1, senior),
        ("eu-psd2", "fifteen-days", "exceptional"): ("35 business days", 1, senior),
    }
    assert find_pack("cn-banking", DAY).clock("response").extensions[1].by
    assert find_pack("hk-hkma", DAY).clock("response").extensions[0].to


@pytest.mark.parametrize(
    ("pack_id", "clock", "extension", "circumstances", "until"),
    [
        ("uk-fca-payments", "fifteen-days", "exceptional", "beyond_control", "Thu 2026-05-21 23:59:59"),
        ("au-asic", "idr-response", "delay", "beyond_control especially_complex", "Fri 2026-05-29 23:59:59"),
    ],
)
def test_the_letter_that_goes_out_by_itself_keeps_no_limit_whose_extension_needs_a_reason(
    pack_id: str, clock: str, extension: str, circumstances: str, until: str
) -> None:
    pack = find_pack(pack_id, DAY)
    (rule,) = pack.clock(clock).extensions
    assert " ".join(one.value for one in rule.circumstances) == circumstances
    start = datetime.fromisoformat("2026-03-30 10:00").replace(tzinfo=pack.calendar.zone)
    received = Occurred(event=CaseEvent.RECEIVED, at=start, number=1, facts=PAYMENT)
    (letter,) = {rung.letter for rung in pack.clock(clock).rungs if rung.letter}
    held = Occurred(event=CaseEvent.HELD, at=start + timedelta(days=9), number=2, letter=letter)
    (running,) = [one for one in replay(pack, [received, held]) if one.clock == clock]
    assert running.ended is None
    granted = {"clock": clock, "extension": extension}
    told = Occurred(event=CaseEvent.EXTENDED, at=start + timedelta(days=10), number=3, **granted)
    before, after = [one for one in replay(pack, [received, held, told]) if one.clock == clock]
    assert (before.ended and before.ended.replaced, after.ended) == (True, None)
    assert local(pack, after.clock_due) == until


def test_no_clock_of_a_shipped_pack_is_kept_by_a_letter_where_the_rule_asks_for_a_reason() -> None:
    for name in SHIPPED:
        for clock in find_pack(name, DAY).clocks:
            exceptional = any(extension.circumstances for extension in clock.extensions)
            assert not (exceptional and CaseEvent.HELD in clock.satisfied_by)


@pytest.mark.parametrize(
    ("pack_id", "day_before"),
    [("au-asic", "2021-10-04"), ("cn-banking", "2020-02-29"), ("uk-fca-payments", "2018-01-12")],
)
def test_a_complaint_from_before_a_rule_book_is_refused_with_the_day_it_begins(pack_id: str, day_before: str) -> None:
    before = date.fromisoformat(day_before)
    first = before + timedelta(days=1)
    assert find_pack(pack_id, first).effective_from == first
    with pytest.raises(UnknownPolicyPack, match=rf"no version of {pack_id} is in force on {before}.* from {first}"):
        find_pack(pack_id, before)


# -- what keeps a case going -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_until_the_final_response_there_is_always_a_day_on_which_it_can_be_expected(pack_id: str) -> None:
    clocks = find_pack(pack_id, DAY).clocks
    for event in (CaseEvent.RECEIVED, CaseEvent.OVERDUE_NOTED, CaseEvent.ANSWERED, CaseEvent.REOPENED):
        assert any(
            clock.trigger is event
            and CaseEvent.RESPONDED in clock.satisfied_by
            and CaseEvent.HELD not in clock.satisfied_by
            for clock in clocks
        ), event


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_what_a_holding_letter_satisfies_has_one_that_goes_out_by_itself_before_it_is_due(pack_id: str) -> None:
    pack = find_pack(pack_id, DAY)
    held = [clock for clock in pack.clocks if CaseEvent.HELD in clock.satisfied_by]
    rungs = planned(pack, "2026-03-02 10:00", PAYMENT) if held else {}
    for clock in held:
        (rung,) = (rung for rung in clock.rungs if Action.HOLDING_LETTER in rung.actions)
        (rule,) = pack.letter_rules(LetterKind.HOLDING, rung.letter)
        assert rule.text
        assert Element.EXPECTED_DATE in rule.must_name
        letter = rungs[f"{clock.name}/{rung.name}"]
        assert letter.due < letter.clock_due


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_every_statutory_limit_warns_before_its_end_and_records_a_breach_at_it(pack_id: str) -> None:
    for clock in find_pack(pack_id, DAY).clocks:
        if clock.kind == "statutory":
            assert clock.rungs[0].actions == (Action.WARN,)
            assert clock.rungs[0].before
            assert Action.BREACH in clock.rungs[-1].actions
            assert clock.rungs[-1].before is clock.rungs[-1].after_start is None


@pytest.mark.parametrize("pack_id", REAL)
def test_a_rule_book_has_a_statutory_limit_for_the_answer_and_never_pauses_it(pack_id: str) -> None:
    statutory = [clock for clock in find_pack(pack_id, DAY).clocks if clock.kind == "statutory"]
    assert any(clock.trigger is CaseEvent.RECEIVED and CaseEvent.RESPONDED in clock.satisfied_by for clock in statutory)
    assert not any(clock.pauses for clock in statutory)


@pytest.mark.parametrize("pack_id", ["uk-fca", "uk-fca-payments", "uk-fca-mifid"])
def test_the_file_stays_open_as_long_as_the_customer_may_go_to_the_ombudsman(pack_id: str) -> None:
    pack = find_pack(pack_id, DAY)
    (ombudsman,) = (route for route in pack.routes if route.kind is RouteKind.OMBUDSMAN)
    assert pack.clock("follow-up").length == ombudsman.within


def test_in_china_silence_counts_only_when_the_time_to_ask_for_a_review_is_over() -> None:
    pack = find_pack("cn-banking", DAY)
    assert pack.clock("acceptance").length == next(route for route in pack.routes if route.name == "review").within


# -- what letters must name --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack_id", "kind", "elements"),
    [
        ("platform-default", LetterKind.ACKNOWLEDGEMENT, "timetable expected_date"),
        ("platform-default", LetterKind.FINAL_RESPONSE, "reasons review"),
        ("cn-banking", LetterKind.FINAL_RESPONSE, "reasons review mediation arbitration litigation"),
        ("cn-banking", LetterKind.EXTENSION, "reasons expected_date"),
        ("hk-hkma", LetterKind.FINAL_RESPONSE, "reasons review mediation"),
        ("uk-fca", LetterKind.ACKNOWLEDGEMENT, "timetable"),
        ("uk-fca", LetterKind.HOLDING, "expected_date ombudsman"),
        ("uk-fca", LetterKind.SUMMARY_RESOLUTION, "ombudsman"),
        ("uk-fca", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("uk-fca-payments", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("au-asic", LetterKind.HOLDING, "expected_date ombudsman"),
        ("au-asic", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("eu-mifid", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("us-cfpb", LetterKind.HOLDING, "expected_date"),
        ("uk-fca-payments", LetterKind.HOLDING, "expected_date ombudsman"),
        ("au-asic", LetterKind.EXTENSION, "reasons expected_date ombudsman"),
        ("cy-cysec", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("uk-fca-mifid", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("eu-psd2", LetterKind.FINAL_RESPONSE, "reasons ombudsman"),
        ("eu-psd2", LetterKind.EXTENSION, "reasons expected_date"),
    ],
)
def test_a_letter_must_name_what_the_rules_ask_for(pack_id: str, kind: LetterKind, elements: str) -> None:
    (rule,) = find_pack(pack_id, DAY).letter_rules(kind)
    assert " ".join(element.value for element in rule.must_name) == elements


def test_the_acknowledgement_in_the_united_kingdom_states_all_three_limits() -> None:
    timetable = find_pack("uk-fca", DAY).timetable
    for en, zh in (("15 business days", "15个工作日"), ("35 business days", "35个工作日"), ("8 weeks", "8周")):
        assert en in timetable.en
        assert zh in timetable.zh


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_the_promise_of_news_every_5_business_days_is_one_that_a_clock_keeps(pack_id: str) -> None:
    pack = find_pack(pack_id, DAY)
    promised = "every 5 business days" in pack.timetable.en
    assert promised == ("每5个工作日" in pack.timetable.zh) == (str(pack.clock("progress").length) == "5 business days")


# -- sources and marks -------------------------------------------------------------------------------------------------


def sourced(pack: PolicyPack) -> Iterator[tuple[str, Sourced]]:
    for clock in pack.clocks:
        yield clock.name, clock
        for rule in clock.lengths:
            yield f"{clock.name} {rule.length}", rule
        for extension in clock.extensions:
            yield f"{clock.name} extension {extension.name}", extension
        if clock.own_days:
            yield f"{clock.name} own days", clock.own_days
    yield from ((f"route {route.name}", route) for route in pack.routes)
    yield from ((f"letter {rule.name}", rule) for rule in pack.letters)
    yield from ((f"interest {rule.name}", rule) for rule in pack.interest)
    yield from ((f"return {one.name}", one) for one in pack.returns)
    yield from ((name, rule) for name, rule in (("early", pack.early_closure), ("kept", pack.retention)) if rule)


UK = {
    *("early", "kept", "route fos", "letter acknowledgement", "letter final-response"),
    *("interest award", "interest late-payment"),
}
CONFIRMED = {
    "platform-default": {"acknowledgement", "letter acknowledgement"},
    "demo": set(),
    "cn-banking": {
        *("response", "response 30 days", "response extension complex", "response extension special", "kept"),
        *("route mediation", "route arbitration", "route litigation", "letter final-response", "letter extension"),
    },
    "hk-hkma": {"acknowledgement", "response", "response extension sixty-days", "route fdrc"},
    "uk-fca": {*UK, "eight-weeks", "letter eight-week"},
    "uk-fca-payments": {
        *UK,
        "fifteen-days",
        "fifteen-days extension exceptional",
        "thirty-five-days",
        "letter extension",
    },
    "au-asic": {
        *("acknowledgement", "acknowledgement-24-hours", "early"),
        *("idr-response", "idr-response 21 days", "idr-response 45 days"),
    },
    "eu-mifid": set(),
    "eu-psd2": {
        *("fifteen-days", "fifteen-days own days", "fifteen-days extension exceptional", "letter extension"),
        *("thirty-five-days", "thirty-five-days own days"),
    },
    "uk-fca-mifid": {"route fos"},
    "cy-cysec": {
        *("acknowledgement", "response", "response extension three-months", "route financial-ombudsman"),
        "return complaints-registry",
    },
    "us-cfpb": {"fifteen-days", "sixty-days", "letter in-progress"},
}
"""Every number that was read in a source; all others are general knowledge or the firm's own, and marked as such."""


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_only_what_was_read_in_a_source_is_marked_as_confirmed(pack_id: str) -> None:
    marked = {name for name, rule in sourced(find_pack(pack_id, DAY)) if rule.confirmed}
    assert marked == CONFIRMED[pack_id]


@pytest.mark.parametrize("pack_id", REAL)
def test_a_confirmed_number_has_the_source_of_this_rule_book_and_not_of_the_custom(pack_id: str) -> None:
    for name, rule in sourced(find_pack(pack_id, DAY)):
        assert not (rule.confirmed and ("Firm-set" in rule.source or "platforms" in rule.source)), name


def test_the_review_in_china_is_not_yet_a_confirmed_number() -> None:
    pack = find_pack("cn-banking", DAY)
    assert not pack.clock("review").confirmed
    assert not next(route for route in pack.routes if route.name == "review").confirmed


@pytest.mark.parametrize(
    ("pack_id", "months"),
    [("cn-banking", 36), ("uk-fca", 36), ("uk-fca-payments", 36), ("eu-mifid", 60), ("platform-default", 60)],
)
def test_how_long_the_file_is_kept(pack_id: str, months: int) -> None:
    retention = find_pack(pack_id, DAY).retention
    assert retention
    assert retention.after_closing.months == months


def test_interest_in_the_united_kingdom_goes_by_the_day_of_referral() -> None:
    rules = {rule.name: rule for rule in find_pack("uk-fca", DAY).interest}
    award, before, late = rules["award"], rules["award-before-2026"], rules["late-payment"]
    assert (award.trigger, award.effective_from, award.base, award.percent) == (
        CaseEvent.REFERRED,
        date(2026, 1, 1),
        "bank_of_england",
        Decimal(1),
    )
    assert (before.effective_until, before.base, before.percent) == (date(2025, 12, 31), None, Decimal(8))
    assert (late.effective_from, late.effective_until, late.base, late.percent) == (None, None, None, Decimal(8))
    assert [find_pack(name, DAY).interest for name in ("platform-default", "au-asic")] == [(), ()]


# -- words -------------------------------------------------------------------------------------------------------------


def texts(record: Any) -> Iterator[Bilingual]:
    if isinstance(record, Bilingual):
        yield record
    elif isinstance(record, tuple):
        for item in record:
            yield from texts(item)
    elif hasattr(type(record), "model_fields"):
        for name in type(record).model_fields:
            yield from texts(getattr(record, name))


@pytest.mark.parametrize("pack_id", SHIPPED)
def test_everything_a_pack_says_it_says_in_both_languages(pack_id: str) -> None:
    said = list(texts(find_pack(pack_id, DAY)))
    assert len(said) >= 5
    for text in said:
        assert text.en.isascii()
        assert "\n" not in text.en + text.zh
        assert "  " not in text.en
        assert any("一" <= letter <= "鿿" for letter in text.zh), text.zh
        # A line of the file that goes on must leave no gap between two Chinese characters.
        assert not any(
            a >= "\u3000" and b == " " and c >= "\u3000"
            for a, b, c in zip(text.zh, text.zh[1:], text.zh[2:], strict=False)
        )


def first_example(text: str, pack_id: str) -> str:
    """The example of a pack in a document or, behind #, in another pack."""
    start = text.index(f'id = "{pack_id}"')
    line_start = text.rindex("\n", 0, start) + 1
    prefix = text[line_start:start]
    lines = []
    for line in text[line_start:].splitlines():
        if line.startswith("```") or not line.startswith(prefix.rstrip()):
            break
        lines.append(line.removeprefix(prefix.rstrip()))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("file", "pack_id"),
    [
        (ROOT / "docs" / "policy-packs.md", "our-uk"),
        (POLICIES / "eu-mifid.toml", "our-eu"),
        (POLICIES / "eu-psd2.toml", "our-payments"),
    ],
)
def test_the_examples_of_a_firms_own_pack_can_be_used(
    file: Path, pack_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours.toml").write_text(first_example(file.read_text(encoding="utf-8"), pack_id), encoding="utf-8")
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(tmp_path))
    pack = find_policy([pack_id], DAY)
    assert pack.id == pack_id
    assert pack.clocks != find_pack("platform-default", DAY).clocks


def test_every_shipped_pack_is_in_the_table_of_the_documentation() -> None:
    text = (ROOT / "docs" / "policy-packs.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| `") and line.count("|") == 6]
    told = {name.strip(" `"): (since.strip(), calendar.strip(" `")) for name, since, calendar in rows}
    packs = [find_pack(name, DAY) for name in SHIPPED]
    assert told == {
        pack.id: (pack.effective_from.isoformat(), "–" if pack.id == "demo" else pack.calendar.id) for pack in packs
    }


# -- several packs for one case ----------------------------------------------------------------------------------------


def test_a_payment_complaint_of_a_bank_is_under_both_limits_and_any_other_under_its_own() -> None:
    both = find_policy(["uk-fca", "uk-fca-payments"], DAY)
    payment, other = (planned(both, "2026-03-30 10:00", facts) for facts in (PAYMENT, ORDINARY))
    of_payments = {rung.clock for rung in payment.values() if rung.clock.startswith("uk-fca-payments/")}
    assert of_payments == {f"uk-fca-payments/{name}" for name in ("fifteen-days", "thirty-five-days")}
    assert {rung.clock for rung in other.values()} == {"acknowledgement", "eight-weeks", "response"}
    assert ends(both, "uk-fca-payments/fifteen-days", payment) == "Wed 2026-04-22 23:59:59"
    assert ends(both, "eight-weeks", payment) == "Mon 2026-05-25 23:59:59"


def test_clocks_that_keep_the_same_duty_say_so_across_packs() -> None:
    both = find_policy(["uk-fca", "uk-fca-payments"], DAY)
    assert both.clock("eight-weeks").keeps == both.clock("uk-fca-payments/fifteen-days").keeps == "response-or-holding"
    assert both.clock("uk-fca-payments/thirty-five-days").keeps == "final-response"


def test_packs_of_two_countries_count_each_in_its_own_calendar() -> None:
    both = find_policy(["hk-hkma", "uk-fca"], DAY)
    received = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    rungs = {rung.clock: rung for rung in plan(both, Occurred(event=CaseEvent.RECEIVED, at=received, number=1))}
    assert rungs["response"].clock_due == datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC)
    assert rungs["uk-fca/eight-weeks"].clock_due == datetime(2026, 4, 27, 22, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("first", [name for name in SHIPPED if name not in LEFT_TO_THE_FIRM])
@pytest.mark.parametrize("second", [name for name in SHIPPED if name not in LEFT_TO_THE_FIRM])
def test_any_two_packs_can_stand_beside_each_other(first: str, second: str) -> None:
    if first == second:
        return
    both = find_policy([first, second], DAY)
    assert {clock.kind for clock in both.clocks if clock.name.startswith(f"{second}/")} <= {"statutory"}
    kept = [pack.retention for pack in (find_pack(first, DAY), find_pack(second, DAY))]
    assert both.retention in kept
    texts = [(rule.kind, rule.must_name, rule.text, rule.source) for rule in both.letters]
    of_both = (*find_pack(first, DAY).letters, *find_pack(second, DAY).letters)
    assert {(rule.kind, rule.must_name, rule.text, rule.source) for rule in of_both} == set(texts)


def test_what_two_packs_say_in_the_same_words_is_said_once() -> None:
    both = find_policy(["uk-fca", "uk-fca-payments"], DAY)
    added = [clock.name for clock in both.clocks if "/" in clock.name]
    assert "uk-fca-payments/acknowledgement" not in added
    assert "uk-fca-payments/eight-weeks" not in added
    assert len(added) == 2


@pytest.mark.parametrize(("category", "silence"), [("payment", "15 business days"), ("execution", "8 weeks")])
def test_of_two_packs_the_more_special_says_when_the_ombudsman_is_open(category: str, silence: str) -> None:
    both = find_policy(["uk-fca", "uk-fca-payments"], DAY).narrowed(Category(category))
    (fos,) = [route for route in both.routes if route.name.endswith("fos")]
    assert str(fos.after_silence) == silence
    holding = [rule.name for rule in both.letter_rules(LetterKind.HOLDING)]
    assert holding == (["eight-week", "uk-fca-payments/no-answer-yet"] if category == "payment" else ["eight-week"])


def test_a_clock_says_of_every_length_what_it_is_for() -> None:
    clock: Clock = find_pack("au-asic", DAY).clock("idr-response")
    assert {str(clock.length_for(facts)) for facts in (HARDSHIP, SUPER, ORDINARY)} == {"21 days", "45 days", "30 days"}
