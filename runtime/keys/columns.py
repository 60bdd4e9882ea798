"""Columns with personal data: sealed as a statement is sent, and opened as its rows come back.

Sealed text is ``sealed:2:COLUMN:LENGTH:ROW:VERSION:ENVELOPE:SCOPE``, the envelope in base64 for URLs, the length that
of the row's name. A JSON object has its sealed part under ``sealed`` beside what stays readable; other JSON is a
string. What was opened is not looked at again: nobody can write something that is taken for an envelope of ours.

An envelope is bound to its column and row, and names them before all else, so that the database refuses it anywhere
else (``casefile.sealed_for``). What is read under the name of another column does not open, and says where it is from.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Final, NamedTuple

import structlog
from pydantic_core import to_json

from domain.keys.personal import ERASED, Displaced, Gone, Opened, Personal
from domain.keys.places import COLUMNS, TAKEN_OVER
from runtime.keys.envelope import Key, NotOurs, Place, is_marked, seal, unseal
from runtime.keys.here import keys_needed, may_be_plain
from runtime.keys.vault import Erased, Vault

log = structlog.get_logger(__name__)

SEALED: Final = "sealed"
"""The key of a JSON object under which its sealed part is."""
GIVEN_UP: Final = "was given up"
"""So `not_opening` says of a key that somebody has decided to go on without."""
_BEGINNING: Final = "sealed:2:"
_SPACE: Final = "record"
_TEXT: Final = "text"
_JSON: Final = "json"
_OPENED: Final[ContextVar[set[str] | None]] = ContextVar("_OPENED", default=None)
_NESTED: Final = (bytes, dict, list, tuple)
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)


@contextmanager
def noting_opened() -> Iterator[set[str]]:
    """The scopes of what is opened meanwhile in this task and those it starts, for who writes down who sees it."""
    opened: set[str] = set()
    token = _OPENED.set(opened)
    try:
        yield opened
    finally:
        _OPENED.reset(token)


async def sealed(vault: Vault | None, arguments: Sequence[Any]) -> list[Any]:
    """The *arguments* of a statement with what is personal sealed, in lists as well.

    Raises `NoKeys` if there is no vault, `KeyDestroyed` for what was erased, `KeysUnavailable`.
    """
    scopes = {one.scope for one in _marked(arguments) if one.value is not None}
    if not scopes:
        return [_plain(one) for one in arguments]
    if vault is None and may_be_plain():
        return [_plain(one) for one in arguments]
    vault = vault or keys_needed()
    keys = await vault.all_for_writing(scopes)
    marking = await vault.marking()

    def one(argument: Any) -> Any:
        match argument:
            case Personal():
                return _sealed(argument, keys, marking)
            case list() | tuple():
                return [one(each) for each in argument]
            case _:
                return argument

    return [one(argument) for argument in arguments]


async def opened(vault: Vault | None, rows: Sequence[Any]) -> list[Any]:
    """The *rows* with what was sealed opened. What was erased is ``[erased 2026-11-28]``, in JSON the key ``erased``.

    Without a vault they are as they came. Raises `KeysUnavailable`.
    """
    envelopes: set[str] = set()
    if vault:  # most of what is read was never sealed, and is numbers and times
        for row in rows:
            for value in row.values():
                if isinstance(value, str):
                    if value.startswith(_BEGINNING):
                        envelopes.add(value)
                elif isinstance(value, _NESTED):
                    envelopes.update(_envelopes(value))
    if not envelopes or vault is None:
        return list(rows)
    contents = await _contents(vault, envelopes)
    return [
        OpenedRow({name: _replaced(value, contents, name) for name, value in row.items()})
        if any(True for value in row.values() for _ in _envelopes(value))
        else row
        for row in rows
    ]


async def not_opening(vault: Vault, texts: Iterable[str]) -> dict[str, str]:
    """Why what is in columns does not open, by scope, of those of the sealed *texts* of which that is so.

    Raises `KeysUnavailable` where nothing can be told: of the table, or of a key-encryption key.
    """
    marking = await vault.marking()
    places = [read for text in texts if (read := _read(text))]
    found = {
        place.scope: "it was sealed with keys of another table, or altered since"
        for place, envelope in places
        if not is_marked(marking, place, envelope)
    }
    wanted = {(place.scope, place.version) for place, _ in places if place.scope not in found}
    there = {(row.scope, row.version) for row in await vault.store.find(wanted)}
    gone = await vault.erased({scope for scope, _ in wanted})
    keys = await vault.for_reading(there)
    for place, envelope in places:
        if place.scope in found:
            continue
        key = keys.get((place.scope, place.version))
        if place.scope in gone:
            found[place.scope] = f"its key was destroyed on {gone[place.scope]:%Y-%m-%d}"
        elif isinstance(key, Erased):
            found[place.scope] = f"key {place.version} of it {GIVEN_UP} on {key.at:%Y-%m-%d}"
        elif not isinstance(key, Key):
            found[place.scope] = f"the table of keys has no key {place.version} of it"
        else:
            with suppress(NotOurs):
                unseal(key, place.space, place.encoding, envelope)
                continue
            found[place.scope] = f"key {place.version} of it was lost and made anew since"
    return found


class OpenedRow(Mapping[str, Any]):
    """A row as asyncpg gives it: its values by name and by place, and in order when it is unpacked."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: Any) -> Any:
        return self._values[key] if isinstance(key, str) else list(self._values.values())[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> Any:
        return self._values.keys()

    def values(self) -> Any:
        return self._values.values()

    def items(self) -> Any:
        return self._values.items()

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Iterable) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _marked(arguments: Iterable[Any]) -> Iterator[Personal]:
    for argument in arguments:
        if isinstance(argument, Personal):
            yield argument
        elif isinstance(argument, list | tuple):
            yield from _marked(argument)


