"""The keys by which tokens are signed, and the issuers whose signatures count, in files.

A signing key is ``{"issuer": NAME, "key": JWK}``, with the private key; it is for its owner's eyes. The issuers are
``{"issuers": [{"issuer": NAME, "keys": [JWK, …], "roles": [ROLE, …]}]}`` with public keys; an issuer without ``roles``
may vouch for all of them but ``system``.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, import_key
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.ground.words import Role
from domain.people.actors import VOUCHED_ROLES
from runtime.settings import ConfigurationError, Settings

Key = OKPKey | ECKey
ALGORITHMS: Final = {"OKP": "Ed25519", "EC": "ES256"}
"""By the type of the key; a token that names another is refused."""
FOLDER: Final = "identity"
"""Of a stack, in its state folder."""
CHECKPOINT_FOLDER: Final = "checkpoint-key"
SIGNING_KEY: Final = "signing-key.json"
ISSUERS: Final = "issuers.json"

M = TypeVar("M", bound=BaseModel)


class _SigningFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    issuer: str
    key: dict[str, Any]


class _Issuer(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    issuer: str
    keys: list[dict[str, Any]]
    roles: list[Role] | None = None


class _IssuersFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    issuers: list[_Issuer]


@dataclass(frozen=True)
class SigningKey:
    """A private key, and the issuer in whose name it signs."""

    issuer: str
    key: Key

    @property
    def kid(self) -> str:
        """By what the key is known among those of its issuer."""
        return str(self.key.kid)

    def sign(self, claims: Mapping[str, Any], kind: str) -> str:
        """*claims* as a signed token of that *kind* (``typ``), a JWS in compact form."""
        algorithm = ALGORITHMS[self.key.key_type]
        header = {"alg": algorithm, "kid": self.kid, "typ": kind}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[algorithm])

    @property
    def public(self) -> dict[str, Any]:
        """The public key, as the file of issuers has it."""
        return dict(self.key.as_dict(private=False))


@dataclass(frozen=True)
class Issuer:
    """Whose signatures count: the public keys by id, and the roles that it may vouch for."""

    name: str
    keys: Mapping[str, Key]
    roles: frozenset[Role]


def read_signing_key(path: Path) -> SigningKey:
    """The private key in the file. Raises ``ConfigurationError`` naming the file, never what is in it."""
    read = _read(path, _SigningFile, "REDRESS_SIGNING_KEY")
    key = _key(read.key, path)
    if not key.is_private:
        raise ConfigurationError(f"REDRESS_SIGNING_KEY: {path} has a public key, which signs nothing")
    return SigningKey(read.issuer, key)


def read_issuers(path: Path) -> dict[str, Issuer]:
    """The issuers in the file, by name. Raises ``ConfigurationError`` naming the file."""
    read = _read(path, _IssuersFile, "REDRESS_ISSUERS")
    if not read.issuers:
        raise ConfigurationError(f"REDRESS_ISSUERS: {path} names no issuer")
    issuers: dict[str, Issuer] = {}
    for one in read.issuers:
        keys = [_key(each, path) for each in one.keys]
        if any(key.is_private for key in keys):
            raise ConfigurationError(
                f"REDRESS_ISSUERS: {path} has a private key of {one.issuer}; public keys belong there"
            )
        if len({key.kid for key in keys}) != len(keys) or one.issuer in issuers:
            raise ConfigurationError(f"REDRESS_ISSUERS: {path}: {one.issuer}, or one of its kid, is there twice")
        roles = VOUCHED_ROLES if one.roles is None else VOUCHED_ROLES & set(one.roles)
        issuers[one.issuer] = Issuer(one.issuer, {str(key.kid): key for key in keys}, frozenset(roles))
    return issuers


def own_keys(folder: Path, issuer: str) -> tuple[Path, Path]:
    """The files in *folder* of a signing key and of the issuers who sign by it, made at the first time.

    Only their owner reads the key.
    """
    signing, issuers = folder / SIGNING_KEY, folder / ISSUERS
    if not (signing.exists() and issuers.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = new_signing_key(issuer)
        # The key last: where it is, there is all of it.
        _write(issuers, {"issuers": [{"issuer": issuer, "keys": [key.public]}]})
        _write(signing, {"issuer": issuer, "key": key.key.as_dict(private=True)})
    return signing, issuers


def signing_key_in(folder: Path) -> Path | None:
    """The file of the signing key in *folder*, if there is one."""
    path = folder / SIGNING_KEY
    return path if path.exists() else None


def checkpoint_key(settings: Settings) -> Path | None:
    """The file of the key that signs checkpoints: that of the settings, or of the stack in the state folder."""
    return settings.checkpoint_key or signing_key_in(settings.state_dir / CHECKPOINT_FOLDER)


def issuers_file(settings: Settings) -> Path | None:
    """The file of the issuers: that of the settings, or of the stack in the state folder; ``None`` without one."""
    own = settings.state_dir / FOLDER / ISSUERS
    return settings.issuers or (own if settings.unsigned is None and own.exists() else None)


def new_signing_key(issuer: str) -> SigningKey:
    """A fresh Ed25519 key, with an id of its own."""
    kid = f"{issuer}-{secrets.token_hex(4)}"
    return SigningKey(issuer, OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"}, private=True))


def _key(jwk: dict[str, Any], path: Path) -> Key:
    if jwk.get("crv") not in {"Ed25519", "P-256"}:
        raise ConfigurationError(f"{path}: a key must be a JWK, Ed25519 (OKP) or P-256 (EC)")
    try:
        key = import_key(jwk)
    except (JoseError, ValueError, TypeError):
        raise ConfigurationError(f"{path}: a key in it is no JWK") from None
    if not isinstance(key, Key) or not key.kid:
        raise ConfigurationError(f"{path}: a key has no kid, by which tokens name it")
    return key


def _read(path: Path, shape: type[M], variable: str) -> M:
    try:
        return shape.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{variable}: {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in each["loc"]) or "the file" for each in error.errors())
        raise ConfigurationError(f"{variable}: {path} does not fit at {where}") from None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    new.replace(path)
