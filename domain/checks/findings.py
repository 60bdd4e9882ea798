"""Findings: what an investigation established, with the rows it rests on and the sum it leads to."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field

from domain.checks.profit import ReferenceRule
from domain.checks.tolerances import Tolerances
from domain.ground.base import Identifier, Instant, Record
from domain.ground.bilingual import Bilingual
from domain.ground.words import Confidence, IncidentStage, MemberState, Remedy
from domain.keys.personal import ERASED, RATES
from domain.money.amounts import Money
from domain.money.interest import Interest
from domain.money.parts import MissingRate, Part, total


class Check(StrEnum):
    """An investigation that can be run."""

    EXECUTION = "execution"
    WITHDRAWAL_DELAY = "withdrawal_delay"
    SLIPPAGE = "slippage"
    EXECUTION_DELAY = "execution_delay"
    REQUOTE = "requote"
    """Requotes and rejections."""
    TRIGGER = "trigger"
    OFF_MARKET = "off_market"
    STOP_OUT = "stop_out"
    CHARGES = "charges"
    """Swap and commission against the published schedule."""
    OUTAGE = "outage"
    BINARY_OPTION = "binary_option"
    CANCELLED_TRADE = "cancelled_trade"
    SUITABILITY = "suitability"
    """Products the customer should not have been sold."""
    FEES = "fees"
    """Fees nobody told of, or told of with a smaller sum."""
    FROZEN_ACCOUNT = "frozen_account"
    LOG_INS = "log_ins"
    """Log-ins that may not have been the customer's."""
    VERIFICATION = "verification"
    """How often the customer was asked to prove who they are, and what came of it."""
    ENTRIES = "entries"
    """Which fees and withdrawals there are, where the complaint names a sum and nothing else."""
    PROMISE = "promise"
    """What the firm's people promised in conversations."""


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


ALL_CUSTOMERS: Final = "all customers: "
"""How the subject of a finding on the orders of all customers begins: what it says is of the firm, not of one case."""


FAILED: Final = "check-failed@1"
"""The formula of a finding that a check did not come to, because it broke off."""


class IncidentLink(Record):
    """What an incident says of the account of a complaint that is about it.

    ``harm`` is what the list found for the account, ``losses`` the keys of what it is made of, ``trades`` the orders,
    fills and positions concerned. ``paid`` is what of it was made good under the incident by now; ``ended`` whether the
    incident is done with the account, also where others had made everything good.
    """

    incident: Identifier
    stage: IncidentStage
    title: Bilingual
    state: MemberState
    harm: Money | None
    trades: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    paid: Money | None = None
    ended: bool = False


class Elsewhere(Record):
    """Where else a loss is made good: the case or incident, since when, and whether it was ``paid`` or is promised.

    ``reference`` is ``None`` where somebody is kept out of that case who works on this one.
    """

    reference: Identifier | None
    at: Instant
    paid: bool

    @property
    def named(self) -> str:
        """What it is called where staff read of it."""
        return self.reference or "another complaint about the account"


def _as_text(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, datetime) else str(value)


class EvidenceRow(Record):
    """One row of the trade log a finding rests on: its table, its key, and its values as text."""

    table: str
    key: str
    values: dict[str, str]

    @classmethod
    def of(cls, table: str, key: str | Sequence[str], row: Record) -> "EvidenceRow":
        """*row* as evidence: absent values left out, decimals without trailing zeros, instants in ISO 8601.

        *key* is its key, or the names of the fields that make it up.
        """
        # nothing to check in what is made here; a margin replay has hundreds of rows
        values = {name: _as_text(value) for name, value in row.__dict__.items() if value is not None}
        name = key if isinstance(key, str) else "/".join([values[each] for each in key])
        return cls.model_construct(table=table, key=name, values=values)


class InKind(Record):
    """What the firm owes the customer beside any sum: the kind, the row of its records that it is about, how much."""

    kind: Remedy
    subject: Identifier | None = None
    amount: Money | None = None


