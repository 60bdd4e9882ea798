"""One worker process: everything is wired here and nowhere else.

It works on whatever is configured (DATABASE_URL, TEMPORAL_*, REDRESS_*), says plainly what is missing, and on SIGTERM
or SIGINT finishes the activities in hand before it stops. Exit codes: 0 stopped as asked, 1 something failed while
running, 2 not configured or not reachable at start.
"""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

if __name__ == "__main__":
    gc.disable()  # until all is loaded, none of which is garbage: looking for it takes an eighth of the start

import asyncpg
import structlog
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import MetricMeter, VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Interceptor, Replayer, Worker, WorkerDeploymentConfig, WorkflowRunner

from activities.case.case_file import CaseFile, utc_now
from activities.case.pinning import mark_known
from activities.case.unopened import Unopened, take_turn
from activities.checks.investigating import Investigating
from activities.incidents.incident_letters import IncidentLetters
from activities.incidents.incident_payments import IncidentPayments
from activities.incidents.incidents import Incidents
from activities.incidents.known_incidents import KnownIncidents
from activities.intake.bringing import CUSTOMER
from activities.intake.dealing import Dealing
from activities.keys.retention import Retention, erased_again
from activities.learning.actions import Actions
from activities.learning.mailing import MakeFiles, ReportMail
from activities.learning.process import ProcessReviews
from activities.learning.reviews import Reviews
from activities.letters.letters import Letters
from activities.log.trade_log import TradeLog
from activities.money.carried_out import CarriedOut
from activities.money.compensation import Compensation
from activities.money.payments import Payments
from activities.money.promises import Promises
from activities.people.training import TrainingRecords
from domain.learning.actions import ReportOrder
from domain.learning.periods import Period
from domain.people.actors import Person
from record.chain_verifier import TYPE
from record.checkpointing import Checkpointing
from record.proofs import hold_proofs
from runtime.connection import TemporalUnavailable
from runtime.database import LONG_PATIENCE, MigrationError, Pool, close_pool, migrate, open_pool
from runtime.identity.hearing import Proving
from runtime.identity.issuing import TokenIssuer
from runtime.identity.keys import read_signing_key
from runtime.identity.verifying import Verifier
from runtime.keys.here import hold_keys, keys_needed
from runtime.keys.vault import Vault
from runtime.keys_table import keys_table
from runtime.letters.samples import missing_letters
from runtime.listening import listener
from runtime.logging import configure_logging
from runtime.mail import Mailer, Outbox
from runtime.memory import cached_cases, memory_limit
from runtime.outside import Outside, read_erasures
from runtime.payment_rail import HttpRail, PaymentRail
from runtime.plain import Plain
from runtime.policies import Packs, load_packs
from runtime.ports import any_free_port
from runtime.postgres import DatabaseUnavailable, find_database
from runtime.processor import fast_loop, look_for_garbage_seldom
from runtime.settings import ConfigurationError, Settings, load_settings
from runtime.shelf import PolicyError
from runtime.temporal import (
    connect,
    core_runtime,
    give_time,
    measured_runtime,
    register_search_attributes,
    run,
    temporal_plugin,
)
from runtime.turns import InOrder
from runtime.watch.failing import FailingActivities
from runtime.watch.watching import AddressTaken, Watched, watch
from starter.client.complaints import Complaints
from starter.client.directory import packs_in_force
from starter.intake.dealer import Dealer
from starter.intake.delivering import Delivery
from starter.reading.ledger import check_ledger
from starter.upkeep.people_changes import PeopleChanges
from starter.upkeep.webhooks_out import WebhookSender
from workflows.complaint import ComplaintWorkflow
from workflows.inbound import InboundWorkflow
from workflows.incident import IncidentWorkflow
from workflows.investigation import InvestigationWorkflow
from workflows.learning import ActionWorkflow, ProcessReviewWorkflow, ReportWorkflow, ReviewWorkflow
from workflows.retention import RetentionWorkflow
from workflows.search_attributes import KEYS

GRACE: Final = timedelta(seconds=30)
"""How long activities in hand may take to finish after SIGTERM."""

