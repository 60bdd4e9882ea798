"""What lawfully moves a deadline, and what does not: extensions, reclassification, pauses, calendars, several packs."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clocks.calendar import Calendar
from domain.clocks.clock import Clock
from domain.clocks.deadlines import Deadline, Occurred, Round
from domain.clocks.planning import follow, plan, replay
from domain.ground.scope import Facts
from domain.ground.words import Action, CaseEvent, Category, Complexity
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from runtime.policies import find_pack

SHANGHAI = Calendar(id="cn", time_zone="Asia/Shanghai", country="CN", verified_until=date(2026, 12, 31))
LONDON = Calendar(
    id="gb", time_zone="Europe/London", country="GB", subdivision="ENG", verified_until=date(2027, 12, 31)
)

RECEIVED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
FRAUD = Facts(category=Category.WITHDRAWAL)
HARDSHIP = Facts(category=Category.HARDSHIP)
HARD = Facts(category=Category.WITHDRAWAL, complexity=Complexity.COMPLEX)

RESPONSE: dict[str, Any] = {
    "name": "response",
    "kind": "statutory",
    "trigger": "received",
    "length": {"days": 15},
    "satisfied_by": ["responded"],
    "source": "Made for the test",
    "confirmed": True,
    "rungs": [
        {"name": "warning", "before": {"days": 2}, "actions": ["warn"]},
        {"name": "due", "actions": ["breach", "escalate"], "level": 2},
    ],
}
SPECIAL = {
    "name": "special",
    "by": {"days": 30},
    "approval": ["executive"],
    "ground": {"en": "The rule allows it.", "zh": "规则允许。"},
    "source": "Made for the test",
    "confirmed": True,
}


def pack(*clocks: dict[str, Any], name: str = "test", calendar: Calendar = SHANGHAI, **more: Any) -> PolicyPack:
    given = {"clocks": tuple(Clock.model_validate(clock) for clock in clocks), "calendar": calendar, "id": name}
    return find_pack("platform-default", date(2026, 3, 2)).model_copy(update={**given, **more})


def received(facts: Facts = FRAUD, at: datetime = RECEIVED) -> Occurred:
    return Occurred(event=CaseEvent.RECEIVED, at=at, number=1, facts=facts)


def happened(event: CaseEvent, number: int, *, days: float, **particulars: Any) -> Occurred:
    return Occurred(event=event, at=RECEIVED + timedelta(days=days), number=number, **particulars)


def extended(number: int, *, days: float, extension: str = "special") -> Occurred:
    return happened(CaseEvent.EXTENDED, number, days=days, clock="response", extension=extension)


def local_dues(rounds: Iterable[Round], calendar: Calendar = SHANGHAI) -> list[str]:
    return [f"{one.clock_due.astimezone(calendar.zone):%Y-%m-%d %H:%M:%S}" for one in rounds]


def running(rounds: Iterable[Round]) -> list[Round]:
    return [one for one in rounds if one.ended is None]


# -- extensions --------------------------------------------------------------------------------------------------------


def test_an_extension_ends_the_round_and_begins_one_with_the_same_start_and_a_later_end() -> None:
    rules = pack({**RESPONSE, "extensions": [SPECIAL]})
    first, second = replay(rules, [received(), extended(5, days=10)])
    assert first.ended is not None
    assert (first.ended.by, first.ended.replaced) == (CaseEvent.EXTENDED, True)
    assert (second.number, second.started_at) == (5, first.started_at)
    assert local_dues([first, second]) == ["2026-03-17 23:59:59", "2026-04-16 23:59:59"]


def test_an_extension_to_a_length_counts_from_the_start_of_the_clock() -> None:
    to_thirty = {**SPECIAL, "by": None, "to": {"days": 30}}
    rounds = replay(pack({**RESPONSE, "extensions": [to_thirty]}), [received(), extended(5, days=10)])
    assert local_dues(running(rounds)) == ["2026-04-01 23:59:59"]


def test_two_extensions_add_up() -> None:
    to_thirty = {**SPECIAL, "name": "complex", "by": None, "to": {"days": 30}}
    rules = pack({**RESPONSE, "extensions": [to_thirty, SPECIAL]})
    history = [received(), extended(5, days=10, extension="complex"), extended(6, days=20)]
    assert local_dues(running(replay(rules, history))) == ["2026-05-01 23:59:59"]


def test_an_extension_that_the_customer_hears_of_too_late_moves_nothing() -> None:
    rounds = replay(pack({**RESPONSE, "extensions": [SPECIAL]}), [received(), extended(5, days=16)])
    assert local_dues(rounds) == ["2026-03-17 23:59:59"]


def test_an_extension_of_another_clock_or_an_unknown_one_moves_nothing() -> None:
    rules = pack({**RESPONSE, "extensions": [SPECIAL]})
    other = happened(CaseEvent.EXTENDED, 5, days=3, clock="other", extension="special")
    assert local_dues(replay(rules, [received(), other, extended(6, days=3, extension="none")])) == [
        "2026-03-17 23:59:59"
    ]


def test_a_warning_that_has_acted_does_not_act_again_unless_the_new_end_has_one_of_its_own() -> None:
    rules = pack({**RESPONSE, "extensions": [SPECIAL]})
    _, second = replay(rules, [received(), extended(5, days=14)])
    assert second.rungs.keys() == {"warning", "due"}
    assert local_dues([second.model_copy(update={"clock_due": second.rungs["warning"]})]) == ["2026-04-14 23:59:59"]
    halfway = {"name": "halfway", "after_start": {"days": 7}, "actions": ["warn"]}
    begun = {**RESPONSE, "rungs": [halfway, *RESPONSE["rungs"]], "extensions": [SPECIAL]}
    _, after = replay(pack(begun), [received(), extended(5, days=10)])
    assert after.rungs.keys() == {"warning", "due"}


# -- reclassification --------------------------------------------------------------------------------------------------


STRICTER_FOR_HARDSHIP = {
    **RESPONSE,
    "length": {"days": 30},
    "lengths": [{"length": {"days": 21}, "categories": ["hardship"], "source": "Test", "confirmed": True}],
}


@pytest.mark.parametrize(
    ("kind", "first", "then", "dues"),
    [
        ("statutory", FRAUD, HARDSHIP, ["2026-04-01 23:59:59", "2026-03-23 23:59:59"]),
        ("statutory", HARDSHIP, FRAUD, ["2026-03-23 23:59:59"]),
        ("internal", FRAUD, HARDSHIP, ["2026-04-01 23:59:59", "2026-03-23 23:59:59"]),
        ("internal", HARDSHIP, FRAUD, ["2026-03-23 23:59:59", "2026-04-01 23:59:59"]),
    ],
)
def test_a_statutory_clock_follows_a_reclassification_only_to_an_earlier_end(
    kind: str, first: Facts, then: Facts, dues: list[str]
) -> None:
    rules = pack({**STRICTER_FOR_HARDSHIP, "kind": kind})
    rounds = replay(rules, [received(first), happened(CaseEvent.RECLASSIFIED, 4, days=5, facts=then)])
    assert local_dues(rounds) == dues


def test_going_back_and_forth_keeps_the_strictest_end() -> None:
    history = [
        received(),
        happened(CaseEvent.RECLASSIFIED, 4, days=5, facts=HARDSHIP),
        happened(CaseEvent.RECLASSIFIED, 5, days=6, facts=FRAUD),
    ]
    assert local_dues(running(replay(pack(STRICTER_FOR_HARDSHIP), history))) == ["2026-03-23 23:59:59"]


def test_a_stricter_end_that_has_passed_already_is_due_at_its_true_instant() -> None:
    history = [received(), happened(CaseEvent.RECLASSIFIED, 4, days=25, facts=HARDSHIP)]
    (late,) = running(replay(pack(STRICTER_FOR_HARDSHIP), history))
    assert late.rungs["due"] == late.clock_due < history[-1].at


def test_complexity_and_product_choose_a_length() -> None:
    lengths = [
        {"length": {"days": 30}, "complexity": "complex", "source": "Test", "confirmed": True},
        {"length": {"days": 45}, "products": ["superannuation"], "source": "Test", "confirmed": True},
    ]
    rules = pack({**RESPONSE, "lengths": lengths})
    fund = Facts(category=Category.ACCOUNT, product="My Superannuation Fund")
    assert [local_dues(replay(rules, [received(facts)]))[0][:10] for facts in (FRAUD, HARD, fund)] == [
        "2026-03-17",
        "2026-04-01",
        "2026-04-16",
    ]


# -- pauses ------------------------------------------------------------------------------------------------------------


def paused(length: dict[str, int], **more: Any) -> PolicyPack:
    return pack({**RESPONSE, "kind": "internal", "pauses": True, "length": length, **more})


ASKED = happened(CaseEvent.INFORMATION_REQUESTED, 3, days=2)


def test_a_clock_that_pauses_has_no_deadline_while_the_customer_is_asked() -> None:
    assert running(replay(paused({"days": 10}), [received(), ASKED])) == []


@pytest.mark.parametrize("end", [CaseEvent.CUSTOMER_REPLIED, CaseEvent.WAIT_ENDED])
@pytest.mark.parametrize(
    ("length", "due"),
    [
        ({"hours": 240}, "2026-03-16 10:00:00"),
        ({"days": 10}, "2026-03-16 23:59:59"),
        # Asked on Wednesday the 4th, answered on Sunday the 8th: Thursday and Friday were worked.
        ({"business_days": 10}, "2026-03-18 23:59:59"),
    ],
)
def test_the_time_of_the_wait_is_added_in_the_clocks_own_unit(length: dict[str, int], due: str, end: CaseEvent) -> None:
    history = [received(), ASKED, happened(end, 4, days=6)]
    assert local_dues(running(replay(paused(length), history))) == [due]


def test_a_second_question_while_one_waits_does_not_pause_twice() -> None:
    history = [
        received(),
        ASKED,
        happened(CaseEvent.INFORMATION_REQUESTED, 4, days=3),
        happened(CaseEvent.CUSTOMER_REPLIED, 5, days=6),
    ]
    assert local_dues(running(replay(paused({"days": 10}), history))) == ["2026-03-16 23:59:59"]


def test_a_response_during_the_pause_ends_the_clock_for_good() -> None:
    history = [
        received(),
        ASKED,
        happened(CaseEvent.RESPONDED, 4, days=4),
        happened(CaseEvent.CUSTOMER_REPLIED, 5, days=6),
    ]
    assert running(replay(paused({"days": 10}), history)) == []


def test_a_statutory_clock_does_not_pause() -> None:
    with pytest.raises(ValueError, match="a statutory clock never pauses"):
        pack({**RESPONSE, "pauses": True})
    history = [received(), ASKED, happened(CaseEvent.CUSTOMER_REPLIED, 4, days=6)]
    assert local_dues(replay(pack(RESPONSE), history)) == ["2026-03-17 23:59:59"]


# -- calendars that are extended ---------------------------------------------------------------------------------------

# The State Council's notice for 2027, as it might be: a working Saturday, 9 January, and a day off on the 8th.
EXTENDED = Calendar.model_validate(
    {
        **SHANGHAI.model_dump(),
        "verified_until": date(2027, 12, 31),
        "openings": [{"day": date(2027, 1, 9), "why": "make-up day"}],
        "closures": [
            {"day": date(2027, 1, day), "why": "holiday", "official": True, "source": "the notice"} for day in (7, 8)
        ],
    }
)
NEW_YEAR = datetime(2026, 12, 30, 2, 0, tzinfo=UTC)
IN_BUSINESS_DAYS = {**RESPONSE, "length": {"business_days": 6}}


def replanned(number: int = 7) -> Occurred:
    at = NEW_YEAR + timedelta(days=1)
    return Occurred(event=CaseEvent.REPLANNED, at=at, number=number, calendar=EXTENDED.hash)


def test_a_deadline_beyond_the_verified_days_is_provisional_and_says_so() -> None:
    (due,) = [one for one in plan(pack(IN_BUSINESS_DAYS), received(at=NEW_YEAR)) if one.rung == "due"]
    assert due.provisional
    assert "provisional: holidays are known until 2026-12-31" in due.how
    assert not any(one.provisional for one in plan(pack(IN_BUSINESS_DAYS), received()))


def test_calendar_days_are_never_provisional() -> None:
    assert not any(one.provisional for one in plan(pack(RESPONSE), received(at=NEW_YEAR)))


def test_an_extended_calendar_moves_a_provisional_deadline_and_settles_it() -> None:
    history = [received(at=NEW_YEAR), replanned()]
    before, after = replay(pack(IN_BUSINESS_DAYS), history, {EXTENDED.hash: EXTENDED})
    # 31 Dec, 4, 5, 6 Jan; then 7 and 8 where they are worked, or Saturday the 9th and Monday the 11th.
    assert local_dues([before, after]) == ["2027-01-08 23:59:59", "2027-01-11 23:59:59"]
    assert (before.provisional, after.provisional) == (True, False)


def test_an_extended_calendar_moves_no_statutory_deadline_that_was_certain() -> None:
    certain = pack(IN_BUSINESS_DAYS, calendar=SHANGHAI.model_copy(update={"verified_until": date(2027, 12, 31)}))
    rounds = replay(certain, [received(at=NEW_YEAR), replanned()], {EXTENDED.hash: EXTENDED})
    assert local_dues(rounds) == ["2027-01-08 23:59:59"]


def test_later_clocks_of_the_case_count_on_the_extended_calendar() -> None:
    review = {**IN_BUSINESS_DAYS, "name": "review", "trigger": "disputed", "satisfied_by": ["settled"]}
    disputed = Occurred(event=CaseEvent.DISPUTED, at=NEW_YEAR + timedelta(days=2), number=9)
    history = [received(at=NEW_YEAR), replanned(), disputed]
    (late,) = [one for one in replay(pack(review), history, {EXTENDED.hash: EXTENDED}) if one.clock == "review"]
    assert local_dues([late]) == ["2027-01-12 23:59:59"]


def test_another_calendar_moves_nothing() -> None:
    other = EXTENDED.model_copy(update={"id": "hk"})
    history = [
        received(at=NEW_YEAR),
        Occurred(event=CaseEvent.REPLANNED, at=NEW_YEAR, number=7, calendar=other.hash),
    ]
    assert local_dues(replay(pack(IN_BUSINESS_DAYS), history, {other.hash: other})) == ["2027-01-08 23:59:59"]


# -- reopening, escalation, first days, closed days --------------------------------------------------------------------


def test_a_reopening_leaves_the_first_response_clock_as_it_was() -> None:
    history = [received(), happened(CaseEvent.RESPONDED, 4, days=20), happened(CaseEvent.REOPENED, 6, days=30)]
    (only,) = replay(pack(RESPONSE), history)
    assert only.ended is not None
    assert (only.ended.by, only.ended.by_number, only.ended.at > only.clock_due) == (CaseEvent.RESPONDED, 4, True)


@pytest.mark.parametrize(
    ("length", "due"),
    [
        ({"days": 15}, "2026-03-16 23:59:59"),
        ({"business_days": 3}, "2026-03-04 23:59:59"),
        ({"weeks": 2}, "2026-03-15 23:59:59"),
        ({"months": 1}, "2026-04-01 23:59:59"),
        ({"hours": 24}, "2026-03-03 10:00:00"),
    ],
)
def test_the_first_day_counts_where_the_clock_says_so(length: dict[str, int], due: str) -> None:
    assert local_dues(replay(pack({**RESPONSE, "length": length, "first_day_counts": True}), [received()])) == [due]


def test_an_end_on_a_closed_day_moves_where_the_clock_says_so() -> None:
    # The 12th day is Saturday, 14 March.
    clock = {**RESPONSE, "length": {"days": 12}}
    assert local_dues(replay(pack(clock), [received()])) == ["2026-03-14 23:59:59"]
    assert local_dues(replay(pack({**clock, "on_closed_day": "next_business_day"}), [received()])) == [
        "2026-03-16 23:59:59"
    ]


@pytest.mark.parametrize(
    ("rung", "due"),
    [
        # The clock starts on Monday, 2 March, and ends with Sunday the 22nd.
        ({"before": {"days": 2}}, "2026-03-20 09:30:00"),
        ({"before": {"days": 1}}, "2026-03-20 09:30:00"),
        ({}, "2026-03-20 09:30:00"),
        ({"after_start": {"days": 4}}, "2026-03-06 09:30:00"),
        ({"after_start": {"days": 5}}, "2026-03-09 09:30:00"),
        # There is no business day left: at the end.
        ({"after_start": {"days": 19}}, "2026-03-22 23:59:59"),
    ],
)
def test_people_are_written_to_in_working_hours_where_the_rung_says_so(rung: dict[str, Any], due: str) -> None:
    clock = {**RESPONSE, "length": {"days": 20}}
    clock["rungs"] = [{"name": "letter", "actions": ["reminder_letter"], "at": "09:30", **rung}]
    (planned,) = plan(pack(clock), received())
    assert f"{planned.due.astimezone(SHANGHAI.zone):%Y-%m-%d %H:%M:%S}" == due


def test_a_breach_is_not_put_into_working_hours() -> None:
    with pytest.raises(ValueError, match="a breach is at the end of its clock, and at no other time"):
        pack({**RESPONSE, "rungs": [{"name": "due", "actions": ["breach"], "at": "09:30"}]})


# -- several packs -----------------------------------------------------------------------------------------------------


def whole(name: str, *clocks: dict[str, Any], **more: Any) -> PolicyPack:
    """A pack that can be used: the default's procedure, with *clocks* in place of its response clock."""
    own = find_pack("platform-default", date(2026, 3, 2)).model_dump()
    procedure = [clock for clock in own["clocks"] if clock["name"] != "response"]
    return PolicyPack.model_validate({**own, "id": name, "clocks": [*clocks, *procedure], **more})


