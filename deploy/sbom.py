"""What an installation is made of, from the lock file: a CycloneDX document, or with --licences a table.

    python deploy/sbom.py > redress.cdx.json
    python deploy/sbom.py --licences

Versions and hashes are those of requirements/runtime.txt; licences those that the installed packages name.
"""

import json
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_HASHED = r"((?:[^\n]*\\\n\s+--hash=sha256:[0-9a-f]{64})*)"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)" + _HASHED, re.MULTILINE)


class Package(NamedTuple):
    """A locked package: its name, version, the SHA-256 of each of its files, and its licence, or ``unknown``."""

    name: str
    version: str
    hashes: tuple[str, ...]
    licence: str


def locked(lock_file: Path = ROOT / "requirements" / "runtime.txt") -> list[Package]:
    """The packages in a lock file, by name."""
    found = [
        Package(name, version, tuple(re.findall(r"sha256:([0-9a-f]{64})", hashes)), licence_of(name))
        for name, version, hashes in _LOCKED.findall(lock_file.read_text(encoding="utf-8"))
    ]
    return sorted(found, key=lambda one: one.name.lower())


def licence_of(name: str) -> str:
    """The licence that the installed package names: an SPDX expression, else its classifiers, else its first words."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return "unknown"
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [
        text.rpartition(" :: ")[2] for text in told.get_all("Classifier", []) if text.startswith("License ::")
    ]
    if classified:
        return ", ".join(classified)
    words = str(told.get("License") or "").strip().splitlines()
    return words[0][:60] if words else "unknown"


def document(packages: list[Package]) -> dict[str, Any]:
    """The CycloneDX document of *packages*."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": project["name"], "version": project["version"]},
        },
        "components": [
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{one.name.lower()}@{one.version}",
                "name": one.name,
                "version": one.version,
                "purl": f"pkg:pypi/{one.name.lower()}@{one.version}",
                "licenses": [{"license": {"name": one.licence}}],
                "hashes": [{"alg": "SHA-256", "content": content} for content in one.hashes],
            }
            for one in packages
        ],
    }


def main(arguments: list[str]) -> int:
    """Print one or the other."""
    packages = locked()
    if "--licences" in arguments:
        for one in packages:
            sys.stdout.write(f"{one.name}\t{one.version}\t{one.licence}\n")
    else:
        sys.stdout.write(json.dumps(document(packages), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