WORKFLOWS: Final[tuple[type, ...]] = (
    ComplaintWorkflow,
    InvestigationWorkflow,
    IncidentWorkflow,
    InboundWorkflow,
    ActionWorkflow,
    ReportWorkflow,
    ReviewWorkflow,
    ProcessReviewWorkflow,
    RetentionWorkflow,
)

# The tests run the workflows in the sandbox; here it would cost more than the work itself.
_RUNNER: Final = InOrder()


def build_worker(
    client: Client,
    pool: asyncpg.Pool,
    settings: Settings,
    interceptors: Sequence[Interceptor] = (),
    *,
    clock: Callable[[], datetime] = utc_now,
    packs: Packs | None = None,
    rail: PaymentRail | None = None,
    outbox: Outbox | None = None,
    **options: Any,
) -> Worker:
    """A worker with its activities' collaborators; the only place that knows how they belong together.

    *clock* gives the time as an aware datetime. *packs* are the policy packs, *rail* and *outbox* where money and
    letters go, if not those of *settings*. *options* are what `Worker` takes, in place of what it is given here.
    """
    verifier = Verifier.of(settings)
    hold_proofs(verifier)
    usual: dict[str, Any] = {
        "workflows": WORKFLOWS,
        "activities": _activities(client, pool, settings, verifier, clock=clock, packs=packs, rail=rail, outbox=outbox),
        "interceptors": [
            *interceptors,
            *([Proving(verifier)] if verifier else []),
            Plain(refused=settings.plain_json == "refused"),
        ],
        "graceful_shutdown_timeout": GRACE,
        # More at once starve each other: local activities wait for their turn beyond their time limit.
        "max_concurrent_workflow_tasks": 8,
        "max_cached_workflows": settings.cached_cases or cached_cases(memory_limit()),
        "workflow_runner": _RUNNER,
        **_version(settings),
        # How long the next task of a case waits for a worker that may be dead before any other may take it.
        "sticky_queue_schedule_to_start_timeout": timedelta(seconds=3),
    }
    return give_time(Worker(client, task_queue=settings.task_queue, **{**usual, **options}))


def _activities(
    client: Client,
    pool: asyncpg.Pool,
    settings: Settings,
    verifier: Verifier | None,
    *,
    clock: Callable[[], datetime],
    packs: Packs | None,
    rail: PaymentRail | None,
    outbox: Outbox | None,
) -> list[Callable[..., Any]]:
    """All that a worker carries out, each with what it works with."""
    case_file = CaseFile(
        pool, default_policy=settings.default_policies, clock=clock, packs=packs, listen=listener(settings)
    )
    mailer = Mailer(settings) if settings.smtp_host else None
    outbox = outbox or Outbox(settings.outbox_dir)
    rail = rail or (HttpRail(settings) if settings.payment_url else None)
    letters = Letters(pool, case_file, mailer, outbox, settings, clock)
    payments = Payments(pool, case_file, rail, clock, proofs=verifier)
    promises = Promises(pool, case_file, clock, proofs=verifier, send=letters.try_once)
    compensation = Compensation(pool, case_file, clock, rail=payments.rail, proofs=verifier)
    investigating = Investigating(TradeLog(pool), KnownIncidents(pool, clock))
    incidents = Incidents(pool, investigating, settings, clock=clock, rail=payments.rail, packs=packs, proofs=verifier)
    incident_letters = IncidentLetters(pool, mailer, outbox, settings, clock)
    delivery = Delivery(_for_customers(client, settings), Complaints(client, task_queue=settings.task_queue))
    dealing = Dealing(
        pool, delivery, clock, settings, proofs=verifier, letters=letters, incident_letters=incident_letters
    )
    retention = Retention(pool, outbox, clock, settings.backup_days)
    return [
        case_file.open_case,
        case_file.take_up_case,
        take_turn,
        Unopened(pool, clock).refuse_start,
        case_file.record,
        case_file.record_contact,
        letters.send_letter,
        CarriedOut(pool, clock).look,
        letters.preview_letter,
        compensation.record_compensation,
        promises.look_elsewhere,
        TrainingRecords(pool).look,
        promises.promise_award,
        payments.pay_compensation,
        payments.book_payment,
        investigating.investigate,
        incidents.open_incident,
        incidents.record_incident,
        incidents.list_cohort,
        incidents.next_members,
        incidents.compensate_member,
        incidents.look_for_recusal,
        incidents.find_cases,
        IncidentPayments(pool, payments).pay_member,
        incident_letters.tell_member,
        *_learning(pool, ReportMail(pool, mailer or outbox, settings, _files_to_mail(settings))),
        dealing.deal_with,
        retention.run_out,
    ]


