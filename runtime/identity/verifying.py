"""Whose signatures count: a token is read, its signature verified, and what it says compared with the message."""

import json
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from joserfc import jws
from joserfc.errors import JoseError
from pydantic import ValidationError

from domain.ground.messages import Message
from domain.people.actors import AUDIENCE, NotProven, Vouched
from runtime.identity.issuing import TYPE
from runtime.identity.keys import ALGORITHMS, Issuer, Key, issuers_file, read_issuers
from runtime.keys.here import mark_here
from runtime.settings import ConfigurationError, Settings

LONGEST_TOKEN: Final = 4_000
_MOST_KNOWN: Final = 5_000
UNSIGNED: Final = "yes-anybody-may-act"

log = structlog.get_logger(__name__)


class Verifier:
    """Knows the issuers in a file, as it is now: one whose key was stolen is taken out of it, and counts no more."""

    def __init__(
        self,
        issuers: Path,
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises ``ConfigurationError`` if the file cannot be used."""
        self._path = issuers
        self._audience = audience
        self._clock = clock
        self._read_as_of = self._changed()
        self._issuers = read_issuers(issuers)
        self._known: dict[str, tuple[Vouched, Issuer]] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Verifier | None":
        """The one of ``REDRESS_ISSUERS``; ``None`` where anybody may act, as ``REDRESS_UNSIGNED`` says in words.

        Raises ``ConfigurationError`` where neither is set, or both.
        """
        match settings.issuers, settings.unsigned:
            case None, None:
                raise ConfigurationError(
                    "REDRESS_ISSUERS: it is not set, so nobody could act on a case. Name the file with the public keys"
                    " of those who sign for people (see docs/production.md), or say that anybody who reaches Temporal"
                    f" may act and be paid: REDRESS_UNSIGNED={UNSIGNED}"
                )
            case None, _:
                return None
            case path, None:
                return cls(path, audience=settings.audience)
            case _:
                raise ConfigurationError(
                    "REDRESS_UNSIGNED: it is set, and REDRESS_ISSUERS is as well; unset one of them"
                )

    @classmethod
    def here(cls, settings: Settings) -> "Verifier | None":
        """The one of ``REDRESS_ISSUERS``, or of the stack of the state folder; ``None`` where nothing is said of any.

        Raises ``ConfigurationError``.
        """
        if settings.issuers is None and settings.unsigned is None:
            own = issuers_file(settings)
            return cls(own, audience=settings.audience) if own else None
        return cls.of(settings)

    @property
    def as_of(self) -> Hashable:
        """Which file it goes by, and which state of it."""
        self._keep_up()
        return self._path, self._read_as_of, self._audience

    def check(self, token: str | None, reference: str, message: Message) -> Vouched:
        """What *token* says. Raises :class:`NotProven` unless it was made for this very *message*, and is valid."""
        vouched = self.check_recorded(token, reference, message)
        vouched.check_time(self._clock())
        return vouched

    def check_recorded(self, token: str | None, reference: str, message: Message) -> Vouched:
        """As :meth:`check`, however old the token is: it was valid when the message was taken."""
        vouched, issuer = self._verified(token)
        vouched.check_issuer(issuer.roles)
        vouched.check_message(reference, message, self._audience)
        return vouched

    async def mark_of(self, investigation: str) -> str:
        """As :func:`~runtime.keys.here.mark_here`."""
        return await mark_here(investigation)

    def _verified(self, token: str | None) -> tuple[Vouched, Issuer]:
        """What *token* says, and who issued it. What was verified is, as long as the file of issuers says the same."""
        self._keep_up()
        if known := self._known.get(token or ""):
            return known
        vouched = self._verify(token)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[token or ""] = vouched
        return vouched

    def _verify(self, token: str | None) -> tuple[Vouched, Issuer]:
        if token is None:
            raise NotProven("no token says who sends this; send it through a client that signs, or set the header")
        if len(token) > LONGEST_TOKEN:
            raise NotProven("the token is too long")
        try:
            unverified = jws.extract_compact(token.encode())
            header, claims = unverified.headers(), json.loads(unverified.payload)
            named = str(claims["iss"]), str(header["kid"])
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise NotProven("the token is no signed token with an issuer and a key id") from None
        issuer, key = self._key(*named)
        algorithm = ALGORITHMS[key.key_type]
        if header.get("alg") != algorithm or header.get("typ") != TYPE:
            raise NotProven(f"the token is not of type {TYPE}, signed by {algorithm}")
        try:
            payload = jws.deserialize_compact(token.encode(), key, algorithms=[algorithm]).payload
            return Vouched.model_validate_json(payload), issuer
        except ValidationError:
            raise NotProven("the token lacks claims, or has others; see docs/contracts") from None
        except (JoseError, ValueError):
            raise NotProven("the signature of the token is wrong") from None

    def _key(self, issuer: str, kid: str) -> tuple[Issuer, Key]:
        if (known := self._issuers.get(issuer)) is None:
            raise NotProven("iss: nobody here knows the issuer of the token")
        if kid not in known.keys:
            raise NotProven(f"kid: issuer {issuer} has no such key")
        return known, known.keys[kid]

    def _keep_up(self) -> None:
        """Read the file again if it was changed. One that cannot be used leaves all as it was."""
        if (changed := self._changed()) == self._read_as_of:
            return
        self._read_as_of = changed
        self._known.clear()
        try:
            self._issuers = read_issuers(self._path)
        except ConfigurationError as error:
            log.error("the file of issuers was changed to one that cannot be used", why=str(error))  # noqa: TRY400

    def _changed(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino
