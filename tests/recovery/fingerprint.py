"""What the record says, row by row: two records with the same fingerprint tell the same of every case and incident."""

import json
from typing import TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

TABLES = {
    "casefile.cases": ("updated_at",),
    "casefile.contacts": ("id",),
    "casefile.timeline": ("id",),
    "casefile.rejected_messages": (),
    "casefile.events": (),
    "casefile.deadlines": (),
    "casefile.satisfactions": (),
    "casefile.firings": (),
    "casefile.checkpoints": (),
    "casefile.letters": ("rendered_at",),
    "casefile.letter_attempts": ("id", "detail", "way", "in_doubt"),
    "casefile.postings": (),
    "casefile.ledger_entries": (),
    "casefile.promises": (),
    "casefile.tasks": ("turns",),
    "casefile.redressed": (),
    "casefile.case_topics": (),
    "casefile.incident_warnings": ("id",),
    "casefile.incidents": ("updated_at",),
    "casefile.incident_timeline": ("id",),
    "casefile.cohort_members": (),
    "casefile.cohorts": ("listed_at",),
    "casefile.incident_results": (),
    "casefile.incident_cases": ("at",),
    "casefile.incident_letters": ("rendered_at",),
    "casefile.incident_letter_attempts": ("id", "at", "channel", "detail", "way"),
    "payments.orders": ("ordered_at",),
    "payments.outcomes": (),
    "payments.reversals": (),
}
"""Every table of the record, with the columns that another writing of the same may say otherwise."""


OF_A_WORKFLOW = ("revision", "progress", "journal")
"""Columns that tell which workflow has a case, and how much it has done."""

_BY_ITSELF = '"key": "kept_out:'
"""Who is kept out is noted when a case is next touched: of two records written in another order, here or there."""


async def fingerprint(pool: Pool, *, workflows: bool = True) -> dict[str, list[str]]:
    """The rows of every table of the record, in an order of their own, with or without what tells of *workflows*."""
    tables = TABLES if workflows else {table: TABLES[table] for table in TABLES if table != "casefile.checkpoints"}
    found = {}
    for table, columns in tables.items():
        but = columns if workflows else (*columns, *OF_A_WORKFLOW)
        # As JSON: what is sealed is opened, for no two envelopes are alike.
        rows = await pool.fetch(f"select to_jsonb(t) - $1::text[] as row from {table} t", list(but))  # noqa: S608
        told = [json.dumps(row["row"], sort_keys=True, default=str, ensure_ascii=False) for row in rows]
        found[table] = sorted(row for row in told if _BY_ITSELF not in row)
    return found


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """The rows that only one of two fingerprints has, by table."""
    return [
        f"{table} {mark} {row}"
        for table in one
        for mark, rows, others in (("-", one[table], other[table]), ("+", other[table], one[table]))
        for row in rows
        if row not in others
    ]
