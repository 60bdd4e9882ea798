"""Terms of a search as the record has them: keyed hashes, short enough for an index of arrays."""

from collections.abc import Iterable

from runtime.keys.here import keys_here


async def hashed(terms: Iterable[str]) -> list[int]:
    """The *terms* as 64-bit numbers, sorted; none where this process has no keys, for plain ones are never kept."""
    vault = keys_here()
    if vault is None:
        return []
    return sorted({int.from_bytes((await vault.lookup("search", term))[:8], "big", signed=True) for term in terms})