def banking_and_payments() -> PolicyPack:
    payments = whole(
        "payments",
        {**RESPONSE, "length": {"business_days": 15}},
        calendar=LONDON,
        applies_to={"categories": ["payment"]},
    )
    return combine([whole("bank", RESPONSE, calendar=SHANGHAI), payments])


PAID = Facts(category=Category.PAYMENT)


def responses(pack_: PolicyPack, *history: Occurred) -> list[Round]:
    return [one for one in replay(pack_, history) if one.clock.endswith("response")]


def test_a_second_pack_adds_its_statutory_clocks_in_its_own_calendar_for_the_complaints_it_is_for() -> None:
    both = banking_and_payments()
    assert (both.id, [part.id for part in both.parts]) == ("bank/payments", ["bank", "payments"])
    assert [clock.name for clock in both.clocks if "/" in clock.name] == ["payments/response"]
    assert [one.clock for one in responses(both, received())] == ["response"]
    own, payments = responses(both, received(PAID))
    assert (local_dues([own]), local_dues([payments], LONDON)) == (["2026-03-17 23:59:59"], ["2026-03-23 23:59:59"])


def test_a_complaint_that_turns_out_to_be_the_second_packs_has_run_on_its_clock_since_receipt() -> None:
    found_out = [received(), happened(CaseEvent.RECLASSIFIED, 4, days=3, facts=PAID)]
    joined = responses(banking_and_payments(), *found_out)[-1]
    assert (joined.clock, joined.number, joined.started_at) == ("payments/response", 4, RECEIVED)
    assert local_dues([joined], LONDON) == ["2026-03-23 23:59:59"]


