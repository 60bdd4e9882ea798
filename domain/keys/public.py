"""What stays readable for operators in Temporal, without any key: it holds nothing personal."""

from typing import Final


class Public(str):
    """Text for the lists and pages of Temporal's UI: summaries, and the page of a case."""

    __slots__ = ()


class Readable:
    """A model that holds nothing personal, such as a receipt: it is told in the clear."""

    __slots__ = ()


READABLE: Final = "redress"
"""Metadata of a payload that the converter knows to hold nothing personal: it is told in the clear."""
IN_PLAIN: Final = "redress-plain"
"""Metadata of a payload that Temporal keeps in the clear: it is put on where payloads are opened."""
PLAIN_REFUSED: Final = (
    "plain JSON is refused here, because it stays readable in Temporal; send it through the API,"
    " or through a client that has the firm's keys"
)

REFUSALS: Final = frozenset(
    {
        "CaseClosed",
        "InvalidComplaint",
        "InvalidIncident",
        "InvalidInvestigation",
        "InvalidStart",
        "ReferenceTaken",
        "Refused",
        "WrongReference",
    }
)
"""Failures that tell a sender which field does not fit, by the type they have in Temporal."""
