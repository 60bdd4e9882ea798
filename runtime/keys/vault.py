"""The keys in use: opened when they are needed, kept for a minute at most, and never more than so many."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from weakref import WeakValueDictionary

from domain.keys.scopes import LOOKUPS
from runtime.keys.envelope import KEY_BYTES, Key, NotOurs, seal, unseal
from runtime.keys.keyring import KeysUnavailable, Wrapped, Wrapping
from runtime.keys.record import SealedRecord
from runtime.keys.store import KeyStore, Row

KEPT_FOR: Final = 60.0
"""Seconds after which an opened key is looked up again: so long at most a destroyed one is still of use."""
_SPACE: Final = "erasures"
_ENCODING: Final = "json"
_FEW: Final = 8  # scopes whose keys are looked up one by one, where most are known
KEPT: Final = 5_000
"""How many opened keys a process keeps."""


@dataclass(frozen=True)
class Erased:
    """What stands for a key that was destroyed."""

    scope: str
    version: int
    at: datetime

    def __str__(self) -> str:
        return f"[erased {self.at:%Y-%m-%d}]"


class KeyDestroyed(Exception):
    """Nothing more is written about whom or what was erased."""

    def __init__(self, erased: Erased) -> None:
        super().__init__(f"{erased.scope} was erased on {erased.at:%Y-%m-%d}; nothing more is written about it")
        self.erased = erased


class KeyUnknown(KeysUnavailable):
    """We sealed it, and the table has no such key: it was lost. Bring the table back, and it opens again."""


class Vault:
    """The keys of a *store*, which *wrapping* opens. One for a process; safe for several event loops in turn."""

    def __init__(
        self,
        store: KeyStore,
        wrapping: Wrapping,
        record: SealedRecord | None = None,
        *,
        kept: int = KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """By the *record* a key that was lost is told from one that never was; without it, none is ever taken for lost.

        *kept* is how many opened keys stay in memory; *clock* counts seconds.
        """
        self.store = store
        self._record = record
        self.wrapping = wrapping
        self._most, self._clock = kept, clock
        self._opened: OrderedDict[tuple[str, int], tuple[float, Key | Erased]] = OrderedDict()
        self._newest: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._missed: OrderedDict[str, int] = OrderedDict()
        self._making: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()
        self._lookups: bytes | None = None
        self._of_purpose: dict[bytes, bytes] = {}

    async def for_writing(self, scope: str) -> Key:
        """The newest key of a scope, made if there never was one.

        Raises `KeyDestroyed`, `KeysUnavailable`, and `KeyUnknown` where the record has something sealed under it.
        """
        newest = self._newest.get(scope)
        if newest and self._is_fresh(newest[0]) and (known := self._known((scope, newest[1]))):
            return _in_use(known)
        turn = self._turn(scope)
        async with turn:
            newest = self._newest.get(scope)
            if newest and self._is_fresh(newest[0]) and (known := self._known((scope, newest[1]))):
                return _in_use(known)
            if (row := await self.store.newest(scope)) is None:
                await self._check_new([scope])
                row = await self.store.add(scope, 1, await self._fresh(scope, 1))
            found = await self._open(row)
            self._newest[scope] = self._clock(), row.version
            if len(self._newest) > self._most:
                self._newest.popitem(last=False)
            return _in_use(found)

    async def all_for_writing(self, scopes: Collection[str]) -> dict[str, Key]:
        """As `for_writing`, of several scopes."""
        if len(scopes) <= _FEW:
            return {scope: await self.for_writing(scope) for scope in scopes}
        rows = await self.store.newest_of(scopes)
        if missing := sorted(set(scopes) - {row.scope for row in rows}):
            await self._check_new(missing)
            rows += await self.store.add_all([(scope, await self._fresh(scope, 1)) for scope in missing])
        return {row.scope: _in_use(await self._open(row)) for row in rows}

    async def erased(self, scopes: Collection[str]) -> dict[str, datetime]:
        """Those of the *scopes* whose keys were destroyed, and when. Raises `KeysUnavailable`."""
        rows = await self.store.newest_of(scopes)
        return {row.scope: row.destroyed_at for row in rows if row.destroyed_at}

    async def for_reading(self, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Key | Erased]:
        """The keys of these scopes and versions. Raises `KeyUnknown` if there is no such row, `KeysUnavailable`."""
        found = {one: known for one in wanted if (known := self._known(one))}
        missing = set(wanted) - set(found)
        if missing:
            for row in await self.store.find(missing):
                found[row.scope, row.version] = await self._open(row)
            if unknown := missing - set(found):
                # Of who was erased no other key counts either, and an older table may not have all that there were.
                gone = await self.erased({scope for scope, _ in unknown})
                found |= {one: Erased(*one, gone[one[0]]) for one in unknown if one[0] in gone}
            if unknown := missing - set(found):
                scope, version = min(unknown)
                self._missed[scope] = version
                if len(self._missed) > self._most:
                    self._missed.popitem(last=False)
                raise _lost(scope, version)
        return found

    async def marking(self) -> bytes:
        """The secret that envelopes are marked with."""
        return await self._derived(b"mark")

    async def lookup(self, purpose: str, value: str) -> bytes:
        """What a personal *value* is found by in an index (16 bytes): the same for the same, and told to nobody."""
        secret = await self._derived(b"lookup:" + purpose.encode())
        return hmac.digest(secret, value.encode(), hashlib.sha256)[:16]

    async def rotate(self, scope: str) -> int:
        """Make another key for what is written of a scope from now on; what there is opens as before.

        Raises as `for_writing`.
        """
        row = await self.store.newest(scope)
        if row and row.destroyed_at:
            raise KeyDestroyed(Erased(row.scope, row.version, row.destroyed_at))
        if row is None:
            await self._check_new([scope])
        version = max(row.version if row else 0, (await self._sealed([scope])).get(scope, 0)) + 1
        await self.store.add(scope, version, await self._fresh(scope, version))
        self._newest.pop(scope, None)
        return version

    async def give_up(self, scope: str) -> int:
        """Make another key for a scope of which keys were lost: what they sealed is gone from now on, as if erased.

        Raises ``ValueError`` where none was lost, `KeyDestroyed`, `KeysUnavailable`.
        """
        row = await self.store.newest(scope)
        if row and row.destroyed_at:
            raise KeyDestroyed(Erased(row.scope, row.version, row.destroyed_at))
        newest = (await self._sealed([scope])).get(scope, 0)
        if len(await self.store.find([(scope, version) for version in range(1, newest + 1)])) == newest:
            raise ValueError(f"no key of {scope} was lost")
        version = max(row.version if row else 0, newest) + 1
        await self.store.give_up(scope, version, await self._fresh(scope, version))
        self._newest.pop(scope, None)
        return version

    async def rewrap(self, *, batch: int = 1_000) -> int:
        """Wrap all keys under the current key-encryption key, and say how many were not.

        It may be broken off and begun again. Raises `KeysUnavailable` for keys that could not be unwrapped: at the
        end, or at once where that is so of a whole *batch*.
        """
        current = await self.wrapping.current()
        after, done, failed = ("", 0), 0, list[KeysUnavailable]()
        while rows := await self.store.wrapped_by_others(current, after, batch):
            opened = []
            for row in rows:
                try:
                    opened.append((row, await self._wrapped_anew(row)))
                except KeysUnavailable as error:
                    failed.append(error)
            if not opened:
                break
            done += await self.store.wrap_anew(opened)
            after = rows[-1].scope, rows[-1].version
        if failed:
            raise KeysUnavailable(
                f"{done} keys were wrapped anew, and of others at least {len(failed)} not: {failed[0]}"
            )
        return done

    async def _wrapped_anew(self, row: Row) -> Wrapped:
        assert row.wrapped  # noqa: S101
        about = _about(row.scope, row.version)
        return await self.wrapping.wrap(await self.wrapping.unwrap(row.wrapped, about), about)

    async def destroy(self, scopes: Collection[str], erasure: str | None = None) -> datetime:
        """Destroy all keys of these scopes, for good. Other processes may use what they have opened for a minute.

        The *erasure* that does it is written down beside the keys.
        """
        at = await self.store.destroy(scopes, erasure)
        for one in [one for one in self._opened if one[0] in scopes]:
            del self._opened[one]
        for scope in scopes:
            self._newest.pop(scope, None)
        return at

    async def attest(self, erasure: str, scopes: Collection[str]) -> str:
        """What proves to who holds these keys that an *erasure* destroyed those of these *scopes*: ``NAME:ENVELOPE``.

        Nobody else can make it, or read the scopes in it.
        """
        key = await self._attesting(erasure)
        content = json.dumps(sorted(scopes)).encode()
        envelope = seal(key, await self.marking(), _SPACE, _ENCODING, content)
        return f"{erasure}:{base64.urlsafe_b64encode(envelope).decode()}"

    async def attested(self, proof: str) -> tuple[str, list[str]] | None:
        """The erasure and the scopes that *proof* is of; ``None`` if it proves nothing here."""
        erasure, _, envelope = proof.partition(":")
        try:
            content = base64.b64decode(envelope, b"-_", validate=True)
            scopes = json.loads(unseal(await self._attesting(erasure), _SPACE, _ENCODING, content))
        except (NotOurs, ValueError):
            return None
        return erasure, scopes

    async def keep_open(self) -> None:
        """Keep connections of this event loop open until `close`: for processes that serve."""
        await self.store.keep_open()
        if self._record:
            await self._record.keep_open()

    async def close(self) -> None:
        """Close the connections of this event loop. The vault may be used again."""
        await self.store.close()
        if self._record:
            await self._record.close()

    async def _sealed(self, scopes: Collection[str]) -> dict[str, int]:
        return await self._record.sealed(scopes) if self._record else {}

    async def _check_new(self, scopes: Collection[str]) -> None:
        """Raise `KeyUnknown` where one of them had a key: with another, what that sealed would be gone unnoticed.

        The record does not say that of a case that it has lost, but what a workflow was told does: who could not open
        it seals nothing in answer, not even what went wrong.
        """
        for scope in scopes:
            if version := self._missed.get(scope):
                raise _lost(scope, version)
        if lost := await self._sealed(scopes):
            scope, version = min(lost.items())
            raise KeyUnknown(
                f"the table of keys has no key of {scope}, and key {version} of it sealed something in the record:"
                f" bring back a newer table, or give up what it sealed: `redress keys give-up {scope}`"
            )

    async def _attesting(self, erasure: str) -> Key:
        """Of the oldest key that there is: an older table of keys has it, too."""
        return Key(erasure, 1, await self._derived(b"erasures"))

    async def _derived(self, purpose: bytes) -> bytes:
        if self._lookups is None:
            self._lookups = (await self.for_writing(LOOKUPS)).secret
        if (known := self._of_purpose.get(purpose)) is None:
            known = self._of_purpose[purpose] = hmac.digest(self._lookups, purpose, hashlib.sha256)
        return known

    async def _fresh(self, scope: str, version: int) -> Wrapped:
        return await self.wrapping.wrap(os.urandom(KEY_BYTES), _about(scope, version))

    async def _open(self, row: Row) -> Key | Erased:
        if row.wrapped is None:
            assert row.destroyed_at  # noqa: S101
            found: Key | Erased = Erased(row.scope, row.version, row.destroyed_at)
        else:
            secret = await self.wrapping.unwrap(row.wrapped, _about(row.scope, row.version))
            found = Key(row.scope, row.version, secret)
        self._opened[row.scope, row.version] = self._clock(), found
        self._opened.move_to_end((row.scope, row.version))
        if len(self._opened) > self._most:
            self._opened.popitem(last=False)
        return found

    def _known(self, one: tuple[str, int]) -> Key | Erased | None:
        known = self._opened.get(one)
        return known[1] if known and self._is_fresh(known[0]) else None

    def _is_fresh(self, since: float) -> bool:
        return self._clock() - since < KEPT_FOR

    def _turn(self, scope: str) -> asyncio.Lock:
        """Whoever needs the same key at the same time asks for it once."""
        name = id(asyncio.get_running_loop()), scope
        turn = self._making.get(name)
        if turn is None:
            turn = self._making[name] = asyncio.Lock()
        return turn


def _lost(scope: str, version: int) -> KeyUnknown:
    return KeyUnknown(f"the table of keys has no key {version} of {scope}; bring it back from its backup")


def _about(scope: str, version: int) -> str:
    return f"{version}:{scope}"


def _in_use(found: Key | Erased) -> Key:
    if isinstance(found, Erased):
        raise KeyDestroyed(found)
    return found