def _plain(argument: Any) -> Any:
    if isinstance(argument, Personal):
        return _no_seal(argument.value)
    if isinstance(argument, list | tuple) and any(isinstance(one, Personal) for one in argument):
        return [_plain(one) for one in argument]
    return argument


def _no_seal(value: Any) -> Any:
    """*value* with a blank before all that looks like a seal, which would be refused where nothing is sealed."""
    match value:
        case str():
            return f" {value}" if value.startswith(_BEGINNING) else value
        case bytes():
            return b" " + value if value.startswith(_BEGINNING.encode()) else value
        case dict():
            return {key: _no_seal(one) for key, one in value.items()}
        case list() | tuple():
            return [_no_seal(one) for one in value]
        case _:
            return value


def _sealed(one: Personal, keys: Mapping[str, Key], marking: bytes) -> Any:
    match one.value:
        case None:
            return None
        case str():
            return _text(one, keys, marking, _TEXT, one.value.encode())
        case bytes():
            return _text(one, keys, marking, _TEXT, one.value).encode()
        case dict():
            # What looks like a seal in the readable part would be refused there, whoever thought of sending it.
            plain = {k: value for k, value in one.value.items() if k in one.readable and not any(_envelopes(value))}
            hidden = {k: value for k, value in one.value.items() if k not in plain}
            if hidden:
                plain[SEALED] = _text(one, keys, marking, _JSON, to_json(hidden))
            return plain
        case value:
            return _text(one, keys, marking, _JSON, to_json(value))


def _text(one: Personal, keys: Mapping[str, Key], marking: bytes, encoding: str, content: bytes) -> str:
    key = keys[one.scope]
    envelope = base64.urlsafe_b64encode(seal(key, marking, _space(one.column, one.row), encoding, content)).decode()
    return f"{_BEGINNING}{one.column}:{len(one.row)}:{one.row}:{encoding[0]}{key.version}:{envelope}:{key.scope}"


def _space(column: str, row: str) -> str:
    """What an envelope is bound to beside its key: no column has a colon in its name."""
    return f"{_SPACE}:{column}:{row}"


def _envelopes(value: Any) -> Iterator[str]:
    """What looks like an envelope in a value of a row, however deep in its JSON."""
    match value:
        case str():
            if value.startswith(_BEGINNING):
                yield value
        case bytes():
            if value.startswith(_BEGINNING.encode()):
                yield value.decode("utf-8", "replace")
        case dict():
            for one in value.values():
                yield from _envelopes(one)
        case list() | tuple():
            for one in value:
                yield from _envelopes(one)


