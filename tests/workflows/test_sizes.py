"""No payload grows with what strangers send, and nothing of it stays behind."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from domain.case.case import Case
from domain.case.clocks import has_recorded
from domain.case.complaint import Complaint
from domain.case.file import Recorded
from domain.case.messages.signals import CustomerReply
from domain.ground.base import clean
from domain.ground.sizes import CARRIED_BY_A_LETTER, LONGEST_KEPT, MOST_CARRIED, beginning, first_of, size
from workflows.raw import kept, weight

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BESIDE = 2_000
"""Bytes of an update that are there whatever it carries."""

texts = st.builds(
    lambda unit, length: unit * (length // len(unit)),
    st.sampled_from(["x", "\0", '"', "\\", "\n", "\x85", "钱", "\U0001f62d", "\ud83d", "a\u202eb"]),
    st.one_of(st.integers(0, 200), st.integers(0, 120_000)),
)


def sent(text: str, way: str) -> Any:
    """*text* as an argument of a signal: raw as JSON or as bytes that are none, or a start's, decoded."""
    if way == "decoded":
        return {"text": text}
    data = json.dumps(text).encode() if way == "json" else text.encode("utf-8", "surrogatepass")
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data))


arguments = st.builds(sent, texts, st.sampled_from(["json", "bytes", "decoded"]))


def new_case() -> Case:
    complaint = Complaint.model_validate(
        {
            "source": "test",
            "idempotency_key": "1",
            "received_at": NOW,
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The Customer"},
            "description": "It was late.",
        }
    )
    return Case.received(complaint.reference, complaint, NOW)


@given(st.lists(arguments, max_size=12))
def test_what_is_kept_of_a_message_is_bounded(values: list[Any]) -> None:
    text = kept(values)
    assert size(text) <= LONGEST_KEPT
    assert text == clean(text)


@given(texts, st.sampled_from(["json", "bytes", "decoded"]))
def test_what_was_sent_weighs_what_it_has_in_bytes_whether_it_could_be_read_or_not(text: str, way: str) -> None:
    assert weight([sent(text, way)]) >= len(text)


@given(st.lists(st.one_of(st.lists(arguments, max_size=12), texts), max_size=12))
def test_whatever_arrives_is_written_down_in_parts_of_bounded_size(messages: list[Any]) -> None:
    case = new_case()
    for place, message in enumerate(messages):
        if isinstance(message, list):
            case.reject("customer_reply", kept(message), "it does not fit", NOW)
        elif text := message[:20_000].strip():
            body = {"message_id": f"m-{place}", "actor": {"id": "customer", "role": "customer"}, "text": text}
            reply = CustomerReply.model_validate(body)
            case.note(NOW, reply.name, reply.intent, reply.actor, reply.model_dump(mode="json"))
    waiting = {*(one.key for one in case.entries), *(one.key for one in case.rejected)}
    by_the_way = case.by_the_way()
    assert size(by_the_way) <= CARRIED_BY_A_LETTER + BESIDE
    has_recorded(case, by_the_way, Recorded())
    written = by_the_way.keys
    while case.has_unrecorded():
        update = case.unrecorded()
        assert size(update) <= MOST_CARRIED + BESIDE
        assert update.keys - written
        has_recorded(case, update, Recorded())
        written |= update.keys
    assert written == waiting


def test_something_that_is_larger_than_a_part_goes_alone() -> None:
    case = new_case()
    case.note(NOW, "finding", "small")
    case.note(NOW, "finding", "large", data={"rows": "x" * 2 * MOST_CARRIED})
    case.note(NOW, "finding", "small")
    parts = []
    while case.has_unrecorded():
        parts.append(case.unrecorded())
        has_recorded(case, parts[-1], Recorded())
    assert [[entry.text for entry in part.entries] for part in parts] == [["small"], ["large"], ["small"]]


@pytest.mark.parametrize("most", [0, 1, 2, 7, 100])
@given(text=texts.map(clean))
def test_a_beginning_is_the_longest_that_fits(most: int, text: str) -> None:
    begun = beginning(text, most)
    assert text.startswith(begun)
    assert begun == "" or size(begun) <= most
    assert begun == text or size(text[: len(begun) + 1]) > most


def test_of_nothing_there_is_no_first() -> None:
    assert list(first_of([], 10)) == []
