"""Tokens are made here, and nowhere else: by pages for who signed on, by the command line for its user."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from domain.ground.base import person_of
from domain.ground.messages import Message
from domain.people.actors import AUDIENCE, NotProven, Person, body_digest
from runtime.identity.keys import FOLDER, SigningKey, read_signing_key, signing_key_in
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.identity.speaking import TokenFor

LIFE: Final = timedelta(minutes=2)
TYPE: Final = "redress-actor+jwt"


class TokenIssuer:
    """Signs for persons whom its caller has signed on. Safe to share."""

    def __init__(
        self,
        key: SigningKey,
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.key = key
        self._audience = audience
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings) -> "TokenIssuer | None":
        """The issuer that ``REDRESS_SIGNING_KEY`` names, or the stack of the state folder has. ``None`` without one.

        Raises ``ConfigurationError``.
        """
        path = settings.signing_key or signing_key_in(settings.state_dir / FOLDER)
        return cls(read_signing_key(path), audience=settings.audience) if path else None

    @classmethod
    def voice(cls, settings: Settings) -> "TokenFor | None":
        """What signs for whoever a message names; ``None`` where there is no key. Raises ``ConfigurationError``."""
        issuer = cls.of(settings)
        return issuer.speaks_for_its_user if issuer else None

    def token(self, person: Person, reference: str, message: Message) -> str:
        """A token by which *person* sends *message* to the case or incident *reference*, valid for two minutes.

        Raises :class:`~domain.people.actors.NotProven` if the message's actor is somebody else, or acts in a role that
        the person has not.
        """
        if message.actor.person != person_of(person.id):
            raise NotProven(f"actor: {message.actor} is not the person who signed on")
        if message.actor.role not in person.roles:
            raise NotProven(f"actor: the person who signed on is no {message.actor.role.value}")
        now = self._clock()
        claims = {
            "iss": self.key.issuer,
            "sub": person.id,
            "aud": self._audience,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFE).timestamp()),
            "jti": message.message_id,
            "roles": [role.value for role in person.roles],
            "ref": reference,
            "msg": message.name,
            "body": body_digest(message),
        }
        return self.key.sign(claims, TYPE)

    def speaks_for(self, person: Person) -> "TokenFor":
        """What a client is given so that all it sends is sent by *person*: ``Complaints(client, token_for=…)``."""
        return lambda reference, message: self.token(person, reference, message)

    def speaks_for_its_user(self, reference: str, message: Message) -> str:
        """A token for whoever the message names: for a command line, whose user is who holds the key."""
        return self.token(Person.of(message.actor), reference, message)
