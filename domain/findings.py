"""Findings: what an investigation established, with the rows it rests on and the sum it leads to."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from domain.base import Identifier, Instant, Record
from domain.money import Money


class Check(StrEnum):
    """An investigation that can be run."""

    EXECUTION = "execution"
    WITHDRAWAL_DELAY = "withdrawal_delay"


class Verdict(StrEnum):
    """Who answers for what happened."""

    FIRM_FAULT = "firm_fault"
    PROVIDER_FAULT = "provider_fault"
    """A liquidity provider's or a bank's fault, for which the firm answers to the customer."""
    MARKET = "market"
    CUSTOMER_ACTION = "customer_action"
    NO_FAULT = "no_fault"
    """Nothing went wrong: what was promised was done in time."""
    INCONCLUSIVE = "inconclusive"
    """The log does not answer. Never a guess."""

    @property
    def for_the_customer(self) -> bool:
        """Whether the firm owes redress."""
        return self in {Verdict.FIRM_FAULT, Verdict.PROVIDER_FAULT}


class Bilingual(Record):
    """The same statement in English and Chinese."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, datetime) else str(value)


class EvidenceRow(Record):
    """One row of the trade log a finding rests on: its table, its key, and its values as text."""

    table: str
    key: str
    values: dict[str, str]

    @classmethod
    def of(cls, table: str, key: str, row: Record) -> Self:
        """*row* as evidence: absent values left out, decimals without trailing zeros, instants in ISO 8601."""
        values = {name: value for name, value in row if value is not None}
        return cls(table=table, key=key, values={name: _as_text(value) for name, value in values.items()})


class Finding(Record):
    """The result of one check on one subject (an order, a fill, an account entry).

    ``harm`` is what the customer lost by it, rounded to the cent, never negative; ``None`` when inconclusive.
    ``numbers`` are the figures of the formula as text, by name. ``missing`` names the data that was not in the log.
    ``formula`` names the rule and its version, so that the sum can be computed again years later.
    """

    check: Check
    subject: str
    verdict: Verdict
    reason: Bilingual
    harm: Money | None = None
    numbers: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    formula: str

    @property
    def hash(self) -> str:
        """SHA-256 over the whole finding, with evidence in a fixed order: the same facts give the same hash."""
        content = self.model_dump(mode="json")
        content["evidence"] = sorted(content["evidence"], key=lambda row: (row["table"], row["key"]))
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Tolerances(Record):
    """What a policy pack counts as normal in the trade log. Thresholds of the firm, never rules of law."""

    price: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = "0.30"
    """How far a fill may lie outside the valid bid/ask, in the instrument's price units."""
    quote_window_seconds: Annotated[int, Field(gt=0, le=600)] = 2
    """How long before and after the fill quotes count as around its time."""
    latency_ms: Annotated[int, Field(gt=0)] = 1000
    """From receipt of an order to its execution."""
    withdrawal_hours: Annotated[int, Field(gt=0)] = 48
    """From request to release of a withdrawal, as the firm promises it."""
    withdrawal_interest_percent: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = "8"
    """Simple yearly interest on money withheld, actual/365."""


class InvestigationRequest(Record):
    """What to look for in the trade log. ``checks`` run in order; ``trades`` are order, fill or position ids."""

    checks: tuple[Check, ...] = Field(min_length=1)
    account: Identifier
    trades: tuple[Identifier, ...] = ()
    occurred_from: Instant | None = None
    occurred_until: Instant | None = None
    as_of: Instant
    tolerances: Tolerances = Tolerances()


class Investigation(Record):
    """The findings, one or more for every check asked for, in a fixed order."""

    findings: tuple[Finding, ...]

    @property
    def conclusive(self) -> bool:
        return all(finding.verdict is not Verdict.INCONCLUSIVE for finding in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.missing))
