"""What Temporal is told is sealed under the key of the case, but for what holds nothing personal."""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.converter import ActivitySerializationContext, DataConverter, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from domain.case.messages.signals import CustomerReply
from domain.case.messages.table import Receipt
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.public import Public
from domain.keys.scopes import activity_of_run
from runtime.keys.codec import NotOfOurs
from runtime.keys.here import hold
from runtime.keys.keyring import KeysUnavailable
from runtime.keys.store import KeyStore
from runtime.keys.vault import Vault
from runtime.temporal import temporal_plugin
from workflows.effects import EFFECTS

SAID = "My name is The Customer, and the price was wrong."
REPLY = CustomerReply(message_id="1", actor=Actor(id="c", role=Role.CUSTOMER), text=SAID)
REPLY_JSON = REPLY.model_dump_json().encode()


def plugged() -> DataConverter:
    found = temporal_plugin().data_converter
    assert isinstance(found, DataConverter)
    return found


def activity(name: str, workflow_id: str = "RD-1", number: str = "1") -> DataConverter:
    """As a worker has it that does the activity."""
    context = ActivitySerializationContext("default", number, name, None, workflow_id, "complaint", False)
    return plugged().with_context(context)


def asking(name: str, workflow_id: str = "RD-1", number: int = 1, run: str = "first") -> DataConverter:
    """As the workflow has it that asks for the activity."""
    return activity(name, workflow_id, activity_of_run(number, "first", run))


def converter(workflow_id: str = "RD-1", namespace: str = "default") -> DataConverter:
    return plugged().with_context(WorkflowSerializationContext(namespace, workflow_id))


async def test_a_message_is_ciphertext_that_opens_for_its_case_and_its_parts_alone(keys: Vault) -> None:
    [sealed] = await converter().encode([REPLY])
    [again] = await converter().encode([REPLY])
    assert sealed.data != again.data
    assert SAID.encode() not in sealed.SerializeToString()
    for own in (converter(), converter("RD-1:investigation:2")):
        assert await own.decode([sealed], [CustomerReply]) == [REPLY]

    for foreign in (converter("RD-2"), converter(namespace="other")):
        [left] = await foreign.decode([sealed], [RawValue])
        assert left.payload == sealed


@pytest.mark.parametrize("change", ["flipped", "cut", "another key", "no key", "made up"])
async def test_what_we_did_not_seal_is_left_as_it_is_with_no_key_looked_for(keys: Vault, change: str) -> None:
    [sealed] = await converter().encode([REPLY])
    match change:
        case "flipped":
            sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
        case "cut":
            sealed.data = sealed.data[:9]
        case "another key":
            sealed.metadata["key"] = b"77:RD-1"
        case "no key":
            del sealed.metadata["key"]
        case _:
            sealed = Payload(metadata={"encoding": b"binary/redress", "key": b"1:RD-1"}, data=bytes(60))
    [left] = await converter().decode([sealed], [RawValue])
    assert left.payload == sealed


@pytest.mark.parametrize("name", EFFECTS)
async def test_an_activity_and_its_workflow_believe_what_was_sealed_for_that_activity_alone(
    keys: Vault, name: str
) -> None:
    """A stranger has the histories: what anybody was asked or answered in them before is of no use."""
    other = next(one for one in EFFECTS if one != name)
    mark = f"{name}:{activity_of_run(1, 'first', 'first')}".encode()
    plain = Payload(metadata={"encoding": b"json/plain", "redress-activity": mark}, data=REPLY_JSON)
    [said] = await converter().encode([REPLY])
    [readable] = await asking(name).encode([Public("Final response due")])
    [of_another] = await asking(other).encode([REPLY])
    [of_another_case] = await asking(name, "RD-2").encode([REPLY])
    moved = Payload(metadata={**of_another_case.metadata, "key": b"1:RD-1"}, data=of_another_case.data)
    [before] = await asking(name, number=11).encode([REPLY])
    [of_none] = await activity(name, number="").encode([REPLY])
    forged = [plain, said, readable, of_another, of_another_case, moved, before, of_none]
    for one in forged:
        with pytest.raises(NotOfOurs, match=name):
            await activity(name).decode([one], [CustomerReply])
    [of_another_run] = await asking(name, run="second").encode([REPLY])
    for one in [*forged, of_another_run]:
        with pytest.raises(NotOfOurs, match=name):
            await asking(name).decode([one], [CustomerReply])


@pytest.mark.parametrize("name", EFFECTS)
async def test_what_an_activity_answers_is_believed_where_it_was_asked(keys: Vault, name: str) -> None:
    [asked] = await asking(name).encode([REPLY])
    worker = activity(name)
    assert await worker.decode([asked], [CustomerReply]) == [REPLY]
    answered = await worker.encode([REPLY, None])
    assert await asking(name).decode(answered, [CustomerReply, type(None)]) == [REPLY, None]
    unasked = await activity(name).encode([REPLY])
    assert await asking(name).decode(unasked, [CustomerReply]) == [REPLY]


async def test_what_holds_nothing_personal_and_what_others_send_as_json_is_read_without_any_key(keys: Vault) -> None:
    receipt = Receipt(message_id="1", reference="RD-1", stage="received", noted="noted", at="2026-01-01T00:00:00Z")
    public = await converter().encode([receipt, Public("Final response due")])
    assert [one.metadata["encoding"] for one in public] == [b"json/plain"] * 2
    plain = Payload(metadata={"encoding": b"json/plain"}, data=REPLY.model_dump_json().encode())
    assert await converter().decode([plain], [CustomerReply]) == [REPLY]


async def test_failures_and_their_stack_traces_are_sealed_and_refusals_are_told(keys: Vault) -> None:
    def fail() -> None:
        raise ApplicationError(SAID, type="Broken") from KeyError(SAID)

    failure = Failure()
    try:
        fail()
    except ApplicationError as error:
        await converter().encode_failure(error, failure)
    assert SAID.encode() not in failure.SerializeToString()
    assert b"in fail" not in failure.SerializeToString()
    assert failure.application_failure_info.type == "Broken"
    opened = await converter().decode_failure(failure)
    assert str(opened) == f"Broken: {SAID}"

    refusal = Failure()
    await converter().encode_failure(ApplicationError("text: it is missing", type="Refused"), refusal)
    assert refusal.message == "text: it is missing"


@pytest.fixture
async def away(keys: Vault) -> AsyncIterator[Vault]:
    """The table of keys is away, and nothing is in memory."""
    hold(Vault(KeyStore(lambda: "postgresql://nobody@127.0.0.1:9/nothing"), keys.wrapping))
    yield keys
    hold(keys)


async def test_without_its_keys_nothing_is_written_in_plain_text_and_nothing_is_taken_for_foreign(away: Vault) -> None:
    hold(away)
    [sealed] = await converter().encode([REPLY])
    hold(Vault(KeyStore(lambda: "postgresql://nobody@127.0.0.1:9/nothing"), away.wrapping))
    for attempt in (converter().encode([REPLY]), converter().decode([sealed], [CustomerReply])):
        with pytest.raises(KeysUnavailable):
            await attempt


async def test_what_was_erased_is_told_to_be(keys: Vault) -> None:
    [sealed] = await converter("RD-9").encode([REPLY])
    at = await keys.destroy(["RD-9"])
    assert await converter("RD-9").decode([sealed]) == [f"[erased {at:%Y-%m-%d}]"]
