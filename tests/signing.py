"""Who acts in a test signs for it, with a key of the run's own, through what the service itself signs with."""

import os
from pathlib import Path

from domain.ground.messages import Message
from runtime.identity.issuing import TokenIssuer
from runtime.identity.keys import own_keys
from runtime.identity.speaking import Speaking
from runtime.settings import load_settings


def make_keys(folder: Path) -> None:
    """Have whatever the tests start know the run's own issuer, and sign by it."""
    signing_key, issuers = own_keys(folder, "tests")
    os.environ |= {"REDRESS_SIGNING_KEY": str(signing_key), "REDRESS_ISSUERS": str(issuers)}


def the_issuer() -> TokenIssuer:
    """The run's own."""
    issuer = TokenIssuer.of(load_settings())
    assert issuer
    return issuer


def signing() -> Speaking:
    """For a client: what it sends is signed for whoever the message names."""
    return Speaking(the_issuer().speaks_for_its_user)


def signed(reference: str, message: Message) -> str:
    """The token of whoever the message names."""
    return the_issuer().speaks_for_its_user(reference, message)
