"""The lives that are broken at every place: a straight one, a disputed and reopened one with a rail, an incident.

A life is played by people who look at the case file and do the next thing when it is time; each message has an id that
hangs on the step, so that what is sent again counts once. The next step waits until the step before is wholly done:
a life has one order of things, and whatever is done to its worker, the record it leaves must be the same.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client
from temporalio.service import RPCError

from domain.case.complaint import Complaint
from domain.case.messages.deciding import ProposeResolution
from domain.ground.bilingual import Bilingual
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.incidents.incident import Fault, NewIncident
from runtime.connection import TemporalUnavailable
from starter.client.complaints import Complaints
from starter.client.conversation import NotAnswered, Refused
from starter.client.incidents import Incidents
from starter.demo.trade_log import DemoData
from trial.parts import sealed_for

if TYPE_CHECKING:
    from runtime.database import Pool

PATIENCE: Final = 200.0  # seconds for one step
_CUSTOMER: Final = """
    insert into casefile.customers (account, name, email, language) values ($1, $2, $3, 'en')
"""
_LOOK_EVERY: Final = 0.1  # seconds

CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
HANDLER: Final = Actor(id="h-17", role=Role.HANDLER)
APPROVER: Final = Actor(id="a-3", role=Role.APPROVER)


class Stuck(Exception):
    """A life did not go on; the text says where."""


@dataclass
class Play:
    """What the people of one life see and can do."""

    name: str
    client: Client
    pool: "Pool"
    data: DemoData
    task_queue: str
    on_reference: Callable[[str], None] = lambda _: None
    """Told the reference before the life begins."""
    reference: str = ""
    overtaken: bool = False
    """Whether a message of nobody in the life came in while its worker was dead."""

    @property
    def complaints(self) -> Complaints:
        return Complaints(self.client, task_queue=self.task_queue)

    def begin(self, reference: str) -> None:
        self.reference = reference
        self.on_reference(reference)

    async def until(self, what: str, query: str, *arguments: Any) -> None:
        """Wait until *query* says true."""
        deadline = time.monotonic() + PATIENCE
        while not await self.pool.fetchval(query, *arguments):
            if time.monotonic() > deadline:
                raise Stuck(f"{self.reference or self.name}: never {what}")
            await asyncio.sleep(_LOOK_EVERY)

    async def at(self, stage: str) -> None:
        """Wait until the case is at *stage* with all its letters out."""
        await self.until(f"at {stage} with all letters out", _AT, self.reference, stage)

    async def told(self, kind: str, count: int = 1) -> None:
        """Wait until the timeline has so many entries of *kind*, and every letter is out."""
        await self.until(f"{count} × {kind} in the timeline", _TOLD, self.reference, kind, count)

    async def send(self, what: Callable[[], Awaitable[Any]]) -> Any:
        """Do *what*, again and again until it is answered; it must carry a message id of its own."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await what()
            # Refused: the case file is written first, and a workflow whose worker died may not be as far yet.
            except (NotAnswered, Refused, TemporalUnavailable, RPCError) as error:
                if time.monotonic() > deadline:
                    raise Stuck(f"{self.reference}: {type(error).__name__}: {error}") from error
                await asyncio.sleep(0.5)

    async def open(self, policy: str, **changes: Any) -> None:
        withdrawal = self.data.withdrawal
        complaint = Complaint.model_validate(
            {
                "source": "trial",
                "idempotency_key": self.name,
                "received_at": datetime.now(UTC),
                "channel": "web",
                "language": "en",
                "complainant": {"name": "A Customer", "email": f"{self.name}@example.org"},
                "account": withdrawal.account,
                "description": "I asked for my withdrawal and it took you nine days. I want interest for the delay.",
                "trades": (withdrawal.entry,),
                "policy": policy,
                **changes,
            }
        )
        who = complaint.complainant
        if account := complaint.account:
            await self.pool.execute(_CUSTOMER, account, *sealed_for(account, who.name, who.email))
        self.begin(complaint.reference)
        # Not through the typed client, whose process has not the packs of the trial.
        await self.send(
            lambda: self.client.start_workflow(
                "Complaint", complaint, id=complaint.reference, task_queue=self.task_queue
            )
        )

    async def result(self) -> None:
        handle = self.client.get_workflow_handle(self.reference)
        try:
            async with asyncio.timeout(PATIENCE):
                await handle.result()
        except TimeoutError:
            raise Stuck(f"{self.reference}: the workflow never ended") from None


