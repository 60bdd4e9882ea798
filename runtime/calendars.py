"""Calendars as files: `policies/calendars/*.toml`, each named for its calendar and checked before it is used."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from domain.clocks.business_days import place_problem
from domain.clocks.calendar import Calendar
from runtime.paths import POLICIES
from runtime.toml_files import TomlFileError, read_toml, to_record


class CalendarError(Exception):
    """A calendar cannot be used. The message names the file and the field."""


@lru_cache(maxsize=8)
def load_calendars(folder: Path = POLICIES / "calendars") -> Mapping[str, Calendar]:
    """Every calendar in *folder* by id, read once per process; none if there is no such folder.

    Raises :class:`CalendarError` for the first that does not fit.
    """
    read = read_calendars(folder)
    for calendar in read.values():
        if isinstance(calendar, CalendarError):
            raise calendar
    return {path.stem: calendar for path, calendar in read.items() if isinstance(calendar, Calendar)}


@lru_cache(maxsize=8)
def read_calendars(folder: Path) -> Mapping[Path, Calendar | CalendarError]:
    """Every calendar in *folder* by its file, or what is wrong with it; read once per process."""
    return {path: _try(path) for path in sorted(folder.glob("*.toml"))}


def _try(path: Path) -> Calendar | CalendarError:
    try:
        return _read(path)
    except CalendarError as error:
        return error


def _read(path: Path) -> Calendar:
    try:
        calendar = to_record(path, read_toml(path), Calendar)
    except TomlFileError as error:
        raise CalendarError(str(error)) from None
    if calendar.id != path.stem:
        raise CalendarError(f'{path.name}: id: write id = "{path.stem}", the name of the file, or rename the file')
    if problem := place_problem(calendar):
        raise CalendarError(f"{path.name}: {problem}")
    return calendar
