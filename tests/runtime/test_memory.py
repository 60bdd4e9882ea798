"""A worker's cache is sized by what memory the process may take."""

from pathlib import Path

import pytest

from runtime.memory import _of_control_groups, cached_cases, memory_limit

GB = 1 << 30


@pytest.mark.parametrize(
    ("memory", "cases"), [(None, 1_000), (GB // 2, 1_000), (2 * GB, 2_048), (8 * GB, 8_192), (64 * GB, 20_000)]
)
def test_a_quarter_of_the_memory_keeps_cases(memory: int | None, cases: int) -> None:
    assert cached_cases(memory) == cases


@pytest.mark.parametrize(
    ("own", "limits", "found"),
    [
        ("0::/", {"memory.max": "2147483648"}, [2 * GB]),
        ("0::/", {"memory.max": "max"}, []),
        (
            "0::/a.slice/b.service",
            {"a.slice/memory.max": "4294967296", "a.slice/b.service/memory.max": "max"},
            [4 * GB],
        ),
        ("4:memory:/docker/1\n3:cpu:/x", {"memory/docker/1/memory.limit_in_bytes": "1073741824"}, [GB]),
        ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, []),
    ],
)
def test_the_limits_of_every_group_around_the_process_count(
    own: str, limits: dict[str, str], found: list[int], tmp_path: Path
) -> None:
    for name, limit in limits.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(limit + "\n")
    (tmp_path / "own").write_text(own + "\n")
    assert list(_of_control_groups(tmp_path / "groups", tmp_path / "own")) == found


def test_where_no_group_is_the_machine_is_the_limit(tmp_path: Path) -> None:
    assert list(_of_control_groups(tmp_path, tmp_path / "none")) == []
    assert (memory_limit() or GB) >= GB // 4
