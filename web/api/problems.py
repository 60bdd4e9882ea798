"""What went wrong, as RFC 9457 has it: which field, and the way out."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from domain.case.complaint import problems_in
from domain.ground.base import Record

MEDIA_TYPE: Final = "application/problem+json"
KINDS: Final = {
    "invalid": (422, "What was sent does not fit"),
    "unreadable": (400, "What was sent is no JSON that can be read"),
    "no_message_id": (400, "A message needs an id of its own"),
    "unknown_caller": (401, "It is not known who asks"),
    "forbidden": (403, "The key or token does not go as far as this"),
    "not_found": (404, "There is nothing here for you"),
    "method_not_allowed": (405, "This is not done here in that way"),
    "used_before": (409, "The id was used for something else"),
    "refused": (409, "The case refuses it as it stands now"),
    "closed": (409, "It is closed and takes no more messages"),
    "too_often": (429, "It is asked too often; wait before you ask again"),
    "too_large": (413, "What was sent is too large"),
    "failed": (500, "Something of ours failed"),
    "away": (503, "Something that this needs is away; try again"),
}
"""By kind the status and the title; the type of a problem is ``urn:redress:problem:KIND``."""


class Wrong(Record):
    """What is wrong in one place. ``pointer`` is a JSON pointer into the body; a parameter has ``field`` alone."""

    field: str
    detail: str
    pointer: str | None = None


class ProblemDetails(Record):
    """An answer of ``application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: tuple[Wrong, ...] = ()


class Problem(Exception):
    """Answer with the problem of this *kind* in place of what was asked for."""

    def __init__(self, kind: str, detail: str | None = None, errors: Sequence[Wrong] = ()) -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)


def wrong_field(field: str, detail: str) -> Problem:
    """The problem that the parameter or header *field* does not fit."""
    return Problem("invalid", f"{field}: {detail}", [Wrong(field=field, detail=detail)])


def unnamed(header: str, detail: str) -> Problem:
    """The problem that what was sent has no id in *header*."""
    return Problem("no_message_id", f"{header}: {detail}", [Wrong(field=header, detail=detail)])


def used_before(header: str, detail: str) -> Problem:
    """The problem that the id in *header* was used for something else."""
    return Problem("used_before", f"{header}: {detail}", [Wrong(field=header, detail=detail)])


def refused(text: str, fields: Collection[str], filled: Collection[str]) -> Problem:
    """The problem that a case refuses what was sent, and at which of its *fields*, where the *text* begins with those.

    Those that are *filled* are not in the body: the id of a message is in a header.
    """
    named, _, why = text.partition(": ")
    told = named.split(", ")
    if not why or not all(one.partition(".")[0] in fields for one in told):
        return Problem("refused", text)
    errors = [
        Wrong(field=_HEADERS.get(one, one), detail=why, pointer=None if one in filled else _pointer(one))
        for one in told
    ]
    return Problem("refused", f"{', '.join(one.field for one in errors)}: {why}", errors)


_HEADERS: Final = {"message_id": "Idempotency-Key"}


def misfit(error: ValidationError, *, in_body: bool) -> Problem:
    """The problem that names every field of *error*, without quoting what was sent."""
    errors = [
        Wrong(field=field, detail=what, pointer=_pointer(field) if in_body else None)
        for field, what in problems_in(error)
    ]
    return Problem("invalid", "; ".join(f"{one.field}: {one.detail}" for one in errors[:3]), errors)


def _pointer(field: str) -> str:
    return "#" if field == "input" else "#/" + field.replace("~", "~0").replace("/", "~1").replace(".", "/")


def answer(problem: Problem) -> Response:
    """*problem* as it is sent."""
    status, title = KINDS[problem.kind]
    details = ProblemDetails(
        type=f"urn:redress:problem:{problem.kind}",
        title=title,
        status=status,
        detail=problem.detail,
        errors=problem.errors,
    )
    headers: dict[str, Any] = {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="redress"'
    if status == 503:
        headers["retry-after"] = "5"
    return JSONResponse(
        details.model_dump(mode="json", exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )
