import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
import temporalio.activity
import temporalio.workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.logging import configure_logging
from tests.runtime.workflows_for_tests import Talk, talk

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def configured() -> Iterator[None]:
    """Put back what `configure_logging` changes for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    temporalio.workflow.logger.workflow_info_on_message = True
    temporalio.activity.logger.activity_info_on_message = True


@pytest.fixture
def lines(configured: None, capsys: pytest.CaptureFixture[str]) -> Lines:
    """The JSON lines logged since it was last asked; the test itself configures logging, for each phase of a test has
    a standard error of its own.
    """
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_all_loggers_make_json_lines_of_one_shape(lines: Lines) -> None:
    configure_logging("json", "INFO")
    structlog.get_logger("redress.letters").info("letter %s", "sent", complaint="RD-1", 语言="中文")
    logging.getLogger("aiosmtplib").warning("mail %s", "refused", extra={"code": 550})
    ours, theirs = lines()
    assert ours.pop("timestamp").endswith("Z")
    assert theirs.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "letter sent",
        "level": "info",
        "logger": "redress.letters",
        "complaint": "RD-1",
        "语言": "中文",
    }
    assert theirs == {"event": "mail refused", "level": "warning", "logger": "aiosmtplib", "code": 550}


def test_what_is_bound_to_the_context_is_on_every_line(lines: Lines) -> None:
    configure_logging("json", "INFO")
    with structlog.contextvars.bound_contextvars(complaint="RD-1", stage="received"):
        structlog.get_logger("redress").info("ours")
        logging.getLogger("asyncpg").info("theirs")
    assert [(line["complaint"], line["stage"]) for line in lines()] == [("RD-1", "received")] * 2


def test_lines_below_the_level_are_left_out(lines: Lines) -> None:
    configure_logging("json", "INFO")
    structlog.get_logger("redress").debug("too small")
    logging.getLogger("asyncpg").debug("too small")
    assert lines() == []


def test_a_traceback_is_in_its_line_without_the_values_of_variables(lines: Lines) -> None:
    configure_logging("json", "INFO")

    def fail(customer: str) -> None:
        raise RuntimeError("it went wrong")

    for logger in (structlog.get_logger("redress"), logging.getLogger("redress")):
        try:
            fail("name of a" + " customer")
        except RuntimeError:
            logger.exception("failed")
    for line in lines():
        assert line["exception"].endswith("RuntimeError: it went wrong")
        assert "name of a customer" not in json.dumps(line)


def test_warnings_are_logged(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("json", "INFO")
        warnings.warn("old habit", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "old habit" in line["event"]


def test_configuring_twice_does_not_double_the_lines(lines: Lines) -> None:
    configure_logging("json", "INFO")
    configure_logging("json", "INFO")
    structlog.get_logger("redress").info("once")
    assert [line["event"] for line in lines()] == ["once"]


def test_for_people_a_line_is_in_columns_and_a_traceback_without_values(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("console", "INFO")
    customer = "name of a" + " customer"
    structlog.get_logger("redress.letters").info("letter sent", complaint="RD-1")
    try:
        raise RuntimeError("it went wrong")
    except RuntimeError:
        logging.getLogger("redress").exception("failed")
    text = capsys.readouterr().err
    first = text.splitlines()[0]
    assert "letter sent" in first
    assert "complaint=RD-1" in first
    assert text.rstrip().endswith("RuntimeError: it went wrong")
    assert customer not in text


async def test_a_workflow_that_is_replayed_does_not_repeat_its_lines(
    lines: Lines, dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    configure_logging("json", "INFO")
    client = dev_server_env.client
    # Without a cache every task of the workflow, and every query, replays it from the beginning.
    async with Worker(client, task_queue=task_queue, workflows=[Talk], activities=[talk], max_cached_workflows=0):
        handle = await client.start_workflow(Talk.run, id=f"RD-{uuid4()}", task_queue=task_queue)
        assert await handle.query(Talk.where) == "here"
        await handle.signal(Talk.go_on)
        await handle.result()
        assert await handle.query(Talk.where) == "here"
    told = [line["event"] for line in lines() if not line["logger"].startswith("temporalio.worker")]
    assert told.count("asked") == 2  # a query is not a repetition, though it follows one
    assert [event for event in told if event != "asked"] == [
        "workflow logger",
        "standard logger",
        "structured logger",
        "activity logger",
        "structured logger in an activity",
        "went on",
    ]


async def test_lines_of_workflows_and_activities_carry_the_complaint_and_no_noise(
    lines: Lines, dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    configure_logging("json", "INFO")
    client = dev_server_env.client
    reference = f"RD-{uuid4()}"
    async with Worker(client, task_queue=task_queue, workflows=[Talk], activities=[talk]):
        await client.execute_workflow(Talk.run, id=reference, task_queue=task_queue, start_signal="go_on")
    told = {line["event"]: line for line in lines()}
    for line in told.values():
        del line["timestamp"]
    assert told["workflow logger"] == {
        "event": "workflow logger",
        "level": "info",
        "logger": "temporalio.workflow",
        "complaint": reference,
        "stage": "received",
    }
    assert told["activity logger"] == {
        "event": "activity logger",
        "level": "info",
        "logger": "temporalio.activity",
        "complaint": reference,
        "activity": "Talk",
    }
    assert told["structured logger in an activity"] == {
        "event": "structured logger in an activity",
        "level": "info",
        "logger": "redress.structured",
        "complaint": reference,
        "activity": "Talk",
    }
