"""A problem of a policy pack: where it is, and how bad."""

from typing import Literal

from domain.ground.base import Record

About = Literal["file", "unset", "letters", "rights", "ladders", "clocks", "calendar", "unconfirmed"]


class PolicyProblem(Record):
    """Something that is wrong with a policy pack: ``about`` which of its parts, and where, in the words of the file.

    An error: the pack cannot do what it says. A warning: somebody should look at it.
    """

    severity: Literal["error", "warning"]
    about: About
    pack: str
    field: str
    message: str


Found = tuple[Literal["error", "warning"], str, str]
