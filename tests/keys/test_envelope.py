"""What is sealed opens with its key, in its place, as it was; and no other way."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.keys.envelope import Key, NotOurs, Place, is_marked, seal, unseal

MARKING = b"m" * 32
KEY = Key("RD-1", 1, b"k" * 32)


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_what_is_sealed_opens_in_its_place_alone(content: bytes, space: str, encoding: str) -> None:
    envelope = seal(KEY, MARKING, space, encoding, content)
    place = Place(space, KEY.scope, KEY.version, encoding)
    assert unseal(KEY, space, encoding, envelope) == content
    assert is_marked(MARKING, place, envelope)

    elsewhere = [
        (KEY, space + "x", encoding),
        (KEY, space, encoding + "x"),
        (dataclasses.replace(KEY, scope="RD-2"), space, encoding),
        (dataclasses.replace(KEY, version=2), space, encoding),
        (dataclasses.replace(KEY, secret=b"other key" + bytes(23)), space, encoding),
    ]
    if encoding:  # the border between two parts is bound, too
        elsewhere.append((KEY, space + encoding[0], encoding[1:]))
    for key, there, told in elsewhere:
        with pytest.raises(NotOurs):
            unseal(key, there, told, envelope)
        if key.secret == KEY.secret:
            assert not is_marked(MARKING, Place(there, key.scope, key.version, told), envelope)


def test_no_bit_may_change_and_nothing_may_be_cut_off() -> None:
    envelope = seal(KEY, MARKING, "default", "json", b"The Customer")
    place = Place("default", KEY.scope, KEY.version, "json")
    changed = [
        bytes(b ^ (1 << bit) if i == at else b for i, b in enumerate(envelope))
        for at in range(len(envelope))
        for bit in range(8)
    ]
    for other in [*changed, *(envelope[:length] for length in range(len(envelope)))]:
        opened = is_marked(MARKING, place, other)
        if opened:
            with pytest.raises(NotOurs):
                unseal(KEY, "default", "json", other)
        assert not opened or other[:20] == envelope[:20]


def test_every_envelope_has_a_nonce_of_its_own() -> None:
    assert len({seal(KEY, MARKING, "default", "json", b"same")[:12] for _ in range(10_000)}) == 10_000


def test_a_key_does_not_show_its_secret() -> None:
    assert "kkkk" not in repr(KEY)
