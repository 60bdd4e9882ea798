"""One worker process: everything is wired here and nowhere else.

It works on whatever is configured (DATABASE_URL, TEMPORAL_*, REDRESS_*), says plainly what is missing, and on SIGTERM
or SIGINT finishes the activities in hand before it stops. Exit codes: 0 stopped as asked, 1 something failed while
running, 2 not configured or not reachable at start.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import MetricMeter, VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Interceptor, Replayer, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from activities.case.case_file import CaseFile, utc_now
from activities.case.unopened import Unopened, take_turn
from activities.checks.investigating import Investigating
from activities.incidents.incident_letters import IncidentLetters
from activities.incidents.incident_payments import IncidentPayments
from activities.incidents.incidents import Incidents
from activities.incidents.known_incidents import KnownIncidents
from activities.letters.letters import Letters
from activities.log.trade_log import TradeLog
from activities.money.compensation import Compensation
from activities.money.payments import Payments
from runtime.connection import TemporalUnavailable
from runtime.database import LONG_PATIENCE, DatabaseUnavailable, close_pool, find_database, migrate, open_pool
from runtime.logging import configure_logging
from runtime.mail import Mailer, Outbox
from runtime.payment_rail import HttpRail, PaymentRail
from runtime.policies import Packs
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
from runtime.watch.failing import FailingActivities
from runtime.watch.watching import AddressTaken, Watched, any_free_port, watch
from starter.reading.ledger import check_ledger
from workflows.complaint import ComplaintWorkflow
from workflows.incident import IncidentWorkflow
from workflows.investigation import InvestigationWorkflow
from workflows.search_attributes import KEYS

GRACE: Final = timedelta(seconds=30)
"""How long activities in hand may take to finish after SIGTERM."""

WORKFLOWS: Final[tuple[type, ...]] = (ComplaintWorkflow, InvestigationWorkflow, IncidentWorkflow)

# The tests run the workflows in the sandbox; here it would cost more than the work itself.
_RUNNER: Final = UnsandboxedWorkflowRunner()


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
    case_file = CaseFile(pool, default_policy=settings.default_policies, clock=clock, packs=packs)
    mailer = Mailer(settings) if settings.smtp_host else None
    outbox = outbox or Outbox(settings.outbox_dir)
    rail = rail or (HttpRail(settings) if settings.payment_url else None)
    letters = Letters(pool, case_file, mailer, outbox, settings, clock)
    payments = Payments(pool, case_file, rail, clock)
    compensation = Compensation(pool, case_file, clock, rail=payments.rail)
    investigating = Investigating(TradeLog(pool), KnownIncidents(pool, clock))
    incidents = Incidents(pool, investigating, settings, clock=clock, rail=payments.rail, packs=packs)
    incident_payments = IncidentPayments(pool, payments)
    incident_letters = IncidentLetters(pool, mailer, outbox, settings, clock)
    usual: dict[str, Any] = {
        "workflows": WORKFLOWS,
        "activities": [
            case_file.open_case,
            take_turn,
            Unopened(pool, clock).refuse_start,
            case_file.record,
            case_file.record_contact,
            letters.send_letter,
            compensation.record_compensation,
            payments.pay_compensation,
            payments.book_payment,
            investigating.investigate,
            incidents.open_incident,
            incidents.record_incident,
            incidents.list_cohort,
            incidents.next_members,
            incidents.compensate_member,
            incidents.find_cases,
            incident_payments.pay_member,
            incident_letters.tell_member,
        ],
        "interceptors": interceptors,
        "graceful_shutdown_timeout": GRACE,
        # More at once starve each other: local activities wait for their turn beyond their time limit.
        "max_concurrent_workflow_tasks": 8,
        "workflow_runner": _RUNNER,
        "deployment_config": _version(settings),
        # How long the next task of a case waits for a worker that may be dead before any other may take it.
        "sticky_queue_schedule_to_start_timeout": timedelta(seconds=3),
    }
    return give_time(Worker(client, task_queue=settings.task_queue, **{**usual, **options}))


def _version(settings: Settings) -> WorkerDeploymentConfig | None:
    """Which build of which deployment the worker is; workflows move to a newer one as it ramps."""
    if not (settings.deployment and settings.build_id):
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=settings.deployment, build_id=settings.build_id),
        use_worker_versioning=True,
        # Said here and not by the workflows: a server refuses the tasks of a worker without a version that names one.
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def build_replayer(*workflows: type) -> Replayer:
    """What replays histories as the worker does; of *workflows*, or of all it knows."""
    return Replayer(
        workflows=workflows or WORKFLOWS, plugins=[temporal_plugin()], workflow_runner=_RUNNER, runtime=core_runtime()
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
    pool = await open_pool(url, patience=settings.database_timeout)
    try:
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
            log.info("worker ready", task_queue=settings.task_queue, namespace=client.namespace, migrations=applied)
            await stop.wait()
            log.info("worker stopping", grace_seconds=GRACE.total_seconds())
        log.info("worker stopped")
    finally:
        await close_pool(pool)


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


def main() -> int:
    """Run one worker; return the exit code."""
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        run(work(settings))
    except (ConfigurationError, DatabaseUnavailable, TemporalUnavailable, PolicyError, AddressTaken) as error:
        print(f"redress worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
