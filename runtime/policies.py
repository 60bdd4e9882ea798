"""Policy packs as files: `policies/*.toml`, each one version of a rule book, checked whole before any is used.

A pack may name a calendar (`policies/calendars/NAME.toml`) and extend another pack. Both are resolved here, so that the
pack which is checked, hashed and pinned to a case is whole. A firm's own packs and calendars lie in the folder of
`REDRESS_POLICY_DIR`, beside those that are shipped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.clocks.business_days import place_problem
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Length
from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from runtime.calendars import CalendarError, load_calendars
from runtime.paths import POLICIES
from runtime.settings import load_settings
from runtime.toml_files import TomlFileError, read_toml, to_record

Packs = Mapping[str, Sequence[PolicyPack]]
"""Policy packs by id, the versions of each in the order in which they come into force."""

# Never inherited: what makes a pack that one, and when it holds.
_OWN: Final = ("id", "version", "title", "effective_from", "effective_until")
# Lists that are laid over each other item by item, and what the items go by.
_ITEMS: Final = {
    "clocks": "name",
    "letters": "name",
    "routes": "name",
    "teams": "name",
    "interest": "name",
    "closures": "day",
    "openings": "day",
}
_DROPPABLE: Final = tuple(name for name, by in _ITEMS.items() if by == "name")


class PolicyError(Exception):
    """A policy pack cannot be used. The message names the file and the field."""


class UnknownPolicyPack(LookupError):
    """No policy pack of that id is in force on that day. The message names those there are."""


class PolicyIncomplete(Exception):
    """A policy pack leaves to the firm what the firm has not set. The message names the fields and the way out."""


def policy_folders() -> tuple[Path, ...]:
    """The folders whose packs are known: the one that is shipped, and the firm's own if it is set."""
    own = load_settings().policy_dir
    return (POLICIES,) if own is None else (POLICIES, own)


def load_packs(*folders: Path) -> Packs:
    """Read every pack in *folders*, by default :func:`policy_folders`, once per process.

    Raises :class:`PolicyError` for the first that does not fit.
    """
    return _load(folders or policy_folders())


@lru_cache(maxsize=8)
def _load(folders: tuple[Path, ...]) -> Packs:
    shelf = _Shelf(folders)
    packs: dict[str, list[PolicyPack]] = {}
    for file in shelf.files:
        pack = shelf.pack(file)
        packs.setdefault(pack.id, []).append(pack)
    if not packs:
        raise PolicyError(f"{', '.join(map(str, folders))}: there is no policy pack (*.toml) in this folder")
    for versions in packs.values():
        versions.sort(key=lambda pack: pack.effective_from)
        for earlier, later in pairwise(versions):
            if earlier.effective_until is None or later.effective_from <= earlier.effective_until:
                raise PolicyError(
                    f"policy pack {earlier.id}: versions {earlier.version} and {later.version} are both in force on "
                    f"{later.effective_from}; set effective_until of {earlier.version} to the day before"
                )
    return packs


def read_pack(path: Path) -> PolicyPack:
    """The pack of one file, wherever it lies, beside the packs and calendars that are installed.

    Calendars are looked for in the folder `calendars` beside it too. Raises :class:`PolicyError`.
    """
    shelf = _Shelf(policy_folders(), path)
    return shelf.pack(next(file for file in shelf.files if file.path.resolve() == path.resolve()))


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


class _File(NamedTuple):
    path: Path
    content: dict[str, Any]

    @property
    def id(self) -> object:
        return self.content.get("id")

    def since(self, otherwise: date) -> date:
        since = self.content.get("effective_from")
        # Whatever else is there is refused when the pack is checked.
        return since if type(since) is date else otherwise

    def problem(self, field: str, what: str) -> PolicyError:
        return PolicyError(f"{self.path.name}: {field}: {what}")


