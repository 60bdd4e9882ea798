"""What an incident promises, proved from the record: no account is left out, and all whom it concerns are told."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime.database import Pool
    from trial.evidence import Evidence
    from trial.report import Report


async def incidents(pool: "Pool", evidence: "Evidence", report: "Report") -> None:
    """Every accepted opening is one incident; of one that has ended every account was made good once, and told."""
    wanted = {one.reference for one in evidence.receipts if one.what == "incident"}
    stages = {row["reference"]: row["stage"] for row in await pool.fetch("select * from casefile.incidents")}
    for reference in sorted(wanted - set(stages)):
        report.add("incident lost", reference, "its opening was accepted, and it is in no case file")
    if evidence.all_ours:
        for reference in sorted(set(stages) - wanted):
            report.add("incident of nobody", reference, "nobody opened it")
    for stage in stages.values():
        report.counted[f"incidents {stage}"] += 1
    await _members(pool, report)
    await _paid(pool, evidence, report)
    await _resumed(pool, evidence, report)
    await _told(pool, report)


async def _told(pool: "Pool", report: "Report") -> None:
    said: defaultdict[str, list[str]] = defaultdict(list)
    for row in await pool.fetch(_SAID):
        said[row["reference"]].append(row["text"])
    for row in await pool.fetch(_CONCERNED):
        report.counted["complaints of incidents"] += 1
        if not any(row["incident"] in text and row["stage"] in text for text in said[row["reference"]]):
            report.add("complaint untold", row["reference"], f"{row['incident']} has ended, and the case was not told")


async def _members(pool: "Pool", report: "Report") -> None:
    for row in await pool.fetch(_MEMBERS):
        report.counted["accounts made good"] += row["awarded"]
        account = f"an account of list {row['number']}"
        if not row["ended"]:
            report.add("account left out", row["reference"], f"{account} was harmed, and nothing came of it")
        elif row["awarded"] and not row["told"]:
            report.add("account untold", row["reference"], f"{account} was compensated, and no letter says so")


async def _paid(pool: "Pool", evidence: "Evidence", report: "Report") -> None:
    if not evidence.rail:
        return
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in await pool.fetch(_BOOKED):
        sums[row["incident"], row["account"]][row["kind"]] = row["amount"]
    for (incident, _), booked in sums.items():
        awarded, paid = Decimal(booked["award"]), Decimal(booked["payment"]) - Decimal(booked["reversal"])
        if awarded != paid:
            report.add("sums differ", incident, f"an account was awarded {awarded} and paid {paid}")


async def _resumed(pool: "Pool", evidence: "Evidence", report: "Report") -> None:
    """A message that says nothing of its own is known by its number only."""
    accepted = Counter(one.reference for one in evidence.receipts if one.name == "resume")
    noted = Counter(
        row["reference"]
        for row in await pool.fetch("select reference from casefile.incident_timeline where kind = 'resume_incident'")
    )
    for reference, count in accepted.items():
        if noted[reference] < count:
            report.add("message lost", reference, f"{count} resumptions were accepted, {noted[reference]} are recorded")


_MEMBERS: Final = """
    select member.reference, member.number, result.reference is not null as ended,
        result.posting_key is not null as awarded,
        exists (select from casefile.incident_letters as letter
            where (letter.reference, letter.account) = (member.reference, member.account)) as told
    from casefile.cohort_members as member
    join casefile.incidents using (reference)
    left join casefile.incident_results as result
        on (result.reference, result.account) = (member.reference, member.account)
    where incidents.stage = 'closed' and member.state = 'harmed'
        and member.number = (select max(number) from casefile.cohorts where cohorts.reference = member.reference)
"""
_BOOKED: Final = """
    select incident, account, postings.kind, sum(amount) as amount from casefile.postings
    join casefile.incidents on incidents.reference = postings.incident and incidents.stage = 'closed'
    group by incident, account, postings.kind
"""
_CONCERNED: Final = """
    select link.reference, link.incident, incidents.stage
    from casefile.incident_cases as link
    join casefile.incidents on incidents.reference = link.incident
    join casefile.cases on cases.reference = link.reference
    where incidents.stage in ('closed', 'dismissed')
        -- A case that closes while it is being told may be told too late.
        and (cases.closed_at is null or cases.closed_at > interval '60 seconds' + (
            select max(at) from casefile.incident_timeline as said where said.reference = link.incident))
"""
_SAID: Final = "select reference, text from casefile.timeline where kind = 'incident'"
"""Looked at here: the words are sealed in the record."""
