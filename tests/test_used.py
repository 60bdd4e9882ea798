"""Nothing stands in the house that nobody there uses: what only tests call is no part of the service."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
ROOMS: Final = (
    *("domain", "record", "activities", "workflows", "starter", "runtime", "recovery", "web", "channels"),
    *("trial", "bench", "client"),
)
READ_OTHERWISE: Final = {
    "client.gather.Gather": "hatchling finds it",
    "domain.keys.places.KEYED": "which columns are keyed digests: said for people, held to the schema by a test",
    "domain.keys.places.WHY_READABLE": "why columns are readable: the same",
    **{
        f"domain.speech.{place}_{language}.{name}": "read by language"
        for place, names in (("signs", "CLASSES SIGNS NOT_SIGNS"), ("topics", "CLASSES TOPICS"))
        for language in ("en", "zh")
        for name in names.split()
    },
}


def _modules() -> dict[str, ast.Module]:
    paths = (*ROOT.glob("worker.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in paths
    }


def _defined(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """What the *module* names at its top, but what a decorator registers with somebody."""
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name, decorator_list=[]) | ast.AsyncFunctionDef(name=name, decorator_list=[]):
                yield name, node
            case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node
            case _:
                pass


def _said(node: ast.AST) -> Iterator[str]:
    """The names that *node* uses, those in its quoted types too."""
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name):
                yield name
            case ast.Constant(value=str(text)) if len(text) < 80:
                yield from re.findall(r"\w+", text)
            case _:
                pass


def _elsewhere(modules: dict[str, ast.Module]) -> Iterator[str]:
    """What modules use of each other, with the name of its module."""
    for tree in modules.values():
        aliases = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        yield from aliases.values()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                yield f"{aliases[node.value.id]}.{node.attr}"


def test_nothing_is_there_that_only_tests_use() -> None:
    modules = _modules()
    used = {*_elsewhere(modules), *READ_OTHERWISE}
    unused = []
    for name, tree in modules.items():
        left = [
            (what, node) for what, node in _defined(tree) if f"{name}.{what}" not in used and not what.startswith("__")
        ]
        said = [(node, set(_said(node))) for node in tree.body] if left else []
        unused += [
            f"{name}.{what}"
            for what, node in left
            if not any(what in names for other, names in said if other is not node)
        ]
    assert unused == []
