"""An incident from its opening to the last letter, on a server that skips time."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.ground.people import Actor
from domain.ground.words import IncidentStage, Role
from domain.incidents.progress import Progress
from domain.incidents.requests import CompensateMember, LookForRecusal, Recused
from domain.keys.scopes import scope_of_customer
from domain.rules.deciding import TrainingRule
from runtime.keys.envelope import Key
from runtime.keys.vault import Erased, KeyDestroyed, Vault
from runtime.mail import MailFailed, Outbox
from runtime.payment_rail import HttpRail
from runtime.policies import find_pack
from runtime.settings import load_settings
from runtime.temporal import register_search_attributes
from starter.client.conversation import Refused
from starter.client.directory import People
from starter.client.incidents import Incidents
from starter.reading.incidents import get_incident
from tests.around import Around, Carry
from tests.incidents.minute import APPROVER, DEALER, FAULT, LIQUIDATED, SOLD, STOPPED, Pool, bad_minute, new, trade
from tests.money.rail import Rail, declining, open_rail, paid, partly
from tests.outbox import letters_in
from tests.patience import PATIENCE, eventually
from tests.people.support import TODAY, directory, person
from tests.servers import skipping_server, whole_server
from tests.signing import signed
from trial.parts import sealed_for
from worker import build_worker
from workflows.search_attributes import KEYS


class SometimesClosed(Outbox):
    closed = False

    async def deliver(self, key: str, message: EmailMessage, *more: Any) -> None:
        if self.closed:
            raise MailFailed("the mail server is down")
        await super().deliver(key, message, *more)


class Desk:
    """Everything an incident needs, and those who work on it."""

    def __init__(self, env: WorkflowEnvironment, pool: Pool, folder: Path, rail: HttpRail | None = None) -> None:
        self.env, self.pool, self.folder = env, pool, folder
        self.task_queue = f"redress-{uuid.uuid4()}"
        self.incidents = Incidents(env.client, task_queue=self.task_queue)
        self.outbox = SometimesClosed(folder)
        self.rail = rail
        self.effects: dict[str, Callable[[Any, Carry], Awaitable[Any]]] = {"CompensateMember": self._compensate}
        self.refused: set[str] = set()
        """Accounts that are refused for good."""

    def worker(self, **options: Any) -> Worker:
        return build_worker(
            self.env.client,
            self.pool,
            load_settings(outbox_dir=self.folder, task_queue=self.task_queue),
            [Around(self.effects)],
            clock=_skipped_time,
            rail=self.rail,
            outbox=self.outbox,
            **options,
        )

    async def _compensate(self, member: CompensateMember, compensate: Carry) -> Any:
        if member.account in self.refused:
            raise ApplicationError("the account is blocked", non_retryable=True)
        return await compensate()

    async def open(self, **changes: Any) -> str:
        return (await self.incidents.open(new(**changes))).reference

    async def listed(self, reference: str) -> Progress:
        """Wait until the list is complete."""
        return await self.when(reference, lambda now: now.stage is IncidentStage.APPROVAL)

    async def approved(self, reference: str, **more: Any) -> None:
        now = await self.listed(reference)
        assert now.cohort
        await self.incidents.approve(reference, now.cohort.hash, by=APPROVER, **more)

    async def when(self, reference: str, condition: Callable[[Progress], bool]) -> Progress:
        """Wait (in real time) until the progress meets *condition*."""

        async def there() -> Progress | None:
            now = await self.incidents.progress(reference)
            return now if condition(now) else None

        async def how_far() -> str:
            return str(await self.incidents.progress(reference))

        return cast(Progress, await eventually(there, how_far))

    async def ended(self, reference: str) -> Progress:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await self.incidents.result(reference)
                except RuntimeError:  # of a long wait the test server sometimes answers nothing
                    await asyncio.sleep(0.1)

    async def paid(self) -> dict[str, str]:
        rows = await self.pool.fetch(
            "select account, currency, amount from casefile.postings where kind = 'award' order by account"
        )
        return {row["account"]: f"{row['currency']} {row['amount']}" for row in rows}

    def mail(self) -> list[EmailMessage]:
        return letters_in(self.folder)


def _skipped_time() -> datetime:
    return activity.info().started_time if activity.in_activity() else datetime.now(UTC)


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    async with open_rail() as rail:
        yield rail


@pytest.fixture
async def desk(env: WorkflowEnvironment, pool: Pool, tmp_path: Path) -> AsyncIterator[Desk]:
    built = Desk(env, pool, tmp_path / "outbox")
    async with built.worker():
        yield built


@pytest.fixture
async def paying_desk(env: WorkflowEnvironment, pool: Pool, tmp_path: Path, rail: Rail) -> AsyncIterator[Desk]:
    built = Desk(env, pool, tmp_path / "outbox", HttpRail(rail.settings()))
    async with built.worker():
        yield built


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    env = await skipping_server()
    async with env:
        await register_search_attributes(env.client, KEYS)
        yield env


_EITHER_WAY = (
    [("listed", "2"), ("pause_incident", "3")],
    [("pause_incident", "2"), ("listed", "3")],
)
ALL = {STOPPED: "USD 1314.40", LIQUIDATED: "USD 1314.40", SOLD: "USD 1643.00"}


async def test_every_harmed_account_is_paid_once_and_told(desk: Desk) -> None:
    await bad_minute(desk.pool)
    await desk.pool.execute(
        "insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'zh-CN')",
        SOLD,
        *sealed_for(SOLD, "客户", "kh@example.com"),
    )
    reference = await desk.open()
    await desk.approved(reference)
    end = await desk.ended(reference)
    assert (end.stage, end.done, end.failed, end.elsewhere) == (IncidentStage.CLOSED, 3, 0, 0)
    assert [str(each) for each in end.paid] == ["USD 4,271.80"]
    assert await desk.paid() == ALL
    chinese, *others = sorted(desk.mail(), key=lambda mail: str(mail["To"] or "~"))
    assert (chinese["To"], len(others)) == ("kh@example.com", 2)
    assert "US$1,643.00" in chinese.get_content()
    assert "一家报价商的黄金报价有误" in chinese.get_content()
    assert "$1,314.40" in others[0].get_content()
    # the trades and the sums
    assert f"O-{SOLD}" in chinese.get_content()
    assert "(1937.39−1920.96)×100×1=USD1,643.00" in "".join(chinese.get_content().split())
    assert "(1937.39−1920.96)×100×0.8=USD1,314.40" in "".join(others[0].get_content().split())
    assert {mail["X-Redress-Reference"] for mail in desk.mail()} == {reference}
    view = await get_incident(desk.pool, reference)
    assert (view.stage, view.progress) == (IncidentStage.CLOSED, end)
    assert [entry.kind for entry in view.timeline] == ["opened", "listed", "decide_incident", "closed"]


async def test_an_incident_goes_on_without_a_letter_to_who_was_erased(
    desk: Desk, keys: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = scope_of_customer(SOLD)
    erased = Erased(theirs, 1, datetime(2026, 3, 2, tzinfo=UTC))
    of_others = keys.for_writing

    async def for_writing(scope: str) -> Key:
        if scope == theirs:
            raise KeyDestroyed(erased)
        return await of_others(scope)

    monkeypatch.setattr(keys, "for_writing", for_writing)
    gone = AsyncMock(side_effect=lambda scopes: {one: erased.at for one in scopes if one == theirs})
    monkeypatch.setattr(keys, "erased", gone)  # the keys of the tests are those of all of them: none is destroyed
    await bad_minute(desk.pool)
    reference = await desk.open()
    await desk.approved(reference)
    assert (await desk.ended(reference)).done == 3
    assert await desk.paid() == ALL
    assert len(desk.mail()) == 2
    told = await desk.pool.fetchrow("select body, recipient from casefile.incident_letters where account = $1", SOLD)
    assert tuple(told or ()) == ("who holds the account was erased", None)


async def test_what_is_asked_of_an_incident_before_its_record_is_open_is_done_and_written_after_its_opening(
    desk: Desk,
) -> None:
    await bad_minute(desk.pool)
    may_open = asyncio.Event()

    async def open_later(_request: Any, open_: Carry) -> Any:
        if activity.info().is_local:
            raise ApplicationError("not in this task")
        await may_open.wait()
        return await open_()

    desk.effects["OpenIncident"] = open_later
    reference = await desk.open()
    pausing = asyncio.create_task(desk.incidents.pause(reference, "somebody is to look", by=DEALER))
    handle = desk.env.client.get_workflow_handle(reference)

    async def accepted() -> bool:
        kinds = [event.event_type async for event in handle.fetch_history_events()]
        return EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED in kinds

    await eventually(accepted)
    may_open.set()
    await pausing
    assert (await desk.listed(reference)).paused

    async def written() -> bool:
        rows = await desk.pool.fetch("select key from casefile.incident_timeline")
        keys = {kind: number for kind, _, number in (row["key"].partition(":") for row in rows)}
        return keys.pop("opened", None) == "1" and sorted(keys.items(), key=lambda item: item[1]) in _EITHER_WAY

    await eventually(written)


async def test_nothing_is_paid_before_a_second_person_with_the_limit_approved_the_list_they_saw(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open()
    now = await desk.listed(reference)
    assert now.cohort
    seen = now.cohort.hash[:12]
    lead = Actor(id="t-1", role=Role.TEAM_LEAD)
    for cohort, actor, why in (
        (seen, DEALER, "second person"),
        (seen, lead, "may not approve USD 4,271.80; roles that may: approver"),
        ("0" * 12, APPROVER, f"the list has the hash {seen}"),
        (seen, Actor(id="c-1", role=Role.CUSTOMER), "role customer may not send"),
    ):
        with pytest.raises(Refused, match=why):
            await desk.incidents.approve(reference, cohort, by=actor)
    assert await desk.paid() == {}

    # Of whom the record knows more than the workflow did: the list waits for somebody else.
    async def not_yet(_asked: LookForRecusal, _look: Carry) -> Recused:
        return Recused(kept_out=False)

    desk.effects["LookForRecusal"] = not_yet
    conflict = {"account": STOPPED, "first": TODAY, "why": "family"}
    await People(desk.pool, signed).replace(directory(person("a-3", "approver", conflicts=[conflict])), by=lead)
    await desk.incidents.approve(reference, seen, by=APPROVER)

    async def void() -> bool:
        told = "select exists (select from casefile.incident_timeline where reference = $1 and kind = 'void')"
        return bool(await desk.pool.fetchval(told, reference))

    async def approved_by_another() -> bool:
        with contextlib.suppress(Refused):  # while accounts are still under way
            await desk.incidents.approve(reference, seen, by=Actor(id="e-1", role=Role.EXECUTIVE))
            return True
        return False

    await eventually(void)
    await desk.listed(reference)
    assert await desk.paid() == {}
    await eventually(approved_by_another)
    assert (await desk.ended(reference)).approved_by == "executive:e-1"
    assert await desk.paid() == ALL


async def test_who_lacks_a_course_that_the_pack_requires_approves_no_list(
    env: WorkflowEnvironment, pool: Pool, tmp_path: Path
) -> None:
    desk, lead = Desk(env, pool, tmp_path / "outbox"), Actor(id="t-1", role=Role.TEAM_LEAD)
    course = {"training": (TrainingRule(course="incidents", roles=(Role.APPROVER,)),)}
    pack = find_pack("platform-default", TODAY).model_copy(update=course)

    async def staff(**more: Any) -> None:
        await People(pool, signed).replace(directory(person("a-3", "approver", **more)), by=lead)

    await staff()
    await bad_minute(pool)
    async with desk.worker(packs={pack.id: [pack]}):
        reference = await desk.open()
        with pytest.raises(Refused, match="actor: a-3 has not passed, or no longer, what approvers must have here"):
            await desk.approved(reference)
        await staff(training=[{"course": "incidents", "first": TODAY - timedelta(1)}])
        await desk.approved(reference)
        assert (await desk.ended(reference)).approved_by == "approver:a-3"


async def test_the_same_fault_opened_again_is_the_same_incident(desk: Desk) -> None:
    first = await desk.incidents.open(new())
    again = await desk.incidents.open(new(opened_by=APPROVER, per_minute=1))
    assert (again.reference, again.already_known) == (first.reference, True)


async def test_a_dismissed_incident_pays_nobody(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open()
    await desk.listed(reference)
    await desk.incidents.dismiss(reference, "the quotes were right", by=DEALER)
    assert (await desk.ended(reference)).stage is IncidentStage.DISMISSED
    assert await desk.paid() == {}
    with pytest.raises(Refused, match="has ended"):
        await desk.incidents.relist(reference, "once more", by=DEALER)


async def test_a_list_made_anew_takes_in_what_was_imported_since(desk: Desk) -> None:
    from tests.checks.rows import store

    await bad_minute(desk.pool)
    reference = await desk.open()
    first = (await desk.listed(reference)).cohort
    await store(desk.pool, *trade("70010009", "1920.96"))
    await desk.incidents.relist(reference, "more fills were imported", by=DEALER)
    second = (await desk.when(reference, lambda now: bool(now.cohort and now.cohort.number == 2))).cohort
    assert first
    assert second
    assert (first.harmed, second.harmed) == (3, 4)
    with pytest.raises(Refused, match="look at it"):
        await desk.incidents.approve(reference, first.hash, by=APPROVER)


async def test_it_can_be_paused_and_goes_on_where_it_stood(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open(per_minute=1)
    await desk.approved(reference)
    await desk.when(reference, lambda now: now.done == 1)
    await desk.incidents.pause(reference, "the payments team asked for it", by=DEALER)
    await desk.env.sleep(timedelta(hours=3))
    now = await desk.incidents.progress(reference)
    assert (now.done, now.paused) == (1, True)
    await desk.incidents.resume(reference, by=DEALER, per_minute=6_000)
    assert (await desk.ended(reference)).done == 3
    assert await desk.paid() == ALL


async def test_an_account_that_fails_holds_up_nobody_else_and_waits_for_a_person(desk: Desk) -> None:
    await bad_minute(desk.pool)
    desk.refused = {SOLD, STOPPED}
    reference = await desk.open()
    await desk.approved(reference)
    now = await desk.when(reference, lambda now: now.failed == 2 and now.done == 1)
    assert now.stage is IncidentStage.COMPENSATING
    assert set(await desk.incidents.failed(reference)) == {STOPPED, SOLD}
    with pytest.raises(Refused, match="not among those that failed"):
        await desk.incidents.retry(reference, LIQUIDATED, by=DEALER)
    desk.refused = set()
    await desk.incidents.retry(reference, SOLD, by=DEALER)
    with pytest.raises(Refused, match="may not leave an account unpaid"):
        await desk.incidents.retry(reference, STOPPED, by=DEALER, leave="a court case is pending")
    await desk.incidents.retry(reference, STOPPED, by=APPROVER, leave="a court case is pending")
    end = await desk.ended(reference)
    assert (end.done, end.left) == (2, 1)
    assert await desk.paid() == {LIQUIDATED: ALL[LIQUIDATED], SOLD: ALL[SOLD]}
    left = (await get_incident(desk.pool, reference)).timeline[-2]
    assert left.data.items() >= {"account": STOPPED, "leave": "a court case is pending"}.items()


async def test_money_does_not_wait_for_the_mail_and_no_letter_is_lost(desk: Desk) -> None:
    await bad_minute(desk.pool)
    desk.outbox.closed = True
    reference = await desk.open()
    await desk.approved(reference)
    now = await desk.when(reference, lambda now: now.untold == 3)
    assert (now.done, now.stage) == (3, IncidentStage.COMPENSATING)
    desk.outbox.closed = False
    assert (await desk.ended(reference)).untold == 0
    assert len(desk.mail()) == 3


async def test_a_message_sent_twice_counts_once(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open(per_minute=1)
    await desk.approved(reference)
    first = await desk.incidents.pause(reference, "wait", by=DEALER, message_id="m-1")
    assert await desk.incidents.pause(reference, "wait", by=DEALER, message_id="m-1") == first
    with pytest.raises(Refused, match="paused already"):
        await desk.incidents.pause(reference, "wait", by=DEALER)


async def test_a_rail_pays_each_account_once_under_a_key_that_tells_nothing(paying_desk: Desk, rail: Rail) -> None:
    await bad_minute(paying_desk.pool)
    rail.script = ["lost"]  # the first payment is made, and nobody hears of it at first
    reference = await paying_desk.open()
    await paying_desk.approved(reference)
    end = await paying_desk.ended(reference)
    assert (end.done, end.failed) == (3, 0)
    assert sorted(str(payment.body["amount"]) for payment in rail.payments.values()) == [
        "1314.40",
        "1314.40",
        "1643.00",
    ]
    assert {payment.body["payee"] for payment in rail.payments.values()} == {STOPPED, LIQUIDATED, SOLD}
    assert not any(account in key for key in rail.payments for account in ALL)
    owed = await paying_desk.pool.fetch(
        "select account, sum(amount) from casefile.ledger_entries group by account having sum(amount) <> 0 order by 1"
    )
    assert [row["account"].partition(":")[0] for row in owed] == ["cash", "expense"]


async def test_a_payment_that_is_declined_waits_for_a_person_and_only_the_rest_is_paid_then(
    paying_desk: Desk, rail: Rail
) -> None:
    await bad_minute(paying_desk.pool)
    rail.pays = partly("1000")
    reference = await paying_desk.open()
    await paying_desk.approved(reference)
    await paying_desk.when(reference, lambda now: now.failed == 3)
    rail.pays = declining("account_closed")
    await paying_desk.incidents.retry(reference, SOLD, by=DEALER)
    now = await paying_desk.when(reference, lambda now: now.failed == 3)
    assert now.done == 0
    rail.pays = paid
    for account in ALL:
        await paying_desk.incidents.retry(reference, account, by=DEALER)
    assert (await paying_desk.ended(reference)).done == 3
    assert rail.money() == Decimal("4271.80")


async def test_asking_temporal_to_cancel_an_incident_ends_nothing(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open()
    await desk.listed(reference)
    await desk.env.client.get_workflow_handle(reference).cancel()
    await desk.approved(reference)
    assert (await desk.ended(reference)).done == 3
    view = await get_incident(desk.pool, reference)
    assert "cancellation" in [entry.kind for entry in view.timeline]


async def test_asking_temporal_to_cancel_an_incident_does_not_keep_it_from_being_opened(desk: Desk) -> None:
    away = True

    async def sometimes(_request: Any, open_incident: Carry) -> Any:
        if away:
            raise ApplicationError("the database is away")
        return await open_incident()

    desk.effects["OpenIncident"] = sometimes
    await bad_minute(desk.pool)
    reference = await desk.open()
    await desk.env.client.get_workflow_handle(reference).cancel()
    await asyncio.sleep(0.5)
    away = False
    await desk.listed(reference)


async def test_an_incident_whose_recorder_dies_while_it_lists_is_seen_to_fail(desk: Desk) -> None:
    listing = asyncio.Event()

    async def list_for_ever(_request: Any, _list_cohort: Carry) -> Any:
        listing.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    async def refuse(_update: Any, _record: Carry) -> Any:
        raise ApplicationError("the record is closed", non_retryable=True)

    desk.effects |= {"ListCohort": list_for_ever, "RecordIncident": refuse}
    await bad_minute(desk.pool)
    reference = await desk.open()
    handle = desk.env.client.get_workflow_handle(reference)

    converter = desk.env.client.data_converter.with_context(
        WorkflowSerializationContext(namespace=desk.env.client.namespace, workflow_id=reference)
    )

    async def what_failed() -> list[str]:
        return [
            str(await converter.decode_failure(event.workflow_task_failed_event_attributes.failure))
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        ]

    assert "a task of the workflow broke" in (await eventually(what_failed))[0]
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_a_terminated_incident_that_is_opened_again_goes_on_from_its_record(desk: Desk) -> None:
    await bad_minute(desk.pool)
    reference = await desk.open(per_minute=1)
    await desk.approved(reference)
    await desk.when(reference, lambda now: now.done == 1)
    await desk.env.client.get_workflow_handle(reference).terminate()
    assert await desk.open() == reference
    now = await desk.listed(reference)
    assert now.cohort
    assert (now.cohort.number, now.cohort.harmed) == (2, 2)  # who was paid is not listed again
    await desk.approved(reference)
    await desk.ended(reference)
    assert await desk.paid() == ALL
    view = await get_incident(desk.pool, reference)
    assert view.stage is IncidentStage.CLOSED
    assert [entry.kind for entry in view.timeline].count("decide_incident") == 2


async def test_an_incident_that_nobody_can_open_says_why(desk: Desk) -> None:
    await bad_minute(desk.pool)
    for changes, why in (
        ({"fault": FAULT.model_copy(update={"symbol": "NOTHING"})}, "knows no instrument NOTHING"),
        ({"policy": ("no-such-pack",)}, "no-such-pack"),
        ({"opened_by": Actor(id="c-1", role=Role.CUSTOMER)}, "role customer may not open"),
    ):
        reference = await desk.open(**changes)
        with pytest.raises(WorkflowFailureError) as failed:
            await desk.ended(reference)
        assert why in str(failed.value.cause)
        refused = "select reason from casefile.unopened where workflow_id = $1"
        assert any(why in row["reason"] for row in await desk.pool.fetch(refused, reference))


LONG = 40
"""History events after which the server suggests to continue as new."""


async def test_a_long_incident_goes_on_in_new_runs_and_pays_each_account_once(pool: Pool, tmp_path: Path) -> None:
    env = await whole_server(f"limit.historyCount.suggestContinueAsNew={LONG}")
    many = [row for number in range(60) for row in trade(f"7002{number:04}", "1920.96")]
    await bad_minute(pool, *many)
    async with env:
        await register_search_attributes(env.client, KEYS)
        desk = Desk(env, pool, tmp_path / "outbox")
        async with desk.worker():
            reference = await desk.open(per_minute=6_000)  # fifty at once: two pages
            now = await desk.listed(reference)
            assert now.cohort
            await desk.incidents.approve(reference, now.cohort.hash, by=Actor(id="e-1", role=Role.EXECUTIVE))
            end = await desk.ended(reference)
            runs = [run async for run in env.client.list_workflows(f"WorkflowId = '{reference}'")]
            longest = max(run.history_length for run in runs)
    assert (end.done, end.untold, len(desk.mail())) == (63, 0, 63)
    assert len(await desk.paid()) == 63
    assert len(runs) > 1
    assert longest < 10 * 50 + LONG  # a run ends with its page
