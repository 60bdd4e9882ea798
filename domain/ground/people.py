"""People: who speaks, in which language, and how somebody is reached."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StringConstraints

from domain.ground.base import Record, StaffId, person_of
from domain.ground.words import Role


def _language(value: Any) -> Any:
    if isinstance(value, str):
        primary = value.replace("_", "-").split("-")[0].lower()
        return {"zh": "zh-CN", "en": "en"}.get(primary, value)
    return value


Language = Annotated[Literal["zh-CN", "en"], BeforeValidator(_language)]
"""The language the customer writes: ``zh-CN`` or ``en`` (any ``zh-*`` or ``en-*`` is taken as one of them)."""

Country = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$")]
"""An ISO 3166 country code, upper case."""

Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9 ()-]{5,24}$")]


class Actor(Record):
    """Who sends a message, as the sending tool asserts it."""

    id: StaffId
    role: Role

    @property
    def person(self) -> str:
        """Who it is, however the id was spelt. Where two persons are needed, this is compared."""
        return person_of(self.id)

    @classmethod
    def named(cls, spoken: str) -> "Actor":
        """The actor that the record calls *spoken*, as ``role:id``. Raises ``ValueError``."""
        role, _, name = spoken.partition(":")
        return cls(id=name, role=Role(role))

    def __str__(self) -> str:
        return f"{self.role.value}:{self.id}"


SYSTEM = Actor(id="redress", role=Role.SYSTEM)
