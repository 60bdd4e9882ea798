"""Policy packs as files: `policies/*.toml`, each one version of a rule book, checked whole before any is used."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.policy import PolicyPack
from runtime.paths import POLICIES

Packs = Mapping[str, Sequence[PolicyPack]]
"""Policy packs by id, the versions of each in the order in which they come into force."""


class PolicyError(Exception):
    """A policy pack cannot be used. The message names the file and the field."""


class UnknownPolicyPack(LookupError):
    """No policy pack of that id is in force on that day. The message names those there are."""


@lru_cache(maxsize=8)
def load_packs(folder: Path = POLICIES) -> Packs:
    """Read every pack in *folder*, once per process. Raises :class:`PolicyError` for the first that does not fit."""
    packs: dict[str, list[PolicyPack]] = {}
    for path in sorted(folder.glob("*.toml")):
        pack = _read(path)
        packs.setdefault(pack.id, []).append(pack)
    if not packs:
        raise PolicyError(f"{folder}: there is no policy pack (*.toml) in this folder")
    for versions in packs.values():
        versions.sort(key=lambda pack: pack.effective_from)
        for earlier, later in pairwise(versions):
            if earlier.effective_until is None or later.effective_from <= earlier.effective_until:
                raise PolicyError(
                    f"policy pack {earlier.id}: versions {earlier.version} and {later.version} are both in force on "
                    f"{later.effective_from}; set effective_until of {earlier.version} to the day before"
                )
    return packs


def find_pack(pack_id: str, at: date | datetime, packs: Packs | None = None) -> PolicyPack:
    """The version of pack *pack_id* in force on the day *at*; of an instant, the day it is in the pack's time zone.

    *packs* are those to choose from, by default those of `policies/`. Raises :class:`UnknownPolicyPack`.
    """
    packs = load_packs() if packs is None else packs
    versions = packs.get(pack_id, ())
    for pack in versions:
        if pack.in_force(at.astimezone(pack.calendar.zone).date() if isinstance(at, datetime) else at):
            return pack
    if not versions:
        raise UnknownPolicyPack(f"policy: there is no pack {pack_id!r}; there are {', '.join(sorted(packs))}")
    known = "; ".join(
        f"{pack.version} from {pack.effective_from}"
        + (f" until {pack.effective_until}" if pack.effective_until else "")
        for pack in versions
    )
    raise UnknownPolicyPack(f"policy: no version of {pack_id} is in force on {at:%Y-%m-%d}; there are {known}")


def _read(path: Path) -> PolicyPack:
    try:
        # Amounts of money with a fraction must not pass through a float.
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name}: not a TOML file: {error}") from None
    try:
        return PolicyPack.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        lines = (f"{_field(content, item['loc'])}: {item['msg'].removeprefix('Value error, ')}" for item in problems)
        raise PolicyError(f"{path.name}: {'; '.join(lines)}") from None


def _field(content: Any, location: Iterable[int | str]) -> str:
    """Where in the file: ``clocks[response].rungs[due].level``. A list's items go by name where they have one."""
    path = ""
    for part in location:
        if isinstance(part, int):
            content = content[part] if isinstance(content, list) and part < len(content) else None
            name = content.get("name", part) if isinstance(content, dict) else part
            path += f"[{name}]"
        else:
            content = content.get(part) if isinstance(content, dict) else None
            path += f".{part}" if path else part
    return path or "pack"
