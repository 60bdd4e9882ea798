"""Who complains: compared with the customer on file by name and verified address, never by the account alone."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ground.words import Scope
from domain.people.customers import Address, OnFile, Speaker
from domain.people.matching import (
    GROUNDS,
    Claimed,
    Ground,
    Identity,
    IdentityState,
    identify,
    signs_of_identity,
)
from domain.people.names import same_name

DAY = date(2026, 3, 2)
VERIFIED = {"how": "a code that came back", "at": datetime(2026, 1, 2, tzinfo=UTC)}
SPEAKER = Speaker(
    name="Lee & Partners", email="office@lee.example", authority="power of attorney", first=DAY, last=date(2026, 6, 30)
)
FILED = OnFile(
    account="70012345",
    name="Chen Wei",
    addresses=(
        Address(email="wei@example.com", **VERIFIED),
        Address(email="new@example.com"),
        Address(phone="+852 5555 0100", **VERIFIED),
    ),
    representatives=(SPEAKER,),
    spokespersons=(tuple(SPEAKER.model_copy(update={"name": f"Speaker {letter}"}) for letter in "ABC"),),
)


def claim(name: str = "Chen Wei", email: str | None = "wei@example.com", phone: str | None = None) -> Claimed:
    return Claimed(account="70012345", name=name, email=email, phone=phone)


def found(claimed: Claimed, on_file: OnFile | None = FILED, day: date = DAY) -> tuple[str, Ground]:
    identity = identify(claimed, on_file, day, 2)
    return identity.state.value, identity.because[0]


@pytest.mark.parametrize(
    ("claimed", "state", "ground"),
    [
        (claim(), "verified", Ground.HOLDER),
        (claim("Mr. CHEN  wei", "WEI@Example.com"), "verified", Ground.HOLDER),
        (claim("Wei, Chen"), "verified", Ground.HOLDER),
        (claim(email=None, phone="55550100"), "verified", Ground.HOLDER),
        (claim(email=None, phone="00852-5555-0100"), "verified", Ground.HOLDER),
        (claim(email=None), "open", Ground.NO_ADDRESS),
        (claim(email="new@example.com"), "open", Ground.ADDRESS_UNVERIFIED),
        (claim(email="thief@example.com"), "mismatch", Ground.ADDRESS_DIFFERS),
        # A telephone number proves nothing where letters go to an e-mail address.
        (claim(email="thief@example.com", phone="+852 5555 0100"), "mismatch", Ground.ADDRESS_DIFFERS),
        (claim("Somebody Else", "thief@example.com"), "mismatch", Ground.NAME_DIFFERS),
        (claim("Somebody Else"), "open", Ground.NAME_DIFFERS),
        (claim("Wei", "thief@example.com"), "mismatch", Ground.NAME_DIFFERS),
        (claim("Lee & Partners", "office@lee.example"), "verified", Ground.REPRESENTATIVE),
        (claim("Lee & Partners", "thief@example.com"), "mismatch", Ground.ADDRESS_DIFFERS),
        (claim("Speaker A", "office@lee.example"), "verified", Ground.SPOKESPERSON),
        (claim("Speaker C", "office@lee.example"), "open", Ground.TOO_MANY_SPOKESPERSONS),
        (claim().model_copy(update={"account": None}), "open", Ground.NO_ACCOUNT),
        (claim().model_copy(update={"account": "70099999"}), "open", Ground.NOT_ON_FILE),
    ],
)
def test_the_state_says_what_the_comparison_found(claimed: Claimed, state: str, ground: Ground) -> None:
    assert found(claimed) == (state, ground)


def test_authority_counts_in_its_days_and_for_what_it_covers() -> None:
    office = claim("Lee & Partners", "office@lee.example")
    assert found(office, day=date(2026, 7, 1)) == ("open", Ground.NO_AUTHORITY)
    settles = SPEAKER.model_copy(update={"scope": (Scope.SETTLE,)})
    assert found(office, FILED.model_copy(update={"representatives": (settles,)})) == ("open", Ground.NO_AUTHORITY)


def test_nobody_on_file_leaves_it_open() -> None:
    assert found(claim(), None) == ("open", Ground.NOT_ON_FILE)
    assert found(claim(), OnFile(account="70012345", name="Chen Wei")) == ("open", Ground.ADDRESS_NOT_ON_FILE)


@given(name=st.text(min_size=1, max_size=30), email=st.emails(), phone=st.from_regex(r"\A\+?[0-9]{7,12}\Z"))
def test_whoever_names_the_account_and_has_none_of_its_addresses_is_never_verified(
    name: str, email: str, phone: str
) -> None:
    for claimed in (claim(name, email), claim(name, email, "+852 5555 0100"), claim(name, None, f"9{phone}1")):
        assert not identify(claimed, FILED, DAY, 2).verified


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("José Álvarez", "Jose Alvarez", True),
        ("John A. Smith", "Smith John", True),
        ("陈 伟", "陈伟先生", True),
        ("尤金·奥尼尔", "尤金奥尼尔", True),
        ("ＣＨＥＮ Wei", "Chen Wei", True),
        ("陈伟", "陈伟强", False),
        ("Smith", "John Smith", False),
        ("Mr", "Mrs", False),
        ("Chen Wei", "Chen Wen", False),
    ],
)
def test_names_are_compared_as_people_write_them(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same_name(other, one) is same


def test_a_mismatch_and_nothing_else_is_a_sign_of_impersonation() -> None:
    raised = {state for state in IdentityState if signs_of_identity(Identity(state=state))}
    assert raised == {IdentityState.MISMATCH}


def test_every_ground_has_words_in_both_languages() -> None:
    assert set(GROUNDS) == set(Ground)
