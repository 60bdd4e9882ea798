"""Logs: one line an event on standard error, as JSON for machines or in columns for people.

Our own loggers (structlog) and everybody else's (the standard library's, with the Temporal SDK's among them) go through
one chain. Lines from a workflow or an activity carry `complaint` (the workflow id, which is the reference) and
`activity` in place of the SDK's own details. Tracebacks never show local variables: those hold personal data.
"""

import logging
import sys
from typing import Final, Literal

import structlog
import temporalio.activity
import temporalio.workflow
from structlog.typing import EventDict, Processor, WrappedLogger

_SDK_DETAILS: Final = ("temporal_workflow", "temporal_activity", "workflow_info", "activity_info")


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
        else [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
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
    handler.addFilter(_not_on_replay)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*for_all, structlog.stdlib.ExtraAdder(), _name_the_complaint],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # The SDK would append its details to the message, as the text of a dict.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.activity.logger.activity_info_on_message = False


def _name_the_complaint(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Reduce the SDK's details to what an operator looks for."""
    if core := event.pop("temporal_log", None):  # from the SDK's native part
        event.update({key: value for key, value in core.fields.items() if key not in event})
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


def _not_on_replay(_record: logging.LogRecord) -> bool:
    """Whether to let a record pass: a workflow that replays its history has logged all of this before.

    `temporalio.workflow.logger` knows by itself; this holds for every other logger that a workflow's code reaches.
    """
    return not (temporalio.workflow.in_workflow() and temporalio.workflow.unsafe.is_replaying_history_events())
