"""What people have to do beside handling the case: given, reminded of, raised, ended with what called for it."""

from typing import Final

from temporalio import workflow

from domain.case import tasks
from domain.case.case import Case
from domain.case.messages.giving import FinishTask, GiveTask, ReassignTask
from domain.case.task_kinds import TASKS, Task
from domain.ground.base import person_of
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import ContactForm, Role, TaskKind
from workflows.parts.post import Post

_GIVEN: Final = ("A task was given to you", "交办给您一项任务")


class Tasks:
    """The tasks of a case."""

    def __init__(self, case: Case, post: Post) -> None:
        self._case, self._post = case, post

    async def keep(self) -> None:
        """Have a task be open for as long as the case calls for it, and no longer."""
        while True:
            await workflow.wait_condition(lambda: self._is_behind)
            self._catch_up()

    def give(self, message: GiveTask) -> Task:
        """Somebody gives a task; whoever has it is told."""
        task = tasks.give(
            self._case,
            message.kind,
            workflow.now(),
            message.actor,
            role=message.role,
            owner=message.owner,
            what=message.what,
            until=message.until,
        )
        self._tell(task, *_GIVEN)
        return task

    def have_answered(self) -> None:
        """The customer wrote and nothing follows by itself: somebody reads it and answers, all of it in one task."""
        en = "The customer wrote, and nothing follows from it by itself. Read it and answer."
        self._have(TaskKind.ANSWER, en, "客户来信，系统不会自动处理。请阅看并答复。")

    def have_called_back(self) -> None:
        """The customer is not satisfied: somebody calls, or writes where the customer is dealt with in writing."""
        in_writing = ContactForm.IN_WRITING in self._case.restricted
        en = "The customer is not satisfied with how the complaint was handled. Get in touch with them."
        self._have(
            TaskKind.ANSWER if in_writing else TaskKind.CALL_BACK, en, "客户对投诉处理表示不满意，请尽快与客户联系。"
        )

    def have_rules_found(self, told: Bilingual) -> None:
        """The table of rules has no answer, or another one than who sent the complaint: compliance looks, as *told*."""
        self._post.tell_staff(Role.COMPLIANCE_OFFICER, told.en, told.zh)
        if tasks.is_kept(self._case):
            what = "which rules apply to the complaint"
            tasks.give(self._case, TaskKind.REVIEW, workflow.now(), role=Role.COMPLIANCE_OFFICER, what=what)

    def _have(self, kind: TaskKind, en: str, zh: str) -> None:
        """Have one task of that *kind* be open; without a clock for tasks the handler is told in those words."""
        if not tasks.is_kept(self._case):
            self._post.tell_staff(Role.HANDLER, en, zh)
        elif not any(task.kind is kind for task in self._case.tasks):
            self._tell(tasks.give(self._case, kind, workflow.now()), *_GIVEN)

    def finish(self, message: FinishTask) -> Task:
        """Somebody says that it is done."""
        task = tasks.open_task(self._case, message.task)
        # Before the end is noted: what is noted goes with the answer and waits for no letter.
        self._tell_who_had(task, message.actor, "ended", "结束")
        tasks.end(self._case, task, "done", workflow.now(), message.actor, message.result)
        return task

    def reassign(self, message: ReassignTask) -> Task:
        """Somebody says who has it now."""
        task = tasks.open_task(self._case, message.task)
        if task.owner and person_of(message.owner) != person_of(task.owner):
            self._tell_who_had(task, message.actor, "gave to somebody else", "转交他人")
        task = tasks.reassign(self._case, task, message.owner, workflow.now(), message.actor)
        self._tell(task, *_GIVEN)
        return task

    def remind(self, number: int) -> None:
        """Its time is nearly over."""
        if task := tasks.find(self._case, number):
            tasks.remind(self._case, task, workflow.now())
            self._tell(task, "A task of yours is due soon", "您的一项任务即将到期")

    def overdue(self, number: int) -> None:
        """Its time is over."""
        if task := tasks.find(self._case, number):
            tasks.note_overdue(self._case, task, workflow.now())
            self._tell(task, "A task of yours is overdue", "您的一项任务已逾期")

    def climb(self, number: int) -> None:
        """Somebody one level up has it from now on."""
        if task := tasks.find(self._case, number):
            task = tasks.raise_level(self._case, task, workflow.now())
            self._tell(task, "An overdue task was raised to you", "一项逾期任务已上报至您处")

    def close(self) -> None:
        """The case is closed: what is still open ends by name."""
        for task in self._case.tasks:
            tasks.end(self._case, task, "the case was closed", workflow.now())

    @property
    def _is_behind(self) -> bool:
        case = self._case
        wanted = {because for because, _ in tasks.called_for(case)}
        given = {task.because for task in case.tasks if task.because}
        done = set(case.tasks_done)
        return bool(wanted - given - done or (given | done) - wanted)

    def _catch_up(self) -> None:
        case, at = self._case, workflow.now()
        wanted = dict(tasks.called_for(case))
        for task in case.tasks:
            if task.because and task.because not in wanted:
                tasks.end(case, task, f"done with {TASKS[task.kind].ends_by or 'what called for it'}", at)
        case.tasks_done = [because for because in case.tasks_done if because in wanted]
        known = {task.because for task in case.tasks} | set(case.tasks_done)
        for because, kind in wanted.items():
            if because not in known:
                tasks.give(case, kind, at, because=because)

    def _tell_who_had(self, task: Task, by: Actor, did: str, zh: str) -> None:
        """Who had the *task* hears that somebody else ended it or gave it away."""
        if task.owner is None or person_of(task.owner) == by.person:
            return
        does, listed = TASKS[task.kind].does, f"redress task list {self._case.reference}"
        self._post.tell_staff(
            task.role,
            f"{by.id} {did} a task of yours: {does.en} (task {task.number}). {listed} says what came of it.",
            f"{by.id} 已将您的任务{zh}：{does.zh}（任务 {task.number}）。详情见 {listed}。",
            person=task.owner,
        )

    def _tell(self, task: Task, en: str, zh: str) -> None:
        does = TASKS[task.kind].does
        en = f"{en}: {does.en} (task {task.number}). redress task list {self._case.reference} says by when."
        zh = f"{zh}：{does.zh}（任务 {task.number}）。期限见 redress task list {self._case.reference}。"
        self._post.tell_staff(task.role, en, zh, task=task.number)
