"""What the ways of a letter are called on record: by whose address it was, without the address."""

from typing import Final

from runtime.keys.here import lookup_here

NO_ADDRESS: Final = "no address"
"""The outbox, to be posted; of a notice, the case file."""


def way_of_contact(number: int) -> str:
    """The way by the address in that row of the contacts."""
    return f"contact {number}"


async def way_on_file(reference: str, email: str) -> str:
    """The way by an address on file, in a case: that two cases have the same one, it does not tell."""
    return f"on file {(await lookup_here('way', f'{reference}:{email.casefold()}')).hex()[:12]}"
