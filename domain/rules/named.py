"""Which policy packs a complaint or an incident names."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from domain.ground.base import Identifier


def _as_several(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


MOST_POLICIES: Final = 5
Policies = Annotated[
    tuple[Identifier, ...],
    Field(max_length=MOST_POLICIES),
    BeforeValidator(
        _as_several,
        json_schema_input_type=Identifier | Annotated[list[Identifier], Field(max_length=MOST_POLICIES)] | None,
    ),
]
"""Ids of policy packs: one, several, or none."""
