"""The alert rules: each is made to fire and to clear, names what workers export, and leads to its page."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from runtime.watch.metrics import GAUGES
from tests.watch.scrape import holds, metrics_of, parse

ROOT: Final = Path(__file__).parents[2]
RULES: Final[list[dict[str, Any]]] = YAML(typ="safe").load(ROOT / "deploy" / "alerts.yml")["groups"][0]["rules"]
NOW: Final = 1_800_000_000.0

CALM: Final = f"""
temporal_num_pollers{{poller_type="workflow_task"}} 1
redress_record_read_timestamp_seconds {NOW - 20}
redress_temporal_read_timestamp_seconds {NOW - 20}
redress_workflows_failing 0
redress_workflows_failed 0
redress_activities_failing{{activity="SendLetter"}} 0
redress_unrecorded_oldest_seconds 100
redress_rungs_overdue 0
redress_clocks_missed 1
redress_clocks_kept 19
redress_ledger_faults 0
redress_letters_waiting_oldest_seconds 3599
redress_webhooks_waiting_oldest_seconds 3599
redress_payments_in_doubt_oldest_seconds 86399
redress_payments_held 0
redress_starts_waiting 0
redress_starts_refused 0
redress_rejected_messages 20
redress_calendar_days{{calendar="us"}} 30
"""

# What is different where a rule fires; a rule has a line for each of its conditions.
FIRING: Final = [
    ("RedressNoWorker", 'temporal_num_pollers{poller_type="workflow_task"} 0'),
    ("RedressNoWorker", 'temporal_num_pollers{poller_type="activity_task"} 5'),
    ("RedressReadingsStale", f"redress_record_read_timestamp_seconds {NOW - 200}"),
    ("RedressReadingsStale", f"redress_temporal_read_timestamp_seconds {NOW - 200}"),
    ("RedressWorkflowTasksFailing", "redress_workflows_failing 1"),
    ("RedressWorkflowsFailed", "redress_workflows_failed 1"),
    ("RedressActivityKeepsFailing", 'redress_activities_failing{activity="SendLetter"} 1'),
    ("RedressChangesUnrecorded", "redress_unrecorded_oldest_seconds 121"),
    ("RedressRungsOverdue", "redress_rungs_overdue 1"),
    ("RedressBreachRate", "redress_clocks_missed 2"),
    ("RedressLedgerFaults", "redress_ledger_faults 1"),
    ("RedressLettersWaiting", "redress_letters_waiting_oldest_seconds 3601"),
    ("RedressWebhooksWaiting", "redress_webhooks_waiting_oldest_seconds 3601"),
    ("RedressPaymentsInDoubt", "redress_payments_in_doubt_oldest_seconds 86401"),
    ("RedressPaymentsInDoubt", "redress_payments_held 1"),
    ("RedressStartsNotOpened", "redress_starts_waiting 1"),
    ("RedressStartsNotOpened", "redress_starts_refused 1"),
    ("RedressMessagesRejected", "redress_rejected_messages 21"),
    ("RedressCalendarRunsOut", 'redress_calendar_days{calendar="us"} 29'),
]


def firing(text: str) -> set[str]:
    samples = parse(text)
    return {rule["alert"] for rule in RULES if holds(rule["expr"], samples, NOW)}


def test_no_rule_fires_while_all_is_well() -> None:
    assert firing(CALM) == set()


@pytest.mark.parametrize(("alert", "line"), FIRING)
def test_a_rule_fires_on_its_condition_alone_and_clears_with_it(alert: str, line: str) -> None:
    name = re.split(r"[{ ]", line)[0]
    others = "\n".join(one for one in CALM.splitlines() if not one.startswith((f"{name} ", f"{name}{{")))
    assert firing(f"{others}\n{line}\n") == {alert}


def test_every_rule_is_made_to_fire() -> None:
    assert {alert for alert, _ in FIRING} == {rule["alert"] for rule in RULES}


def test_rules_name_metrics_that_there_are() -> None:
    named = {metric for rule in RULES for metric in metrics_of(rule["expr"])}
    assert named <= {*GAUGES, "temporal_num_pollers"}
    words = {word for rule in RULES for word in re.findall(r"\b(?:redress|temporal)_\w+", rule["expr"])}
    assert words == named, "the tests read every metric of every rule"


def test_every_rule_has_an_owner_a_severity_and_a_page_that_says_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["labels"]["owner"] in {"operations", "complaints", "finance", "compliance"}
        document, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert document == "docs/operations.md"
        assert anchor in anchors, rule["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_prometheus_itself_agrees(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=ROOT / "deploy", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
