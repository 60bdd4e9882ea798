"""Tasks of a case: whatever is done to them, they stay with the case from run to run, and end by name."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.case import tasks
from domain.case.case import Case
from domain.case.clocks import fire, has_recorded
from domain.case.drafts import Draft
from domain.case.file import Recorded
from domain.case.messages.giving import FinishTask, GiveTask
from domain.case.remedies import owe, promised
from domain.case.task_kinds import TASKS
from domain.clocks.planning import plan
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import CaseEvent, ContactForm, Remedy, Role, Stage, TaskKind
from domain.people.hands import Hands
from domain.people.matching import Ground, Identity, IdentityState
from domain.people.signs import Care
from tests.case.test_remedies import NOW, a_case, proposal
from workflows.search_attributes import NEXT_TASK, TASK_DUE, attributes

LEAD = Actor(id="t-2", role=Role.TEAM_LEAD)
STEPS = st.lists(
    st.tuples(st.sampled_from(["give", "end", "reassign", "overdue", "raise", "next run"]), st.integers(0, 9)),
    max_size=14,
)


def step(case: Case, what: str, number: int, minutes: int) -> Case:
    at = NOW + timedelta(minutes=minutes)
    if what == "give":
        tasks.give(case, list(TaskKind)[number % len(TaskKind)], at, LEAD)
    elif what == "next run":
        return Case.model_validate_json(case.model_dump_json())
    elif case.tasks:
        task = case.tasks[number % len(case.tasks)]
        does: dict[str, Any] = {
            "end": lambda: tasks.end(case, task, "done", at, LEAD, "So it is."),
            "reassign": lambda: tasks.reassign(case, task, f"h-{number}", at, LEAD),
            "overdue": lambda: tasks.note_overdue(case, task, at),
            "raise": lambda: tasks.raise_level(case, task, at),
        }
        does[what]()
    return case


@settings(max_examples=30)
@given(STEPS)
def test_a_task_that_was_given_is_open_or_has_ended_once_in_whatever_run(steps: list[tuple[str, int]]) -> None:
    case = a_case()
    for minutes, (what, number) in enumerate(steps):
        case = step(case, what, number, minutes)
    given_ = [one.number for one in case.events if one.event is CaseEvent.TASK_GIVEN]
    ended = [one.of or 0 for one in case.events if one.event is CaseEvent.TASK_ENDED]
    assert sorted([*ended, *(task.number for task in case.tasks)]) == sorted(given_)
    ladder = {one.level: one.role for one in case.pack.escalation}
    assert all(task.role is ladder[task.level] for task in case.tasks if task.level)
    checkpoint = case.checked(case.unrecorded()).checkpoint
    assert checkpoint is not None
    assert len(checkpoint.get("tasks", [])) == len(case.tasks)  # another workflow goes on with them


def test_every_kind_has_a_row_whose_command_names_the_case() -> None:
    assert set(TASKS) == set(TaskKind)
    assert all("RD-1" in row.command.format("RD-1", 7) for row in TASKS.values())


def test_what_the_case_calls_for_is_called_for_as_long_as_it_holds_and_never_without_a_clock() -> None:
    case = a_case(stage="acknowledged")
    assert dict(tasks.called_for(case)) == {"identity": TaskKind.VERIFY}
    without = case.pack.model_copy(
        update={"clocks": tuple(one for one in case.pack.clocks if one.trigger is not CaseEvent.TASK_GIVEN)}
    )
    assert not dict(tasks.called_for(case.model_copy(update={"policy": without})))
    assert not dict(tasks.called_for(case.model_copy(update={"stage": "closed"})))


def test_each_condition_calls_for_its_task_and_a_decision_for_one_in_each_round() -> None:
    undecided: dict[str, Any] = {"stage": Stage.DECIDING, "draft": Draft(), "rounds": 2}
    conditions: list[tuple[dict[str, Any], dict[str, TaskKind]]] = [
        ({"care": Care(alarm=True)}, {"call": TaskKind.CALL_BACK}),
        ({"restricted": (ContactForm.BY_POST,)}, {"restricted": TaskKind.RESTRICTION}),
        (undecided, {"undecided:2": TaskKind.DECIDE}),
        (undecided | {"proposal": proposal()}, {}),
        (undecided | {"approved": True}, {}),
    ]
    for changes, called_for in conditions:
        case = a_case(**{"stage": Stage.ACKNOWLEDGED, **changes})
        assert dict(tasks.called_for(case)) == {"identity": TaskKind.VERIFY} | called_for, changes
    somebody_else = Identity(state=IdentityState.MISMATCH, because=(Ground.PERSON,))
    assert not dict(tasks.called_for(a_case(stage=Stage.ACKNOWLEDGED, identity=somebody_else)))
    case = a_case(stage=Stage.SETTLING)
    (owed,) = owe(case, promised(case, proposal(Remedy.CORRECTION)), NOW)
    assert f"remedy:{owed.number}" not in dict(tasks.called_for(case)), "it has a clock of its own"
    clocks = tuple(one for one in case.pack.clocks if one.trigger is not CaseEvent.REMEDY_OWED)
    without = case.model_copy(update={"policy": case.pack.model_copy(update={"clocks": clocks})})
    assert dict(tasks.called_for(without))[f"remedy:{owed.number}"] is TaskKind.CONFIRM_REMEDY


def test_what_was_done_is_not_called_for_again_by_the_workflow_that_goes_on() -> None:
    case = a_case(stage=Stage.ACKNOWLEDGED)
    done = tasks.give(case, TaskKind.VERIFY, NOW, because="identity")
    tasks.end(case, done, "done", NOW, LEAD)
    assert case.tasks_done == ["identity"]
    checkpoint = case.checked(case.unrecorded()).checkpoint
    assert checkpoint is not None
    assert checkpoint["tasks_done"] == ["identity"]


def test_what_is_overdue_goes_up_from_its_role_to_the_top_and_is_nobodys_until_the_file_says_whose() -> None:
    case = a_case()
    task = tasks.give(case, TaskKind.CONSULT, NOW, owner="t-2")
    assert task.role is Role.TEAM_LEAD
    for level, role in ((2, Role.COMPLIANCE_OFFICER), (3, Role.EXECUTIVE), (3, Role.EXECUTIVE)):
        task = tasks.raise_level(case, task, NOW)
        assert (task.level, task.role, task.owner, task.named) == (level, role, None, False)
        assert case.tasks == [task]
        tasks.owned_by(case, {task.number: f"p-{level}"})
        (task,) = case.tasks
        assert task.owner == f"p-{level}"
    assert tasks.reassign(case, task, "e-2", NOW, LEAD).owner == "e-2"
    tasks.note_overdue(case, task, NOW)
    assert case.tasks[0].overdue


@pytest.mark.parametrize("first", [Role.HANDLER, *tasks.LEADS])
@pytest.mark.parametrize("raised", [0, 1, 3])
@pytest.mark.parametrize("owner", [None, "p-1"])
def test_a_task_is_ended_or_given_away_by_whose_it_is_or_by_who_leads_and_by_nobody_else(
    first: Role, raised: int, owner: str | None
) -> None:
    case = a_case(handler="h-1")
    task = tasks.give(case, TaskKind.CONSULT, NOW, Actor(id="h-7", role=Role.HANDLER), role=first, owner="p-0")
    for _ in range(raised):
        task = tasks.raise_level(case, task, NOW)
    case.tasks = [task.model_copy(update={"owner": owner})]

    def may(who: str, role: Role) -> bool:
        said = {"message_id": "m-1", "actor": Actor(id=who, role=role), "task": task.number, "result": "So it is."}
        try:
            tasks.check_finished(case, FinishTask.model_validate(said))
        except NotAllowed:
            return False
        return True

    assert may("h-7", Role.HANDLER), "who gave it"
    assert may("p-1", Role.HANDLER) is (owner == "p-1" or (first is Role.HANDLER and owner is None))
    assert may("h-1", Role.HANDLER) is (first is Role.HANDLER), "who has the case: of what is for handlers"
    assert may("h-2", Role.HANDLER) is (owner is None and Role.HANDLER in {first, case.tasks[0].role})
    ranks = [Role.HANDLER, *tasks.LEADS]
    for role in tasks.LEADS:
        unowned = owner is None and role is case.tasks[0].role
        assert may("x-9", role) is (ranks.index(role) >= ranks.index(first) or unowned), role


def test_lists_show_the_task_that_is_due_first_and_who_has_it_once_the_file_knows_it() -> None:
    case = a_case(care=Care(alarm=True))

    def shown() -> tuple[object, object]:
        said = attributes(case)
        return said[NEXT_TASK], said[TASK_DUE]

    review, call = (tasks.give(case, kind, NOW) for kind in (TaskKind.REVIEW, TaskKind.CALL_BACK))
    assert shown() == (None, None)
    planned = tuple(deadline for event in case.events for deadline in plan(case.pack, event))
    ends = {number: max(one.clock_due for one in planned if one.number == number) for number in (2, 3)}
    hands = Hands(version=1, handler="h-1", tasks={review.number: "t-1"}, care=Care(alarm=True))
    has_recorded(case, case.unrecorded(), Recorded(planned=planned, hands=hands))
    assert ends[call.number] < ends[review.number]
    assert shown() == (["call_back", "handler"], ends[call.number])
    for deadline in planned:
        fire(case, deadline, deadline.due)
    tasks.note_overdue(case, case.tasks[1], NOW)
    assert shown() == (["call_back", "handler"], ends[call.number]), "what is overdue is due first all the same"
    tasks.end(case, case.tasks[1], "done", NOW, LEAD)
    assert shown() == (["review", "t-1"], ends[review.number])
    tasks.end(case, case.tasks[0], "done", NOW, LEAD)
    assert shown() == (None, None)


def test_what_nobody_can_be_given_is_refused_with_the_way_out() -> None:
    def told(case: Case, **more: Any) -> str:
        message = {"message_id": "m-1", "actor": LEAD, "kind": TaskKind.CALL_BACK} | more
        try:
            tasks.check_given(case, GiveTask.model_validate(message), NOW)
        except NotAllowed as error:
            return str(error)
        return ""

    case = a_case()
    assert not told(case)
    assert "restricted to writing" in told(a_case(restricted=(ContactForm.IN_WRITING,)))
    assert not told(a_case(restricted=(ContactForm.BY_POST,)))
    for _ in range(tasks.MOST_OPEN):
        assert not told(case)
        tasks.give(case, TaskKind.REVIEW, NOW, LEAD)
    assert f"{tasks.MOST_OPEN} tasks of this case are open already" in told(case)
    tasks.end(case, case.tasks[0], "done", NOW, LEAD)
    assert not told(case)
