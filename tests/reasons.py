"""Reasons of a no, as people write them: what was claimed, looked at and found."""

from domain.case.reasons import reasons_of


def a_no(found: str = "Nothing was late.") -> str:
    """Reasons that say what was *found*."""
    return reasons_of("It was paid late.", "We read the record of the payment.", found)