async def straight(play: Play) -> None:
    """Decided by rule; nobody answers; a duty is missed; feedback is asked for; closed."""
    await play.open("trial-brisk")
    await play.result()


async def disputed(play: Play) -> None:
    """Junk and evidence; disputed, decided by two people, paid by a rail; reopened, paid again; ended."""
    c = play.complaints
    await play.open("trial-slow")
    ref = play.reference
    await play.until("a final response out", _ANOTHER, ref, 0)  # the file says so before its letter is written
    case = play.client.get_workflow_handle(ref)
    await play.send(lambda: case.signal("customer_reply", {"message_id": "junk", "intent": "perhaps"}))
    await play.told("rejected")
    await play.send(lambda: c.add_evidence(ref, "A statement of the bank.", by=HANDLER, message_id="m-1"))
    await play.told("add_evidence")
    await play.send(lambda: c.reply(ref, by=CUSTOMER, intent="dispute", text="That is too little.", message_id="m-2"))
    await play.at("deciding")
    await play.told("customer_reply")
    await _decide(play, "1400.00", "p-1", Role.APPROVER)
    await play.send(lambda: c.reply(ref, by=CUSTOMER, intent="accept", message_id="m-3"))
    await play.at("following_up")
    await play.send(lambda: c.reopen(ref, "There was another fee.", by=HANDLER, message_id="m-4"))
    await play.at("deciding")
    await _decide(play, "1150.00", "p-2", Role.COMPLIANCE_OFFICER)  # a superior of who decided before
    await play.send(lambda: c.reply(ref, by=CUSTOMER, intent="accept", message_id="m-5"))
    await play.at("following_up")
    await play.send(lambda: c.record_feedback(ref, 4, by=CUSTOMER, message_id="m-6"))
    await play.told("record_feedback")
    await play.send(lambda: c.withdraw(ref, by=CUSTOMER, reason="All is well.", message_id="m-7"))
    await play.result()


async def _decide(play: Play, amount: str, key: str, by: Role) -> None:
    c, ref = play.complaints, play.reference
    proposal = {"outcome": "upheld", "compensation": {"amount": amount, "currency": "USD"}, "reasons": "Our fault."}
    before = await play.pool.fetchval(_FINALS, ref)
    # Who has decided on the trade before, in whatever round or life, is kept out.
    handler, approver = (Actor(id=f"{play.name}-{key}-{role}", role=role) for role in (Role.HANDLER, by))
    proposes = ProposeResolution.model_validate({"message_id": f"{key}-propose", "actor": handler, **proposal})
    await play.send(lambda: c.send(ref, proposes))
    await play.at("deciding")
    await play.send(lambda: c.approve(ref, proposes.digest, by=approver, message_id=f"{key}-approve"))
    await play.until("another final response out", _ANOTHER, ref, before)


async def incident(play: Play) -> None:
    """Every account that a minute of wrong prices hurt: listed, approved, paid by a rail, told."""
    data = play.data
    # Each life has its own fault, by a few milliseconds more.
    until = data.bad_until + timedelta(milliseconds=1 + int(play.name.rpartition("-")[2]))
    new = NewIncident(
        fault=Fault(symbol="XAUUSD", since=data.bad_from, until=until),
        title=Bilingual(en="A price of gold was wrong", zh="黄金报价有误"),
        opened_by=HANDLER,
        policy=("trial-slow",),
        per_minute=6_000,
    )
    play.begin(new.reference)
    incidents = Incidents(play.client, task_queue=play.task_queue)
    await play.send(lambda: incidents.open(new))
    await play.until("at approval", _APPROVAL, play.reference)
    cohort = await play.pool.fetchval("select hash from casefile.cohorts where reference = $1", play.reference)
    await play.send(lambda: incidents.approve(play.reference, cohort, by=APPROVER, message_id="approve"))
    await play.result()


LIVES: Final[dict[str, Callable[[Play], Coroutine[Any, Any, None]]]] = {
    "straight": straight,
    "disputed": disputed,
    "incident": incident,
}
WITH_RAIL: Final = frozenset({"disputed", "incident"})


