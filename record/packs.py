"""The policy packs that cases go by, as they were pinned: content that goes by its hash, so each is read once."""

from typing import TYPE_CHECKING, Final

from domain.rules.policy import PolicyPack

if TYPE_CHECKING:
    from record.connection import Connection


async def pinned_pack(connection: "Connection", policy_hash: str) -> PolicyPack:
    """The pack of that hash, as it was when a case was first opened under it. Raises `LookupError` if there is none."""
    if policy_hash not in _KNOWN:
        content = await connection.fetchval(_PACK, policy_hash)
        if content is None:
            raise LookupError(f"no pack {policy_hash} is pinned in the case file")
        _KNOWN[policy_hash] = PolicyPack.model_validate(content)
    return _KNOWN[policy_hash]


_KNOWN: Final[dict[str, PolicyPack]] = {}
_PACK: Final = "select content from casefile.policy_packs where hash = $1"
