"""Policy packs as files: `policies/*.toml`, each one version of a rule book, checked whole before any is used.

A pack may name a calendar (`policies/calendars/NAME.toml`) and extend another pack. Both are resolved here, so that the
pack which is checked, hashed and pinned to a case is whole. A firm's own packs and calendars lie in the folder of
`REDRESS_POLICY_DIR`, beside those that are shipped.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from domain.clocks.calendar import Calendar
from domain.rules.applying import RulesTable
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from runtime.paths import POLICIES
from runtime.settings import load_settings, variable_of
from runtime.shelf import File, PolicyError, Shelf
from runtime.toml_files import TomlFileError, read_toml, to_record

Packs = Mapping[str, Sequence[PolicyPack]]
"""Policy packs by id, the versions of each in the order in which they come into force."""


_VARIABLE: Final = variable_of("policy_dir")


class UnknownPolicyPack(LookupError):
    """No policy pack of that id is in force on that day. The message names those there are."""


class PolicyIncomplete(Exception):
    """A policy pack leaves to the firm what the firm has not set. The message names the fields and the way out."""


def policy_folders() -> tuple[Path, ...]:
    """The folders whose packs are known: the one that is shipped, and the firm's own if it is set."""
    return _folders(*(value for name, value in os.environ.items() if name.upper() == _VARIABLE))


@lru_cache(maxsize=8)  # to read all settings takes a millisecond, and every case that is opened asks
def _folders(*_set: str) -> tuple[Path, ...]:
    own = load_settings().policy_dir
    return (POLICIES,) if own is None else (POLICIES, own)


def load_packs(*folders: Path) -> Packs:
    """Read every pack in *folders*, by default :func:`policy_folders`, once per process.

    Raises :class:`PolicyError` for the first that does not fit.
    """
    return _load(folders or policy_folders())


@lru_cache(maxsize=8)
def _load(folders: tuple[Path, ...]) -> Packs:
    shelf = Shelf(folders)
    for error in shelf.broken.values():
        raise error
    packs = _by_id(shelf.pack(file) for file in shelf.files)
    if not packs:
        raise PolicyError(f"{', '.join(map(str, folders))}: there is no policy pack (*.toml) in this folder")
    for overlap in _overlaps(packs):
        raise overlap
    return packs


def _by_id(packs: Iterable[PolicyPack]) -> Packs:
    versions: dict[str, list[PolicyPack]] = {}
    for pack in sorted(packs, key=lambda one: one.effective_from):
        versions.setdefault(pack.id, []).append(pack)
    return versions


def _overlaps(packs: Packs) -> Iterator[PolicyError]:
    for versions in packs.values():
        for earlier, later in pairwise(versions):
            if earlier.effective_until is None or later.effective_from <= earlier.effective_until:
                yield PolicyError(
                    f"policy pack {earlier.id}: versions {earlier.version} and {later.version} are both in force on "
                    f"{later.effective_from}; set effective_until of {earlier.version} to the day before"
                )


class ReadPack(NamedTuple):
    """A pack as it was read, and the packs that it extends, the nearest first."""

    pack: PolicyPack
    extends: tuple[PolicyPack, ...]


def read_pack(path: Path) -> ReadPack:
    """The pack of one file, wherever it lies, beside the packs and calendars that are installed.

    Calendars are looked for in the folder `calendars` beside it too; what is wrong with other files makes no
    difference, unless it extends them. Raises :class:`PolicyError`.
    """
    shelf = Shelf(policy_folders(), path)
    if path in shelf.broken:
        raise shelf.broken[path]
    return _read(shelf, next(file for file in shelf.files if file.path.resolve() == path.resolve()))


def survey(*folders: Path) -> tuple[list[ReadPack], dict[str, PolicyError]]:
    """Every pack in *folders*, by default :func:`policy_folders`, that can be read; and what is wrong with the others.

    By the names of their files. Versions that overlap are told under the id of their pack.
    """
    shelf = Shelf(folders or policy_folders())
    read: list[ReadPack] = []
    wrong = {path.name: error for path, error in shelf.broken.items()}
    for file in shelf.files:
        try:
            read.append(_read(shelf, file))
        except PolicyError as error:
            wrong[file.path.name] = error
    packs = _by_id(one.pack for one in read)
    wrong |= {str(error).split(":")[0]: error for error in _overlaps(packs)}
    return sorted(read, key=lambda one: (one.pack.id, one.pack.effective_from)), wrong


def _read(shelf: Shelf, file: File) -> ReadPack:
    return ReadPack(shelf.pack(file), shelf.extended_by(file))


def load_table(*folders: Path) -> RulesTable:
    """The table by which rules are found: that of the last of *folders* which has one, by default the firm's own.

    Read once per process. Raises :class:`runtime.shelf.PolicyError` if it does not fit or names a pack there is not.
    """
    return _load_table(folders or policy_folders())


@lru_cache(maxsize=8)
def _load_table(folders: tuple[Path, ...]) -> RulesTable:
    paths = [path for folder in folders if (path := folder / "tables" / "which-rules.toml").is_file()]
    if not paths:
        return RulesTable(version="none")
    try:
        table = to_record(paths[-1], read_toml(paths[-1]), RulesTable)
    except TomlFileError as error:
        raise PolicyError(f"tables/{error}") from None
    known = {str(file.id) for file in Shelf(folders).files}
    for row in table.rows:
        for name in row.policy:
            if name not in known:
                field = f"tables/{paths[-1].name}: rows[{row.name}].policy"
                raise PolicyError(f"{field}: there is no pack {name!r}; there are {', '.join(sorted(known))}")
    return table


def find_pack(pack_id: str, at: date | datetime, packs: Packs | None = None) -> PolicyPack:
    """The version of pack *pack_id* in force on the day *at*; of an instant, the day it is in the pack's time zone.

    *packs* are those to choose from, by default those of :func:`load_packs`. Raises :class:`UnknownPolicyPack`.
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


def find_policy(names: Sequence[str], at: date | datetime, packs: Packs | None = None) -> PolicyPack:
    """The rules of a case: the packs *names* in force on the day *at*, as one; the first is the case's own.

    Raises :class:`UnknownPolicyPack`, :class:`PolicyIncomplete` if a pack leaves to the firm what is not set, and
    ``ValueError`` if *names* is empty or names a pack twice.
    """
    found = [find_pack(name, at, packs) for name in names]
    for pack in found:
        if pack.demands:
            raise PolicyIncomplete(
                f"policy: {pack.id} {pack.version} leaves to the firm: {', '.join(pack.demands)}; make a pack of the "
                f'firm\'s own with extends = "{pack.id}" that sets this, and name that one'
            )
    return combine(found)


def calendars_in_use(packs: Packs | None = None) -> dict[str, Calendar]:
    """The calendars of *packs* by id, as they are now: of a calendar in several packs, that of the newest.

    Calendars written into a pack have no id unless they give one, and are not here.
    """
    packs = load_packs() if packs is None else packs
    newest_last = sorted(
        (pack for versions in packs.values() for pack in versions), key=lambda pack: (pack.effective_from, pack.id)
    )
    used = (pack.calendar_of(clock) for pack in newest_last for clock in pack.clocks)
    return {calendar.id: calendar for calendar in used if calendar.id is not None}