def test_the_same_pack_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a pack is named twice"):
        combine([whole("bank", RESPONSE), whole("bank", RESPONSE)])


# -- what holds for every history --------------------------------------------------------------------------------------

MOVING = st.lists(
    st.tuples(
        st.sampled_from(
            [
                CaseEvent.EXTENDED,
                CaseEvent.RECLASSIFIED,
                CaseEvent.INFORMATION_REQUESTED,
                CaseEvent.CUSTOMER_REPLIED,
                CaseEvent.WAIT_ENDED,
                CaseEvent.REOPENED,
                CaseEvent.RESPONDED,
                CaseEvent.CLOSED,
            ]
        ),
        st.floats(0, 60),
        st.sampled_from([FRAUD, HARD, HARDSHIP]),
    ),
    max_size=7,
)


def told(moves: list[tuple[CaseEvent, float, Facts]]) -> list[Occurred]:
    history = [received()]
    for number, (event, days, facts) in enumerate(sorted(moves, key=lambda move: move[1]), start=2):
        particulars: dict[str, Any] = {}
        if event is CaseEvent.EXTENDED:
            particulars = {"clock": "response", "extension": "special"}
        if event is CaseEvent.RECLASSIFIED:
            particulars = {"facts": facts}
        history.append(happened(event, number, days=days, **particulars))
    return history


