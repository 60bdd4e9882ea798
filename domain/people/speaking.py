"""Whether whoever writes from an address speaks for the customer of a case. Pure."""

from datetime import date

from domain.ground.words import Scope
from domain.people.customers import OnFile


def speaks(address: str, contact: str | None, on_file: OnFile | None, day: date, most_spokespersons: int) -> bool:
    """Whether *address* is the *contact* of the case, verified *on_file*, or of somebody with authority on that *day*.

    A relative or a lawyer is a third party until their authority is recorded. Of a group's spokespersons the first
    *most_spokespersons* speak.
    """
    wanted = address.casefold()
    if contact and contact.casefold() == wanted:
        return True
    if on_file is None:
        return False
    speakers = [
        *on_file.representatives,
        *(one for group in on_file.spokespersons for one in group[:most_spokespersons]),
    ]
    return any(one.verified and one.email and one.email.casefold() == wanted for one in on_file.addresses) or any(
        one.email and one.email.casefold() == wanted and one.may(Scope.COMPLAIN, day) for one in speakers
    )
