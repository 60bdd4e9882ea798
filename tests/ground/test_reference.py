"""The reference of a complaint: the same for the same complaint, and hard to get wrong over the phone."""

from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from domain.case.complaint import Complaint
from domain.ground.reference import ALPHABET, InvalidReference, parse_reference, reference_for

SOURCES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:@/#-]{0,20}\Z")
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60)
REFERENCES = st.builds(reference_for, SOURCES, KEYS)


def letters(reference: str) -> str:
    return reference.removeprefix("RD-").replace("-", "")


@pytest.mark.parametrize(
    ("source", "key", "reference"),
    [
        ("web", "1", "RD-9357-3GTV-7VJP9"),
        ("web", "k-1", "RD-52AF-KC7E-BDYSW"),
        ("demo", "off-market-stop-out", "RD-92WE-J4WV-RVDE3"),
        ("app", "投诉-7", "RD-ZPEB-DFC3-A527B"),
        ("app", "😀", "RD-VYP5-7RDE-TP2SF"),
    ],
)
def test_the_reference_of_a_complaint_stays_what_it_was_when_it_was_given(
    source: str, key: str, reference: str
) -> None:
    # These have been told to customers: they may never change.
    assert reference_for(source, key) == reference


@given(source=SOURCES, key=KEYS)
def test_the_same_complaint_has_the_same_reference_in_the_form_that_is_promised(source: str, key: str) -> None:
    reference = reference_for(source, key)
    assert reference == reference_for(source, key)
    assert [len(group) for group in reference.split("-")] == [2, 4, 4, 5]
    assert set(letters(reference)) <= set(ALPHABET)


@given(REFERENCES)
def test_the_check_character_is_the_one_of_iso_7064(reference: str) -> None:
    assert mod_37_36.is_valid(letters(reference), ALPHABET)


def test_a_complaint_carries_the_reference_of_its_source_and_key() -> None:
    complaint = Complaint.model_validate(
        {
            "source": "web",
            "idempotency_key": "k-1",
            "received_at": "2026-03-02T10:00:00Z",
            "channel": "web",
            "language": "en",
            "complainant": {"name": "The complainant"},
            "description": "It is wrong.",
        }
    )
    assert complaint.reference == "RD-52AF-KC7E-BDYSW"


def test_different_complaints_have_different_references() -> None:
    made = {reference_for(source, str(key)) for source, key in product(("web", "app", "web1"), range(20_000))}
    assert len(made) == 60_000


def test_what_divides_source_and_key_cannot_be_shifted() -> None:
    assert reference_for("web", "1") != reference_for("web1", "") != reference_for("we", "b1")


def test_references_use_the_whole_alphabet_evenly() -> None:
    everything = "".join(letters(reference_for("web", str(key))) for key in range(3_000))
    assert all(1_000 < everything.count(letter) < 1_600 for letter in ALPHABET)


@given(
    reference=REFERENCES,
    fillers=st.lists(st.sampled_from(["", " ", "-", "–", " - ", ".", "_", "\n"]), min_size=16, max_size=16),
    lower=st.booleans(),
    prefix=st.booleans(),
)
def test_a_reference_is_read_whatever_its_case_spaces_and_dashes(
    reference: str, fillers: list[str], lower: bool, prefix: bool
) -> None:
    bare = letters(reference)
    typed = "".join(filler + letter for filler, letter in zip(fillers, ("RD" if prefix else "") + bare, strict=False))
    assert parse_reference(typed.lower() if lower else typed) == reference


@given(reference=REFERENCES)
def test_every_single_wrong_character_is_caught(reference: str) -> None:
    right = letters(reference)
    for place, wrong in product(range(len(right)), ALPHABET):
        if right[place] != wrong:
            with pytest.raises(InvalidReference, match="check character"):
                parse_reference(f"RD-{right[:place]}{wrong}{right[place + 1 :]}")


def test_nearly_every_swap_of_neighbours_is_caught() -> None:
    caught, swaps = 0, 0
    for key in range(1_000):
        right = letters(reference_for("web", str(key)))
        for place in range(len(right) - 1):
            swapped = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
            if swapped != right:
                swaps += 1
                try:
                    parse_reference(swapped)
                except InvalidReference:
                    caught += 1
    assert swaps > 10_000
    assert caught / swaps > 0.99


@given(reference=REFERENCES, place=st.integers(0, 12))
def test_a_character_left_out_or_doubled_is_caught(reference: str, place: int) -> None:
    right = letters(reference)
    for typed in (right[:place] + right[place + 1 :], right[:place] + right[place] + right[place:]):
        with pytest.raises(InvalidReference, match="13"):
            parse_reference(f"RD-{typed}")


@pytest.mark.parametrize("letter", list("01ILOU"))
def test_a_letter_that_is_easily_misread_is_explained(letter: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        parse_reference(f"RD-52AF-KC7E-BDYS{letter}")
    assert f": {letter} never occurs in one (0, 1, I, L, O and U are left out" in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "0 characters after RD, not 13"),
        ("RD", "0 characters after RD, not 13"),
        ("RD-52AF", "the form is RD-XXXX-XXXX-XXXXX"),
        ("RD-" + "2" * 500, "500 characters"),
        ("RD-52AF-KC7E-BDYS!", "! never occurs"),
        ("投诉编号", "never occurs"),
    ],
)
def test_what_is_not_a_reference_is_refused_with_the_way_out(typed: str, said: str) -> None:
    with pytest.raises(InvalidReference) as refused:
        parse_reference(typed)
    assert said in str(refused.value)


@given(typed=st.text(max_size=80) | st.text(st.characters(categories=["Cc", "So", "L"]), min_size=100, max_size=400))
def test_anything_is_read_or_refused_in_one_short_printable_line(typed: str) -> None:
    try:
        reference = parse_reference(typed)
    except InvalidReference as refused:
        told = str(refused)
    else:
        told = parse_reference(reference)
        assert told == reference
    assert told.isprintable()
    assert len(told) < 600


def test_a_body_that_begins_with_rd_is_not_taken_for_the_prefix() -> None:
    made = (reference_for("web", str(key)) for key in range(100_000))
    reference = next(islice((one for one in made if letters(one).startswith("RD")), 1))
    assert parse_reference(letters(reference)) == parse_reference(reference) == reference
