"""Policy packs put together from files: one laid over the pack that it extends, with the calendar that it names.

What a pack that extends another may not do without a word: change a number of the law, and leave the source of the old
one beside it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.clocks.business_days import place_problem
from domain.clocks.calendar import Calendar
from domain.clocks.clock import Length
from domain.rules.policy import PolicyPack
from runtime.calendars import CalendarError, read_calendars
from runtime.toml_files import TomlFileError, read_toml, to_record

# Never inherited: what makes a pack that one, and when it holds.
_OWN: Final = ("id", "version", "title", "effective_from", "effective_until")
# Lists that are laid over each other item by item, and what the items go by.
_ITEMS: Final = {
    "clocks": "name",
    "letters": "name",
    "routes": "name",
    "teams": "name",
    "interest": "name",
    "returns": "name",
    "closures": "day",
    "openings": "day",
}
_DROPPABLE: Final = tuple(name for name, by in _ITEMS.items() if by == "name")
# What of a statutory clock, and of an early closure, is the law's: a change of it needs a source of its own.
_TERMS: Final = ("kind", "trigger", "length", "first_day_counts", "on_closed_day", "satisfied_by", "own_days")
_EARLY_TERMS: Final = ("within", "first_day_counts")


class PolicyError(Exception):
    """A policy pack cannot be used. The message names the file and the field."""


class File(NamedTuple):
    """The content of a file that may hold a pack."""

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


class Shelf:
    """The files of some folders, from which packs are put together.

    ``broken`` is what is wrong with files that hold no pack or calendar, by path: the others are not the worse for it.
    """

    def __init__(self, folders: Iterable[Path], *more: Path) -> None:
        folders = list(folders)
        paths = {path.resolve(): path for folder in folders for path in sorted(folder.glob("*.toml"))}
        paths |= {path.resolve(): path for path in more}
        self.files: list[File] = []
        self.broken: dict[Path, PolicyError] = {}
        for path in paths.values():
            try:
                self.files.append(_parse(path))
            except PolicyError as error:
                self.broken[path] = error
        self._calendars: dict[str, Calendar] = {}
        # A later folder's calendar takes the place of an earlier one's: a firm may know a year's holidays before us.
        for folder in dict.fromkeys([*folders, *(path.parent for path in more)]):
            read = read_calendars(folder / "calendars")
            for path, calendar in read.items():
                if isinstance(calendar, CalendarError):
                    self.broken[path] = PolicyError(f"calendars/{calendar}")
                    self._calendars.pop(path.stem, None)
                else:
                    self._calendars[path.stem] = calendar
        self._packs: dict[Path, PolicyPack] = {}

    def pack(self, file: File, *extending: File) -> PolicyPack:
        """The pack of *file*, checked. *extending* are the files on whose behalf it is read."""
        if file.path not in self._packs:
            self._packs[file.path] = _check(file, self._content(file, *extending))
        return self._packs[file.path]

    def extended_by(self, file: File) -> tuple[PolicyPack, ...]:
        """The packs that the pack of *file* rests on, the nearest first. It must have been read with :meth:`pack`."""
        if "extends" not in file.content:
            return ()
        base = self._extended(file)
        return (self.pack(base), *self.extended_by(base))

    def _content(self, file: File, *extending: File) -> dict[str, Any]:
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
        inherited = _leave_out(file, inherited)
        merged = _lay(said, over=inherited)
        if unsourced := next(_unsourced(said, inherited, merged), None):
            raise file.problem(*unsourced)
        if isinstance(changed := file.content.get("calendar"), dict) and isinstance(merged["calendar"], dict):
            # Not the calendar of that name any more: it is known by the name of the pack.
            merged["calendar"] = {**merged["calendar"], "id": changed.get("id", file.id)}
        return merged

    def _calendar(self, file: File, name: str) -> dict[str, Any]:
        if name not in self._calendars:
            if broken := next((error for path, error in self.broken.items() if path.name == f"{name}.toml"), None):
                raise broken
            known = ", ".join(sorted(self._calendars)) or "none"
            raise file.problem("calendar", f"there is no calendar {name!r}; there are {known}")
        content = self._calendars[name].model_dump(exclude_none=True)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in content.items()}

    def _extended(self, file: File) -> File:
        """The file that *file* extends: of several versions the newest that was in force when this one began."""
        name = file.content["extends"]
        versions = [other for other in self.files if other.id == name and other.path != file.path]
        if not versions:
            if broken := next((error for path, error in self.broken.items() if path.stem == name), None):
                raise broken
            known = ", ".join(sorted({str(other.id) for other in self.files if other.path != file.path}))
            raise file.problem("extends", f"there is no other pack {name!r}; there are {known}")
        begun = [other for other in versions if other.since(date.min) <= file.since(date.max)]
        if not begun:
            first = min(other.since(date.min) for other in versions)
            raise file.problem("extends", f"{name} begins on {first} only, after this pack (effective_from)")
        return max(begun, key=lambda other: other.since(date.min))


def _parse(path: Path) -> File:
    try:
        return File(path, read_toml(path))
    except TomlFileError as error:
        raise PolicyError(str(error)) from None
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None


def _check(file: File, content: dict[str, Any]) -> PolicyPack:
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


def _leave_out(file: File, inherited: dict[str, Any]) -> dict[str, Any]:
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


def _unsourced(
    said: Mapping[str, Any], inherited: Mapping[str, Any], merged: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """The numbers of the law that are changed, but not their source and confirmation: the field and the way out."""
    before, after = ({one["name"]: one for one in _tables(content, "clocks")} for content in (inherited, merged))
    for clock in _tables(said, "clocks"):
        old, new = before.get(clock["name"]), after.get(clock["name"])
        if old and new and "statutory" in {old.get("kind"), new.get("kind")}:
            yield from _changed(f"clocks[{clock['name']}]", clock, old, new, _TERMS)
    early = [content.get("early_closure") for content in (said, inherited, merged)]
    if all(isinstance(one, dict) for one in early):
        mine, old, new = (one or {} for one in early)
        yield from _changed("early_closure", mine, old, new, _EARLY_TERMS)


def _tables(content: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """The tables with a name in a list; whatever else is there is refused when the pack is checked."""
    for one in content.get(key) or ():
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one


def _changed(
    field: str, said: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any], terms: Sequence[str]
) -> Iterator[tuple[str, str]]:
    lacking = [name for name in ("source", "confirmed") if name not in said]
    changed = [name for name in terms if new.get(name) != old.get(name)]
    if lacking and changed:
        yield (
            f"{field}.{changed[0]}",
            f"this changes what a rule says: state {' and '.join(lacking)} anew, for the old ones are of the old rule",
        )
