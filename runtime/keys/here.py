"""The keys of this process: held once, by whoever starts it, and used by its connections to Temporal and PostgreSQL."""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from domain.keys.personal import believe_only_sealed
from runtime.keys.keyring import FileKeyring
from runtime.keys.record import SealedRecord
from runtime.keys.store import KeyStore
from runtime.keys.vault import Vault
from runtime.postgres import find_database
from runtime.running import running_stack
from runtime.settings import ConfigurationError, Settings

KEYRING: Final = "keyring.json"
"""The keyring that a stack of its own keeps in its state folder."""

_held: list[Vault] = []
_plain: list[bool] = []
_named: list[object] = []
"""The settings that the held keys are those of."""


class NoKeys(ConfigurationError):
    """Personal data is to be sealed, and this process has no keys."""


def hold_keys(settings: Settings) -> Vault | None:
    """Use the keys of these settings in this process from now on; none, if they name no keyring.

    The keyring is that of ``REDRESS_KEYRING``, else the one in the state folder; the table is in the database of
    ``REDRESS_KEYS_DATABASE_URL``, else in the record's. Neither is looked at before a key is needed.
    """
    keyring = keyring_of(settings)
    named = keyring, settings.keys_database_url, settings.database_url, settings.state_dir
    if keyring and _named != [named]:
        hold(Vault(KeyStore(lambda: keys_database(settings)), FileKeyring(keyring), _record_of(settings)))
    elif keyring is None:
        hold(None)
    _named[:] = [named]
    _plain[:] = [True] if keyring is None and settings.unsealed else []
    return keys_here()


def hold(vault: Vault | None) -> Vault | None:
    """Use this *vault* in this process from now on."""
    _named.clear()
    _held[:] = [vault] if vault else []
    believe_only_sealed(vault is not None)
    return vault


def keys_here() -> Vault | None:
    """The keys of this process, if it has any."""
    return _held[0] if _held else None


def may_be_plain() -> bool:
    """Whether somebody said in words that nothing is sealed here."""
    return bool(_plain)


async def lookup_here(purpose: str, value: str) -> bytes:
    """The token by which a personal *value* is found: keyed, so that nobody can try values. Raises `NoKeys`."""
    if vault := keys_here():
        return await vault.lookup(purpose, value)
    if not may_be_plain():
        keys_needed()
    return hashlib.sha256(f"{purpose}:{value}".encode()).digest()[:16]


async def mark_here(investigation: str) -> str:
    """The mark of an *investigation*, in hexadecimal: whoever has no keys makes none. Raises `NoKeys`."""
    return (await lookup_here("investigation", investigation)).hex()


async def proof_of_receipt(key: str, content: bytes, at: datetime, *how: str | None) -> bytes:
    """What proves that a process with the keys received this: whoever writes to the database makes none.

    *at* is aware; *how* it came: the door, the kind, and for which case. Raises `NoKeys`.
    """
    said = [key, hashlib.sha256(content).hexdigest(), at.astimezone(UTC).isoformat(), *how]
    return await lookup_here("received", json.dumps(said))


async def erased_here(scopes: Collection[str]) -> Collection[str]:
    """Those of the *scopes* whose keys were destroyed: nothing more is written under them. Raises `KeysUnavailable`."""
    vault = keys_here()
    return await vault.erased(scopes) if vault and scopes else ()


def keys_needed() -> Vault:
    """The keys of this process. Raises `NoKeys` if it has none."""
    if vault := keys_here():
        return vault
    raise NoKeys(
        "REDRESS_KEYRING: there is no keyring, and personal data is never written in plain text."
        " Name the file with the firm's keys; `redress keys create` makes one."
    )


def keyring_of(settings: Settings) -> Path | None:
    """The file with the key-encryption keys, if one is named or there."""
    own = settings.state_dir / KEYRING
    return settings.keyring or (own if own.exists() else None)


def _record_of(settings: Settings) -> SealedRecord | None:
    """The record, but for a program that is given the table of keys alone, to begin cases."""
    if settings.keys_database_url and settings.database_url is None and running_stack(settings.state_dir) is None:
        return None
    return SealedRecord(lambda: find_database(settings))


def keys_database(settings: Settings) -> str:
    """The URL of the database with the table of keys. Raises `DatabaseUnavailable` if there is none."""
    return settings.keys_database_url or find_database(settings)