_OUT: Final = """
    not exists (
        select from casefile.letters as letter where letter.reference = $1 and not exists (
            select from casefile.letter_attempts as attempt where attempt.key = letter.key and outcome = 'accepted'
        )
    )
    and not exists (
        select from casefile.timeline as said
        where said.reference = $1 and said.kind in ('propose_resolution', 'escalation') and not exists (
            select from casefile.letters as notice where notice.reference = $1 and notice.kind = 'staff_notice'
        )
    )
"""
_AT: Final = f"select exists (select from casefile.cases where reference = $1 and stage = $2) and {_OUT}"  # noqa: S608
_TOLD: Final = f"select (select count(*) >= $3 from casefile.timeline where reference = $1 and kind = $2) and {_OUT}"  # noqa: S608
_FINALS: Final = """
    select count(*) from casefile.letters join casefile.letter_attempts using (key)
    where reference = $1 and kind = 'final_response' and outcome = 'accepted'
"""
_ANOTHER: Final = f"""
    select ({_FINALS}) > $2 and {_OUT}
    and exists (select from casefile.cases where reference = $1 and stage = 'responded')
"""  # noqa: S608 (parts of ours)
_APPROVAL: Final = "select stage = 'approval' from casefile.incidents where reference = $1"


async def fingerprint(pool: "Pool", reference: str) -> dict[str, list[str]]:
    """What a life leaves behind, without times: each part as sorted lines, the same for the same life."""
    parts = {}
    for name, query in _PARTS.items():
        rows = await pool.fetch(query)
        parts[name] = sorted(_plain(json.dumps(list(row), default=str), reference) for row in rows)
    return parts


def _plain(line: str, reference: str) -> str:
    line = _OF_ONE_LIFE.sub("", line.replace(reference, "REF"))
    return _HASHED.sub(r"REF:payment:ACCOUNT", _TIMES.sub("TIME", line))


def differences(undisturbed: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """In words, what *other* lacks and what it has too much."""
    found = []
    for name, lines in undisturbed.items():
        rest = list(other[name])
        for line in lines:
            if line in rest:
                rest.remove(line)
            else:
                found.append(f"{name} lacks {line}")
        found += [f"{name} has beyond {line}" for line in rest]
    return found


_TIMES: Final = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?( UTC|Z|[+]00:00)?")
_OF_ONE_LIFE: Final = re.compile(r"\b[a-z]+-\d+-(?=p-\d-)")
"""The life's own name, in the ids of who decides in it."""
_HASHED: Final = re.compile(r"REF:payment:[0-9a-f]{16}")
"""Payments of an incident are keyed by a hash of its reference and the account."""
_PARTS: Final = {
    "timeline": "select key, kind, actor, text from casefile.timeline",
    "postings": "select key, number, kind, amount::text, currency, rail is not null from casefile.postings",
    "ledger": "select posting_key, account, amount::text, currency from casefile.ledger_entries"
    " where account not like 'cash:%'",
    "letters": "select key, kind from casefile.letters join casefile.letter_attempts using (key)"
    " where outcome = 'accepted'",
    "unsent": "select key from casefile.letters where not exists (select from casefile.letter_attempts as attempt"
    " where attempt.key = letters.key and outcome = 'accepted')",
    "events": "select number, event from casefile.events",
    "deadlines": "select clock, number, rung, actions::text from casefile.deadlines",
    "firings": "select clock, number, rung, breach from casefile.firings",
    "satisfactions": "select clock, number, by_event, by_number, replaced from casefile.satisfactions",
    "rejected": "select key, name, reason, payload from casefile.rejected_messages",
    "payments": "select key, amount::text, currency, outcome"
    " from payments.orders left join payments.outcomes using (key)",
    "case": "select stage, outcome, compensation_amount::text, breached, escalation_level, handler from casefile.cases",
    "incident": "select stage from casefile.incidents",
    "incident timeline": "select key, kind, actor, text from casefile.incident_timeline",
    "incident results": "select account, posting_key from casefile.incident_results",
    "incident letters": "select key from casefile.incident_letters join casefile.incident_letter_attempts using (key)"
    " where outcome = 'accepted'",
}
"""Each database holds one life, so nothing is left out."""
