"""How much memory this process may take, and what is sized by it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_UNLIMITED: Final = 1 << 60
"""The first version of control groups says a number beyond all machines where there is no limit."""

_OF_A_CASE: Final = 256 << 10
"""Bytes that an open case takes in a worker's cache: 184 kB were measured, and some are larger."""
_FEWEST: Final = 1_000
_MOST: Final = 20_000


def memory_limit() -> int | None:
    """Bytes that this process may take: what its control groups allow it, or what the machine has; None if unknown."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not every system tells
        machine = None
    return min((*_of_control_groups(_CGROUPS), *([machine] if machine else [])), default=None)


def _of_control_groups(root: Path, own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """The limits of the group and of those it stands in. In a container the root is its own group."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        base = root / controllers
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            yield from _limit(folder)
            if folder == base:
                break


def _limit(folder: Path) -> Iterator[int]:
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            limit = int((folder / name).read_text())
        except (OSError, ValueError):  # "max", or no such limit
            continue
        if limit < _UNLIMITED:
            yield limit


def cached_cases(memory: int | None) -> int:
    """How many cases a worker with so many bytes of *memory* keeps ready: a quarter of it is for them.

    A case that is not kept is replayed whenever something happens to it.
    """
    return _FEWEST if memory is None else min(max(memory // 4 // _OF_A_CASE, _FEWEST), _MOST)
