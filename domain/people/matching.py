"""Who complains: the complainant compared with the customer on file. Pure, and never by the account number alone.

Letters go to the address that the complaint gives: only one that is on file as verified proves anything.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from domain.ground.base import Instant, Record
from domain.ground.bilingual import Bilingual
from domain.ground.people import SYSTEM, Actor
from domain.ground.words import Confidence, Scope, SignKind
from domain.people.customers import Address, OnFile, Speaker
from domain.people.names import same_name
from domain.people.signs import Sign


class IdentityState(StrEnum):
    """What is known of who complains."""

    VERIFIED = "verified"
    OPEN = "open"
    """Nobody has proven it, and nothing speaks against it."""
    MISMATCH = "mismatch"
    """What the complaint says is not what is on file."""


class Ground(StrEnum):
    """What the state rests on."""

    HOLDER = "holder"
    REPRESENTATIVE = "representative"
    SPOKESPERSON = "spokesperson"
    PERSON = "person"
    NO_ACCOUNT = "no_account"
    NOT_ON_FILE = "not_on_file"
    NO_ADDRESS = "no_address"
    ADDRESS_NOT_ON_FILE = "address_not_on_file"
    ADDRESS_UNVERIFIED = "address_unverified"
    ADDRESS_CHANGED = "address_changed"
    NO_AUTHORITY = "no_authority"
    TOO_MANY_SPOKESPERSONS = "too_many_spokespersons"
    NAME_DIFFERS = "name_differs"
    ADDRESS_DIFFERS = "address_differs"


def _said(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


GROUNDS: Final[Mapping[Ground, Bilingual]] = {
    Ground.HOLDER: _said(
        "name and verified address are those of the account's holder", "姓名及已核实的联系方式与账户持有人一致"
    ),
    Ground.REPRESENTATIVE: _said(
        "name and address are those of a representative with recorded authority",
        "姓名及联系方式与已登记授权的代理人一致",
    ),
    Ground.SPOKESPERSON: _said(
        "name and address are those of a spokesperson of a group that the account belongs to",
        "姓名及联系方式与账户所属群体的代表人一致",
    ),
    Ground.PERSON: _said("a member of staff looked at the proof", "工作人员已查验证明材料"),
    Ground.NO_ACCOUNT: _said("the complaint names no account", "投诉未写明账户"),
    Ground.NOT_ON_FILE: _said("no customer is on file for the account", "该账户没有客户登记信息"),
    Ground.NO_ADDRESS: _said("the complaint gives no address to compare", "投诉未提供可核对的联系方式"),
    Ground.ADDRESS_NOT_ON_FILE: _said(
        "no address of that kind is on file for the customer", "客户档案中没有此类联系方式"
    ),
    Ground.ADDRESS_UNVERIFIED: _said("the address on file was never verified", "登记的联系方式未经核实"),
    Ground.ADDRESS_CHANGED: _said("the address was changed by somebody who is not staff", "联系方式由非工作人员更改"),
    Ground.NO_AUTHORITY: _said(
        "the representative's authority is not in force or does not cover complaints",
        "代理人的授权未生效、已失效或不包括投诉",
    ),
    Ground.TOO_MANY_SPOKESPERSONS: _said(
        "the group has named more spokespersons than the rules let speak", "该群体推选的代表人超过规则允许的人数"
    ),
    Ground.NAME_DIFFERS: _said("the name is not that of the customer on file", "姓名与客户登记信息不一致"),
    Ground.ADDRESS_DIFFERS: _said("the address is not that of the customer on file", "联系方式与客户登记信息不一致"),
}


class Identity(Record):
    """Who complains, as far as that is known: the ``state``, the grounds it rests on, and who says so since when."""

    state: IdentityState = IdentityState.OPEN
    because: tuple[Ground, ...] = (Ground.NOT_ON_FILE,)
    by: Actor = SYSTEM
    at: Instant | None = None

    @property
    def verified(self) -> bool:
        return self.state is IdentityState.VERIFIED

    @property
    def spoken(self) -> Bilingual:
        """The state and its grounds in words, without anything of the customer."""
        en = "; ".join(GROUNDS[ground].en for ground in self.because)
        zh = "；".join(GROUNDS[ground].zh for ground in self.because)
        state = STATES[self.state]
        return Bilingual(en=f"{state.en}: {en}", zh=f"{state.zh}：{zh}")


STATES: Final = {
    IdentityState.VERIFIED: _said("who complains is verified", "投诉人身份已核实"),
    IdentityState.OPEN: _said("who complains is not verified", "投诉人身份尚未核实"),
    IdentityState.MISMATCH: _said("who complains is not who is on file", "投诉人与客户登记信息不符"),
}


class Claimed(Record):
    """Who says that they complain, and for which account; letters go to the e-mail address where there is one."""

    account: str | None
    name: str
    email: str | None = None
    phone: str | None = None


def identify(claimed: Claimed, on_file: OnFile | None, day: date, most_spokespersons: int) -> Identity:
    """What comparing *claimed* with the customer *on_file* of its account says.

    Of a group's spokespersons the first *most_spokespersons* may speak.
    """
    if claimed.account is None:
        return _found(IdentityState.OPEN, Ground.NO_ACCOUNT)
    if on_file is None or on_file.account != claimed.account:
        return _found(IdentityState.OPEN, Ground.NOT_ON_FILE)
    if same_name(claimed.name, on_file.name):
        return _as_holder(claimed, on_file)
    speakers = [
        *((one, Ground.REPRESENTATIVE, None) for one in on_file.representatives),
        *(
            (one, Ground.SPOKESPERSON, None if place < most_spokespersons else Ground.TOO_MANY_SPOKESPERSONS)
            for group in on_file.spokespersons
            for place, one in enumerate(group)
        ),
    ]
    theirs = [
        _as_speaker(claimed, one, ground, barred, day)
        for one, ground, barred in speakers
        if same_name(claimed.name, one.name)
    ]
    if theirs:
        return min(theirs, key=lambda one: list(IdentityState).index(one.state))
    if _doubt(claimed, _reached(on_file.addresses)) is None:
        return _found(IdentityState.OPEN, Ground.NAME_DIFFERS)  # letters reach the customer, but who wrote is in doubt
    return _found(IdentityState.MISMATCH, Ground.NAME_DIFFERS)


def signs_of_identity(identity: Identity) -> tuple[Sign, ...]:
    """A mismatch is a sign that who complains may not be who they say."""
    if identity.state is not IdentityState.MISMATCH:
        return ()
    rests_on = tuple(GROUNDS[ground].en for ground in identity.because)
    return (Sign(kind=SignKind.IMPERSONATION, rests_on=rests_on, confidence=Confidence.WELL_SUPPORTED),)


def _as_holder(claimed: Claimed, on_file: OnFile) -> Identity:
    doubt = _doubt(claimed, _reached(on_file.addresses))
    if doubt is None:
        return _found(IdentityState.VERIFIED, Ground.HOLDER)
    return _found(IdentityState.MISMATCH if doubt is Ground.ADDRESS_DIFFERS else IdentityState.OPEN, doubt)


def _as_speaker(claimed: Claimed, one: Speaker, ground: Ground, barred: Ground | None, day: date) -> Identity:
    doubt = _doubt(claimed, [_Reached(one.email, one.phone, verified=True)])  # recorded with the authority
    if doubt is Ground.ADDRESS_DIFFERS:
        return _found(IdentityState.MISMATCH, doubt)
    if barred or not one.may(Scope.COMPLAIN, day):
        return _found(IdentityState.OPEN, barred or Ground.NO_AUTHORITY)
    return _found(IdentityState.OPEN, doubt) if doubt else _found(IdentityState.VERIFIED, ground)


class _Reached(NamedTuple):
    email: str | None
    phone: str | None
    verified: bool


def _reached(addresses: Iterable[Address]) -> list[_Reached]:
    return [_Reached(one.email, one.phone, one.verified) for one in addresses]


def _doubt(claimed: Claimed, known: Iterable[_Reached]) -> Ground | None:
    """Why the address that letters go to proves nothing; ``None`` if it is one that is *known* and verified."""
    if claimed.email:
        alike = [(one, _same_email(one.email, claimed.email)) for one in known if one.email]
    elif claimed.phone:
        alike = [(one, _same_phone(one.phone, claimed.phone)) for one in known if one.phone]
    else:
        return Ground.NO_ADDRESS
    if not alike:
        return Ground.ADDRESS_NOT_ON_FILE
    same = [one for one, is_same in alike if is_same]
    if not same:
        return Ground.ADDRESS_DIFFERS
    return None if any(one.verified for one in same) else Ground.ADDRESS_UNVERIFIED


def _found(state: IdentityState, *because: Ground) -> Identity:
    return Identity(state=state, because=because)


def _same_email(one: str, other: str) -> bool:
    first, second = (unicodedata.normalize("NFKC", address).casefold().strip() for address in (one, other))
    return first == second


def _same_phone(one: str, other: str) -> bool:
    """Whether they are one number, with or without the code of the country."""
    shorter, longer = sorted((re.sub(r"\D", "", number).lstrip("0") for number in (one, other)), key=len)
    return len(shorter) >= _DIGITS and longer.endswith(shorter)


_DIGITS: Final = 7
"""So many last digits of a telephone number are enough."""
