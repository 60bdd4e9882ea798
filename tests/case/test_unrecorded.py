"""What a case has its file told, and with what."""

import pytest

from domain.case.hearing import HEARD
from domain.ground.people import Actor
from domain.ground.sizes import CARRIED_BY_A_LETTER
from domain.ground.words import Role
from tests.case.test_remedies import NOW, a_case

CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)


@pytest.mark.parametrize("kind", HEARD)
def test_what_a_customer_said_goes_with_all_that_is_written_until_the_file_has_it(kind: str) -> None:
    case = a_case()
    words = "h-1 told me otherwise."
    case.note(NOW, kind, "said", CUSTOMER, dict.fromkeys(("text", "reason", "comment", "note"), words))
    case.note(NOW, "escalation", "level 1")
    first = case.unrecorded()
    case.note(NOW, "stage", "deciding")
    for second in (case.unrecorded(first.keys), case.by_the_way(first.keys)):
        assert [entry.kind for entry in second.entries] == [kind, "stage"], "either may come first"
    assert not case.has_unrecorded([*first.keys, *case.unrecorded(first.keys).keys]), "nothing is written for it alone"
    case.has_recorded(first)
    assert [entry.kind for entry in case.unrecorded().entries] == ["stage"]


def test_what_has_no_words_goes_once() -> None:
    case = a_case()
    case.note(NOW, "customer_reply", "accept", CUSTOMER, {"intent": "accept"})
    first = case.unrecorded()
    assert not case.unrecorded(first.keys).entries


def test_what_is_large_holds_nothing_up() -> None:
    case = a_case()
    case.note(NOW, "customer_reply", "said", CUSTOMER, {"text": "x" * CARRIED_BY_A_LETTER})
    first = case.unrecorded()
    case.note(NOW, "stage", "deciding")
    assert [entry.kind for entry in case.by_the_way(first.keys).entries] == ["stage"]