class _Shelf:
    """The files of some folders, from which packs are put together."""

    def __init__(self, folders: Iterable[Path], *more: Path) -> None:
        folders = list(folders)
        paths = {path.resolve(): path for folder in folders for path in sorted(folder.glob("*.toml"))}
        paths |= {path.resolve(): path for path in more}
        self.files = [_parse(path) for path in paths.values()]
        self._calendars: dict[str, Calendar] = {}
        # A later folder's calendar takes the place of an earlier one's: a firm may know a year's holidays before us.
        for folder in dict.fromkeys([*folders, *(path.parent for path in more)]):
            try:
                self._calendars |= load_calendars(folder / "calendars")
            except CalendarError as error:
                raise PolicyError(f"calendars/{error}") from None
        self._packs: dict[Path, PolicyPack] = {}

    def pack(self, file: _File, *extending: _File) -> PolicyPack:
        """The pack of *file*, checked. *extending* are the files on whose behalf it is read."""
        if file.path not in self._packs:
            self._packs[file.path] = _check(file, self._content(file, *extending))
        return self._packs[file.path]

    def _content(self, file: _File, *extending: _File) -> dict[str, Any]:
        """What *file* says, laid over what the pack says that it extends."""
        if any(other.path == file.path for other in extending):
            names = " extends ".join(other.path.name for other in (*extending, file))
            raise file.problem("extends", f"a pack cannot extend itself: {names}")
        said = {key: value for key, value in file.content.items() if key not in {"extends", "without"}}
        if isinstance(name := said.get("calendar"), str):
            said["calendar"] = self._calendar(file, name)
        if "extends" not in file.content:
            if "without" in file.content:
                raise file.problem("without", "there is nothing to leave out; it goes with extends")
            return said
        base = self._extended(file)
        self.pack(base, *extending, file)  # an error of the base is told as such
        inherited = {key: value for key, value in self._content(base).items() if key not in _OWN}
        if isinstance(file.content.get("calendar"), str):
            del inherited["calendar"]  # another calendar, not the other's with changes
        merged = _lay(said, over=_leave_out(file, inherited))
        if isinstance(changed := file.content.get("calendar"), dict) and isinstance(merged["calendar"], dict):
            # Not the calendar of that name any more: it is known by the name of the pack.
            merged["calendar"] = {**merged["calendar"], "id": changed.get("id", file.id)}
        return merged

    def _calendar(self, file: _File, name: str) -> dict[str, Any]:
        if name not in self._calendars:
            known = ", ".join(sorted(self._calendars)) or "none"
            raise file.problem("calendar", f"there is no calendar {name!r}; there are {known}")
        content = self._calendars[name].model_dump(exclude_none=True)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}

    def _extended(self, file: _File) -> _File:
        """The file that *file* extends: of several versions the newest that was in force when this one began."""
        name = file.content["extends"]
        versions = [other for other in self.files if other.id == name and other.path != file.path]
        if not versions:
            known = ", ".join(sorted({str(other.id) for other in self.files if other.path != file.path}))
            raise file.problem("extends", f"there is no other pack {name!r}; there are {known}")
        begun = [other for other in versions if other.since(date.min) <= file.since(date.max)]
        if not begun:
            first = min(other.since(date.min) for other in versions)
            raise file.problem("extends", f"{name} begins on {first} only, after this pack (effective_from)")
        return max(begun, key=lambda other: other.since(date.min))


def _parse(path: Path) -> _File:
    try:
        return _File(path, read_toml(path))
    except TomlFileError as error:
        raise PolicyError(str(error)) from None
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None


def _check(file: _File, content: dict[str, Any]) -> PolicyPack:
    try:
        pack = to_record(file.path, content, PolicyPack)
    except TomlFileError as error:
        raise PolicyError(str(error)) from None
    if problem := place_problem(pack.calendar):
        raise PolicyError(f"{file.path.name}: calendar.{problem}")
    return pack


# -- one pack laid over another ----------------------------------------------------------------------------------------


def _lay(said: Mapping[str, Any], *, over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables key by key, the lists of ``_ITEMS`` item by item; anything else takes the place of what was there."""
    merged = {**over, **said}
    for key in said.keys() & over.keys():
        new, old = said[key], over[key]
        if isinstance(new, dict) and isinstance(old, dict) and not (_is_value(new) and _is_value(old)):
            merged[key] = _lay(new, over=old)
        elif isinstance(new, list) and isinstance(old, list) and key in _ITEMS:
            merged[key] = _lay_items(new, old, by=_ITEMS[key], first=key == "teams")
    return merged


def _is_value(table: Mapping[str, Any]) -> bool:
    """Whether a table is one value: a length, a text in two languages, amounts by currency."""
    keys = table.keys()
    return (
        keys <= Length.model_fields.keys() or keys <= {"en", "zh"} or all(re.fullmatch("[A-Z]{3}", key) for key in keys)
    )


def _lay_items(new: Sequence[Any], old: Sequence[Any], *, by: str, first: bool) -> list[Any]:
    """The *old* items, each with what a *new* one of its name says; other new ones behind them, or *first*."""
    rest = list(new)
    merged = []
    for item in old:
        match = next((one for one in rest if isinstance(one, dict) and one.get(by) == item[by]), None)
        if match is None:
            merged.append(item)
        else:
            rest.remove(match)
            merged.append(_lay(match, over=item))
    # The last team takes what no other does, and stays the last.
    return [*rest, *merged] if first else [*merged, *rest]


def _leave_out(file: _File, inherited: dict[str, Any]) -> dict[str, Any]:
    """*inherited* without what the file's ``without`` names."""
    without = file.content.get("without", {})
    if not isinstance(without, dict) or not all(isinstance(names, list) for names in without.values()):
        raise file.problem("without", 'name what is left out by list, such as { clocks = ["progress"] }')
    kept = dict(inherited)
    for key, names in without.items():
        if key not in _DROPPABLE:
            raise file.problem(f"without.{key}", f"there are {', '.join(_DROPPABLE)}")
        known = [item["name"] for item in kept.get(key, ())]
        for name in names:
            if name not in known:
                has = f"there are {', '.join(known)}" if known else "there are none"
                raise file.problem(f"without.{key}", f"there is no {name!r} in {file.content['extends']}; {has}")
        kept[key] = [item for item in kept.get(key, ()) if item["name"] not in names]
    return kept
