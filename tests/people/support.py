"""What the tests of people share: directories, and people to put into them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.ground.people import Actor
from domain.ground.words import Role
from domain.people.directory import Directory

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = NOW.date()
LEAD = Actor(id="tl-2", role=Role.TEAM_LEAD)

FILE = """
[[teams]]
name = "dealing"

[[people]]
id = "h-1"
teams = ["dealing"]
roles = ["handler"]
languages = ["en", "zh-HK"]
skills = ["execution", "vulnerable_customers"]
absences = [{ first = 2026-03-01, last = 2026-03-05 }]
training = [{ course = "complaints", first = 2025-01-01, last = 2025-12-31 }]
conflicts = [{ account = "70012345", first = 2026-01-01, why = "family" }]
"""


def person(identifier: str, *roles: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "teams": ["dealing"], "roles": roles or ["handler"], "languages": ["en"], **more}


def directory(*people: dict[str, Any], teams: tuple[str, ...] = ("dealing",)) -> Directory:
    return Directory.model_validate({"teams": [{"name": name} for name in teams], "people": people})


def written(folder: Path, text: str) -> Path:
    path = folder / "directory.toml"
    path.write_text(text, encoding="utf-8")
    return path
