"""The two persons and their limits, proved from the record: who decided what was awarded, and whether they might.

The rule is written here anew, from what the packs say; nothing of the service's own way of taking a decision is used.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from runtime.database import Pool
    from trial.report import Report


KIND: Final = "not two persons"
BEYOND: Final = "beyond the limit"
_ORDINAL: Final = re.compile(r"[a-z_]+:(\d+)")


async def decisions(pool: "Pool", report: "Report") -> None:
    """Every award rests on a rule, or on two persons of whom the second may approve so much."""
    proposals = await pool.fetch(_PROPOSALS)
    for row in await pool.fetch(_AWARDS):
        key, decision = row["key"], row["decision"]
        report.counted[f"awards by {row['kind'] or 'nobody'}"] += 1
        if row["kind"] is None:
            report.add("award of nobody", row["reference"], f"{key}: no entry of the timeline decides it")
            continue
        said, sum_ = row["data"], (row["currency"], row["total"])
        if row["kind"] in {"proposed", "propose_resolution", "resolve_early"}:
            if said.get("outcome") != "upheld":
                report.add(
                    KIND, row["reference"], f"{key}: {decision} gives less than was asked, and nobody approved it"
                )
            if not _within(row["rules"]["rule_limits"], *sum_):
                report.add(BEYOND, row["reference"], f"{key}: {sum_} was not approved, and no rule gives so much")
            continue
        before = [
            one
            for one in proposals
            if one["reference"] == row["reference"]
            and one["round"] == said.get("round")
            and _ordinal(one["key"]) < _ordinal(decision)
        ]
        if said.get("decision") != "approve" or not before:
            report.add("award of nobody", row["reference"], f"{key}: {decision} approves no proposal")
            continue
        proposer = max(before, key=lambda one: _ordinal(one["key"]))["actor"]
        if _person(proposer) == _person(row["actor"]):
            report.add(KIND, row["reference"], f"{key}: {proposer} proposed it and {row['actor']} approved it")
        if not _may_approve(row["rules"], row["actor"], *sum_):
            report.add(BEYOND, row["reference"], f"{key}: {row['actor']} approved {sum_}")


async def refusals(pool: "Pool", report: "Report") -> None:
    """Nobody is told no, or less than was asked, by a machine or by one person alone."""
    for row in await pool.fetch(_REFUSALS):
        report.counted["refusals"] += 1
        if _person(row["proposer"]) == _person(row["approver"] or row["proposer"]):
            report.add(
                KIND, row["reference"], f"{row['outcome']}: proposed by {row['proposer']}, by nobody else approved"
            )


async def lists(pool: "Pool", report: "Report") -> None:
    """Every award of an incident rests on a list that a second person approved, who may approve the whole of it."""
    for row in await pool.fetch(_LISTED_AWARDS):
        key, whose = row["key"], row["incident"]
        report.counted["awards by list"] += 1
        if row["actor"] is None or row["data"].get("decision") != "approve" or row["number"] is None:
            report.add("award of nobody", whose, f"{key}: no approval of a list stands in its timeline")
            continue
        if _person(row["actor"]) == _person(row["opened_by"]):
            report.add(KIND, whose, f"{row['opened_by']} opened it and {row['actor']} approved it")
        for currency, total in row["totals"].items():
            if not _may_approve(row["rules"], row["actor"], currency, Decimal(total)):
                report.add(BEYOND, whose, f"{row['actor']} approved {total} {currency}")
        if row["harm"] is None or row["amount"] > row["harm"] + _ROUNDED:
            report.add(
                "award beyond the list", whose, f"{key}: {row['amount']} was posted, {row['harm']} stands in the list"
            )


def _ordinal(key: str) -> int:
    found = _ORDINAL.fullmatch(key)
    return int(found.group(1)) if found else 0


def _person(actor: str) -> str:
    return unicodedata.normalize("NFKC", actor.partition(":")[2]).casefold().strip()


def _within(limits: Mapping[str, Any] | None, currency: str, sum_: Decimal) -> bool:
    """Whether *limits*, by currency, reach as far as *sum_*; ``None`` has no end."""
    return limits is None or (currency in limits and sum_ <= Decimal(str(limits[currency])))


def _may_approve(rules: Mapping[str, Any], actor: str, currency: str, sum_: Decimal) -> bool:
    role = actor.partition(":")[0]
    return any(step["role"] == role and _within(step.get("limits"), currency, sum_) for step in rules["approval"])


_ROUNDED: Final = Decimal("0.01")
"""A loss is found exactly, and posted in whole cents."""
_AWARDS: Final = """
    select posting.reference, posting.key, posting.decision, posting.currency, said.kind, said.actor, said.data,
        sum(posting.amount) over (partition by posting.reference order by posting.number) as total,
        pack.content -> 'decision' as rules
    from casefile.postings as posting
    join casefile.cases using (reference)
    join casefile.policy_packs as pack on pack.hash = cases.policy_hash
    left join casefile.timeline as said on (said.reference, said.key) = (posting.reference, posting.decision)
    where posting.kind = 'award' and posting.incident is null
"""
_PROPOSALS: Final = """
    select reference, key, actor, (data ->> 'round')::integer as round from casefile.timeline
    where kind in ('proposed', 'propose_resolution')
"""
_REFUSALS: Final = """
    select reference, outcome, proposal.actor as proposer, approval.actor as approver
    from casefile.cases
    join lateral (
        select actor, journal, id from casefile.timeline as said where said.reference = cases.reference
            and kind in ('proposed', 'propose_resolution', 'resolve_early')
        order by (data ->> 'round')::integer desc, journal desc, id desc limit 1
    ) as proposal on true
    left join lateral (
        select actor from casefile.timeline as said where said.reference = cases.reference
            and kind = 'decide_resolution' and data ->> 'decision' = 'approve'
        order by (data ->> 'round')::integer desc, journal desc, id desc limit 1
    ) as approval on true
    where outcome in ('not_upheld', 'partly_upheld')
"""
_LISTED_AWARDS: Final = """
    select posting.incident, posting.key, posting.amount, said.actor, said.data, incidents.opened_by, list.number,
        pack.content -> 'decision' as rules, member.amount as harm,
        coalesce((select jsonb_object_agg(currency, total) from (
            select currency, sum(amount)::text as total from casefile.cohort_members as each
            where (each.reference, each.number) = (posting.incident, list.number) and each.state = 'harmed'
            group by currency) as sums), '{}') as totals
    from casefile.postings as posting
    join casefile.incidents on incidents.reference = posting.incident
    join casefile.policy_packs as pack on pack.hash = incidents.policy_hash
    left join casefile.incident_timeline as said
        on (said.reference, said.key) = (posting.incident, posting.decision) and said.kind = 'decide_incident'
    left join lateral (
        select number from casefile.cohorts
        where cohorts.reference = posting.incident and starts_with(cohorts.hash, said.data ->> 'cohort')
        order by number desc limit 1
    ) as list on true
    left join casefile.cohort_members as member
        on (member.reference, member.number, member.account) = (posting.incident, list.number, posting.account)
    where posting.kind = 'award' and posting.incident is not null
"""
