"""One worker process: everything is wired here and nowhere else.

It works on whatever is configured (DATABASE_URL, TEMPORAL_*, REDRESS_*), says plainly what is missing, and on SIGTERM
or SIGINT finishes the activities in hand before it stops. Exit codes: 0 stopped as asked, 1 something failed while
running, 2 not configured or not reachable at start.
"""

import asyncio
import contextlib
import signal
import sys
from datetime import timedelta
from typing import Final

import asyncpg
import structlog
from temporalio.client import Client
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from activities.case_file import CaseFile, utc_now
from activities.compensation import Compensation
from activities.incident_letters import IncidentLetters
from activities.incident_payments import IncidentPayments
from activities.incidents import Incidents
from activities.investigating import Investigating
from activities.known_incidents import KnownIncidents
from activities.letters import Letters
from activities.payments import Payments
from activities.trade_log import TradeLog
from runtime.database import DatabaseUnavailable, find_database, migrate, open_pool
from runtime.logging import configure_logging
from runtime.mail import Mailer, Outbox
from runtime.payment_rail import HttpRail
from runtime.policies import PolicyError
from runtime.settings import ConfigurationError, Settings, load_settings
from runtime.temporal import (
    TemporalUnavailable,
    connect,
    core_runtime,
    register_search_attributes,
    run,
    temporal_plugin,
)
from workflows.complaint import ComplaintWorkflow
from workflows.incident import IncidentWorkflow
from workflows.investigation import InvestigationWorkflow
from workflows.search_attributes import KEYS

GRACE: Final = timedelta(seconds=30)
"""How long activities in hand may take to finish after SIGTERM."""

WORKFLOWS: Final[tuple[type, ...]] = (ComplaintWorkflow, InvestigationWorkflow, IncidentWorkflow)

# The tests run the workflows in the sandbox; here it would cost more than the work itself.
_RUNNER: Final = UnsandboxedWorkflowRunner()


def build_worker(client: Client, pool: asyncpg.Pool, settings: Settings) -> Worker:
    """A worker with its activities' collaborators."""
    case_file = CaseFile(pool, default_policy=settings.default_policies)
    mailer = Mailer(settings) if settings.smtp_host else None
    outbox = Outbox(settings.outbox_dir)
    letters = Letters(pool, case_file, mailer, outbox, settings, utc_now)
    payments = Payments(pool, case_file, HttpRail(settings) if settings.payment_url else None)
    compensation = Compensation(pool, case_file, rail=payments.rail)
    investigating = Investigating(TradeLog(pool), KnownIncidents(pool))
    incidents = Incidents(pool, investigating, settings, rail=payments.rail)
    incident_payments = IncidentPayments(pool, payments)
    incident_letters = IncidentLetters(pool, mailer, outbox, settings)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[
            case_file.open_case,
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
        graceful_shutdown_timeout=GRACE,
        # More at once starve each other: local activities wait for their turn beyond their time limit.
        max_concurrent_workflow_tasks=8,
        workflow_runner=_RUNNER,
        # How long the next task of a case waits for a worker that may be dead before any other may take it.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
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
    pool = await open_pool(url)
    try:
        client = await connect(settings)
        await register_search_attributes(client, KEYS)
        worker = build_worker(client, pool, settings)
        async with worker:
            log.info("worker ready", task_queue=settings.task_queue, namespace=client.namespace, migrations=applied)
            await stop.wait()
            log.info("worker stopping", grace_seconds=GRACE.total_seconds())
        log.info("worker stopped")
    finally:
        await pool.close()


def main() -> int:
    """Run one worker; return the exit code."""
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        run(work(settings))
    except (ConfigurationError, DatabaseUnavailable, TemporalUnavailable, PolicyError) as error:
        print(f"redress worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
