"""Who wraps the keys of cases: a port, and the keyring in a file that fills it where a firm has no KMS or vault."""

import asyncio
import base64
import contextlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.keys.envelope import KEY_BYTES
from runtime.settings import ConfigurationError

_NONCE: Final = 12


class KeysUnavailable(ConnectionError):
    """Keys cannot be had now: whatever needs them is tried again, and nothing goes on in plain text.

    It passes like every other outage, and is caught with them.
    """


@dataclass(frozen=True)
class Wrapped:
    """A key as it may be stored: encrypted under the key-encryption key called *by*."""

    by: str
    data: bytes


class Wrapping(Protocol):
    """What a KMS, a vault or a keyring does for Redress. *about* names the wrapped key, and it opens as no other.

    Each method raises `KeysUnavailable` if that cannot be done now.
    """

    async def current(self) -> str:
        """The name of the key-encryption key that wraps what is new."""

    async def wrap(self, secret: bytes, about: str) -> Wrapped:
        """Wrap a key under the current key-encryption key."""

    async def unwrap(self, wrapped: Wrapped, about: str) -> bytes:
        """The key as it was before it was wrapped."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current: str
    keys: dict[str, str]


class FileKeyring:
    """Key-encryption keys in a file that nobody but the service may read; read again when it has changed.

    JSON: ``{"current": NAME, "keys": {NAME: 32 bytes in base64, …}}``. To rotate, add a key everywhere, make it the
    current one everywhere, have all keys wrapped anew (`redress keys rewrap`), and only then take the old one away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], str, dict[str, bytes]] | None = None

    @classmethod
    def create(cls, path: Path) -> "FileKeyring":
        """Make a keyring with one key, unless there is one."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            name = _new_name()
            _write(path, _File(current=name, keys={name: _fresh()}), only_new=True)
        return cls(path)

    def names(self) -> list[str]:
        """The names of its keys."""
        return list(self._load().keys)

    def add(self) -> str:
        """Add a key, which wraps nothing until it is made the current one. Returns its name."""
        file = self._load()
        name = _new_name()
        _write(self._path, _File(current=file.current, keys={**file.keys, name: _fresh()}))
        return name

    def use(self, name: str) -> None:
        """Have the key of that name wrap what is new. Raises `ConfigurationError` if there is none."""
        file = self._load()
        if name not in file.keys:
            raise ConfigurationError(f"{self._path}: there is no key {name!r}; it has {', '.join(file.keys)}")
        _write(self._path, file.model_copy(update={"current": name}))

    def remove(self, name: str) -> None:
        """Take away a key under which nothing is wrapped any more. Raises `ConfigurationError` for the current one."""
        file = self._load()
        if name == file.current:
            raise ConfigurationError(f"{self._path}: {name!r} is the current key; make another one the current first")
        _write(self._path, file.model_copy(update={"keys": {k: v for k, v in file.keys.items() if k != name}}))

    async def current(self) -> str:
        return (await self._keys())[0]

    async def wrap(self, secret: bytes, about: str) -> Wrapped:
        name, keys = await self._keys()
        nonce = os.urandom(_NONCE)
        return Wrapped(name, nonce + AESGCM(keys[name]).encrypt(nonce, secret, about.encode()))

    async def unwrap(self, wrapped: Wrapped, about: str) -> bytes:
        _, keys = await self._keys()
        if wrapped.by not in keys:
            raise KeysUnavailable(f"the keyring {self._path} has no key {wrapped.by!r}; put it back")
        try:
            return AESGCM(keys[wrapped.by]).decrypt(wrapped.data[:_NONCE], wrapped.data[_NONCE:], about.encode())
        except InvalidTag:
            raise KeysUnavailable(
                f"the key of {about} cannot be unwrapped with {wrapped.by!r} of {self._path}: it is another key of"
                " that name, or the row was changed"
            ) from None

    async def _keys(self) -> tuple[str, dict[str, bytes]]:
        return await asyncio.to_thread(self._keys_now) if self._changed() else self._known()

    def _known(self) -> tuple[str, dict[str, bytes]]:
        if self._read is None:
            return self._keys_now()
        return self._read[1], self._read[2]

    def _changed(self) -> bool:
        return self._read is None or self._read[0] != self._stamp()

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise KeysUnavailable(f"the keyring {self._path} cannot be read: {error.strerror}") from None
        return found.st_mtime_ns, found.st_ino

    def _keys_now(self) -> tuple[str, dict[str, bytes]]:
        stamp = self._stamp()
        try:
            file = self._load()
        except ConfigurationError as error:
            raise KeysUnavailable(str(error)) from None
        keys = {name: base64.b64decode(key) for name, key in file.keys.items()}
        self._read = stamp, file.current, keys
        return file.current, keys

    def _load(self) -> _File:
        """Raises `ConfigurationError`, whose message quotes nothing of the file."""
        try:
            file = _File.model_validate_json(self._path.read_bytes())
            sizes = {len(base64.b64decode(key, validate=True)) for key in file.keys.values()}
        except OSError as error:
            raise ConfigurationError(f"the keyring {self._path} cannot be read: {error.strerror}") from None
        except (ValidationError, ValueError):
            raise ConfigurationError(f"{self._path} is no keyring; `redress keys create` makes one") from None
        if sizes != {KEY_BYTES} or file.current not in file.keys:
            raise ConfigurationError(f"{self._path}: each key has {KEY_BYTES} bytes in base64, and the current is one")
        return file


def _new_name() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(3)}"


def _fresh() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _write(path: Path, file: _File, *, only_new: bool = False) -> None:
    """A reader sees the old file or the new one, never a part; where another was quicker to make one, that stays."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    new.touch(mode=0o600)
    new.write_text(json.dumps(file.model_dump(), indent=2), encoding="utf-8")
    if not only_new:
        _hand_over(new, like=path)
        new.replace(path)
        return
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def _hand_over(new: Path, *, like: Path) -> None:
    """Let the same users read *new*: an administrator who adds a key does not keep the workers out of the file."""
    was = like.stat()
    with contextlib.suppress(PermissionError):  # only an administrator may give a file to somebody else
        os.chown(new, was.st_uid, was.st_gid)
    new.chmod(stat.S_IMODE(was.st_mode))
