"""After a restore of the keys: what the record has and no key opens, and erasures that were not carried out."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.keys.places import SEALED
from record.erasing import undone
from recovery.reconcile import Doubt, Why
from runtime.keys.columns import GIVEN_UP, not_opening

if TYPE_CHECKING:
    from record.connection import Connection
    from runtime.database import Pool
    from runtime.keys.vault import Vault

_AT_ONCE: Final = 1_000
_OF_VISITORS: Final = "web."
"""What is in tables whose names begin so is forgotten, and its keys are destroyed, with no erasure."""
_BRING_BACK: Final = (
    "bring back a table of keys that has it, the newest there is; then again."
    " Where there is none, `redress keys give-up` goes on without what it sealed"
)
_GONE: Final = (
    "what it sealed is gone, and its workflow, which was told something under it, goes on no more."
    " End it (`redress reconcile --end`), and have the complaint submitted again"
)
_LEFT: Final = "what it sealed is gone"


async def keys_in_doubt(pool: "Pool", vault: "Vault", now: datetime) -> list[Doubt]:
    """What erasures and keys do not agree on, after all was applied again that can be. *now* is aware.

    One envelope of each key that sealed something in the record is opened.
    """
    async with pool.acquire() as connection:
        found = await undone(connection, vault, await vault.store.erasures(), now)
    doubts = [Doubt(reference=one.erasure, why=Why.NOT_ERASED, cannot=(one.why,)) for one in found]
    lost = await lost_keys(pool, vault)
    goes_on = {row["reference"] for row in await pool.fetch(_OPEN, list(lost))}
    return doubts + [_doubt(scope, why, goes_on=scope in goes_on) for scope, why in lost.items()]


def _doubt(scope: str, why: str, *, goes_on: bool) -> Doubt:
    """What is to be done about a lost key. Who gave it up has decided; only what is open is to be ended yet."""
    if GIVEN_UP not in why:
        return Doubt(reference=scope, why=Why.KEY_LOST, cannot=(f"{why}: {_BRING_BACK}",))
    if goes_on:
        return Doubt(reference=scope, why=Why.KEY_LOST, cannot=(f"{why}: {_GONE}",))
    return Doubt(reference=scope, why=Why.KEY_LOST, repaired=(f"{why}: {_LEFT}",))


async def lost_keys(pool: "Pool", vault: "Vault") -> dict[str, str]:
    """Why what is sealed under a scope does not open, where no erasure tells."""
    lost: dict[str, str] = {}
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        erased = {row["scope"] for row in await connection.fetch(_ERASED)}
        cursor = await connection.cursor(_ONE_OF_EACH.format(texts=await _texts(connection)))
        while rows := await cursor.fetch(_AT_ONCE):
            found = await not_opening(vault, [row["text"] for row in rows])
            lost |= {scope: why for scope, why in found.items() if scope not in erased}
    return lost


async def _texts(connection: "Connection") -> str:
    """The query for all that is sealed in short columns: what is in one row was sealed under the same key."""
    places = [name for name in SEALED if not name.startswith(_OF_VISITORS)]
    columns = [row for row in await connection.fetch(_COLUMNS, places) if row["column"] in SEALED[row["place"]].split()]
    short = {row["place"] for row in columns if row["type"] == "text" and row["column"] not in _LONG}
    one = "select {text} as text from {place} where {text} like 'sealed:2:%'"
    return " union all ".join(
        one.format(place=row["place"], text=_TEXT[row["type"]].format(f'"{row["column"]}"'))
        for row in columns
        if row["type"] in _TEXT
        and (row["place"] not in short or (row["type"] == "text" and row["column"] not in _LONG))
    )


_LONG: Final = frozenset({"body", "payload", "detail"})
_TEXT: Final = {
    "text": "{0}",
    "jsonb": "coalesce(jsonb_path_query_first({0}, '$[*].sealed') #>> '{{}}', {0} #>> '{{}}')",
}
"""What is sealed in a column of that type, as SQL. Files are bytes; beside each is its title."""
_COLUMNS: Final = """
    select table_schema || '.' || table_name as place, column_name as column, data_type as type
    from information_schema.columns
    where table_schema || '.' || table_name = any($1::text[]) order by place, column_name
"""
_ONE_OF_EACH: Final = """
    select min(text collate "C") as text
    from (select text, casefile.sealed_part(text) as part from ({texts}) as found) as sealed where part is not null
    group by split_part(part, ':', 1), substr(part, 3 + length(split_part(part, ':', 1) || split_part(part, ':', 2)))
    order by 1
"""
_OPEN: Final = """
    select reference from casefile.cases where reference = any($1::text[]) and closed_at is null
    union all
    select reference from casefile.incidents
    where reference = any($1::text[]) and stage not in ('closed', 'dismissed')
"""
_ERASED: Final = """
    select distinct jsonb_array_elements_text(data -> 'scopes') as scope from casefile.erasures where step = 'erased'
"""
