"""Whose signatures count in this process, for what is read of the record far from where it is wired."""

from typing import Final

from domain.people.actors import Proofs

_held: Final[list[Proofs]] = []


def hold_proofs(proofs: Proofs | None) -> None:
    """Go by these signatures in this process from now on; by none, where anybody may act."""
    _held[:] = [proofs] if proofs else []


def proofs_here() -> Proofs | None:
    """Whose signatures count here; ``None`` where what stands in the record is believed."""
    return _held[0] if _held else None
