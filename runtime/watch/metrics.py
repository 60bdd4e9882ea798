"""Our metrics, beside those of the SDK, and how both are written out for Prometheus."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Final

from temporalio.common import MetricGaugeFloat, MetricMeter

from domain.clocks.calendar import Calendar
from runtime.watch.failing import Failing
from runtime.watch.readings import RecordReading, TemporalReading

GAUGES: Final[Mapping[str, str]] = {
    "redress_cases_open": "Open cases, by stage",
    "redress_cases_open_breached": "Open cases that have missed a deadline at some time",
    "redress_clocks_due": "Clocks of open cases that end within a day, neither kept nor missed yet",
    "redress_clocks_kept": "Clocks satisfied in time within the last day",
    "redress_clocks_missed": "Breaches recorded within the last day",
    "redress_rungs_overdue": "Rungs that came due within the last day and have not acted a minute later",
    "redress_lateness_max_seconds": "How late the latest rung of the last hour acted",
    "redress_lateness_mean_seconds": "How late the rungs of the last hour acted on average",
    "redress_letters_waiting": "Letters that no channel has accepted",
    "redress_letters_waiting_oldest_seconds": "Age of the oldest letter that no channel has accepted",
    "redress_webhooks_waiting": "Webhooks that no service has taken",
    "redress_webhooks_waiting_oldest_seconds": "Age of the oldest webhook that no service has taken",
    "redress_rejected_messages": "Messages that did not fit, within the last day",
    "redress_payments_in_doubt": "Payments ordered of which nobody knows how they ended",
    "redress_payments_in_doubt_oldest_seconds": "Age of the oldest payment in doubt",
    "redress_payments_held": "Cases whose payment waits for a person",
    "redress_ledger_faults": "Faults that the check of the compensation ledger found",
    "redress_starts_waiting": "Accepted starts that wait to become a case",
    "redress_starts_refused": "Starts that were refused within the last day",
    "redress_workflows_failing": "Running workflows whose tasks keep failing",
    "redress_workflows_failed": "Workflows that failed, timed out or were terminated within the last day",
    "redress_activities_failing": "Activities of this worker that keep failing, by activity",
    "redress_unrecorded_oldest_seconds": "Age of the oldest change that this worker cannot write to the case file",
    "redress_calendar_days": "Days for which a calendar's holidays are still known, by calendar",
    "redress_record_read_timestamp_seconds": "When the record was last read, seconds since 1970",
    "redress_temporal_read_timestamp_seconds": "When Temporal was last asked, seconds since 1970",
    "redress_ledger_checked_timestamp_seconds": "When the ledger was last checked, seconds since 1970",
}
"""Every metric of ours, all of them gauges, with what it says."""

WRITES: Final = frozenset({"OpenCase", "Record", "RecordContact", "OpenIncident", "RecordIncident"})
"""The activities that write changes to the case file."""


class Metrics:
    """Sets our gauges. Each label has a fixed set of values, and each value is set every time: none goes stale."""

    def __init__(self, meter: MetricMeter, activities: Collection[str], calendars: Iterable[Calendar]) -> None:
        """*activities* are the names that the worker knows, *calendars* those in use."""
        self._gauges: dict[str, MetricGaugeFloat] = {
            name: meter.create_gauge_float(name, what) for name, what in GAUGES.items()
        }
        self._activities = sorted(activities)
        self._calendars = list(calendars)

    def _set(self, name: str, value: float, **labels: str) -> None:
        self._gauges[f"redress_{name}"].set(max(float(value), 0.0), labels)

    def record(self, reading: RecordReading, now: datetime) -> None:
        """Tell of the record."""
        for stage, cases in reading.open_cases.items():
            self._set("cases_open", cases, stage=stage.value)
        self._set("cases_open_breached", reading.breached_cases)
        self._set("clocks_due", reading.clocks_due)
        self._set("clocks_kept", reading.clocks_kept)
        self._set("clocks_missed", reading.clocks_missed)
        self._set("rungs_overdue", reading.rungs_overdue)
        self._set("lateness_max_seconds", reading.lateness_max)
        self._set("lateness_mean_seconds", reading.lateness_mean)
        self._set("letters_waiting", reading.letters_waiting)
        self._set("letters_waiting_oldest_seconds", reading.oldest_letter)
        self._set("webhooks_waiting", reading.webhooks_waiting)
        self._set("webhooks_waiting_oldest_seconds", reading.oldest_webhook)
        self._set("rejected_messages", reading.rejected_messages)
        self._set("payments_in_doubt", reading.payments_in_doubt)
        self._set("payments_in_doubt_oldest_seconds", reading.oldest_payment)
        self._set("record_read_timestamp_seconds", now.timestamp())

    def starts(self, waiting: int, refused: int) -> None:
        """Tell of the starts that are no case."""
        self._set("starts_waiting", waiting)
        self._set("starts_refused", refused)

    def temporal(self, reading: TemporalReading, now: datetime) -> None:
        """Tell of Temporal."""
        self._set("workflows_failing", reading.failing_workflows)
        self._set("workflows_failed", reading.failed_workflows)
        self._set("payments_held", reading.payments_held)
        self._set("temporal_read_timestamp_seconds", now.timestamp())

    def ledger(self, faults: int, now: datetime) -> None:
        """Tell of the check of the ledger."""
        self._set("ledger_faults", faults)
        self._set("ledger_checked_timestamp_seconds", now.timestamp())

    def worker(self, failing: Collection[Failing], now: datetime) -> None:
        """Tell of this worker's activities, and of the calendars that it plans with."""
        for name in self._activities:
            self._set("activities_failing", sum(one.activity == name for one in failing), activity=name)
        oldest = min((one.since for one in failing if one.activity in WRITES), default=now.timestamp())
        self._set("unrecorded_oldest_seconds", now.timestamp() - oldest)
        for calendar in self._calendars:
            if calendar.id is not None and calendar.verified_until is not None:
                self._set("calendar_days", _days(now.date(), calendar.verified_until), calendar=calendar.id)


def _days(today: date, until: date) -> int:
    return (until - today).days


_TYPE: Final = re.compile(r'[{,](workflow_type|activity_type)="((?:[^"\\]|\\.)*)"')


def only_known(text: str, known: Collection[str]) -> str:
    """Leave out what the SDK says of workflow and activity types that are not *known*.

    Whoever starts a workflow names its type: a name of a person may stand there, and there is no end of them.
    """
    keep: Callable[[str], bool] = lambda line: all(value in known for _, value in _TYPE.findall(line))  # noqa: E731
    return "\n".join(line for line in text.split("\n") if line.startswith("#") or keep(line))
