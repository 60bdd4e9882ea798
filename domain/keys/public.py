"""What stays readable for operators in Temporal, without any key: it holds nothing personal."""

from typing import Final


class Public(str):
    """Text for the lists and pages of Temporal's UI: summaries, and the page of a case."""

    __slots__ = ()


class Readable:
    """A model that holds nothing personal, such as a receipt: it is told in the clear."""

    __slots__ = ()


REFUSALS: Final = frozenset(
    {
        "CaseClosed",
        "InvalidComplaint",
        "InvalidIncident",
        "InvalidInvestigation",
        "ReferenceTaken",
        "Refused",
        "WrongReference",
    }
)
"""Failures that tell a sender which field does not fit, by the type they have in Temporal."""
