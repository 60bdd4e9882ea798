"""The envelope: AES-256-GCM under the key of a scope, bound to where it belongs.

Its bytes are a nonce (12), a mark (8), and the ciphertext with its tag (16 more than the content). The mark is keyed
with a secret of the installation: by it, what we sealed is told from what a stranger made up, with no key looked for.
"""

import hmac
import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE: Final = 12
_MARK: Final = 8


class NotOurs(Exception):
    """The envelope was not made by this installation, not for this place, or was changed on its way."""


@dataclass(frozen=True)
class Key:
    """A key in use; *version* counts the keys of a scope from 1."""

    scope: str
    version: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where an envelope belongs. It opens nowhere else.

    *space* is Temporal's namespace, or what stands for it in the record; *encoding* is what the content is.
    """

    space: str
    scope: str
    version: int
    encoding: str

    def bound(self) -> bytes:
        """All of it as bytes: each part after its length, so that no two places look alike."""
        parts = (self.space.encode(), self.scope.encode(), str(self.version).encode(), self.encoding.encode())
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def seal(key: Key, marking: bytes, space: str, encoding: str, content: bytes) -> bytes:
    """Seal *content* under *key*; *marking* is the installation's secret for marks. Each envelope has a fresh nonce."""
    bound = Place(space, key.scope, key.version, encoding).bound()
    nonce = os.urandom(_NONCE)
    return nonce + _mark(marking, bound, nonce) + AESGCM(key.secret).encrypt(nonce, content, bound)


def is_marked(marking: bytes, place: Place, envelope: bytes) -> bool:
    """Whether this installation made the envelope, for that place."""
    nonce, mark = envelope[:_NONCE], envelope[_NONCE : _NONCE + _MARK]
    return hmac.compare_digest(mark, _mark(marking, place.bound(), nonce))


def unseal(key: Key, space: str, encoding: str, envelope: bytes) -> bytes:
    """The content. Raises :class:`NotOurs` if it was changed, or sealed under another key or for another place."""
    bound = Place(space, key.scope, key.version, encoding).bound()
    try:
        return AESGCM(key.secret).decrypt(envelope[:_NONCE], envelope[_NONCE + _MARK :], bound)
    except (InvalidTag, ValueError):
        raise NotOurs(f"an envelope of {key.scope} cannot be authenticated") from None


def _mark(marking: bytes, bound: bytes, nonce: bytes) -> bytes:
    mark = _begun(marking).copy()
    mark.update(nonce + bound)
    return mark.digest()[:_MARK]


@lru_cache(maxsize=8)
def _begun(marking: bytes) -> hmac.HMAC:
    """What every mark begins with: to make it anew took longer than all that follows."""
    return hmac.new(marking, digestmod="sha256")