def _learning(pool: Pool, mail: ReportMail) -> list[Callable[..., Any]]:
    """What follows from complaints."""
    actions, reviews, process = Actions(pool, mail), Reviews(pool, mail), ProcessReviews(pool, mail)
    return [
        mail.mail_report,
        actions.note,
        actions.measure,
        reviews.draw,
        reviews.chase,
        process.ask,
        process.chase,
    ]


def _files_to_mail(settings: Settings) -> MakeFiles:
    """How the report of a month is made. What draws it is loaded then: it is a fifth of all that a worker loads."""
    firm, key = settings.firm, read_signing_key(settings.checkpoint_key) if settings.checkpoint_key else None

    async def make(pool: Pool, period: Period, order: ReportOrder) -> tuple[str, dict[str, bytes]]:
        from starter.reports.issuing import TYPE
        from starter.reports.making import files_to_mail

        return await files_to_mail(firm, (lambda said: key.sign(said, TYPE)) if key else None)(pool, period, order)

    return make


def _for_customers(client: Client, settings: Settings) -> Complaints:
    """What brings to cases what customers said: the pages knew them, and this worker vouches for that role alone."""
    issuer = TokenIssuer.of(settings)
    customer = Person(id=CUSTOMER.id, roles=(CUSTOMER.role,))
    token_for = issuer.speaks_for(customer) if issuer else None
    return Complaints(client, task_queue=settings.task_queue, token_for=token_for)


def _dealer(client: Client, pool: asyncpg.Pool, settings: Settings) -> Dealer:
    """What offers to workers like this one whatever was received and waits."""

    async def reach() -> Client:
        return client

    return Dealer(pool, reach, task_queue=settings.task_queue)


def _checkpoints(pool: asyncpg.Pool, settings: Settings) -> Checkpointing | None:
    """What signs how far the record is, if there is a key to sign with."""
    if settings.checkpoint_key is None:
        return None
    key = read_signing_key(settings.checkpoint_key)
    return Checkpointing(pool, lambda said: key.sign(said, TYPE), Outside(settings).deliver, utc_now)


_UNVERSIONED: Final = "unversioned"
"""The build of a worker without a version: else the SDK takes a sum of the code of all modules, a tenth of a start."""


def _version(settings: Settings) -> dict[str, Any]:
    """Which build of which deployment the worker is; workflows move to a newer one as it ramps."""
    if not (settings.deployment and settings.build_id):
        return {"build_id": _UNVERSIONED}
    config = WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=settings.deployment, build_id=settings.build_id),
        use_worker_versioning=True,
        # Said here and not by the workflows: a server refuses the tasks of a worker without a version that names one.
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )
    return {"deployment_config": config}


def build_replayer(
    *workflows: type, namespace: str = "default", workflow_runner: WorkflowRunner | None = None
) -> Replayer:
    """What replays histories of a *namespace* as the worker does; of *workflows*, or of all it knows.

    What was sealed opens in its own namespace alone, with the keys that this process holds. Another *workflow_runner*
    than the worker's is for tests, which replay in the SDK's sandbox.
    """
    return Replayer(
        workflows=workflows or WORKFLOWS,
        namespace=namespace,
        plugins=[temporal_plugin()],
        workflow_runner=workflow_runner or _RUNNER,
        runtime=core_runtime(),
        build_id=_UNVERSIONED,
        debug_mode=True,  # no server waits: two seconds without a processor are no deadlock
    )


