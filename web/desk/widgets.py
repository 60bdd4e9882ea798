"""Forms made from the models of messages: what a field is asked by, and what was typed read back into the model."""

import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import FormData

from domain.ground.base import LONG_TEXT
from domain.money.amounts import PositiveMoney
from domain.money.parts import PartKind
from domain.people.signs import Sign
from web.visit import FieldError
from web.words import all_words

LEFT_OUT: Final = frozenset({"message_id", "actor", "attachments", "proposal", "response", "cohort"})
"""Fields that nobody types: who acts is who signed on, what is decided was shown, files come in by their own pages."""

M = TypeVar("M", bound=BaseModel)

Control = Literal["area", "line", "choice", "ticks", "money", "moment", "yes", "whole", "list"]


@dataclass(frozen=True)
class Widget:
    """How a field is asked for. ``name`` is its place in the model, with a dot between its parts."""

    name: str
    control: Control
    choices: tuple[Any, ...] = ()
    optional: bool = True


class Unfit(Exception):
    """What was typed makes no message: ``errors`` say which fields, and what to do."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__()


def widgets(kind: type[BaseModel]) -> list[Widget]:
    """What is asked for to make a message, or what else is asked by a form, of that *kind*."""
    found: list[Widget] = []
    for name, field in kind.model_fields.items():
        if name in LEFT_OUT:
            continue
        if name == "awards":
            for part in (PartKind.DISTRESS, PartKind.GOODWILL):
                found += [Widget(f"awards.{part.value}.amount", "money"), Widget(f"awards.{part.value}.reason", "line")]
        elif field.annotation is Sign:
            found += [_widget(f"sign.{inner}", it) for inner, it in Sign.model_fields.items()]
        else:
            found.append(_widget(name, field))
    return found


def _widget(name: str, field: FieldInfo) -> Widget:
    control, choices = _control(_bare(field.annotation, field.metadata))
    return Widget(name, control, choices, optional=not field.is_required())


def _bare(annotation: Any, metadata: list[Any]) -> Any:
    """The annotation without ``None``; with what it was annotated by, where that tells a text from a line."""
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return inner[0] if len(inner) == 1 else annotation
    return Annotated[annotation, *metadata] if metadata and annotation is str else annotation


def _control(annotation: Any) -> tuple[Control, tuple[Any, ...]]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        if inner[0] is not str:
            return _control(inner[0])
        return ("area" if any(getattr(one, "max_length", None) == LONG_TEXT for one in inner[1:]) else "line"), ()
    if origin is Literal:
        return "choice", inner
    if origin is tuple:
        what = inner[0]
        while get_origin(what) is Annotated:
            what = get_args(what)[0]
        if isinstance(what, type) and issubclass(what, StrEnum):
            return "ticks", tuple(what)
        return "list", ()
    if isinstance(annotation, type):
        if issubclass(annotation, StrEnum):
            return "choice", tuple(annotation)
        if issubclass(annotation, bool):
            return "yes", ()
        if issubclass(annotation, int):
            return "whole", ()
        if issubclass(annotation, PositiveMoney):
            return "money", ()
        if issubclass(annotation, datetime):
            return "moment", ()
    return ("moment", ()) if annotation is AwareDatetime else ("line", ())


def made(kind: type[M], asked: list[Widget], form: FormData, **given: Any) -> M:
    """What was typed, such as a message, with what is *given* beside it. Raises `Unfit`."""
    errors: list[FieldError] = []
    said: dict[str, Any] = dict(given)
    for widget in asked:
        try:
            value = _READ[widget.control](widget, form)
        except ValueError as error:
            errors.append(FieldError(widget.name, str(error)))
            continue
        if value is None or value == ():
            if not widget.optional:
                errors.append(FieldError(widget.name, "desk.wrong.missing"))
            continue
        _put(said, widget.name.split("."), value)
    if "awards" in said:
        said["awards"] = [{"kind": part, **award} for part, award in said["awards"].items()]
    if errors:
        raise Unfit(errors)
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise Unfit(unfit(error, [one.name for one in asked])) from None


def unfit(error: ValidationError, fields: Sequence[str], *, within: str = "") -> list[FieldError]:
    """What is wrong, at the *fields* of the form that it is about, whose names begin with what it is *within*."""
    return [_told(one, fields, within) for one in error.errors(include_url=False, include_input=False)]


def _put(said: dict[str, Any], path: list[str], value: Any) -> None:
    *before, last = path
    for part in before:
        said = said.setdefault(part, {})
    said[last] = value


def _told(detail: Any, fields: Sequence[str], within: str) -> FieldError:
    """What is wrong, at the field that it is about: the one it names, else the first."""
    message = str(detail["msg"]).removeprefix("Value error, ")
    place = ".".join(str(part) for part in detail["loc"] if isinstance(part, str))
    if not place:
        place, _, message = message.partition(": ") if ": " in message else (fields[0], "", message)
    place = within + place.partition(", ")[0]
    fits = [name for name in fields if name == place or name.startswith(f"{place}.") or place.startswith(f"{name}.")]
    field = (fits or fields)[0]
    if detail["type"] == "value_error":
        return FieldError(field, "desk.wrong.unfit", {"why": message})
    key = f"desk.wrong.typed.{detail['type']}"
    return FieldError(field, key if key in all_words() else "desk.wrong.typed.other", detail.get("ctx", {}))


_MONEY: Final = re.compile(r"([A-Za-z]{3})\s*([0-9][0-9,]*(?:\.[0-9]+)?)")


def _line(widget: Widget, form: FormData) -> str | None:
    value = form.get(widget.name, "")
    return (value.strip().replace("\r\n", "\n") or None) if isinstance(value, str) else None


def _choice(widget: Widget, form: FormData) -> str | None:
    return _line(widget, form)


def _ticks(widget: Widget, form: FormData) -> tuple[str, ...]:
    return tuple(str(one) for one in form.getlist(widget.name))


def _list(widget: Widget, form: FormData) -> tuple[str, ...]:
    """One a line; ids that know no space may stand on one."""
    text = _line(widget, form) or ""
    parts = text.split("\n") if widget.name == "sign.rests_on" else re.split(r"[\s,;，；、]+", text)
    return tuple(part.strip() for part in parts if part.strip())


def _money(widget: Widget, form: FormData) -> dict[str, str] | None:
    text = _line(widget, form)
    if text is None:
        return None
    written = _MONEY.fullmatch(text)
    if not written:
        raise ValueError("desk.wrong.money")
    return {"currency": written[1].upper(), "amount": written[2].replace(",", "")}


def _moment(widget: Widget, form: FormData) -> datetime | None:
    text = _line(widget, form)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("desk.wrong.moment") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _yes(widget: Widget, form: FormData) -> bool | None:
    text = _line(widget, form)
    if text not in {"yes", "no", None}:
        raise ValueError("desk.wrong.typed.enum")
    return None if text is None else text == "yes"


_READ: Final[Mapping[Control, Callable[[Widget, FormData], Any]]] = {
    "area": _line,
    "line": _line,
    "whole": _line,
    "choice": _choice,
    "ticks": _ticks,
    "list": _list,
    "money": _money,
    "moment": _moment,
    "yes": _yes,
}


def kind_of(widget: Widget) -> str:
    """The name of the words that the choices of *widget* have: their own kind, else the field's."""
    first = widget.choices[0] if widget.choices else None
    return type(first).__name__ if isinstance(first, StrEnum) else widget.name
