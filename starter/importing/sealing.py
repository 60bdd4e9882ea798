"""Rows of customers as they are brought into the database: by COPY, so that they are sealed before."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from domain.keys.scopes import scope_of_customer
from runtime.keys.columns import sealed
from runtime.keys.here import keys_here
from starter.client.holders import Holder, Token, fingerprint_of, tokens_of

FINGERPRINT: Final = "fingerprint"
"""The column by which a row is compared with those there."""


class SealedRows(NamedTuple):
    """The rows of a part of a batch as they are kept.

    ``rows`` are the places in the batch of those in ``payload``, ``tokens`` what each is found by; ``erased`` are the
    places of those about whom nothing more is written, with the day from which on.
    """

    payload: bytes
    columns: Sequence[str]
    rows: list[int]
    tokens: list[list[Token]]
    erased: dict[int, str]


async def sealed_rows(payload: bytes, columns: Sequence[str], rows: Sequence[int]) -> SealedRows:
    """The customers of *payload* (CSV of *columns*), each sealed with their own key. Raises `KeysUnavailable`."""
    holders = list(_holders(payload, columns))
    vault = keys_here()
    gone = await vault.erased({scope_of_customer(one.account) for one in holders}) if vault else {}
    kept = [(row, one) for row, one in zip(rows, holders, strict=True) if scope_of_customer(one.account) not in gone]
    text = io.StringIO(newline="")
    written = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    cells = await sealed(vault, [one.sealed for _, one in kept])
    for values, (_, one) in zip(cells, kept, strict=True):
        written.writerow([*values, await fingerprint_of(one)])
    return SealedRows(
        text.getvalue().encode(),
        (*Holder._fields, FINGERPRINT),
        [row for row, _ in kept],
        [await tokens_of(one) for _, one in kept],
        {
            row: f"{gone[scope]:%Y-%m-%d}"
            for row, one in zip(rows, holders, strict=True)
            if (scope := scope_of_customer(one.account)) in gone
        },
    )


def _holders(payload: bytes, columns: Sequence[str]) -> Iterator[Holder]:
    for cells in csv.reader(io.StringIO(payload.decode(), newline="")):
        told = dict(zip(columns, cells, strict=True))
        yield Holder(
            account=told["account"],
            name=told["name"],
            email=told.get("email") or None,
            phone=told.get("phone") or None,
            language=told["language"],
        )
