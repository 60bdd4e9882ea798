"""The policy packs that cases go by, as they were pinned: content that goes by its hash, so each is read once.

Limits, approvals and how long a file is kept are read from them. Whoever may write to the record could pin one of their
own making, so where signatures count a pack is one that a worker knew, and has marked.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from domain.rules.policy import PolicyPack
from record.proofs import proofs_here

if TYPE_CHECKING:
    from record.connection import Connection


def marking(policy_hash: str, content_hash: str) -> str:
    """What the mark of a worker on a policy pack is made of: what it is known by, and what it says."""
    return f"policy pack {policy_hash}: {content_hash}"


async def pinned_pack(connection: "Connection", policy_hash: str) -> PolicyPack:
    """The pack of that hash, as it was when a case was first opened under it; read once by a process.

    Raises `LookupError` if there is none, or if it is not one that a worker has marked.
    """
    known = policy_hash, proofs_here() is not None
    if known not in _KNOWN:
        _KNOWN[known] = await read_pinned(connection, policy_hash)
    return _KNOWN[known]


def known_pack(policy_hash: str) -> PolicyPack | None:
    """As :func:`pinned_pack`, if this process has read it before."""
    return _KNOWN.get((policy_hash, proofs_here() is not None))


async def read_pinned(connection: "Connection", policy_hash: str) -> PolicyPack:
    """As :func:`pinned_pack`, as it stands in the record now."""
    row = await connection.fetchrow(_PACK, policy_hash)
    if row is None:
        raise LookupError(f"no pack {policy_hash} is pinned in the case file")
    proofs = proofs_here()
    if proofs and await proofs.mark_of(marking(policy_hash, digest(row["content"]))) not in row["marks"]:
        raise LookupError(f"what is pinned as policy pack {policy_hash} is none that a worker of ours knew")
    return PolicyPack.model_validate(row["content"])


def digest(content: Any) -> str:
    """As :func:`~domain.ground.base.content_hash`: of the content as it was pinned, whatever models have gained."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


_KNOWN: Final[dict[tuple[str, bool], PolicyPack]] = {}
_PACK: Final = """
    select content, array(select mark from casefile.pack_marks m where m.hash = p.hash) as marks
    from casefile.policy_packs p where hash = $1
"""
