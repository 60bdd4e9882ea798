import asyncio
import gc
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
import temporalio.activity
import temporalio.workflow
from pydantic import BaseModel
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from runtime.connection import TAKEN_UP_AGAIN
from runtime.logging import configure_logging
from tests.runtime.workflows_for_tests import Talk, talk

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def configured() -> Iterator[None]:
    """Put back what `configure_logging` changes for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
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
        assert 'raise RuntimeError("it went wrong")' in line["exception"]
        assert line["exception"].endswith("\nRuntimeError")  # what others say of an error may quote anything
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
    assert text.rstrip().endswith("\nRuntimeError")
    assert customer not in text


async def where(handle: WorkflowHandle[Talk, None]) -> str:
    """Its answer, however often it is asked before the task with what it would have brought."""
    while True:
        try:
            return await handle.query(Talk.where)
        except WorkflowQueryFailedError as error:
            if TAKEN_UP_AGAIN not in str(error):
                raise


async def test_a_workflow_that_is_replayed_does_not_repeat_its_lines(
    lines: Lines, dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    configure_logging("json", "INFO")
    client = dev_server_env.client
    # Without a cache every task of the workflow, and every query, replays it from the beginning.
    async with Worker(client, task_queue=task_queue, workflows=[Talk], activities=[talk], max_cached_workflows=0):
        handle = await client.start_workflow(Talk.run, id=f"RD-{uuid4()}", task_queue=task_queue)
        assert await where(handle) == "here"
        await handle.signal(Talk.go_on)
        await handle.result()
        assert await where(handle) == "here"
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


def test_no_line_repeats_what_an_error_quotes(lines: Lines) -> None:
    configure_logging("json", "DEBUG")
    word = "zor" + "blatt"
    sdk = logging.getLogger("temporalio.worker")
    try:
        {}[word]  # type: ignore[index]
    except KeyError as error:
        structlog.get_logger("redress").exception("failed", why=error)
        sdk.exception("Exception handling failed, original error: %s", error, extra={"why": error})
    sdk.debug("Received workflow activation: %s", word)
    told = lines()
    assert [line["why"] for line in told] == ["KeyError", "KeyError"]
    assert word not in json.dumps(told)


def test_a_warning_about_values_is_told_without_them(lines: Lines) -> None:
    class Letter(BaseModel):
        pages: int

    word = "zor" + "blatt"
    letter = Letter.model_construct(pages=word)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("json", "INFO")
        letter.model_dump_json()
        structlog.get_logger("redress").info("written", letter=letter)
        logging.captureWarnings(False)
    warned, told = lines()
    assert "UserWarning" in warned["event"]
    assert told["letter"] == "Letter"
    assert word not in json.dumps([warned, told])


async def test_a_task_that_nobody_asks_for_its_error_is_told_of_without_it(lines: Lines) -> None:
    configure_logging("json", "INFO")
    gc.collect()
    lines()  # told of what other tests left
    word = "zor" + "blatt"

    async def fail() -> None:
        raise KeyError(word)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert line["exception"].endswith("KeyError")
    assert word not in json.dumps(line)


@pytest.mark.parametrize("where", ["main", "thread", "del"])
def test_what_nobody_catches_goes_through_the_log(where: str) -> None:
    code = f"""
import threading
from runtime.connection import TAKEN_UP_AGAIN
from runtime.logging import configure_logging
configure_logging("json", "INFO")
def fail(): {{}}["zorb" + "latt"]
class Last:
    def __del__(self): fail()
if {where!r} == "thread":
    thread = threading.Thread(target=fail); thread.start(); thread.join()
elif {where!r} == "del":
    Last()
else:
    fail()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    (line,) = map(json.loads, ended.stderr.splitlines())
    assert line["exception"].endswith("KeyError")
    assert "zorblatt" not in ended.stderr + ended.stdout
    assert ended.returncode == (1 if where == "main" else 0)
