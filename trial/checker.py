"""The checker: proves from the record alone that nothing was lost and nothing doubled.

It knows the receipts, and reads PostgreSQL, the journals of the mail server and the rail, and how Temporal says that
its workflows are. It uses nothing of the service's own code that could share its mistakes. Whatever it finds is a
violation, with one window that SMTP leaves: a letter whose acceptance was not recorded may arrive again under its
Message-ID; such repeats are counted apart.
"""

import base64
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trial import cohorts, entrance, persons, tampering
from trial.driver import Receipt
from trial.evidence import Evidence
from trial.receivers import Letter
from trial.report import Report
from trial.script import UNKNOWN_PACK

if TYPE_CHECKING:
    from runtime.database import Pool

LATE: Final = timedelta(seconds=30)
"""A rung that is due for so long must have fired."""
_JOURNALLED: Final = re.compile(r"([a-z_]+):(\d+)")
_STAGE: Final = re.compile(r"stage:(\d+):([a-z_]+)")


def read_receipts(path: Path) -> list[Receipt]:
    """The receipts of a journal."""
    return [Receipt.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


async def check(pool: "Pool", evidence: Evidence, *, now: datetime | None = None) -> Report:
    """Prove each promise, or say what breaks it."""
    report = Report()
    now = now or datetime.now(UTC)
    await _submissions(pool, evidence, report)
    await _messages(pool, evidence, report)
    await _deadlines(pool, evidence, report, now)
    await _letters(pool, evidence, report)
    await _money(pool, evidence, report)
    await persons.decisions(pool, report)
    await persons.refusals(pool, report)
    await persons.lists(pool, report)
    await cohorts.incidents(pool, evidence, report)
    await _workflows(pool, evidence, report)
    await _timelines(pool, report)
    await _events(pool, report)
    if evidence.database_url:
        await tampering.chains(evidence.database_url, report)
    return report


# -- every accepted submission is exactly one case, or a refusal that can be found -------------------------------------


async def _submissions(pool: "Pool", evidence: Evidence, report: Report) -> None:
    wanted = {one.reference: one for one in evidence.receipts if one.what in {"submission", "start"}}
    cases = await pool.fetch("select reference, source, idempotency_key, complaint from casefile.cases")
    known = {row["reference"] for row in cases}
    unopened = await _unopened(pool)
    report.counted["submissions"] = len(wanted)
    for reference, receipt in wanted.items():
        if reference in known:
            continue
        if reference in unopened:
            # For a pack that nobody has it waits, until somebody brings it.
            if unopened[reference] == "waiting" and receipt.name != UNKNOWN_PACK:
                report.add("case still waiting", reference, "its start was accepted, and it is no case yet")
            report.counted["findable refusals"] += unopened[reference] == "refused"
        else:
            report.add(
                "submission lost", reference, f"an accepted {receipt.what} is no case, and no refusal that can be found"
            )
    if evidence.all_ours:
        # A reply to a closed case goes on as a case of its own, which names the one before.
        going_on = {
            row["reference"]
            for row in cases
            if row["source"] == "reply" and row["idempotency_key"].partition("/")[0] in known
        }
        report.counted["cases that go on from a closed one"] = len(going_on)
        for reference in sorted(known - set(wanted) - going_on):
            report.add("case of nobody", reference, "there is a case that nobody submitted")
    named: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in cases:
        told = (row["complaint"].get("source"), row["complaint"].get("idempotency_key"))
        named[told].append(row["reference"])
    for references in named.values():
        if len(references) > 1:
            report.add("case doubled", references[0], f"one submission is {len(references)} cases: {references}")


async def _unopened(pool: "Pool") -> dict[str, str]:
    """State of the starts that are no case, by workflow id."""
    return {
        row["workflow_id"]: row["state"] for row in await pool.fetch("select workflow_id, state from casefile.unopened")
    }


# -- every accepted message is in one file, once -----------------------------------------------------------------------


async def _messages(pool: "Pool", evidence: Evidence, report: Report) -> None:
    wanted = {
        one.token: one
        for one in evidence.receipts
        if one.what in {"signal", "update", "received"} and one.name != "resume"
    }
    report.counted["messages"] = len(wanted)
    ended = {
        token: ending
        for said, ending in (await entrance.endings(pool, report)).items()
        for token in set(_TOKEN.findall(said))
    }
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in await pool.fetch(_SAID):
        for token in set(
            _TOKEN.findall(
                _legible(row["told"] if isinstance(row["told"], str) else json.dumps(row["told"], default=str))
            )
        ):
            found[token].append((row["reference"], row["place"]))
    bare: Counter[str] = Counter()
    for token, receipt in wanted.items():
        if receipt.name in {"no-argument"}:
            bare[receipt.reference] += 1  # it has nothing to know it by
            continue
        places = found.get(token, [])
        if receipt.what == "received" and ended.get(token) != entrance.HEARD:
            # Nobody heard it, and a person is told why.
            if token not in ended:
                report.add("message lost", receipt.reference, f"{receipt.name} {token} was not received")
            elif places:
                report.add("heard and refused", receipt.reference, f"{receipt.name} {token} ended as {ended[token]}")
        elif not places:
            report.add("message lost", receipt.reference, f"{receipt.what} {receipt.name} {token} is in no file")
        elif len(places) > 1:
            report.add("message doubled", receipt.reference, f"{receipt.name} {token} is {len(places)} times in files")
        elif places[0][0] != receipt.reference:
            report.add("message misfiled", receipt.reference, f"{receipt.name} {token} is with {places[0][0]}")
    rejected = Counter(
        row["reference"]
        for row in await pool.fetch("select reference, payload from casefile.rejected_messages")
        if row["payload"] in {"[]", ""}
    )
    for reference, count in bare.items():
        if rejected[reference] != count:
            report.add(
                "message lost" if rejected[reference] < count else "message doubled",
                reference,
                f"{count} messages without arguments were accepted, and {rejected[reference]} are in the file",
            )


def _legible(said: str) -> str:
    """*said* with what is no text, and therefore kept in base64, as far as it can be read."""
    return _KEPT.sub(lambda found: _read(found.group(1)), said)


def _read(kept: str) -> str:
    """What was kept of something long has lost its end."""
    return base64.b64decode(kept[: len(kept) // 4 * 4]).decode("ascii", errors="replace")


_TOKEN: Final = re.compile(r"t\d+x\d+x\d+e(?:\d+e)?")
_KEPT: Final = re.compile(r"base64:([A-Za-z0-9+/]+=*)")
_SAID: Final = """
    select reference, 'timeline' as place, data as told from casefile.timeline
    where kind in ('customer_reply', 'escalate', 'assign', 'reclassify', 'add_evidence', 'investigate',
        'request_information', 'propose_resolution', 'decide_resolution', 'resolve_early', 'extend_deadline',
        'record_referral', 'report_referral', 'record_feedback', 'record_cause', 'correct_contact',
        'verify_complainant', 'withdraw', 'reopen', 'retry_payment', 'report_payment', 'grant_relief',
        'confirm_remedy', 'reassign_remedy', 'give_task', 'finish_task', 'reassign_task')
    union all
    select reference, 'incident timeline', data from casefile.incident_timeline
    where kind in ('decide_incident', 'pause_incident')
    union all
    select reference, 'rejected', to_jsonb(payload) from casefile.rejected_messages
"""


# -- every due rung fired once, or was satisfied before its due instant; no breach vanished ----------------------------


async def _deadlines(pool: "Pool", evidence: Evidence, report: Report, now: datetime) -> None:
    told = Counter(
        (row["reference"], row["clock"], row["number"])
        for row in await pool.fetch(
            "select reference, data ->> 'clock' as clock, (data ->> 'number')::integer as number"
            " from casefile.timeline where kind = 'breach'"
        )
    )
    breaches: set[str] = set()
    for row in await pool.fetch(_RUNGS):
        reference, name = row["reference"], f"{row['clock']} {row['number']} {row['rung']}"
        satisfied, due, breach = row["satisfied_at"], row["due"], "breach" in row["actions"]
        report.counted["rungs"] += 1
        if row["fired"] > 1:
            report.add("rung fired twice", reference, name)
        kept = satisfied is not None and satisfied <= due
        if row["fired"]:
            report.counted["fired"] += 1
            surely = satisfied is not None and satisfied + evidence.clock_wrong_by <= due
            if breach and surely and not row["replaced"]:
                report.add("false breach", reference, f"{name} was satisfied at {satisfied}, before {due}")
            if breach:
                breaches.add(reference)
                count = told[reference, row["clock"], row["number"]]
                if count != 1:
                    report.add(
                        "breach vanished" if not count else "breach doubled", reference, f"{name}: {count} entries"
                    )
                if not row["breached"]:
                    report.add("breach vanished", reference, f"{name} was missed, and the case says that nothing was")
            continue
        ended = row["closed_at"] is not None and row["closed_at"] <= due
        if kept or ended or row["replaced"] or due > now - LATE:
            continue
        if not breach and (satisfied is not None or row["closed_at"] is not None):
            report.satisfied_late += 1
        elif breach:
            report.add("breach vanished", reference, f"{name} was due at {due}, satisfied {satisfied}, and never fired")
        else:
            report.add("rung lost", reference, f"{name} was due at {due} and never fired")
    for row in await pool.fetch("select reference from casefile.cases where breached"):
        if row["reference"] not in breaches:
            report.add(
                "breach of nothing", row["reference"], "the case says that a duty was missed, the ledger does not"
            )


_RUNGS: Final = """
    select rung.reference, rung.clock, rung.number, rung.rung, rung.due, rung.actions, cases.closed_at, cases.breached,
        satisfied.at as satisfied_at, coalesce(satisfied.replaced, false) as replaced,
        (select count(*) from casefile.firings as fired where (fired.reference, fired.clock, fired.number, fired.rung)
            = (rung.reference, rung.clock, rung.number, rung.rung)) as fired
    from casefile.deadlines as rung
    join casefile.cases using (reference)
    left join casefile.satisfactions as satisfied using (reference, clock, number)
    order by rung.reference, rung.due
"""


# -- letters: at most once accepted a business key beyond the window of SMTP, and at least once ------------------------


async def _letters(pool: "Pool", evidence: Evidence, report: Report) -> None:
    taken: defaultdict[str, list[Letter]] = defaultdict(list)
    for letter in evidence.letters:
        taken[letter.message_id].append(letter)
    no_use = {(row["reference"], row["text"]) for row in await pool.fetch(_NO_USE)}
    for row in await pool.fetch(_WRITTEN):
        key, reference, accepted = row["key"], row["reference"], row["accepted"]
        arrived = taken.pop(row["message_id"], [])
        report.counted["letters"] += 1
        if accepted > 1:
            report.add("letter doubled", reference, f"{key} was accepted {accepted} times")
        if not accepted:
            if (reference, f"letter {key.partition(':letter:')[2]}: it is of no use any more") in no_use:
                report.counted["letters of no use after a withdrawal"] += 1
            else:
                report.add("letter lost", reference, f"{key} was written, and no channel accepted it")
            continue
        report.counted[f"letters by {row['channel']}"] += 1
        if row["channel"] == "outbox" and evidence.outbox and not _in_outbox(evidence.outbox, row["message_id"]):
            report.add("letter lost", reference, f"{key} is not in the outbox")
        if row["channel"] != "email":
            continue
        if not arrived:
            report.add("letter lost", reference, f"{key} was accepted by mail, and the mail server never had it")
        after = [letter for letter in arrived if row["recorded"] and letter.begun > row["recorded"] + _RECORDING]
        if after:
            report.add("letter doubled", reference, f"{key} was begun again after its acceptance was recorded")
        if len(arrived) > 1:
            report.repeated += len(arrived) - 1
            report.unsaid += sum(not letter.said for letter in arrived[:-1])
    for letters in taken.values():
        if evidence.all_ours:
            report.add("letter of nobody", letters[0].reference, f"{letters[0].message_id} is in no case file")


_RECORDING: Final = timedelta(milliseconds=200)
"""Between a commit and the moment PostgreSQL says that it took place."""


def _in_outbox(folder: Path, message_id: str) -> bool:
    return any(message_id.encode() in path.read_bytes() for path in folder.glob("*.eml"))


_NO_USE: Final = """
    select reference, text from casefile.timeline join casefile.cases using (reference)
    where kind = 'given_up' and outcome in ('withdrawn', 'referred')
"""
_WRITTEN: Final = """
    select letter.key, letter.reference, letter.message_id, count(attempt) as accepted,
        max(attempt.channel) as channel, max(case when current_setting('track_commit_timestamp') = 'on'
            then pg_xact_commit_timestamp(attempt.xmin) end) as recorded
    from (
        select key, reference, message_id from casefile.letters
        union all select key, reference, message_id from casefile.incident_letters
    ) as letter
    left join (
        select key, channel, xmin from casefile.letter_attempts where outcome = 'accepted'
        union all select key, channel, xmin from casefile.incident_letter_attempts where outcome = 'accepted'
    ) as attempt using (key)
    group by letter.key, letter.reference, letter.message_id
"""


# -- one posting and one payment an award, sums equal ------------------------------------------------------------------


async def _money(pool: "Pool", evidence: Evidence, report: Report) -> None:
    for row in await pool.fetch(_UNBALANCED):
        report.add("posting unbalanced", row["whose"], f"{row['key']}: {row['amount']} is booked as {row['booked']}")
    awarded: defaultdict[str, Decimal] = defaultdict(Decimal)
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    rounds: Counter[tuple[str, str]] = Counter()
    for row in await pool.fetch("select *, coalesce(reference, incident) as whose from casefile.postings"):
        whose = row["whose"] if row["account"] is None else f"{row['whose']} {row['account']}"
        report.counted[f"postings: {row['kind']}"] += 1
        if row["kind"] == "award":
            awarded[whose] += row["amount"]
            rounds[whose, row["key"].rpartition(":")[2]] += 1
        else:
            paid[whose] += row["amount"] if row["kind"] == "payment" else -row["amount"]
    for (whose, number), count in rounds.items():
        if count > 1:
            report.add("award doubled", whose, f"round {number} has {count} postings")
    for row in await pool.fetch("select reference, closed_at, compensation_amount from casefile.cases"):
        said, posted = row["compensation_amount"] or Decimal(0), awarded[row["reference"]]
        if said != posted:
            report.add("sums differ", row["reference"], f"the case says {said}, the ledger {posted}")
        if evidence.rail and row["closed_at"] and paid[row["reference"]] != posted:
            report.add("sums differ", row["reference"], f"{posted} was awarded, {paid[row['reference']]} was paid")
    for row in await pool.fetch(_BASELESS):
        report.add("award of nobody", row["reference"], f"{row['key']}: nobody approved it and no rule decided it")
    await _payments(pool, evidence, report)


async def _payments(pool: "Pool", evidence: Evidence, report: Report) -> None:
    ordered = {row["key"]: row for row in await pool.fetch(_ORDERED)}
    for key, row in ordered.items():
        order = evidence.payments.get(key)
        gone = Decimal(order["amount"]) if order and order["paid"] else Decimal(0)
        if row["posted"] != gone:
            report.add(
                "payment differs", row["reference"], f"{key}: the ledger has {row['posted']}, the rail paid {gone}"
            )
        if row["postings"] > 1:
            report.add("payment doubled", row["reference"], f"{key} is posted {row['postings']} times")
    for key, order in evidence.payments.items():
        if key not in ordered and evidence.all_ours:
            report.add("payment of nobody", order.get("reference"), f"{key} was paid, and nobody ordered it")


_UNBALANCED: Final = """
    select coalesce(posting.reference, posting.incident) as whose, posting.key, posting.amount,
        array_agg(entry.amount::text) as booked
    from casefile.postings as posting left join casefile.ledger_entries as entry on entry.posting_key = posting.key
    group by posting.key
    having not coalesce(sum(entry.amount) = 0 and sum(entry.amount) filter (where entry.amount > 0) = posting.amount
        and bool_and(entry.currency = posting.currency), false)
"""
_BASELESS: Final = """
    select reference, key from casefile.postings as posting
    where kind = 'award' and incident is null and not exists (
        select from casefile.timeline as said where said.reference = posting.reference
        and (said.kind in ('proposed', 'propose_resolution', 'resolve_early')))
"""
_ORDERED: Final = """
    select orders.key, orders.reference, coalesce(sum(posting.amount), 0) as posted, count(posting) as postings
    from payments.orders left join casefile.postings as posting on posting.key = orders.key and posting.kind = 'payment'
    group by orders.key
"""


# -- no workflow failed, or with failing tasks -------------------------------------------------------------------------


async def _workflows(pool: "Pool", evidence: Evidence, report: Report) -> None:
    closed = {
        row["reference"]: row["closed_at"] is not None
        for row in await pool.fetch("select reference, closed_at from casefile.cases")
    }
    unopened = await _unopened(pool)
    for one in evidence.workflows:
        report.counted[f"workflows {one.status.lower()}"] += 1
        if one.status == "FAILED" and unopened.get(one.id) == "refused" and one.id not in closed:
            continue  # that is how a start ends that can be no case
        if one.status in {"FAILED", "TERMINATED", "TIMED_OUT", "CANCELED", "NOT_FOUND"}:
            report.add("workflow failed", one.id, f"{one.type} is {one.status} {one.cause}".rstrip())
        elif one.attempt > 1 or one.problems:
            report.add(
                "workflow stuck", one.id, f"{one.type}: its task fails, attempt {one.attempt} {list(one.problems)}"
            )
        if one.status == "COMPLETED" and closed.get(one.id) is False:
            report.add("case without a workflow", one.id, "the workflow has ended, the case is open")
    for workflow, said in evidence.unreplayable:
        report.add("history that does not replay", workflow, said)
    if evidence.workflows:
        ids = {one.id for one in evidence.workflows}
        for reference, is_closed in closed.items():
            if not is_closed and reference not in ids:
                report.add("case without a workflow", reference, "the case is open, and no workflow conducts it")


# -- timelines without gaps or doubles ---------------------------------------------------------------------------------


async def _timelines(pool: "Pool", report: Report) -> None:
    for table, rejected in (("casefile.timeline", True), ("casefile.incident_timeline", False)):
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for row in await pool.fetch(f"select reference, key from {table}"):  # noqa: S608 (names of ours)
            keys[row["reference"]].append(row["key"])
        if rejected:
            for row in await pool.fetch("select reference, key from casefile.rejected_messages"):
                keys[row["reference"]].append(row["key"])
        for reference, found in keys.items():
            report.counted["timelines"] += 1
            _numbered(report, reference, "entry", _ordinals(found, _JOURNALLED, 2))
            _numbered(report, reference, "stage", _ordinals(found, _STAGE, 1))
            opened = sum(key.startswith("opened:") for key in found)
            if not rejected and opened != 1:
                report.add("timeline doubled", reference, f"the incident was opened {opened} times")


def _ordinals(keys: Iterable[str], pattern: re.Pattern[str], group: int) -> list[int]:
    return [int(match.group(group)) for key in keys if (match := pattern.fullmatch(key))]


def _numbered(report: Report, reference: str, what: str, found: Sequence[int]) -> None:
    counted = Counter(found)
    for number in range(1, max(found, default=0) + 1):
        if not counted[number]:
            report.add("timeline gap", reference, f"{what} {number} of {max(found)} is not there")
        elif counted[number] > 1:
            report.add("timeline doubled", reference, f"{what} {number} is there {counted[number]} times")


async def _events(pool: "Pool", report: Report) -> None:
    """Every number is given once: to one event, to one task, or to one letter or posting and the events it means."""
    for row in await pool.fetch(_NUMBERS):
        events, carriers = row["events"], row["letters"] + row["postings"]
        own = {"task" if event.startswith("task_") else event for event in events if event not in _MEANT}
        if carriers > 1 or (carriers and own) or len(own) > 1:
            report.add(
                "number doubled",
                row["reference"],
                f"number {row['number']} is that of {events}, {row['letters']} letters, {row['postings']} postings",
            )


_MEANT: Final = {
    "contacted", "acknowledged", "responded", "information_requested", "held", "extended", "settled", "payment_due",
}  # fmt: skip
"""Events that a letter or a posting means."""
_NUMBERS: Final = """
    select numbers.reference, numbers.number,
        array(select event from casefile.events as one
            where (one.reference, one.number) = (numbers.reference, numbers.number)) as events,
        (select count(*) from casefile.letters as one
            where (one.reference, one.number) = (numbers.reference, numbers.number)) as letters,
        (select count(*) from casefile.postings as one where kind = 'award'
            and (one.reference, one.number) = (numbers.reference, numbers.number)) as postings
    from (
        select reference, number from casefile.events
        union select reference, number from casefile.letters
    ) as numbers
"""
