"""Policy packs are pinned in the case file, with the mark of a worker that knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.rules.combining import combine
from domain.rules.policy import PolicyPack
from record.packs import digest, marking
from runtime.keys.here import mark_here

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


async def pin(connection: "Connection", policy_hash: str, pack: PolicyPack, at: datetime) -> None:
    """Pin the *pack*, which this worker knows, or knew when it was pinned under that hash. Again, it changes nothing.

    Raises `KeysUnavailable`.
    """
    mark = await mark_of(policy_hash, pack)
    if await connection.fetchval(
        f"select {is_pinned('$1', '$2')}", policy_hash, mark
    ):  # a pack is long, and seldom new
        return
    await connection.execute(_PIN, policy_hash, pack.id, pack.version, pack.model_dump(mode="json"), at)
    await connection.execute(_MARK, policy_hash, mark, at)


async def mark_of(policy_hash: str, pack: PolicyPack) -> str:
    """The mark of a worker that knows the *pack* under that hash. Raises `KeysUnavailable`."""
    return await mark_here(marking(policy_hash, pack.hash))


def is_pinned(policy_hash: str, mark: str) -> str:
    """Whether a pack is pinned under that hash and marked so; both are the parameters of a query."""
    return f"exists (select from casefile.pack_marks where (hash, mark) = ({policy_hash}, {mark}))"


async def mark_known(pool: "Pool", packs: Mapping[str, Sequence[PolicyPack]], at: datetime) -> list[str]:
    """Mark what was pinned before there were marks, where it is one of *packs*, or several as one.

    Returns the hashes of those that are none.
    """
    unknown = []
    for row in await pool.fetch(_UNMARKED):
        if _is_one_of(packs, row["content"]):
            mark = await mark_here(marking(row["hash"], digest(row["content"])))
            await pool.execute(_MARK, row["hash"], mark, at)
        else:
            unknown.append(row["hash"])
    return unknown


def _is_one_of(packs: Mapping[str, Sequence[PolicyPack]], content: Any) -> bool:
    """Whether what was pinned says what one of *packs* does, or several as one; whoever pinned it."""
    try:
        pinned = PolicyPack.model_validate(content)
        named = [(part.id, part.version) for part in pinned.parts] or [(pinned.id, pinned.version)]
        found = [next((one for one in packs.get(id, ()) if one.version == version), None) for id, version in named]
        known = [pack for pack in found if pack]
        # Their hashes differ where the models have gained a field since.
        return len(known) == len(found) and _said(combine(known)) == _said(pinned)
    except ValueError:
        return False


def _said(pack: PolicyPack) -> PolicyPack:
    return pack.model_copy(update={"parts": ()})


_PIN: Final = """
    insert into casefile.policy_packs (hash, id, version, content, pinned_at) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""
_MARK: Final = "insert into casefile.pack_marks (hash, mark, at) values ($1, $2, $3) on conflict do nothing"
_UNMARKED: Final = """
    select hash, content from casefile.policy_packs p
    where not exists (select from casefile.pack_marks m where m.hash = p.hash) order by hash
"""
