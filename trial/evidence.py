"""What the checkers of the trial look at, beside the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from trial.driver import Receipt
from trial.receivers import Letter


@dataclass(frozen=True)
class Workflow:
    """How Temporal says a workflow is. *attempt* is of its pending task: above 1 it has failed before."""

    id: str
    type: str
    status: str
    attempt: int = 0
    problems: tuple[str, ...] = ()
    cause: str = ""
    """Why it failed, if it did."""


@dataclass
class Evidence:
    """All that the checker looks at."""

    receipts: Sequence[Receipt]
    letters: Sequence[Letter] = ()
    """What the mail server took."""
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the rail was told, by key; ``paid`` says whether money went."""
    workflows: Sequence[Workflow] = ()
    unreplayable: Sequence[tuple[str, str]] = ()
    """Workflows one of whose histories leads elsewhere when it is replayed, and what the SDK says."""
    outbox: Path | None = None
    all_ours: bool = True
    """Whether every case in the database was submitted under a receipt."""
    database_url: str | None = None
    """Of the record as it is stored, sealed as it is; without one the chains of the record are not looked at."""
    rail: bool = False
    clock_wrong_by: timedelta = timedelta(0)
    """How far a worker's clock may have been behind: what it did late may bear an instant before the time ended."""
