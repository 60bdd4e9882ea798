"""Commands for whoever keeps the keys: the keyring, and the keys of cases that it wraps."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from starter.cli.options import Reference
from starter.cli.program import Answer, Failed, app, command
from starter.reading.layout import line

if TYPE_CHECKING:
    from runtime.keys.keyring import FileKeyring
    from runtime.keys.vault import Vault

T = TypeVar("T")

keys = typer.Typer(help="The keys that personal data is sealed under.", no_args_is_help=True)
app.add_typer(keys, name="keys", rich_help_panel="Run")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A key of the keyring, as `redress keys status` lists it.")]


@command(keys, "create")
def create(
    *, path: Annotated[Path, typer.Argument(metavar="FILE", help="The keyring; it is never written over.")]
) -> Answer:
    """Make a keyring with one key, for `REDRESS_KEYRING`."""
    from runtime.keys.keyring import FileKeyring

    if path.exists():
        raise Failed(f"{path} exists already; without it nothing that was sealed opens again")
    FileKeyring.create(path)
    return Answer({"keyring": path}, [line(f"{path}: the same file belongs on every machine that runs a worker")])


@command(keys, "status")
def status() -> Answer:
    """Say which key-encryption key wraps how many keys, and how much was erased."""

    async def look(vault: "Vault") -> tuple[str, dict[str, int], int]:
        return await vault.wrapping.current(), await vault.store.by_kek(), await vault.store.destroyed()

    current, wrapped, erased = _with(look)
    names = _keyring().names()
    counts = dict.fromkeys(names, 0) | wrapped

    def about(name: str) -> str:
        if name not in names:
            return ", and is not in this keyring: bring it from where it was added"
        return ", the current one" if name == current else ""

    shown = [*(f"{name}: wraps {count}{about(name)}" for name, count in counts.items()), f"{erased} erased"]
    return Answer({"current": current, "wrapped": counts, "erased": erased}, [line(one) for one in shown])


@command(keys, "add")
def add() -> Answer:
    """Add a key to the keyring, which wraps nothing until it is made the current one."""
    name = _keyring().add()
    said = [line(f"{name} added."), line(f"Take the file to every machine, then: redress keys use {name}")]
    return Answer({"added": name}, said)


@command(keys, "use")
def use(name: Name) -> Answer:
    """Have a key of the keyring wrap what is new."""
    _keyring().use(name)
    return Answer(
        {"current": name}, [line(f"{name} is the current key here; once it is on every machine: redress keys rewrap")]
    )


@command(keys, "remove")
def remove(name: Name) -> Answer:
    """Take a key away from the keyring, once nothing is wrapped with it."""

    async def count(vault: "Vault") -> int:
        return (await vault.store.by_kek()).get(name, 0)

    if left := _with(count):
        raise Failed(f"{name} wraps {left} keys; `redress keys rewrap` comes first")
    _keyring().remove(name)
    return Answer({"removed": name}, [line(f"{name} is gone")])


@command(keys, "rewrap")
def rewrap() -> Answer:
    """Wrap all keys under the current key-encryption key. It may be broken off and begun again."""

    async def wrap(vault: "Vault") -> tuple[int, int]:
        done, current = await vault.rewrap(), await vault.wrapping.current()
        return done, sum(count for name, count in (await vault.store.by_kek()).items() if name != current)

    done, left = _with(wrap)
    shown = [line(f"{done} keys wrapped anew")]
    shown += [line(f"{left} are wrapped with others: is it the current one on every machine? Then again.")] * (left > 0)
    return Answer({"wrapped": done, "left": left}, shown)


@command(keys, "rotate")
def rotate(reference: Reference) -> Answer:
    """Seal what is written of a case from now on under another key; what there is opens as before."""
    version = _with(lambda vault: vault.rotate(reference))
    return Answer({"version": version}, [line(f"{reference} has key {version}; every process uses it within a minute")])


@command(keys, "give-up")
def give_up(
    *, scope: Annotated[str, typer.Argument(metavar="SCOPE", help="What `redress reconcile` lists as key_lost.")]
) -> Answer:
    """Go on with a case, customer or message whose key was lost, without what that key sealed."""
    try:
        version = _with(lambda vault: vault.give_up(scope))
    except ValueError as error:
        raise Failed(str(error)) from None
    return Answer({"version": version}, [line(f"{scope} has key {version}; what was sealed before is gone")])


def _with(action: "Callable[[Vault], Awaitable[T]]") -> T:
    from runtime.keys.here import hold_keys, keys_needed
    from runtime.settings import load_settings

    hold_keys(load_settings())
    vault = keys_needed()

    async def act() -> T:
        return await action(vault)

    return asyncio.run(act())


def _keyring() -> "FileKeyring":
    from runtime.keys.here import keyring_of, keys_needed
    from runtime.keys.keyring import FileKeyring
    from runtime.settings import load_settings

    path = keyring_of(load_settings())
    return FileKeyring(path) if path else keys_needed().wrapping  # type: ignore[return-value]
