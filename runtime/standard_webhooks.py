"""Signatures of Standard Webhooks (https://www.standardwebhooks.com): made by who sends, looked at by who receives."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

MARK: Final = "whsec_"
"""Secrets begin with it, so that whoever finds one in a log or a repository knows what it is."""
_BYTES: Final = 32


def new_secret() -> str:
    """A secret that nobody guesses."""
    return MARK + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(secret: str, identity: str, at: str, content: bytes) -> str:
    """``v1,`` and the signature over the id, the time (seconds since 1970) and the content.

    Raises ``ValueError`` for what is no secret.
    """
    try:
        key = base64.b64decode(secret.removeprefix(MARK), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None
    return "v1," + base64.b64encode(hmac.digest(key, f"{identity}.{at}.".encode() + content, hashlib.sha256)).decode()


def is_signed(given: str, by: Iterable[str], identity: str, at: str, content: bytes) -> bool:
    """Whether one of the signatures *given*, with spaces between, is that of one of these secrets."""
    made = [signature(secret, identity, at, content).encode() for secret in by]
    return any(hmac.compare_digest(one, each.encode()) for each in given.split() for one in made)