@given(moves=MOVING)
def test_a_statutory_end_moves_later_only_by_an_extension(moves: list[tuple[CaseEvent, float, Facts]]) -> None:
    rounds = replay(pack({**STRICTER_FOR_HARDSHIP, "extensions": [SPECIAL]}), told(moves))
    for before, after in pairwise(rounds):
        assert before.ended is not None
        assert before.ended.replaced
        assert after.clock_due < before.clock_due or before.ended.by is CaseEvent.EXTENDED
        assert after.started_at == before.started_at


@given(moves=MOVING, kind=st.sampled_from(["statutory", "internal"]))
def test_at_most_one_round_of_a_clock_runs_and_none_after_the_case_is_closed(
    moves: list[tuple[CaseEvent, float, Facts]], kind: str
) -> None:
    clock = {**STRICTER_FOR_HARDSHIP, "kind": kind, "pauses": kind == "internal", "extensions": [SPECIAL]}
    history = told(moves)
    still = running(replay(pack(clock), history))
    assert len(still) <= 1
    if any(one.event in {CaseEvent.CLOSED, CaseEvent.RESPONDED} for one in history):
        assert still == []


@given(moves=MOVING)
def test_events_written_one_by_one_or_together_lead_to_the_same_rounds(
    moves: list[tuple[CaseEvent, float, Facts]],
) -> None:
    rules = pack({**STRICTER_FOR_HARDSHIP, "extensions": [SPECIAL]})
    history = told(moves)
    together = follow(rules, (), history, history)
    assert {(one.clock, one.number, one.clock_due) for one in together.planned} == {
        (one.clock, one.number, one.clock_due) for one in replay(rules, history) if one.rungs
    }


