"""Whose signatures count in this process, for what is read of the record far from where it is wired."""

from collections.abc import Callable
from typing import Final

from domain.ground.messages import Message, NotAllowed
from domain.people.actors import NotProven, Proofs

_held: Final[list[Proofs]] = []


def hold_proofs(proofs: Proofs | None) -> None:
    """Go by these signatures in this process from now on; by none, where anybody may act."""
    _held[:] = [proofs] if proofs else []


def proofs_here() -> Proofs | None:
    """Whose signatures count here; ``None`` where what stands in the record is believed."""
    return _held[0] if _held else None


def is_proven(token: str | None, reference: str, said: Callable[[], Message]) -> bool:
    """Whether somebody of the staff is proven to have *said* this of *reference*; believed where no signatures count.

    *said* may raise ``ValueError``, where nobody can have said it.
    """
    if (proofs := proofs_here()) is None:
        return True
    try:
        message = said()
        proofs.check_recorded(token, reference, message)
    except (NotProven, ValueError):
        return False
    return message.actor.role.is_staff


def signed(token_for: Callable[[str, Message], str] | None, reference: str, message: Message) -> str | None:
    """The token by which *message* is written down. Raises :class:`NotAllowed` where it would prove nothing here."""
    try:
        token = token_for(reference, message) if token_for else None
        if proofs := proofs_here():
            proofs.check_recorded(token, reference, message)
    except NotProven as error:
        raise NotAllowed(f"actor: {error}") from None
    return token
