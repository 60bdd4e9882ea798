"""Histories kept in the repository: opened, and with nothing of the machine they ran on."""

import re
from pathlib import Path

from temporalio.client import WorkflowHistory

from tests.workflows.fingerprints import is_released, keep
from tests.workflows.opened import open_history


async def opened(history: WorkflowHistory, namespace: str) -> str:
    """*history* as JSON. It is to replay for years, with the keys of no test."""
    text = (await open_history(history, namespace)).to_json()
    # Which machine it ran on, and in which folder, is nobody's business.
    text = re.sub(r'"(identity|binaryChecksum)": "[^"]*"', r'"\1": "recorded"', text)
    text = re.sub(r'"\d+@[^"]*"', '"recorded"', text)
    return re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)


def write(file: Path, text: str) -> None:
    """Write a history and, beside it, the order of its commands. Raises ``ValueError`` if a released one changes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    keep(file, WorkflowHistory.from_json("kept", text), released=is_released())
    file.write_text(text + "\n", encoding="utf-8")


async def record(folder: Path, name: str, history: WorkflowHistory) -> None:
    """Put the *history* of the test *name* into *folder*, by the type of its workflow; the last one of a type stays."""
    started = history.events[0].workflow_execution_started_event_attributes
    write(folder / f"{started.workflow_type.name}_{name}.json", await opened(history, "default"))