class Finding(Record):
    """The result of one check on one subject (an order, a fill, an account entry).

    ``harm`` is what the customer lost by it, rounded to the cent, never negative; ``None`` when inconclusive. What
    several findings come to is rounded once, and theirs add up to it: see :func:`domain.checks.losses.together`.
    ``numbers`` are the figures of the formula as text, by name. ``missing`` names the data that was not in the log.
    ``formula`` names the rule and its version, so that the sum can be computed again years later. ``reference_rule`` is
    what a price was measured by. ``parts`` are what the harm is the sum of, not rounded; the keys are shared by all
    checks, see :func:`domain.checks.losses.once_only`. ``given`` is what the check went by beside the rows. ``owes`` is
    what is owed in kind, whatever the verdict: a withdrawal that was not released when the check looked.
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
    confidence: Confidence | None = None
    reference_rule: ReferenceRule | None = None
    parts: tuple[Part, ...] = ()
    given: dict[str, str] = Field(default_factory=dict)
    owes: tuple[InKind, ...] = ()

    @property
    def concerns_the_customer(self) -> bool:
        """Whether it says something of the customer's own loss.

        What is found of the orders of all customers does so only where it measures the disputed ones and comes to a
        sum. Without one it is a matter between the firm and its platform: it neither upholds a complaint nor holds it
        up.
        """
        return not self.subject.startswith(ALL_CUSTOMERS) or (self.harm is not None and self.harm.amount > 0)

    @property
    def open(self) -> bool:
        """Whether it leaves something to a person: no verdict, a doubtful one, or a sum that lacks something."""
        return self.verdict is Verdict.INCONCLUSIVE or self.confidence is Confidence.DOUBTFUL or bool(self.missing)

    @property
    def failed(self) -> bool:
        """Whether its check broke off: a person has to look, and so has somebody who mends the check."""
        return self.formula == FAILED

    @property
    def exact(self) -> Decimal:
        """The harm, not rounded; zero where there is none."""
        if self.harm is None:
            return Decimal(0)
        with suppress(MissingRate):  # of parts in another currency its figures tell the sum
            if self.parts:
                return total(self.parts, self.harm.currency).exact
        told = self._told("harm")
        return self.harm.amount if told is None else told

    @property
    def principal(self) -> Decimal:
        """The harm without the interest that the policy pack adds to it, not rounded; zero where there is none."""
        told = self._told("interest.principal")
        return self.exact if told is None else told

    def _told(self, name: str) -> Decimal | None:
        try:
            amount = Decimal(self.numbers[name])
        except (KeyError, InvalidOperation):
            return None
        return amount if amount.is_finite() and amount >= 0 else None

    @property
    def bare(self) -> "Finding":
        """What is decided by, without the rows that it rests on: those are in the case file."""
        return self.model_copy(update={"evidence": ()})

    @property
    def told(self) -> "Finding":
        """What a letter tells of it."""
        return self.bare.model_copy(update={"numbers": {}, "parts": (), "given": {}, "reference_rule": None})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("hash", None)  # that of what was copied
        return copied

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the whole finding, with evidence in a fixed order: the same facts give the same hash."""
        content = self.model_dump(mode="json")
        for name in _ADDED:  # findings made before these fields existed keep their hash
            if not content[name]:
                del content[name]
        content["evidence"] = sorted(content["evidence"], key=lambda row: (row["table"], row["key"]))
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @classmethod
    def noted(cls, data: Mapping[str, Any]) -> "Finding":
        """The finding that the *data* of a timeline's entry hold (:meth:`note`). Raises ``ValueError``."""
        return cls.model_validate({name: value for name, value in data.items() if name in cls.model_fields})

    @classmethod
    def listed(cls, data: Mapping[str, Any]) -> "Finding":
        """The finding of an account that an incident's list holds; where the customer was erased, its figures alone."""
        if "reason" in data:
            return cls.noted(data)
        told = str(data.get(ERASED, f"[{ERASED}]"))
        return cls.noted({**data, "reason": {"en": told, "zh": told}, "evidence": data.get(RATES, ())})

    def note(self, mark: str | None) -> dict[str, Any]:
        """The data of a timeline's entry: with its hash, the *mark* of the investigation, and the instruments of which
        its rows have the specification: by these cases are found when one is corrected.
        """
        instruments = sorted({row.key for row in self.evidence if row.table == "instruments"})
        return {**self.model_dump(mode="json"), "hash": self.hash, "mark": mark, "instruments": instruments}


_ADDED = ("confidence", "reference_rule", "parts", "given", "owes")


class InvestigationRequest(Record):
    """What to look for in the trade log. ``checks`` run in order; ``trades`` are order, fill or position ids.

    ``interest`` is what comes on top of a loss by the policy pack, until the day (UTC) of ``as_of``.
    """

    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=len(Check))]
    account: Identifier
    trades: Annotated[tuple[Identifier, ...], Field(max_length=1_000)] = ()
    occurred_from: Instant | None = None
    occurred_until: Instant | None = None
    as_of: Instant
    tolerances: Tolerances = Tolerances()
    interest: Annotated[tuple[Interest, ...], Field(max_length=100)] = ()
    reference: Identifier | None = None
    """The case it is for: what other cases and incidents made good is then not counted again."""
    mentioned: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    """Numbers in the customer's own words that may be ids: those that the log knows of the account are looked at."""
    rule_days: Annotated[int, Field(ge=1)] = 90
    """For so many days back it is told what else the customer was given by rule."""
    by_name: Annotated[tuple[Check, ...], Field(max_length=len(Check))] = ()
    """Those of ``checks`` that somebody asked for by name: each of these answers, be it that it lacks something."""


class Investigation(Record):
    """The findings, one or more for every check asked for, in a fixed order.

    ``version`` is that of the rule by which a case is decided on them (:func:`domain.case.resolution.decisive`): a case
    is decided by the rule that held when it was investigated.
    """

    findings: tuple[Finding, ...]
    version: Literal[1, 2] = 1
    incident: IncidentLink | None = None
    """The incident that the complaint is about, if one is known."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Where that is made good which the findings leave out."""
    lately: tuple[Money, ...] = ()
    """What the customer was promised by rule in other cases, in the days for which the pack counts that."""
    trades: tuple[tuple[str, ...], ...] = ()
    """The subjects that are parts of one trade, see :func:`domain.checks.trades.of_one_trade`."""
    mark: str | None = None
    """By it a worker knows again what was found here by the rules of the case: see :func:`marking`."""

    @property
    def bare(self) -> "Investigation":
        """What the case goes by; the rows are in the case file, and as many as the log has."""
        return self.model_copy(update={"findings": tuple(finding.bare for finding in self.findings)})

    @property
    def conclusive(self) -> bool:
        return all(finding.verdict is not Verdict.INCONCLUSIVE for finding in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.missing))


def marking(reference: str, account: str | None, findings: Iterable[Finding]) -> str:
    """What the mark of an investigation is made of: the case, the account, and all that was found, in order."""
    return json.dumps([reference, account, *(finding.hash for finding in findings)])