async def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    log = structlog.get_logger("worker")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends the loop itself
            loop.add_signal_handler(number, stop.set)
    url = find_database(settings)
    applied = await migrate(url)
    vault = hold_keys(settings)
    if vault:
        applied += await keys_table(settings)
        await vault.keep_open()
    elif not settings.unsealed:
        keys_needed()
    elif settings.plain_json == "refused":
        raise ConfigurationError(
            "REDRESS_PLAIN_JSON: nothing is sealed here (REDRESS_UNSEALED), and all would be refused; set one alone"
        )
    pool = await open_pool(url, patience=settings.database_timeout)
    try:
        hold_proofs(Verifier.of(settings))
        await _put_right(pool, vault, settings)
        port = any_free_port() if settings.metrics_address else None
        runtime = core_runtime() if port is None else measured_runtime(port)
        client = await connect(settings, runtime)
        await register_search_attributes(client, KEYS)
        failing = FailingActivities()
        worker = build_worker(client, pool, settings, [failing])
        async with contextlib.AsyncExitStack() as stack:
            if settings.metrics_address and port is not None:
                watched = _watched(worker, url, runtime.metric_meter, port, failing)
                log.info("watching", url=await stack.enter_async_context(watch(watched, settings.metrics_address)))
            await stack.enter_async_context(worker)
            await stack.enter_async_context(_dealer(client, pool, settings).running())
            told = Complaints(client, task_queue=settings.task_queue)
            await stack.enter_async_context(PeopleChanges(pool, told).running())
            await stack.enter_async_context(WebhookSender(pool, settings, utc_now).running())
            if checkpoints := _checkpoints(pool, settings):
                await stack.enter_async_context(checkpoints.running())
            else:
                log.warning("the record has no checkpoints: REDRESS_CHECKPOINT_KEY is not set")
            log.info(
                "worker ready",
                task_queue=settings.task_queue,
                namespace=client.namespace,
                migrations=applied,
                cached_cases=worker.config().get("max_cached_workflows"),
            )
            await asyncio.to_thread(tell_missing_letters, settings)
            await stop.wait()
            log.info("worker stopping", grace_seconds=GRACE.total_seconds())
        log.info("worker stopped")
    finally:
        await close_pool(pool)
        if vault:
            await vault.close()


async def _put_right(pool: Pool, vault: Vault | None, settings: Settings) -> None:
    """What an upgrade or a restore has left undone in the record."""
    log = structlog.get_logger("worker")
    if unknown := await mark_known(pool, load_packs(), utc_now()):
        log.warning("packs that no worker of ours knew are pinned, and nothing is decided by them", packs=unknown)
    if vault is None:
        return
    outside = await asyncio.to_thread(read_erasures, settings)
    if again := await erased_again(pool, vault, Outbox(settings.outbox_dir), settings.backup_days, outside):
        log.warning("erasures were applied again: a backup was restored", erasures=again)


def tell_missing_letters(settings: Settings) -> None:
    """Log which letters of the packs that cases are opened with cannot be written, before a customer waits for one."""
    for pack in packs_in_force(utc_now()):
        if not pack.demands:
            for lacks in missing_letters(pack, firm=settings.firm, at=utc_now()):
                structlog.get_logger("worker").warning("a letter cannot be written", pack=pack.id, lacks=lacks)


def _watched(
    worker: Worker,
    url: str,
    meter: MetricMeter,
    exporter_port: int,
    failing: FailingActivities,
) -> Watched:
    async def ledger_faults() -> int:
        ledger = await open_pool(url, max_size=1, patience=LONG_PATIENCE)  # it reads the whole of it
        try:
            return len((await check_ledger(ledger)).faults)
        finally:
            await close_pool(ledger)

    config = worker.config()
    activities = [activity._Definition.must_from_callable(one).name for one in config.get("activities", ())]
    return Watched(
        database_url=url,
        client=worker.client,
        task_queue=worker.task_queue,
        meter=meter,
        exporter_port=exporter_port,
        failing=failing,
        workflows=[name for one in WORKFLOWS if (name := workflow._Definition.must_from_class(one).name)],
        activities=[name for name in activities if name],
        check_ledger=ledger_faults,
    )


_NOT_AS_IT_MUST_BE: Final = (
    ConfigurationError,
    DatabaseUnavailable,
    MigrationError,
    TemporalUnavailable,
    PolicyError,
    AddressTaken,
)
"""What is wrong with where it is to run, and is said without a traceback."""


def main() -> int:
    """Run one worker; return the exit code."""
    look_for_garbage_seldom()
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        run(work(settings), loop_factory=fast_loop())
    except _NOT_AS_IT_MUST_BE as error:
        print(f"redress worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
