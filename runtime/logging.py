"""Logs: one line an event on standard error, as JSON for machines or in columns for people.

Our own loggers (structlog) and everybody else's (the standard library's, with the Temporal SDK's among them) go through
one chain. Lines from a workflow or an activity carry `complaint` (the workflow id, which is the reference) and
`activity` in place of the SDK's own details.

No line quotes what a customer wrote, or a value from a row: what an error says is reduced to what it may say
(`runtime/redaction.py`), with the traceback's places and without its values, and other people's loggers have no say
below INFO, where they write down whole messages.
"""

import logging
import re
import sys
import threading
from typing import Any, Final, Literal

import structlog
import temporalio.activity
import temporalio.workflow
from pydantic import BaseModel
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.redaction import OURS, chain, in_a_line, traced

_SDK_DETAILS: Final = ("temporal_workflow", "temporal_activity", "workflow_info", "activity_info")
_CORE_TELLS: Final = frozenset(
    {"run_id", "workflow_id", "workflow_type", "activity_id", "activity_type", "task_queue", "namespace", "attempt"}
)
_CODE: Final = re.compile(r"\bcode: '?([A-Za-z ]{1,40})'?")
_WARNING: Final = re.compile(r".*?:\d+: (?P<kind>\w+):")
_ABOUT_CODE: Final = frozenset({"DeprecationWarning", "PendingDeprecationWarning", "FutureWarning", "ImportWarning"})


def configure_logging(format: Literal["console", "json"] = "json", level: str = "INFO") -> None:
    """Send all logs of this process to standard error in this format, from this level on. May be called again."""
    for_all: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    render: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            )
        ]
        if format == "console"
        else [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *for_all,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_no_inner_talk)
    handler.addFilter(_not_on_replay)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*for_all, structlog.stdlib.ExtraAdder(), _name_the_complaint],
            processors=[_without_values, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # The SDK would append its details to the message, as the text of a dict.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.activity.logger.activity_info_on_message = False
    _log_what_breaks_off()


def _log_what_breaks_off() -> None:
    """What nobody catches comes through the same door; Python itself would print its text."""
    log = logging.getLogger("redress")

    def at_the_end(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("the process broke off", exc_info=error)

    sys.excepthook = at_the_end
    threading.excepthook = lambda broken: log.critical("a thread broke off", exc_info=broken.exc_value)
    sys.unraisablehook = lambda broken: log.error("an error had nowhere to go", exc_info=broken.exc_value)


def _name_the_complaint(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Reduce the SDK's details to what an operator looks for."""
    if core := event.pop("temporal_log", None):  # from the SDK's native part
        told = {key: value for key, value in core.fields.items() if key in _CORE_TELLS}
        codes = {code for value in core.fields.values() for code in _CODE.findall(str(value))}
        event.update({key: value for key, value in told.items() if key not in event})
        event.update({"code": ", ".join(sorted(codes))} if codes else {})
    details = {**(event.get("temporal_workflow") or {}), **(event.get("temporal_activity") or {})}
    for key in [key for key in event if key in _SDK_DETAILS or key.startswith("__temporal")]:
        del event[key]
    if details.get("workflow_id"):
        event.setdefault("complaint", details["workflow_id"])
    if details.get("activity_type"):
        event.setdefault("activity", details["activity_type"])
        if details.get("attempt", 1) > 1:
            event.setdefault("attempt", details["attempt"])
    return event


def _without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Let no error, and no model, say more than it may."""
    error = _caught(event.pop("exc_info", None))
    said = str(event.get("event", ""))
    if event.get("logger") == "asyncio":
        said = said.partition("\n")[0]  # then comes the task, with the text of its error
    elif event.get("logger") == "py.warnings":
        said = _warned(said)
    if error is not None:
        for each in chain(error):  # some repeat the error in the line itself
            if text := str(each):
                said = said.replace(text, in_a_line(each))
        event["exception"] = traced(error)
    event["event"] = said
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = in_a_line(value)
        elif isinstance(value, BaseModel):
            event[key] = type(value).__name__
    return event


def _caught(given: Any) -> BaseException | None:
    """The error of a line: given itself, as a triple, or by its being handled just now."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _warned(said: str) -> str:
    """A warning about habits in code as it is; any other may quote values: pydantic's do."""
    head = _WARNING.match(said)
    return said if head and head["kind"] in _ABOUT_CODE else (head[0] if head else "a warning")


def _no_inner_talk(record: logging.LogRecord) -> bool:
    """Whether to let a record pass: others tell whole messages, and what is in them, below INFO."""
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in OURS | {"redress"}


def _not_on_replay(_record: logging.LogRecord) -> bool:
    """Whether to let a record pass: a workflow that replays its history has logged all of this before.

    `temporalio.workflow.logger` knows by itself; this holds for every other logger that a workflow's code reaches.
    """
    return not (temporalio.workflow.in_workflow() and temporalio.workflow.unsafe.is_replaying_history_events())