@given(moves=MOVING)
def test_what_has_been_followed_leads_to_nothing_more(moves: list[tuple[CaseEvent, float, Facts]]) -> None:
    rules = pack({**STRICTER_FOR_HARDSHIP, "extensions": [SPECIAL]})
    history = told(moves)
    assert follow(rules, replay(rules, history), history, []) == follow(rules, (), [], [])


def test_the_computation_is_spelled_out() -> None:
    clock = {**RESPONSE, "length": {"business_days": 3}}
    at = datetime(2026, 12, 23, 16, 0, tzinfo=UTC)
    due = next(one for one in plan(pack(clock, calendar=LONDON), received(at=at)) if one.rung == "due")
    assert due.how.startswith("3 business days from received at Wed 23 Dec 2026 16:00:00 Europe/London: 24 Dec, 29 Dec")
    assert "Boxing Day" in due.how
    assert due.how.endswith("30 Dec → Wed 30 Dec 2026 23:59:59")


def test_actions_of_a_deadline_are_those_of_its_rung() -> None:
    deadlines: list[Deadline] = plan(pack(RESPONSE), received())
    assert [(one.rung, one.actions, one.level) for one in deadlines] == [
        ("warning", (Action.WARN,), None),
        ("due", (Action.BREACH, Action.ESCALATE), 2),
    ]


