"""The driver: plays a script through the typed client and plain messages, and writes down what was accepted.

The receipts are all that the checker knows of what was done. One is written when, and only when, the service has said
that it took something: a start, a signal, or an update's own receipt. What gets no answer is sent again under its id,
so that it is accepted in the end, or refused; what might count without anybody knowing is not left behind.
"""

import asyncio
import base64
import contextlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.case.case import Case
from domain.case.complaint import Complaint
from domain.case.messages.deciding import DecideResolution
from domain.case.messages.table import SIGNALS, UPDATES
from domain.ground.base import Record
from domain.ground.messages import Message, NotAllowed
from domain.ground.people import Actor
from domain.ground.reference import reference_for
from domain.ground.words import WORKFLOW, Role, Stage
from domain.people.matching import IdentityState
from runtime.connection import TemporalUnavailable
from runtime.database import OUTAGES
from runtime.postgres import DatabaseUnavailable
from starter.client.complaints import CaseClosed, CaseNotFound, Complaints
from starter.client.conversation import NotAnswered, Refused
from starter.client.incidents import IncidentNotFound
from starter.demo.trade_log import DemoData
from trial.entrance import Entrance
from trial.incidents import Desk
from trial.script import Customer, Script, Step

SOURCE: Final = "trial"
_PATIENCE: Final = 180.0  # seconds
_KINDS: Final[dict[str, type[Message]]] = {kind.name: kind for kind in (*SIGNALS, *UPDATES)}
_JSON: Final = {"encoding": b"json/plain"}
_NOT_NOW: Final = (Refused, NotAnswered, CaseClosed, CaseNotFound, TemporalUnavailable, RPCError)
_WITHOUT_A_DATABASE: Final = (DatabaseUnavailable, *OUTAGES, asyncpg.PostgresError)
_HELPERS: Final = tuple(Actor(id=one, role=Role.HANDLER) for one in ("h-18", "h-28", "h-38", "h-58", "h-68"))
_ASIDE: Final = Actor(id="h-48", role=Role.HANDLER)
"""Who says what people must say and never decides, so that no case is kept from them."""
_CUSTOMER: Final = Actor(id="customer", role=Role.CUSTOMER)
_DECIDERS: Final = tuple(Actor(id=one, role=Role.EXECUTIVE) for one in ("e-1", "e-2", "e-3", "e-4", "e-5"))
"""Who helps a case along, in turn: whoever decided one case is kept out of those that are linked with it."""
_MADE_GOOD: Final = "Others make good what was lost; this is for the wait."
_STUCK: Final = 60.0  # seconds after which a case that settles is taken up again, if it may be; or is answered
_NONE: Final = "0" * 12
_MINTED: Final = {
    "outcome": "upheld",
    "compensation": {"amount": "1000000", "currency": "USD"},
    "remedies": [],
    "reasons": "none",
    "proposed_by": {"id": "nobody", "role": "handler"},
}


class Receipt(Record):
    """Something that was accepted. *reference* is the workflow's id; *token* is what to look for in its file."""

    what: Literal["submission", "start", "signal", "update", "received", "incident"]
    name: str
    reference: str
    token: str
    at: datetime


