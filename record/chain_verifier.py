#!/usr/bin/env python3
"""Verifies the chains of a case file: nothing was altered, removed, inserted or put in another order.

It needs Python 3.9 or newer and nothing else, nothing of Redress either. `redress audit export FOLDER` puts it beside
what it reads:

    python verify.py FOLDER --key auditor-key.json --checkpoints checkpoints.jws

`--checkpoints` are those that left the firm: lines of signed tokens. They alone find out who rewrote everything.
Exit codes: 0 all is as it was written, 1 something is not, 2 it cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

TYPE = "redress-checkpoint"
SPOKEN = "redress-actor+jwt"
"""The type of the tokens by which people say something."""
CHAIN, STRAYS, CHECKPOINTS, RESTORES = "chain.jsonl", "strays.jsonl", "checkpoints.jws", "restores.jsonl"
EXPORTED = "exported.json"
"""As of when the record was exported."""
MEANWHILE = timedelta(seconds=5)
"""A checkpoint says when it was begun: so much later it stands in the record, whichever clock is asked."""


Head = tuple[str, int, str]
"""How far a chain was: its reference, the number of its last row, and the digest of that row."""


class Fault(NamedTuple):
    """What is wrong with the record: of which case or incident, what kind, and where."""

    reference: str
    kind: str
    what: str


class Checkpoint(NamedTuple):
    """A signed statement: its number, the digest of its predecessor, when it was made, and the heads that were new."""

    number: int
    previous: str
    at: str
    heads: list[Head]
    token: str

    @property
    def digest(self) -> str:
        """What its successor names."""
        return hashlib.sha256(self.token.encode()).hexdigest()


class Issuer(NamedTuple):
    """Who signs for people: an Ed25519 public key, and the roles that it may vouch for, all where there are none."""

    key: bytes
    roles: list[str] | None


# -- chains ------------------------------------------------------------------------------------------------------------


def digest_of(row: Mapping[str, Any]) -> str:
    """The digest of a row of a chain, in hexadecimal like its ``content`` and ``previous``."""
    said = (row["reference"], str(row["number"]), row["place"], row["key"], row["content"], row["previous"])
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def check_chains(rows: Iterable[Mapping[str, Any]], heads: set[Head]) -> Iterator[Fault]:
    """The first fault of each chain. *rows* come by reference and number.

    Each has ``reference``, ``number``, ``place``, ``key``, ``content`` (SHA-256 of the row when it was written),
    ``previous``, ``digest``, and ``stored``: the row as it is in its table now, or ``None`` where it is gone. Of
    *heads*, those that the chains have are taken out.
    """
    reference, number, previous, broken = "", 0, "", False
    for row in rows:
        if row["reference"] != reference:
            reference, number, previous, broken = row["reference"], 0, "", False
        if broken:
            continue
        fault = _fault_of(row, number + 1, previous)
        if fault:
            broken = True
            yield fault
            continue
        number, previous = row["number"], row["digest"]
        heads.discard((reference, number, previous))


def _fault_of(row: Mapping[str, Any], number: int, previous: str) -> Fault | None:
    reference, where = row["reference"], f"{row['place']} {row['key']} (row {row['number']} of the chain)"
    if row["number"] != number:
        return Fault(reference, "removed", f"row {number} of the chain is missing before {where}")
    if row["previous"] != previous:
        return Fault(reference, "reordered", f"{where} does not follow what stands before it")
    if digest_of(row) != row["digest"]:
        return Fault(reference, "altered", f"the chain itself was altered at {where}")
    if row["stored"] is None:
        return Fault(reference, "removed", f"{where} is not there any more")
    if hashlib.sha256(row["stored"].encode()).hexdigest() != row["content"]:
        return Fault(reference, "altered", f"{where} is not as it was written")
    return None


def check_strays(strays: Iterable[Mapping[str, Any]]) -> Iterator[Fault]:
    """A fault for each row that no chain has: ``reference``, ``place`` and ``key``."""
    for row in strays:
        yield Fault(row["reference"], "inserted", f"{row['place']} {row['key']} is in no chain")


# -- checkpoints -------------------------------------------------------------------------------------------------------


def read_checkpoints(tokens: Iterable[str], keys: Mapping[str, bytes]) -> tuple[list[Checkpoint], list[Fault]]:
    """The checkpoints that were signed by one of the Ed25519 public *keys* (by kid), by number, and what is wrong.

    One whose writing was broken off, and which was written again, is no fault.
    """
    found: dict[str, Checkpoint] = {}
    faults: list[Fault] = []
    lines = [line.strip() for line in tokens]
    for token in filter(None, lines):
        try:
            found[token] = _checkpoint(token, keys)
        except (ValueError, KeyError, TypeError) as error:
            if any(one != token and one.startswith(token) for one in lines):
                continue
            faults.append(Fault("checkpoints", "unsigned", f"a checkpoint is not signed as it should be: {error}"))
    return sorted(found.values(), key=lambda one: (one.number, one.at)), faults


def read_restores(
    rows: Iterable[Mapping[str, Any]], issuers: Mapping[str, Issuer]
) -> tuple[list[Mapping[str, Any]], list[Fault]]:
    """The restores that somebody declared who signs by one of the *issuers* (by kid), and a fault for each other.

    Whoever may do anything in the database can write that one was declared, and so explain whatever they rewrote.
    """
    declared: list[Mapping[str, Any]] = []
    faults: list[Fault] = []
    for row in rows:
        try:
            _check_declared(row, issuers)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = f"the restore of {row['since']}, declared by {row['declared_by']} as it says, is not proven: {error}"
            faults.append(Fault("restores", "unsigned", said))
        else:
            declared.append(row)
    return declared, faults


def _check_declared(row: Mapping[str, Any], issuers: Mapping[str, Issuer]) -> None:
    if row["token"] is None:
        raise ValueError("nobody signed it")
    role, _, who = row["declared_by"].partition(":")
    keys = {kid: one.key for kid, one in issuers.items() if one.roles is None or role in one.roles}
    claims = read_signed(row["token"], SPOKEN, keys)
    said = {name: row[name] for name in ("message_id", "store", "reason")}
    said.update((name, row[name].replace("+00:00", "Z")) for name in ("since", "until"))
    body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    wanted = {
        "ref": row["store"],
        "msg": "declare_restore",
        "jti": row["message_id"],
        "body": hashlib.sha256(body.encode()).hexdigest(),
    }
    if any(claims[name] != value for name, value in wanted.items()):
        raise ValueError("its token is for something else")
    if role not in claims["roles"] or who.casefold() != claims["sub"].casefold():
        raise ValueError("its token is somebody else's")


def check_checkpoints(
    own: Sequence[Checkpoint],
    outside: Sequence[Checkpoint],
    restores: Sequence[Mapping[str, Any]],
    exported: datetime | None,
) -> tuple[set[Head], list[Fault], list[str]]:
    """The heads that the chains must have, what is wrong, and what declared *restores* explain.

    Those of *outside* must be among the *own* ones. One that was made between ``since`` and ``until`` of a restore of
    PostgreSQL may be lost, and so may its heads. What the own ones say as well takes nothing back of what left.
    Those that go on from the last own one and were made after the record was *exported* cannot be in it.
    """
    faults: list[Fault] = []
    known = {one.number: one.token for one in own}
    digest = ""
    for number, one in enumerate(own, 1):
        if (one.number, one.previous) != (number, digest):
            faults.append(Fault("checkpoints", "removed", f"checkpoint {number} is missing, or another follows it"))
            break
        digest = one.digest
    later = _made_later(own, outside, exported)
    gone: list[Checkpoint] = []
    explained: list[tuple[Mapping[str, Any], list[Checkpoint]]] = [(restore, []) for restore in restores]
    for one in outside:
        if known.get(one.number) != one.token and one not in later:
            next((lost for by, lost in explained if by["since"] <= one.at <= by["until"]), gone).append(one)
    notes = [
        f"{_told(lost)} lost with the restore of {by['since']} that {by['declared_by']} declared: {by['reason']}"
        for by, lost in explained
        if lost
    ]
    if later:
        after = f" and the {len(later) - 1} after it" if later[1:] else ""
        notes.append(
            f"the export says that it is of {exported}: it is older than checkpoint {later[0].number} of {later[0].at}"
            f"{after}, and what came later is not in it; if you asked for it later than that, the record was cut off"
        )
    if gone:
        faults.append(Fault("checkpoints", "rewritten", f"{_told(gone)} not in the database, and left the firm"))
    return {head for one in (*gone, *own) for head in one.heads}, faults, notes


def _made_later(
    own: Sequence[Checkpoint], outside: Sequence[Checkpoint], exported: datetime | None
) -> list[Checkpoint]:
    """Those of *outside* that follow the last *own* one, each the one before, and were made since the export."""
    later: list[Checkpoint] = []
    last = own[-1] if own else None
    for one in outside:
        follows = (one.number, one.previous) == ((last.number + 1, last.digest) if last else (1, ""))
        if exported and follows and datetime.fromisoformat(one.at) >= exported - MEANWHILE:
            later.append(one)
            last = one
    return later


def _told(some: Sequence[Checkpoint]) -> str:
    first, last = some[0], some[-1]
    if len(some) == 1:
        return f"checkpoint {first.number} of {first.at} is"
    return f"{len(some)} checkpoints, from {first.number} of {first.at} to {last.number} of {last.at}, are"


def check_heads(heads: Iterable[Head]) -> Iterator[Fault]:
    """A fault for each chain of which a checkpoint names a head that it has not: for the first such row."""
    first: dict[str, int] = {}
    for reference, number, _ in heads:
        first[reference] = min(number, first.get(reference, number))
    for reference, number in sorted(first.items()):
        yield Fault(reference, "rewritten", f"up to row {number} the chain is not what a checkpoint says that it was")


def read_signed(token: str, kind: str, keys: Mapping[str, bytes]) -> Any:
    """What a token of that *kind* says, signed by one of *keys*. Raises ``ValueError``."""
    header, payload, signature = token.split(".")
    said = json.loads(_bytes(header))
    if said.get("alg") != "Ed25519" or said.get("typ") != kind:
        raise ValueError(f"it is no {kind} signed by Ed25519")
    if said["kid"] not in keys:
        raise ValueError(f"its key {said['kid']} is not among those given")
    if not signed_by(keys[said["kid"]], f"{header}.{payload}".encode(), _bytes(signature)):
        raise ValueError("its signature is wrong")
    return json.loads(_bytes(payload))


def _checkpoint(token: str, keys: Mapping[str, bytes]) -> Checkpoint:
    body = read_signed(token, TYPE, keys)
    heads = [(str(reference), int(number), str(digest)) for reference, number, digest in body["heads"]]
    return Checkpoint(int(body["number"]), str(body["previous"]), str(body["at"]), heads, token)


def read_keys(path: Path) -> dict[str, bytes]:
    """The Ed25519 keys in a file: a JWK, a JWK set, a file of issuers, a signing key. Raises ``ValueError``."""
    found: dict[str, bytes] = {}
    waiting = [json.loads(path.read_text(encoding="utf-8"))]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            if one.get("crv") == "Ed25519":
                found[str(one["kid"])] = _bytes(one["x"])
            waiting += [one[name] for name in ("keys", "issuers", "key") if name in one]
    if not found:
        raise ValueError(f"{path} has no Ed25519 key")
    return found


def read_issuers(path: Path) -> dict[str, Issuer]:
    """The Ed25519 keys in a file of issuers, by kid. Raises ``ValueError``."""
    return {
        str(key["kid"]): Issuer(_bytes(key["x"]), one.get("roles"))
        for one in json.loads(path.read_text(encoding="utf-8"))["issuers"]
        for key in one["keys"]
        if key.get("crv") == "Ed25519"
    }


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# -- Ed25519, as RFC 8032 has it ---------------------------------------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Y = 4 * pow(5, _P - 2, _P) % _P
Point = tuple[int, int, int, int]


def signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether *signature* of *message* is one by the public *key*."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return signed_by_in_python(key, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_by_in_python(key: bytes, message: bytes, signature: bytes) -> bool:
    """The same without any library; a hundredth of a second each."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, point = _decompressed(key), _decompressed(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if public is None or point is None or factor >= _L:
        return False
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % _L
    base_x = _x_of(_Y, 0)
    assert base_x is not None  # noqa: S101
    left = _times(factor, (base_x, _Y, 1, base_x * _Y % _P))
    right = _plus(point, _times(hashed, public))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 == (left[1] * right[2] - right[1] * left[2]) % _P


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _decompressed(octets: bytes) -> Point | None:
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _plus(one: Point, other: Point) -> Point:
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % _P, (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = 2 * one[3] * other[3] * _D % _P, 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _plus(result, point)
        point, factor = _plus(point, point), factor >> 1
    return result


# -- the command -------------------------------------------------------------------------------------------------------


def verify(
    folder: Path, outside: Sequence[Path], keys: Mapping[str, bytes], issuers: Mapping[str, Issuer]
) -> tuple[list[Fault], list[str]]:
    """What is wrong with the record that was exported to *folder*, and what declared restores explain.

    *outside* are files of checkpoints that left the firm, signed by *keys*; people sign by those of *issuers*.
    """
    inside, faults = read_checkpoints(_text(folder / CHECKPOINTS), keys)
    left, more = read_checkpoints([line for path in outside for line in _text(path)], keys)
    if outside and not (left or more):
        more.append(Fault("checkpoints", "removed", "the files of checkpoints that left the firm have none"))
    restores, undeclared = read_restores(_lines(folder / RESTORES), issuers)
    heads, rewritten, notes = check_checkpoints(inside, left, restores, _exported(folder))
    chains = list(check_chains(_lines(folder / CHAIN), heads))
    broken = {fault.reference for fault in chains}
    unknown = [fault for fault in check_heads(heads) if fault.reference not in broken]
    if left and inside and left[-1].number < inside[-1].number:
        notes.append(f"the checkpoints that left the firm end at {left[-1].at}; the rest is the database's word alone")
    strays = check_strays(_lines(folder / STRAYS))
    return [*faults, *more, *undeclared, *rewritten, *chains, *unknown, *strays], notes


def _exported(folder: Path) -> datetime | None:
    path = folder / EXPORTED
    return datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["at"]) if path.exists() else None


def _text(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what `redress audit export` wrote."""
    parser = argparse.ArgumentParser(description="Verify the chains of an exported case file.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="public key of those who sign checkpoints (JWK)")
    parser.add_argument("--issuers", type=Path, help="public keys of those who sign for people: who declares a restore")
    parser.add_argument("--checkpoints", type=Path, action="append", default=[], help="checkpoints that left the firm")
    given = parser.parse_args(arguments)
    try:
        issuers = read_issuers(given.issuers) if given.issuers else {}
        faults, notes = verify(given.folder, given.checkpoints, read_keys(given.key), issuers)
    except (OSError, ValueError, KeyError) as error:
        print(f"verify: it cannot be read: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for note in notes:
        print(f"note: {note}")  # noqa: T201
    for fault in faults:
        print(f"{fault.kind}: {fault.reference}: {fault.what}")  # noqa: T201
    print("something is not as it was written" if faults else "all is as it was written")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
