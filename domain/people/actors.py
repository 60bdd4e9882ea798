"""Who speaks, proven: what a signed token says of the message that it goes with.

A token is made for one message: for one case, one message id and one body. It is worth nothing with another.
"""

import hashlib
import json
from collections.abc import Collection, Hashable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, ClassVar, Final, Protocol

from pydantic import ConfigDict

from domain.ground.base import Instant, Record, StaffId, person_of
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Role

HEADER: Final = "redress-actor"
"""The Temporal header that carries the token of a message, as a JSON string."""
AUDIENCE: Final = "redress"
LONGEST_LIFE: Final = timedelta(minutes=10)
LEEWAY: Final = timedelta(seconds=60)
"""How far the clocks of who signs and who verifies may differ."""
VOUCHED_ROLES: Final = frozenset(Role) - {Role.SYSTEM}
"""What a token may say that somebody is. Nobody is the system."""

SPOKEN_WITH: Final[ContextVar[str | None]] = ContextVar("SPOKEN_WITH", default=None)
"""The token that came with the update that is being heard."""
STARTED_WITH: Final[ContextVar[str | None]] = ContextVar("STARTED_WITH", default=None)
"""The token that came with the start of the workflow."""


class NotProven(ValueError):
    """Who sent a message is not proven. The message says what is wrong with the token, never what it holds."""


class Person(Record):
    """Somebody who signed on: who it is, and which roles they have."""

    id: StaffId
    roles: tuple[Role, ...]

    @classmethod
    def of(cls, actor: Actor) -> "Person":
        """Somebody with the one role in which they act."""
        return cls(id=actor.id, roles=(actor.role,))


class Vouched(Record):
    """What a token says, in the words of its claims: who issued it, for whom, and for which message.

    ``iat`` and ``exp`` are seconds since 1970 on the wire; ``jti`` is the message id, ``msg`` the name of the message,
    ``ref`` the case or incident, ``body`` the :func:`body_digest`; ``nbf``, which may be missing, is from when on it
    counts. Other claims are nothing to us.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    iss: str
    sub: StaffId
    aud: str
    iat: Instant
    exp: Instant
    nbf: Instant | None = None
    jti: str
    roles: tuple[Role, ...]
    ref: str
    msg: str
    body: str

    def check_message(self, reference: str, message: Message, audience: str = AUDIENCE) -> None:
        """Raise :class:`NotProven` unless the token was made for this *message* to *reference*, and its sender."""
        wanted = {
            "aud": audience,
            "ref": reference,
            "msg": message.name,
            "jti": message.message_id,
            "body": body_digest(message),
        }
        for claim, value in wanted.items():
            if getattr(self, claim) != value:
                raise NotProven(f"{claim}: the token was made for another {_MEANT[claim]}; have one made for this")
        if person_of(self.sub) != message.actor.person:
            raise NotProven("sub: the token was made for somebody else than the actor")
        if message.actor.role not in self.roles:
            roles = ", ".join(self.roles) or "none"
            raise NotProven(
                f"roles: the token does not say that the actor is {message.actor.role.value} (it has {roles})"
            )

    def check_issuer(self, may_vouch_for: Collection[Role]) -> None:
        """Raise :class:`NotProven` where the issuer vouches for a role that it may not vouch for."""
        if beyond := [role for role in self.roles if role not in may_vouch_for]:
            raise NotProven(f"roles: issuer {self.iss} may not vouch for {', '.join(beyond)}")

    def check_time(self, now: Instant) -> None:
        """Raise :class:`NotProven` where the token is not valid *now*, or valid for too long."""
        if self.exp - self.iat > LONGEST_LIFE:
            minutes = int(LONGEST_LIFE.total_seconds()) // 60
            raise NotProven(f"exp: the token is valid for longer than {minutes} minutes")
        if now > self.exp + LEEWAY:
            raise NotProven("exp: the token has expired; have another made")
        if self.nbf and now < self.nbf - LEEWAY:
            raise NotProven("nbf: the token is not valid yet")
        if now < self.iat - LEEWAY:
            raise NotProven("iat: the token is from the future; the clocks differ")


_MEANT: Final = {
    "aud": "installation",
    "ref": "case",
    "msg": "kind of message",
    "jti": "message id",
    "body": "content",
}


class Proofs(Protocol):
    """Knows whose signatures count."""

    @property
    def as_of(self) -> Hashable:
        """By which keys it goes: by others, what was proven before is to be proven again."""

    def check_recorded(self, token: str | None, reference: str, message: Message, /) -> Vouched:
        """What *token* says. Raises :class:`NotProven` unless somebody trusted signed it for this very *message*.

        How old it is does not matter: it was valid when the message was taken.
        """

    async def mark_of(self, investigation: str, /) -> str:
        """The mark that workers put on an investigation, made of its :func:`~domain.checks.findings.marking`."""


class Begin(Message):
    """What somebody begins by the start of a workflow, as a token is made for it.

    Its id is that of the workflow; ``what`` is the input without who begins it, by the rules of `canonical_body`.
    """

    name: ClassVar[str] = "begin"
    what: dict[str, Any]


def beginning(reference: str, begun: Record) -> Begin | None:
    """What a token is made for where *begun* is the start of *reference*; ``None`` where that names nobody."""
    by = getattr(begun, "opened_by", None)
    if not isinstance(by, Actor):
        return None
    what = begun.model_dump(
        mode="json", exclude={"opened_by"}, exclude_none=True, exclude_defaults=True, warnings=False
    )
    return Begin(message_id=reference, actor=by, what=what)


def check_beginning(proofs: Proofs, token: str | None, reference: str, begun: Record) -> None:
    """Raise :class:`NotProven` unless *token* proves who has begun *reference* with that."""
    if (said := beginning(reference, begun)) is None:
        raise NotProven("it names nobody who begins it")
    proofs.check_recorded(token, reference, said)


def canonical_body(message: Message) -> str:
    """What *message* says, as it is signed: JSON with sorted keys, no spaces, and nothing that is left at its default.

    The actor is not in it, whom the token names itself. Numbers of money are texts, times are in UTC and end with Z.
    """
    said: dict[str, Any] = message.model_dump(
        mode="json", exclude={"actor"}, exclude_none=True, exclude_defaults=True, warnings=False
    )
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def body_digest(message: Message) -> str:
    """SHA-256 of the :func:`canonical_body`, in hexadecimal."""
    return hashlib.sha256(canonical_body(message).encode()).hexdigest()
