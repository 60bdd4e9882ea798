"""What strangers send, past every client: payloads as they are."""

from temporalio.api.common.v1 import Header, Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest

from domain.ground.words import WORKFLOW
from domain.people.actors import HEADER
from runtime.identity.speaking import as_header
from tests.workflows.house import House

JSON = {"encoding": b"json/plain"}
UNREADABLE = {
    "broken JSON": Payload(metadata=JSON, data=b'{"message_id": '),
    "no encoding": Payload(data=b"{}"),
    "protobuf": Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}"),
    "bytes": Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\xfe"),
    "encrypted": Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00\x01\x02"),
    "bad UTF-8": Payload(metadata=JSON, data=b'{"text": "\xff"}'),
    "UTF-16": Payload(metadata=JSON, data='{"text": "钱"}'.encode("utf-16")),
    "deep nesting": Payload(metadata=JSON, data=b"[" * 20_000 + b"]" * 20_000),
    "a huge number": Payload(metadata=JSON, data=b'{"level": ' + b"9" * 10_000 + b"}"),
    "a number beyond all": Payload(metadata=JSON, data=b'{"level": 1e400}'),
    "not a number": Payload(metadata=JSON, data=b'{"level": NaN}'),
    "infinity": Payload(metadata=JSON, data=b'{"level": -Infinity}'),
    "nothing but size": Payload(metadata=JSON, data=b'"' + b"x" * 60_000 + b'"'),
}

NUMBERS = ("a huge number", "a number beyond all", "not a number", "infinity")
"""Those whose reason names the field ``level`` and the way out."""


async def signal(house: House, reference: str, name: str, *payloads: Payload, token: str | None = None) -> None:
    await house.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=reference),
            signal_name=name,
            input=Payloads(payloads=payloads),
            header=Header(fields={HEADER: as_header(token)} if token else {}),
        )
    )


async def start(house: House, reference: str, *payloads: Payload) -> None:
    await house.client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=reference,
            workflow_type=WorkflowType(name=WORKFLOW),
            task_queue=TaskQueue(name=house.task_queue),
            request_id=reference,
            input=Payloads(payloads=payloads),
        )
    )
    house.submitted.append(reference)


def text(unit: str, length: int) -> Payload:
    return Payload(metadata=JSON, data=b'"' + unit.encode() * length + b'"')


LARGE = {
    "9 arguments of 48 KB": (text("x", 48_000),) * 9,
    "2 arguments of 34 KB of NUL": (text("\0", 34_000),) * 2,
    "1 MB of junk": (text("x", 1_000_000),),
    "1 MB of bytes": (Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff" * 1_000_000),),
    "1 MB of Chinese": (text("钱", 333_000),),
}


async def sizes_of_activities(house: House, reference: str) -> list[int]:
    history = await house.client.get_workflow_handle(reference).fetch_history()
    return [event.activity_task_scheduled_event_attributes.ByteSize() for event in history.events]
