"""The command line, ``redress``: tables for people, ``--json`` for programs, exit codes that mean something."""

# The help lists the commands in this order.
from starter.cli import serving  # isort: skip
from starter.cli import submitting  # isort: skip
from starter.cli import loading  # isort: skip
from starter.cli import instruments  # isort: skip
from starter.cli import investigating  # isort: skip
from starter.cli import reading  # isort: skip
from starter.cli import assessing  # isort: skip
from starter.cli import policies  # isort: skip
from starter.cli import letters  # isort: skip
from starter.cli import calendars  # isort: skip
from starter.cli import directory  # isort: skip
from starter.cli import customers  # isort: skip
from starter.cli import restrictions  # isort: skip
from starter.cli import routing  # isort: skip
from starter.cli import acting  # isort: skip
from starter.cli import signs  # isort: skip
from starter.cli import actors  # isort: skip
from starter.cli import evidence  # isort: skip
from starter.cli import payments  # isort: skip
from starter.cli import referrals, remedies  # isort: skip
from starter.cli import tasks  # isort: skip
from starter.cli import incidents  # isort: skip
from starter.cli import intake  # isort: skip
from starter.cli import reports  # isort: skip
from starter.cli import causes  # isort: skip
from starter.cli import actions  # isort: skip
from starter.cli import articles  # isort: skip
from starter.cli import process, reviews  # isort: skip
from starter.cli import returns  # isort: skip
from starter.cli import restores  # isort: skip
from starter.cli import keys  # isort: skip
from starter.cli import privacy  # isort: skip
from starter.cli import api, subscriptions  # isort: skip
from starter.cli import audit  # isort: skip
from starter.cli import health  # isort: skip
from starter.cli.program import main

__all__ = [
    "acting",
    "actions",
    "actors",
    "api",
    "articles",
    "assessing",
    "audit",
    "calendars",
    "causes",
    "customers",
    "directory",
    "evidence",
    "health",
    "incidents",
    "instruments",
    "intake",
    "investigating",
    "keys",
    "letters",
    "loading",
    "main",
    "payments",
    "policies",
    "privacy",
    "process",
    "reading",
    "referrals",
    "remedies",
    "reports",
    "restores",
    "restrictions",
    "returns",
    "reviews",
    "routing",
    "serving",
    "signs",
    "submitting",
    "subscriptions",
    "tasks",
]