class _Found(NamedTuple):
    """What an envelope holds, or that it was erased, and of which column it is."""

    column: str
    scope: str
    content: Any


async def _contents(vault: Vault, envelopes: Iterable[str]) -> dict[str, _Found]:
    """What is in those of the *envelopes* that are ours."""
    marking = await vault.marking()
    ours: dict[str, tuple[Place, bytes]] = {}
    for text in envelopes:
        if (read := _read(text)) and is_marked(marking, *read):
            ours[text] = read
    if (opened_here := _OPENED.get()) is not None:
        opened_here.update(place.scope for place, _ in ours.values())
    keys = await vault.for_reading({(place.scope, place.version) for place, _ in ours.values()}) if ours else {}
    found: dict[str, _Found] = {}
    for text, (place, envelope) in ours.items():
        key, column = keys[place.scope, place.version], place.space.split(":", 2)[1]
        if isinstance(key, Erased):
            found[text] = _Found(column, place.scope, key)
            continue
        try:
            content = unseal(key, place.space, place.encoding, envelope)
        except NotOurs:
            continue
        held = content if place.encoding == _TEXT else _DECODER.decode(content.decode())
        found[text] = _Found(column, place.scope, held)
    return found


def _read(text: str) -> tuple[Place, bytes] | None:
    try:
        column, length, rest = text.removeprefix(_BEGINNING).split(":", 2)
        row, rest = rest[: int(length)], rest[int(length) :]
        nothing, version, envelope, scope = rest.split(":", 3)
        if nothing:
            return None
        encoding = {"t": _TEXT, "j": _JSON}[version[:1]]
        place = Place(_space(column, row), scope, int(version[1:]), encoding)
        sealed = base64.b64decode(envelope, b"-_", validate=True)
        # Spelled in another way it would be the same for us, and another for the database, which takes it once.
        as_written = f"{place.version}:{base64.urlsafe_b64encode(sealed).decode()}" == f"{version[1:]}:{envelope}"
    except (ValueError, KeyError, binascii.Error):
        return None
    return (place, sealed) if as_written else None


def _replaced(value: Any, contents: Mapping[str, _Found], name: str, *, within: bool = False) -> Any:
    """*value*, read as *name* of a row, or of JSON *within* one, with what is sealed in it opened."""
    match value:
        case str() if value in contents:
            content = _belonging(value, contents, name, within)
            if isinstance(content, Erased):
                return Gone(content)
            return Opened(content.decode(), contents[value].scope) if isinstance(content, bytes) else content
        case bytes() if (text := value.decode("utf-8", "replace")) in contents:
            content = _belonging(text, contents, name, within)
            return content if isinstance(content, bytes) else str(content).encode()
        case dict():
            return _merged(value, contents, name, within)
        case list() | tuple():
            return [_replaced(one, contents, name, within=within) for one in value]
        case _:
            return value


def _belonging(text: str, contents: Mapping[str, _Found], name: str, within: bool) -> Any:
    """What an envelope holds, where it is read as its column, or under a name that is no column's."""
    found = contents[text]
    if TAKEN_OVER.get(name, name) == found.column.rpartition(".")[2] or (not within and name not in COLUMNS):
        return found.content
    log.error("something sealed stands where it does not belong", read_as=name, sealed_for=found.column)
    return Displaced(f"[moved here from {found.column}]")


def _merged(value: dict[str, Any], contents: Mapping[str, _Found], name: str, within: bool) -> dict[str, Any]:
    """A JSON object with its sealed part beside what was readable of it."""
    whole: dict[str, Any] = {}
    for key, one in value.items():
        here = key == SEALED and isinstance(one, str) and one in contents
        hidden = _belonging(one, contents, name, within) if here else None
        if isinstance(hidden, dict):
            whole |= hidden
        elif isinstance(hidden, Erased):
            whole[ERASED] = Gone(hidden)
        elif hidden is not None:
            whole[key] = hidden
        else:
            whole[key] = _replaced(one, contents, key, within=True)
    return whole