class Driver:
    """Plays *script* against a service."""

    def __init__(
        self, client: Client, task_queue: str, script: Script, receipts: Path, *, data: DemoData, entrance: Entrance
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._complaints = Complaints(client, task_queue=task_queue)
        self._desk = Desk(client, task_queue, script.seed, data)
        self._data = data
        self._entrance = entrance
        self._script = script
        self._customers = {customer.case: customer for customer in script.customers}
        self._receipts = receipts.open("a", encoding="utf-8")
        self._received = datetime.now(UTC)
        self.refused: Counter[str] = Counter()
        self.endless: list[str] = []
        """What was neither answered nor given up."""
        self._decided: dict[str, str] = {}
        self._seen_to = defaultdict[str, set[str]](set)
        self.refusals = defaultdict[str, Counter[str]](Counter)
        self._since: dict[str, tuple[Stage, float]] = {}

    def close(self) -> None:
        """Close the journal of receipts."""
        self._receipts.close()

    async def play(self) -> None:
        """Play it all, each step at its time."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for step in self._script.steps:
                await asyncio.sleep(max(0.0, began + step.at - time.monotonic()))
                group.create_task(self._do(step))

    def reference(self, case: int) -> str:
        return reference_for(SOURCE, f"{self._script.seed}-{case}")

    def accepted(self, what: Any, step: Step, *, token: str | None = None) -> None:
        receipt = Receipt(
            what=what,
            name=step.name,
            reference=self._desk.reference(step.case) if step.act == "incident" else self.reference(step.case),
            token=token or step.token,
            at=datetime.now(UTC),
        )
        self._receipts.write(f"{receipt.model_dump_json()}\n")
        self._receipts.flush()

    async def _do(self, step: Step) -> None:
        acts: dict[str, Callable[[Step], Awaitable[None]]] = {
            "submit": self._submit,
            "receive": self._receive,
            "start": self._start,
            "signal": self._signal,
            "raw": self._raw,
            "update": self._update,
            "flood": self._flood,
            "incident": self._incident,
        }
        await acts[step.act](step)

    # -- what is done --------------------------------------------------------------------------------------------------

    async def _submit(self, step: Step) -> None:
        complaint = self._complaint(step)
        if await self._insist(step, lambda: self._complaints.submit(complaint)):
            self.accepted("submission", step)

    async def _receive(self, step: Step) -> None:
        if step.name in {"first", "again"}:
            complaint = self._complaint(step)
            if await self._insist(step, lambda: self._entrance.submit(complaint)):
                self.accepted("submission", step)
            return
        message = message_of(step)
        if await self._insist(step, lambda: self._entrance.send(self.reference(step.case), message)):
            self.accepted("received", step)

    def _complaint(self, step: Step) -> Complaint:
        key = f"{self._script.seed}-{step.case}"
        return complaint_of(self._customers[step.case], key, self._received, self._data)

    async def _start(self, step: Step) -> None:
        reference = self.reference(step.case)
        complaint = complaint_of(
            Customer(
                case=step.case, account="1", entry="none", amount=1, days_late=0, language="en", email="s@example.org"
            ),
            f"{self._script.seed}-{step.case}",
            self._received,
            self._data,
        )
        request = StartWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_id=reference,
            workflow_type=WorkflowType(name=WORKFLOW),
            task_queue=TaskQueue(name=self._task_queue),
            input=Payloads(payloads=_start_payloads(step, complaint)),
            request_id=step.token,
        )
        if await self._insist(step, lambda: self._client.workflow_service.start_workflow_execution(request)):
            self.accepted("start", step)

    async def _signal(self, step: Step) -> None:
        message = message_of(step)
        if await self._insist(step, lambda: self._complaints.send(self.reference(step.case), message)):
            self.accepted("signal", step)

    async def _raw(self, step: Step) -> None:
        name = "no_such_signal" if step.name == "unknown-name" else "customer_reply"
        if await self._send_raw(step, name, _payloads(step.name, step.token), step.token):
            self.accepted("signal", step)

    async def _flood(self, step: Step) -> None:
        """Hundreds of signals at once."""

        async def one(number: int) -> None:
            token = f"{step.token}{number}e"
            body = {"message_id": token, "actor": {"id": "customer", "role": "customer"}, "text": token}
            payload = Payload(metadata=_JSON, data=json.dumps(body).encode())
            if await self._send_raw(step, "customer_reply", [payload], token):
                self.accepted("signal", step, token=token)

        await asyncio.gather(*(one(number) for number in range(step.body["count"])))

    async def _send_raw(self, step: Step, name: str, payloads: list[Payload], token: str) -> bool:
        request = SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self.reference(step.case)),
            signal_name=name,
            input=Payloads(payloads=payloads),
            # The server counts a signal that is sent again once.
            request_id=token,
        )
        return await self._insist(step, lambda: self._client.workflow_service.signal_workflow_execution(request))

    async def _update(self, step: Step) -> None:
        if await self._insist(step, lambda: self._say(step)):
            self.accepted("update", step)

    async def _say(self, step: Step) -> None:
        """Say what *step* has to say; of a proposal that waits, and of the same one until that was refused."""
        reference = self.reference(step.case)
        if step.name == DecideResolution.name:
            seen = self._decided.get(step.token) or (await self._complaints.status(reference)).proposal_digest
            if seen is None:
                raise Refused("no proposal waits")
            self._decided[step.token] = seen
            step = step.model_copy(update={"body": {**step.body, "proposal": seen}})
        try:
            await self._complaints.send(reference, message_of(step))
        except Refused:
            self._decided.pop(step.token, None)
            raise

    async def _incident(self, step: Step) -> None:
        if await self._insist(step, lambda: self._desk.act(step)):
            self.accepted("incident" if step.name == "open" else "update", step)

    async def _insist(self, step: Step, act: Callable[[], Awaitable[Any]]) -> bool:
        """Whether *act* was accepted in the end. Without an answer it is tried again; refused, as often as it says."""
        tries = step.tries
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                async with asyncio.timeout(_PATIENCE) as limit:
                    await act()
            except (CaseNotFound, IncidentNotFound, Refused) as error:
                tries -= 1
                if tries <= 0:
                    self.refused[type(error).__name__] += 1
                    return False
            except CaseClosed:
                self.refused["CaseClosed"] += 1
                return False
            except (NotAnswered, TemporalUnavailable, *_WITHOUT_A_DATABASE):
                if limit.expired():
                    self.endless.append(f"{step.act} {step.name}")
            except RPCError as error:
                if error.status is RPCStatusCode.ALREADY_EXISTS:
                    return True
                if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
                    self.refused[error.status.name] += 1
                    return False
            else:
                return True
            if time.monotonic() > until:
                self.refused["no answer"] += 1
                return False
            await asyncio.sleep(self._script.again)

    async def help_incident(self, reference: str, number: int) -> None:
        """Bring an incident forward that waits for people."""
        await self._desk.help_out(reference, number)

    async def see_to(self, reference: str, stage: Stage, number: int) -> None:
        """Say once who complains, and what else keeps a case from its end that only people can say.

        That is the cause, in each round, and that an award which the ledger refuses for good is decided anew.
        """
        helper, verified, help_with = _ASIDE, IdentityState.VERIFIED, self._complaints
        said: dict[str, Callable[[], Awaitable[Any]]] = {
            "who": lambda: help_with.verify_complainant(
                reference, verified, "Called back.", by=helper, message_id=f"help-who-{number}-{reference}"
            )
        }
        if reference not in self._since or self._since[reference][0] is not stage:
            self._since[reference] = stage, time.monotonic()
            self._seen_to[reference] &= {"who"}
        if stage is Stage.FOLLOWING_UP:
            if time.monotonic() - self._since[reference][1] > _STUCK and "why" in self._seen_to[reference]:
                # It may have gone another round between two looks.
                self._since[reference] = stage, time.monotonic()
                self._seen_to[reference].remove("why")
            said["why"] = lambda: help_with.record_cause(
                reference, "payments/own_delay", by=helper, message_id=f"help-why-{number}-{reference}"
            )
        if stage is Stage.SETTLING and time.monotonic() - self._since[reference][1] > _STUCK:
            said["again"] = lambda: help_with.reopen(
                reference, "It does not end.", by=helper, message_id=f"help-again-{number}-{reference}"
            )
        if stage is Stage.RESPONDED and time.monotonic() - self._since[reference][1] > _STUCK:
            # With a sign that is open it does not close by silence.
            said["answer"] = lambda: help_with.reply(
                reference, by=_CUSTOMER, intent="accept", message_id=f"help-answer-{number}-{reference}"
            )
        for what in said.keys() - self._seen_to[reference]:
            with self._noting(reference):
                await said[what]()
                self._seen_to[reference].add(what)

    async def help_out(self, reference: str, number: int) -> None:
        """Decide a case that nobody has decided, so that it comes to an end."""
        at = number // 1000 % len(_HELPERS)
        helper = _HELPERS[at]
        with self._noting(reference):
            await self._complaints.assign(reference, helper.id, by=helper, message_id=f"help{number}a")
            await self._complaints.propose_draft(reference, by=helper, message_id=f"help{number}d")
        token, body = f"help{number}p", {"amount": "10.00"}
        step = Step(at=0, case=-1, act="update", name="propose_resolution", token=token, actor=str(helper), body=body)
        with self._noting(reference):
            await self._complaints.send(reference, message_of(step))
        award = {"kind": "goodwill", "amount": {"amount": "10.00", "currency": "USD"}, "reason": "For the wait."}
        with self._noting(reference):  # where the loss is made good by another case or an incident
            await self._complaints.propose_resolution(
                reference, by=helper, outcome="upheld", awards=[award], reasons=_MADE_GOOD, message_id=f"help{number}g"
            )
        token = f"help{number}d"
        with self._noting(reference):
            await self._complaints.approve(reference, by=_DECIDERS[at], message_id=token, reasons=token)

    @contextlib.contextmanager
    def _noting(self, reference: str) -> Iterator[None]:
        """What is refused is kept, for whoever wonders why a case does not end."""
        try:
            yield
        except (NotAllowed, *_NOT_NOW) as error:
            self.refusals[reference][str(error)[:200]] += 1


def complaint_of(customer: Customer, key: str, received: datetime, data: DemoData) -> Complaint:
    """What a customer submits; the same whenever it is sent again."""
    trade = {"stop_out": data.stop_out, "stop_loss": data.stop_loss}.get(customer.hurt or "")
    late = "My withdrawal was paid far too late." if customer.language == "en" else "我的出金迟迟未到账。"
    wrong = "My position was closed by a wrong price." if customer.language == "en" else "我的持仓因错误报价被平仓。"
    return Complaint.model_validate(
        {
            "source": SOURCE,
            "idempotency_key": key,
            "received_at": received,
            "channel": "web",
            "language": customer.language,
            "complainant": {"name": "A Customer", "email": customer.email, "phone": _PHONE},
            "account": _account(customer, data),
            "description": wrong if trade else late,
            "trades": (trade.position if trade else customer.entry,),
            "about": customer.about,
        }
    )


def message_of(step: Step) -> Message:
    """The message of a step, its token in the id and in what it says."""
    role, _, who = step.actor.partition(":")
    said: dict[str, dict[str, Any]] = {
        "customer_reply": {"intent": step.body.get("intent"), "text": step.token},
        "escalate": {"reason": step.token},
        "assign": {"handler": step.token},
        "add_evidence": {"note": step.token},
        "request_information": {"questions": step.token},
        "propose_resolution": {
            "outcome": "upheld",
            "compensation": {"amount": step.body.get("amount"), "currency": "USD"},
            "reasons": f"{step.token}: it was our fault.",
        },
        "decide_resolution": {
            "decision": "approve",
            "proposal": step.body.get("proposal", _NONE),
            "reasons": step.token,
        },
        "record_cause": {"cause": "payments/own_delay", "note": step.token},
        "reopen": {"reason": step.token},
        "record_feedback": {"score": 3, "comment": step.token},
        "correct_contact": {"email": f"{step.token}@example.org"},
        "withdraw": {"reason": step.token},
    }
    body = {"message_id": step.token, "actor": {"id": who, "role": role}, **said[step.name]}
    return _KINDS[step.name].model_validate(body)


def _start_payloads(step: Step, complaint: Complaint) -> list[Payload]:
    good = Payload(metadata=_JSON, data=complaint.model_dump_json().encode())
    match step.name:
        case "no-argument":
            return []
        case "two-arguments":
            return [good, good]
        case "not-json":
            return [Payload(metadata=_JSON, data=b'{"source": ')]
        case "encrypted":
            return [Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00\x01\x02")]
        case "lone-surrogate":
            body = {**complaint.model_dump(mode="json"), "description": "half \ud83d a face"}
            return [Payload(metadata=_JSON, data=json.dumps(body).encode())]
        case "unknown-pack":
            body = {**complaint.model_dump(mode="json"), "policy": "nobody-has-it"}
            return [Payload(metadata=_JSON, data=json.dumps(body).encode())]
        case "forged":  # what only a run that goes on is given: a case, approved and about to be paid
            case = Case.received(complaint.reference, complaint, datetime.now(UTC)).model_dump(mode="json")
            case |= {"stage": "settling", "approved": True, "outcome": "upheld"}
            case |= {"proposal": _MINTED | {"at": datetime.now(UTC).isoformat()}}
            return [Payload(metadata=_JSON, data=json.dumps(case).encode())]
        case _:
            return [Payload(metadata=_JSON, data=b"[1, 2, 3]")]


def _payloads(kind: str, token: str) -> list[Payload]:
    """The arguments of a signal that does not fit; the token is legible in each, near its beginning."""
    body = {"message_id": token, "actor": {"id": "customer", "role": "customer"}, "text": token}
    good = Payload(metadata=_JSON, data=json.dumps(body).encode())

    def plain(text: str) -> list[Payload]:
        return [Payload(metadata=_JSON, data=text.encode())]

    match kind:
        case "broken-json":
            return plain(f'{{"message_id": "{token}", ')
        case "encrypted":
            return [Payload(metadata={"encoding": b"binary/encrypted"}, data=token.encode() + b"\x00\xff")]
        case "no-encoding":
            return [Payload(data=token.encode())]
        case "utf-16":
            return [Payload(metadata=_JSON, data=token.encode() + json.dumps(body).encode("utf-16"))]
        case "bad-utf-8":
            return [Payload(metadata=_JSON, data=b'{"message_id": "' + token.encode() + b'", "text": "\xff\xfe"}')]
        case "deep":
            return plain(f'["{token}", {"[" * 5_000}{"]" * 5_000}]')
        case "lone-surrogate":
            return plain(json.dumps({**body, "text": f"{token} \ud83d"}))
        case "huge-number":
            return plain(f'{{"message_id": "{token}", "actor": 1{"0" * 5_000}}}')
        case "large":
            junk = base64.b64encode(token.encode() * 2_000).decode()[:60_000]
            return plain(json.dumps({"message_id": token, "junk": junk}))
        case "no-argument":
            return []
        case "two-arguments":
            return [good, good]
        case "wrong-type":
            return plain(json.dumps(token))
        case _:
            return [good]


def _account(customer: Customer, data: DemoData) -> str:
    trade = {"stop_out": data.stop_out, "stop_loss": data.stop_loss}.get(customer.hurt or "")
    return trade.account if trade else customer.account


def customers_of(script: Script, data: DemoData) -> list[tuple[str, list[str], dict[str, Any]]]:
    """Rows for ``casefile.customer_files``: under which addresses the customers are known who complain."""
    reached: dict[str, list[dict[str, str]]] = {}
    for customer in script.customers:
        known = {"how": "the firm's records", "at": "2026-01-01T00:00:00Z"}
        addresses = reached.setdefault(_account(customer, data), [{"phone": _PHONE, **known}])
        addresses += [{"email": customer.email, **known}] if customer.email else []
    return [(account, [account], {"account": account, "addresses": each}) for account, each in reached.items()]


_PHONE: Final = "+852 5555 0100"


def log_of(script: Script, received: datetime) -> list[tuple[Any, ...]]:
    """Rows for ``tradelog.account_entries``: the withdrawals that customers complain about."""
    rows: list[tuple[Any, ...]] = []
    for customer in script.customers:
        booked = received - timedelta(days=1)
        asked = booked - timedelta(days=customer.days_late + 1)
        rows.append((customer.entry, customer.account, "withdrawal", -customer.amount, "USD", asked, booked))
    return rows
