"""Build hook: the package, and the modules of the service that it needs, under one import root.

Client, messages and references are written once, in the service's rooms. What is built has a copy of each module that
``redress_complaints`` imports, directly or by way of others, in ``redress_complaints/_service``, with its imports
rewritten to there: ``from domain.case.complaint import Complaint`` becomes
``from redress_complaints._service.domain.case.complaint import Complaint``.
"""

import ast
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE: Final = "redress_complaints"
INSIDE: Final = "_service"


class Gather(BuildHookInterface[Any]):
    """Has the gathered package included in what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise RuntimeError("this package is built from the service's modules; in a clone, use those")
        package = Path(self.root) / PACKAGE
        self._scratch = Path(tempfile.mkdtemp())
        if not (package / INSIDE).is_dir():  # it is there in a source distribution, where it was gathered before
            gather(package, Path(self.root).parent, self._scratch)
            package = self._scratch
        build_data["force_include"][str(package)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self._scratch)


def gather(package: Path, service: Path, into: Path) -> None:
    """Write *package* and what it needs of the *service* to the folder *into*.

    Raises ``ValueError`` for an import of the service's that cannot be rewritten.
    """
    written: dict[Path, str] = {}
    waiting = {into / path.relative_to(package): path for path in package.rglob("*.py")}
    while waiting:
        place, source = waiting.popitem()
        written[place] = _rewritten(source, service)
        needed = {into / INSIDE / path.relative_to(service): path for path in _needs(source, service)}
        waiting |= {there: path for there, path in needed.items() if there not in written}
    for place, text in written.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    (into / INSIDE / "__init__.py").write_text('"""Modules of the service, as it has them."""\n', encoding="utf-8")
    (into / "py.typed").touch()


def _needs(source: Path, service: Path) -> Iterator[Path]:
    """The service's modules that the one at *source* imports, and the packages they are in."""
    for node in _imports(source, service):
        for name in [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]:
            if module := _module(name, service):
                yield module
                yield from _packages(module.parent, service)


def _packages(folder: Path, service: Path) -> Iterator[Path]:
    """The first files of the packages that the modules in *folder* are in."""
    while folder != service:
        yield folder / "__init__.py"
        folder = folder.parent


def _rewritten(source: Path, service: Path) -> str:
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    for node in _imports(source, service):
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line.replace("from ", f"from {PACKAGE}.{INSIDE}.", 1)
    return "".join(lines)


def _imports(source: Path, service: Path) -> Iterator[ast.ImportFrom]:
    """The statements of the module at *source* that import from the service."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module)) if _module(module, service):
                yield node
            case ast.Import(names=names) if any(_module(alias.name, service) for alias in names):
                raise ValueError(f"{source}, line {node.lineno}: write it as `from … import …`, which can be rewritten")


def _module(name: str, service: Path) -> Path | None:
    place = service.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
