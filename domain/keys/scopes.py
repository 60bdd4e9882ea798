"""Whose key: each case, incident, customer and inbound message has a key of its own, named by a scope."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_INSTALLATION: Final = "installation:"
"""How the scopes begin that belong to nobody alone."""
LOOKUPS: Final = "installation:lookups"
"""The scope of the secret that look-ups are keyed with: of the whole installation, and never destroyed."""
ACCESSES: Final = "installation:accesses"
"""The scope of what personal data was looked at for: it outlives whom it was about."""
LEARNING: Final = "installation:learning"
"""The scope of what those who work here write of causes, of the process, and for customers to read."""
SUBSCRIPTIONS: Final = "installation:subscriptions"
"""The scope of the secrets that sign what services are told."""
CUSTOMER: Final = "customer:"
"""How the scopes of customers begin."""
_GROUP: Final = "group:"
_MESSAGE: Final = "message:"
VISITS: Final = "installation:visits:"
"""How the scopes of visits begin."""


def of_persons(scopes: Iterable[str]) -> list[str]:
    """Those of the *scopes* under which something is sealed of a case, an incident, a customer or a message."""
    return [one for one in scopes if not one.startswith(_INSTALLATION)]


def cases_of(scopes: Iterable[str]) -> list[str]:
    """The cases and incidents among the *scopes*, in order."""
    return sorted(one for one in scopes if ":" not in one)


def scope_of_workflow(workflow_id: str) -> str:
    """The scope of what a workflow is told and says: its case or incident, whose parts have ids that begin alike.

    ``RD-K7M4-9QXT-2VBHC:investigation:2`` belongs to ``RD-K7M4-9QXT-2VBHC``.
    """
    return workflow_id.partition(":")[0] or workflow_id


def scope_of_customer(account: str) -> str:
    """The scope of what the firm's records say of who holds an account, in lists of incidents too."""
    return CUSTOMER + account


def scope_of_group(group: str) -> str:
    """The scope of who speaks for accounts that complain together."""
    return _GROUP + group


def scope_of_visits(at: datetime) -> str:
    """The scope of what visitors of the pages type in the month of *at* (UTC), until it is sent or forgotten."""
    return f"{VISITS}{at.astimezone(UTC):%Y-%m}"


def scope_of_message(key: str) -> str:
    """The scope of a message that came in and belongs to no case yet."""
    return _MESSAGE + key


def activity_of_run(number: int | str, first: str, before: str | None) -> str:
    """The id of an activity as a workflow seals for it: its *number*, and its run, by the *first* and the one *before*.

    What a run continues stays what it is when Temporal resets the run, whose history has the answers from before.
    """
    run = hashlib.sha256(f"{first}:{before or ''}".encode())
    return f"{number}:{run.hexdigest()[:16]}"
