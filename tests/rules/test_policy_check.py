"""The check of a policy pack: what cannot work is an error, what somebody should look at is a warning."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.rules.policy import PolicyPack
from domain.rules.policy_check import check_pack
from domain.rules.problem import PolicyProblem
from runtime.policies import load_packs

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
Content = dict[str, Any]

RESPONSE: Content = {
    "name": "response",
    "kind": "statutory",
    "trigger": "received",
    "length": {"business_days": 15},
    "extensions": [
        {
            "name": "special",
            "to": {"business_days": 35},
            "approval": ["compliance_officer"],
            "ground": {"en": "So the rule.", "zh": "依照规定。"},
            "source": "the rule",
            "confirmed": True,
        }
    ],
    "satisfied_by": ["responded"],
    "rungs": [
        {"name": "warning", "before": {"business_days": 2}, "actions": ["warn"]},
        {"name": "holding", "after_start": {"days": 10}, "actions": ["holding_letter"], "letter": "holding"},
        {"name": "due", "actions": ["breach", "escalate"], "level": 1},
    ],
    "source": "the rule",
    "confirmed": True,
}
OTHERS: dict[str, str] = {
    "information_requested": "stop_waiting",
    "responded": "accept_silence",
    "settled": "close",
    "reopened": "ask_feedback",
    "contacted": "progress_letter",
}
SOUND: Content = {
    "id": "sound",
    "version": "1",
    "title": "A pack with which nothing is wrong",
    "jurisdiction": "nowhere",
    "effective_from": date(2026, 1, 1),
    "calendar": {
        "time_zone": "Europe/London",
        "country": "GB",
        "subdivision": "ENG",
        "verified_until": date(2027, 12, 31),
    },
    "clocks": [
        RESPONSE,
        *(
            {
                "name": action.replace("_", "-"),
                "kind": "internal",
                "trigger": event,
                "length": {"days": 10},
                "satisfied_by": ["closed"],
                "rungs": [{"name": "due", "actions": [action]}],
                "source": "ours",
                "confirmed": True,
            }
            for event, action in OTHERS.items()
        ),
    ],
    "decision": {
        "rule_limits": {"GBP": 100},
        "approval": [
            {"role": "team_lead", "limits": {"GBP": 500, "EUR": 500}},
            {"role": "approver", "limits": {"GBP": 5000, "EUR": 5000}},
            {"role": "executive"},
        ],
    },
    "escalation": [{"level": 1, "role": "compliance_officer"}],
    "teams": [{"name": "care"}],
    "timetable": {"en": "Three weeks.", "zh": "三周。"},
    "rights": {"en": "You may go to the ombudsman.", "zh": "您可以向申诉专员申诉。"},
    "referral": {"en": "Elsewhere.", "zh": "请转交其他公司。"},
    "routes": [
        {
            "name": "ombudsman",
            "kind": "ombudsman",
            "title": {"en": "The ombudsman", "zh": "申诉专员"},
            "contact": {"en": "1 High Street", "zh": "High Street 1 号"},
            "members": {"en": "banks", "zh": "银行"},
            "firm_belongs": True,
            "source": "the rule",
            "confirmed": True,
        }
    ],
    "letters": [
        {
            "name": name,
            "kind": kind,
            "text": {"en": "Words.", "zh": "文字。"},
            "must_name": names,
            "source": "the rule",
            "confirmed": True,
        }
        for name, kind, names in (
            ("acknowledgement", "acknowledgement", ["timetable", "expected_date"]),
            ("holding", "holding", ["expected_date", "reasons"]),
            ("final", "final_response", ["ombudsman"]),
        )
    ],
}


def found(content: Content, now: datetime = NOW) -> list[PolicyProblem]:
    return check_pack(PolicyPack.model_validate(content), now)


def test_a_sound_pack_passes_without_a_word() -> None:
    assert found(SOUND) == []


def clock(pack: Content) -> Content:
    return dict[str, Any](pack["clocks"][0])


def changed(change: Callable[[Content], object]) -> Content:
    pack = deepcopy(SOUND)
    change(pack)
    return pack


def put(path: str, value: object) -> Callable[[Content], None]:
    """Sets what is at *path*, such as ``clocks.0.length``; ``...`` takes it away."""

    def change(pack: Content) -> None:
        *way, last = path.split(".")
        place: Any = pack
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        key = int(last) if last.isdigit() else last
        if value is ...:
            del place[key]
        else:
            place[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "severity", "field", "told"),
    [
        (put("clocks.0.length", ...), "error", "clocks[response].length", 'extends = "sound"'),
        (put("clocks.0.confirmed", False), "warning", "clocks[response]", "15 business days is not confirmed"),
        (put("clocks.0.extensions.0.confirmed", False), "warning", "clocks[response].extensions[special]", "to 35"),
        (put("routes.0.confirmed", False), "warning", "routes[ombudsman]", "The ombudsman is not confirmed"),
        (put("letters.2.confirmed", False), "warning", "letters[final]", "final response letter"),
        (
            put("letters.2.encloses", {"en": "the leaflet", "zh": "说明手册"}),
            "warning",
            "letters[final].encloses",
            "the leaflet has to be enclosed, and letters carry no files",
        ),
        # letters and rights
        (put("routes.0.contact", ...), "error", "letters[final].must_name", "routes[ombudsman] has no contact"),
        (put("routes.0.firm_belongs", ...), "error", "letters[final].must_name", "whether the firm belongs"),
        (put("routes.0.firm_belongs", False), "error", "letters[final].must_name", "the firm does not belong"),
        (put("routes.0.kind", "mediation"), "error", "letters[final].must_name", "no route of kind ombudsman"),
        (put("routes.0.categories", ["fee"]), "error", "letters[final].must_name", "leaves out execution, withdrawal"),
        (put("routes.0.contact.zh", " "), "error", "routes[ombudsman].contact", "English or Chinese"),
        (put("clocks.0.satisfied_by", ["held"]), "error", "letters[acknowledgement].must_name", "expected date"),
        (put("timetable.en", ""), "error", "letters[acknowledgement].must_name", "timetable is empty"),
        (put("letters.1.text.zh", ""), "error", "letters[holding].text", "English or Chinese"),
        (put("letters.2.must_name", []), "warning", "letters", "no rule for the final_response has it name one"),
        (put("routes", []), "error", "letters[final].must_name", "no route of kind ombudsman"),
        (put("rights.en", " "), "error", "rights", "no statement of where the customer may go next"),
        (
            put("early_closure", {"within": {"days": 3}, "source": "the rule", "confirmed": True}),
            "warning",
            "letters",
            "summary letter",
        ),
        # ladders
        (put("decision.rule_limits", {"GBP": 501}), "error", "decision.rule_limits.GBP", "team_lead"),
        (put("decision.rule_limits", {"HKD": 1}), "error", "decision.rule_limits.HKD", "HKD 0.00"),
        (put("decision.approval.1.limits.GBP", 400), "error", "decision.approval[2].limits.GBP", "less than team_lead"),
        (put("decision.approval.1.limits", {"GBP": 900}), "error", "decision.approval[2].limits.EUR", "EUR 0.00"),
        (put("decision.approval.0.limits", None), "error", "decision.approval[2]", "nothing is left for it"),
        (
            put("decision.approval.2.limits", {"GBP": 9000, "EUR": 9000}),
            "warning",
            "decision.approval[3].limits",
            "nobody",
        ),
        (put("decision.approval.2.role", "team_lead"), "error", "decision.approval", "team_lead is there twice"),
        (put("clocks.0.rungs.2", {"name": "due", "actions": ["breach"]}), "warning", "escalation[1]", "no rung"),
        # clocks
        (
            put("clocks.0.extensions.0.to", {"business_days": 15}),
            "error",
            "clocks[response].extensions[special].to",
            "no longer than the clock's 15 business days",
        ),
        (
            put("clocks.0.extensions.0.approval", ["handler"]),
            "error",
            "clocks[response].extensions[special].approval",
            "handler is on neither",
        ),
        (
            put("clocks.0.rungs.0.before", {"days": 40}),
            "error",
            "clocks[response].rungs[warning].before",
            "40 days before the end of 15 business days lies before the start",
        ),
        (
            put(
                "clocks.0.lengths",
                [{"categories": ["fee"], "length": {"days": 1}, "source": "the rule", "confirmed": True}],
            ),
            "error",
            "clocks[response].rungs[warning].before",
            "before the end of 1 day ",
        ),
        (
            put("clocks.0.rungs.1.after_start", {"days": 60}),
            "error",
            "clocks[response].rungs[holding].after_start",
            "after the clock's end (15 business days)",
        ),
        (
            put("clocks.0.rungs.0", {"name": "warning", "after_start": {"days": 60}, "actions": ["warn"]}),
            "error",
            "clocks[response].rungs[warning].after_start",
            "the warning comes after the clock's end (15 business days)",
        ),
        (
            lambda pack: pack["clocks"][1]["rungs"].append(
                {"name": "reminder", "after_start": {"days": 60}, "actions": ["reminder_letter"]}
            ),
            "error",
            "clocks[stop-waiting].rungs[reminder].after_start",
            "the reminder comes after the clock's end (10 days)",
        ),
        (
            lambda pack: pack["clocks"][0].update(
                satisfied_by=["responded", "held"],
                extensions=[RESPONSE["extensions"][0] | {"circumstances": ["beyond_control"]}],
            ),
            "error",
            "clocks[response].satisfied_by",
            "a holding letter goes out by itself, and the rule asks for a person's reason",
        ),
        (
            put("clocks.0.satisfied_by", ["received", "responded"]),
            "error",
            "clocks[response].satisfied_by",
            "received starts it: it happens once",
        ),
        (
            lambda pack: pack["clocks"].append(
                {**RESPONSE, "name": "review", "trigger": "disputed", "satisfied_by": ["disputed", "responded"]}
            ),
            "error",
            "clocks[review].satisfied_by",
            "disputed starts it: when it happened again, a statutory clock would be set back",
        ),
        (
            put("clocks.5.satisfied_by", ["contacted"]),
            "error",
            "clocks[progress-letter].satisfied_by",
            "contacted starts it: nothing else ends it",
        ),
        (put("clocks.4.rungs.0.actions", ["warn"]), "warning", "clocks", "ask_feedback"),
        # calendars
        (
            put("calendar.verified_until", date(2027, 1, 19)),
            "warning",
            "calendar.verified_until",
            "the holidays are known for 60 more days only",
        ),
        (put("calendar.verified_until", date(2026, 11, 19)), "warning", "calendar.verified_until", "in the past"),
        (
            put("calendar.verified_until", date(2026, 12, 1)),
            "warning",
            "calendar.verified_until",
            "the end would be provisional (after 2026-12-01): response",
        ),
    ],
)
def test_what_is_wrong_is_named_by_field(
    change: Callable[[Content], object], severity: str, field: str, told: str
) -> None:
    problems = found(changed(change))
    fitting = [one for one in problems if one.field == field and told in one.message]
    assert [(one.severity, one.pack) for one in fitting] == [(severity, "sound 1")], problems


def test_a_calendar_known_for_longer_than_sixty_days_is_no_matter() -> None:
    assert found(changed(put("calendar.verified_until", date(2027, 1, 20)))) == []


def test_a_route_for_some_complaints_will_do_where_the_pack_is_for_those_only() -> None:
    def change(pack: Content) -> None:
        pack["routes"][0]["categories"] = ["fee", "card"]
        pack["applies_to"] = {"categories": ["card"]}

    assert found(changed(change)) == []


def test_an_extension_that_lengthens_the_clock_for_some_complaints_is_sound() -> None:
    def change(pack: Content) -> None:
        rule = {"complexity": "complex", "length": {"business_days": 35}, "source": "the rule", "confirmed": True}
        pack["clocks"][0]["lengths"] = [rule]

    assert found(changed(change)) == []


@pytest.mark.parametrize("days", range(7))
def test_what_is_found_of_the_ladders_does_not_hang_on_the_day_of_the_check(days: int) -> None:
    def change(pack: Content) -> None:
        response = pack["clocks"][0]
        response["length"] = {"days": 3}  # from a Friday on, two business days before that is the Thursday
        response["rungs"][1]["after_start"] = {"days": 1}

    assert found(changed(change), NOW + timedelta(days=days)) == []


def test_errors_come_first() -> None:
    problems = [problem.severity for pack in load_packs()["eu-mifid"] for problem in check_pack(pack, NOW)]
    assert problems == sorted(problems)
    assert {"error", "warning"} <= set(problems)


def test_of_the_packs_that_are_shipped_only_those_that_leave_something_to_the_firm_have_errors() -> None:
    faulty = {
        pack.id
        for versions in load_packs().values()
        for pack in versions
        for problem in check_pack(pack, NOW)
        if problem.severity == "error"
    }
    assert faulty == {"eu-mifid", "eu-psd2"}
