"""The desk: the pages of those who work on complaints."""

from web.desk import (
    across,
    acting,
    case,
    faq,
    filing,
    inbox,
    incidents,
    opening,
    reports,
    restrictions,
    reviews,
    rules,
    sign_on,
    taking_in,
    trying,
)
from web.desk.frame import DESK

__all__ = [
    "DESK",
    "across",
    "acting",
    "case",
    "faq",
    "filing",
    "inbox",
    "incidents",
    "opening",
    "reports",
    "restrictions",
    "reviews",
    "rules",
    "sign_on",
    "taking_in",
    "trying",
]