# -- letters keep the number under which they were asked for -----------------------------------------------------------


def test_a_statutory_end_that_was_certain_stays_counted_as_it_was_whatever_moves_it_later() -> None:
    known = SHANGHAI.model_copy(update={"verified_until": date(2027, 12, 31)})
    rules = pack({**IN_BUSINESS_DAYS, "extensions": [SPECIAL]}, calendar=known)
    again = Occurred(event=CaseEvent.RECLASSIFIED, at=NEW_YEAR + timedelta(days=2), number=8, facts=HARD)
    granted = Occurred(
        event=CaseEvent.EXTENDED, at=NEW_YEAR + timedelta(days=3), number=9, clock="response", extension="special"
    )
    calendars = {EXTENDED.hash: EXTENDED}
    assert local_dues(replay(rules, [received(at=NEW_YEAR), replanned(), again], calendars)) == ["2027-01-08 23:59:59"]
    assert local_dues(replay(rules, [received(at=NEW_YEAR), replanned(), again, granted], calendars)) == [
        "2027-01-08 23:59:59",
        "2027-02-07 23:59:59",
    ]


def test_an_extension_asked_for_before_a_reclassification_and_told_after_it_builds_on_the_stricter_end() -> None:
    rules = pack({**STRICTER_FOR_HARDSHIP, "extensions": [SPECIAL]})
    history = [
        received(),
        happened(CaseEvent.RECLASSIFIED, 3, days=1, facts=HARDSHIP),
        extended(2, days=2),
    ]
    assert local_dues(replay(rules, history)) == ["2026-04-01 23:59:59", "2026-03-23 23:59:59", "2026-04-22 23:59:59"]


