"""Tasks: what somebody has to do beside handling the case, each with an owner and a clock of its own.

A task begins with an event and is kept by the pack's clock with the trigger ``task_given``; its end ends that round of
the clock and no other. Who has it the case file says, which asks the directory. Some are given by the service itself,
for as long as a condition of the case holds; see :func:`called_for`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from domain.case.case import Case
from domain.case.messages.giving import FinishTask, GiveTask
from domain.case.remedies import outstanding
from domain.case.task_kinds import TASKS, Task
from domain.clocks.deadlines import Deadline
from domain.ground.base import person_of
from domain.ground.messages import NotAllowed
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import CaseEvent, ContactForm, Role, Stage, TaskKind
from domain.people.matching import Ground

LEADS: Final = (Role.TEAM_LEAD, Role.APPROVER, Role.COMPLIANCE_OFFICER, Role.EXECUTIVE)
"""Who may end tasks of others, the lowest first."""
MOST_OPEN: Final = 30
"""So many tasks of a case may be open at once."""


def is_kept(case: Case) -> bool:
    """Whether the pack has a clock for tasks."""
    return any(clock.trigger is CaseEvent.TASK_GIVEN for clock in case.pack.clocks)


def find(case: Case, number: int) -> Task | None:
    """The open task of that number."""
    return next((task for task in case.tasks if task.number == number), None)


def called_for(case: Case) -> Iterator[tuple[str, TaskKind]]:
    """The conditions of the case, as it stands, that call for a task, each with a name of its own."""
    if case.stage in {Stage.RECEIVED, Stage.CLOSED} or not is_kept(case):
        return
    if not case.identity.verified and case.identity.because != (Ground.PERSON,):
        yield "identity", TaskKind.VERIFY
    if case.care.alarm:
        yield "call", TaskKind.CALL_BACK  # which sign asks for it, no timeline says
    if case.address_in_doubt:
        yield f"address:{case.address_in_doubt}", TaskKind.ADDRESS
    if case.restricted:
        yield "restricted", TaskKind.RESTRICTION
    if case.stage is Stage.DECIDING and case.draft and case.proposal is None and not case.approved:
        yield f"undecided:{case.rounds}", TaskKind.DECIDE
    if not any(clock.trigger is CaseEvent.REMEDY_OWED for clock in case.pack.clocks):
        for owed in outstanding(case):
            yield f"remedy:{owed.number}", TaskKind.CONFIRM_REMEDY


def give(
    case: Case,
    kind: TaskKind,
    at: datetime,
    by: Actor = SYSTEM,
    *,
    role: Role | None = None,
    owner: str | None = None,
    what: str | None = None,
    until: datetime | None = None,
    because: str | None = None,
) -> Task:
    """Give a task: to *owner*, or to whom the directory has for *role*."""
    number = case.happened(CaseEvent.TASK_GIVEN, at, number=_number(case), task=kind, until=until)
    task = Task(
        number=number,
        kind=kind,
        role=role or _role(case, kind),
        since=at,
        by=str(by),
        owner=owner,
        named=owner is not None,
        what=what,
        because=because,
    )
    case.tasks = [*case.tasks, task]
    _note(case, "task_given", task, at, by, f" to {owner}" if owner else "")
    return task


def _role(case: Case, kind: TaskKind) -> Role:
    """Who does it, where nobody says otherwise: what is restricted is kept by whoever may approve that."""
    rule = case.pack.contact_restrictions
    return rule.approval[0] if kind is TaskKind.RESTRICTION and rule else TASKS[kind].role


def end(  # noqa: PLR0917 (what ended, how and by whom)
    case: Case, task: Task, how: str, at: datetime, by: Actor = SYSTEM, result: str | None = None
) -> None:
    """The *task* is over: *how* in a few words, with what came of it."""
    case.tasks = [one for one in case.tasks if one.number != task.number]
    if task.because:
        case.tasks_done = [*case.tasks_done, task.because]
    case.happened(CaseEvent.TASK_ENDED, at, number=_number(case), of=task.number)
    _note(case, "task_ended", task, at, by, f", {how}", how=how, **({"result": result} if result else {}))


def reassign(case: Case, task: Task, owner: str, at: datetime, by: Actor) -> Task:
    """Somebody else has the *task* from now on."""
    changed = _change(case, task, owner=owner, named=True)
    _note(case, "task_reassigned", changed, at, by, f" to {owner}")
    return changed


def remind(case: Case, task: Task, at: datetime) -> None:
    """Its time is nearly over."""
    _note(case, "task_reminded", task, at, SYSTEM, ", its time is nearly over")


def note_overdue(case: Case, task: Task, at: datetime) -> None:
    """Its time is over."""
    changed = _change(case, task, overdue=True)
    case.happened(CaseEvent.TASK_OVERDUE, at, number=task.number)
    _note(case, "task_overdue", changed, at, SYSTEM, ", overdue")


def raise_level(case: Case, task: Task, at: datetime) -> Task:
    """Give the *task* to the next level of the ladder, and no higher than its top."""
    ladder = {step.role: step.level for step in case.pack.escalation}
    level = min(max(task.level, ladder.get(task.role, 0)) + 1, case.pack.top_level)
    role = next(role for role, its_level in ladder.items() if its_level == level)
    was_for = task.was_for or task.role
    changed = _change(case, task, level=level, role=role, was_for=was_for, owner=None, named=False)
    _note(case, "task_raised", changed, at, SYSTEM, f", up to level {level}, {role.value}")
    return changed


def owned_by(case: Case, owners: Mapping[int, str]) -> None:
    """Who has which task, as the case file says."""
    case.tasks = [task.model_copy(update={"owner": owners.get(task.number, task.owner)}) for task in case.tasks]


def planned(case: Case, deadlines: Collection[Deadline]) -> None:
    """When tasks are due, as the case file planned it."""
    for task in case.tasks:
        of = [one for one in deadlines if one.number == task.number]
        if ends := [one.clock_due for one in of if case.pack.clock(one.clock).trigger is CaseEvent.TASK_GIVEN]:
            _change(case, task, due=ends[0])


def due_first(case: Case) -> Task | None:
    """The open task that is due before the others, of those that the case file has: it says who has one."""
    unknown = {event.number for event in case.events if event.event is CaseEvent.TASK_GIVEN}
    known = (task for task in case.tasks if task.number not in unknown)
    return min(known, key=lambda task: (task.due is None, task.due or task.since, task.number), default=None)


def check_given(case: Case, message: GiveTask, now: datetime) -> None:
    """Raise :class:`NotAllowed` unless such a task can be given *now*."""
    if not is_kept(case):
        raise NotAllowed(f"policy pack {case.pack.id} has no clock for tasks, so nothing would remind of one")
    if message.until is not None and message.until <= now:
        raise NotAllowed("until: it has passed; a task is due at a time to come")
    if len(case.tasks) >= MOST_OPEN:
        raise NotAllowed(f"task: {MOST_OPEN} tasks of this case are open already; end some (redress task list)")
    if message.kind is TaskKind.CALL_BACK and ContactForm.IN_WRITING in case.restricted:
        raise NotAllowed("kind: contact with the customer is restricted to writing; nobody calls them")
    if message.owner:
        check_owner(case, message.owner)


def check_owner(case: Case, owner: str) -> None:
    """Raise :class:`NotAllowed` where *owner* may have no part in the case."""
    if person_of(owner) in case.kept_out:
        raise NotAllowed(f"owner: {owner} is kept out of this case; name somebody else")


def check_theirs(case: Case, task: Task, actor: Actor) -> None:
    """Raise :class:`NotAllowed` unless *actor* may end the *task* or give it to somebody else.

    Its owner may, and who gave it; of a handler's task who has the case; whoever holds its role, as long as nobody
    named has it; and a team lead or a higher role, no lower than the role that it was first for.
    """
    role = task.was_for or task.role
    theirs = {person_of(task.owner)} if task.owner else set()
    theirs |= {Actor.named(task.by).person}
    if role is Role.HANDLER and case.handler:
        theirs.add(person_of(case.handler))
    unowned = task.owner is None and actor.role in {task.role, role}
    leads = LEADS[LEADS.index(role) :] if role in LEADS else LEADS
    if actor.person in theirs or unowned or actor.role in leads:
        return
    whose = f"{task.owner}'s" if task.owner else f"for a {task.role.value}"
    raise NotAllowed(
        f"actor: task {task.number} is {whose}; who has it or gave it"
        f"{', who has the case' if role is Role.HANDLER else ''}, or one of {', '.join(leads)} ends it or gives it to "
        "somebody else (reassign_task)"
    )


def is_to_be_called(case: Case) -> bool:
    """Whether somebody has yet to call the customer."""
    return any(task.kind is TaskKind.CALL_BACK for task in case.tasks)


def open_task(case: Case, number: int) -> Task:
    """The open task of that *number*. Raises :class:`NotAllowed`."""
    task = find(case, number)
    if task is None:
        known = ", ".join(str(one.number) for one in case.tasks) or "none"
        raise NotAllowed(f"task: {number} is not open; open are: {known} (redress task list)")
    return task


def check_finished(case: Case, message: FinishTask) -> None:
    """Raise :class:`NotAllowed` unless saying so ends that task."""
    task = open_task(case, message.task)
    check_theirs(case, task, message.actor)
    if task.because and (by := TASKS[task.kind].ends_by):
        raise NotAllowed(f"task: {task.number} ends by itself with {by}; send that")


def _number(case: Case) -> int:
    """The next number, and none that a task of a life that was lost had: the file keeps its clock under that."""
    return case.next_number() + case.numbers_lost


def _change(case: Case, task: Task, **changes: object) -> Task:
    changed = task.model_copy(update=changes)
    case.tasks = [changed if one.number == task.number else one for one in case.tasks]
    return changed


def _note(  # noqa: PLR0917 (an entry of the timeline)
    case: Case, kind: str, task: Task, at: datetime, by: Actor, more: str, **data: object
) -> None:
    case.note(at, kind, f"task {task.spoken}{more}", by, task.model_dump(mode="json", exclude_none=True) | data)