def test_of_two_events_the_one_that_happened_first_satisfies_a_clock() -> None:
    both = pack({**RESPONSE, "satisfied_by": ["responded", "held"]})
    history = [received(), happened(CaseEvent.RESPONDED, 3, days=10), happened(CaseEvent.HELD, 2, days=40)]
    (only,) = replay(both, history)
    assert only.ended is not None
    assert (only.ended.by, only.ended.by_number) == (CaseEvent.RESPONDED, 3)


def test_a_clock_that_was_paused_on_its_last_day_ends_on_the_next_business_day() -> None:
    # Three business days from Monday end on Thursday the 5th; asked on that evening, answered on Saturday the 7th.
    asked = Occurred(event=CaseEvent.INFORMATION_REQUESTED, at=datetime(2026, 3, 5, 13, tzinfo=UTC), number=3)
    answered = Occurred(event=CaseEvent.CUSTOMER_REPLIED, at=datetime(2026, 3, 7, 2, tzinfo=UTC), number=4)
    rounds = replay(paused({"business_days": 3}), [received(), asked, answered])
    assert local_dues(running(rounds)) == ["2026-03-09 23:59:59"]


def test_a_rung_that_came_due_during_the_pause_acts_after_it() -> None:
    halfway = {"name": "halfway", "after_start": {"days": 4}, "actions": ["warn"]}
    rules = paused({"days": 10}, rungs=[halfway, {"name": "due", "actions": ["breach"]}])
    (resumed,) = running(replay(rules, [received(), ASKED, happened(CaseEvent.CUSTOMER_REPLIED, 4, days=6)]))
    assert resumed.rungs["halfway"] == RECEIVED + timedelta(days=6)


def test_the_order_in_which_extensions_are_granted_makes_no_difference() -> None:
    to_thirty = {**SPECIAL, "name": "complex", "by": None, "to": {"days": 30}}
    rules = pack({**RESPONSE, "extensions": [to_thirty, SPECIAL]})
    history = [received(), extended(5, days=10), extended(6, days=12, extension="complex")]
    assert local_dues(running(replay(rules, history))) == ["2026-05-01 23:59:59"]


def test_a_lawful_extension_outlives_a_stricter_assessment() -> None:
    easier = {"length": {"days": 30}, "complexity": "complex", "source": "Test", "confirmed": True}
    rules = pack({**RESPONSE, "lengths": [easier], "extensions": [SPECIAL]})
    history = [received(HARD), extended(5, days=20), happened(CaseEvent.RECLASSIFIED, 6, days=25, facts=FRAUD)]
    assert local_dues(running(replay(rules, history))) == ["2026-04-16 23:59:59"]


def test_an_end_that_has_passed_does_not_move() -> None:
    history = [received(HARDSHIP), happened(CaseEvent.RECLASSIFIED, 4, days=40, facts=FRAUD)]
    rounds = replay(pack({**STRICTER_FOR_HARDSHIP, "kind": "internal"}), history)
    assert local_dues(rounds) == ["2026-03-23 23:59:59"]


def test_a_holding_letter_satisfies_only_the_clocks_that_send_it() -> None:
    def sends(name: str, letter: str) -> dict[str, Any]:
        rung = {"name": "letter", "before": {"days": 2}, "actions": ["holding_letter"], "letter": letter}
        rungs = [rung, {"name": "due", "actions": ["breach"]}]
        return {**RESPONSE, "name": name, "satisfied_by": ["responded", "held"], "rungs": rungs}

    rules = pack(sends("own", "own-letter"), sends("other", "other-letter"), {**RESPONSE, "satisfied_by": ["held"]})
    history = [received(), happened(CaseEvent.HELD, 4, days=5, letter="own-letter")]
    assert {one.clock for one in running(replay(rules, history))} == {"other"}
