"""Everything that is held of a person, found by the same map as what is sealed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from domain.ground.base import Record
from domain.keys.places import READABLE, SEALED, TRADE_LOG
from record.erasing import Held, held_of

if TYPE_CHECKING:
    from runtime.database import Connection, Pool


LEFT_OUT: Final[Mapping[str, str]] = {
    "casefile.accesses": "who looked, and what for: of those who work here",
    "casefile.assignments": "in whose hands a case was: of those who work here",
    "casefile.checkpoints": "what a workflow goes on from: the same again as in the case file",
    "casefile.erasures": "decisions of those who work here; the certificate is handed out by itself",
    "casefile.holds": "decisions of those who work here, for the law that requires them",
    "casefile.incident_timeline": "of what went wrong at the firm, not of one customer",
    "casefile.incidents": "of what went wrong at the firm, not of one customer",
    "casefile.recusals": "who is kept out of a case: of those who work here",
    "casefile.search_terms": "hashes of words that are handed out where they stand",
    "casefile.unopened": "starts that became no case, which name nobody's account",
    "reporting.actions": "what is done about causes: of those who work here",
    "reporting.articles": "what all customers can read",
    "reporting.process_reviews": "what was found of the complaints process: of those who work here",
    "web.codes": "one-time codes, gone within minutes",
    "web.drafts": "what was typed and not sent, known by the visitor's cookie alone",
    "web.held_files": "what was chosen and not sent, known by the visitor's cookie alone",
    "web.sessions": "who is signed in, gone within hours",
    "web.subscriptions": "where services are told, and by which secrets: of no customer",
}
"""Tables of which nothing is handed out, and why."""
_BY_LETTER: Final = ("casefile.letter_attempts", "casefile.incident_letter_attempts")
_BY_MESSAGE: Final = ("intake.received", "intake.files", "intake.decisions", "intake.endings")
_BY_SUBJECT: Final = ("casefile.customer_files",)


class Everything(Record):
    """What is held: under which account, of which cases, and the rows by table."""

    subject: str
    account: str | None
    cases: tuple[str, ...]
    tables: dict[str, list[dict[str, Any]]]


async def everything_of(pool: "Pool", subject: str, cases: Sequence[str] = ()) -> Everything:
    """All rows of a person: *subject* is an account, or a case of somebody without one; *cases* are others of theirs.

    Raises `record.erasing.NobodyHeld`.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        held = await held_of(connection, subject, cases)
        found: dict[str, list[dict[str, Any]]] = {}
        for table, columns in (await _tables(connection)).items():
            if (where := _where(table, columns)) and (rows := await _rows(connection, table, where, held)):
                found[table] = rows
    return Everything(subject=subject, account=held.account, cases=held.cases, tables=found)


async def _tables(connection: "Connection") -> dict[str, set[str]]:
    """The columns of each table that the map names, and of the trade log."""
    named = {*SEALED, *READABLE} - set(LEFT_OUT)
    columns: dict[str, set[str]] = {}
    for row in await connection.fetch(_COLUMNS, TRADE_LOG):
        columns.setdefault(row["place"], set()).add(row["column"])
    return {table: one for table, one in sorted(columns.items()) if table in named or table.startswith(TRADE_LOG + ".")}


def _where(table: str, columns: set[str]) -> str | None:
    """Which rows are theirs: $1 are their cases, $2 the account, $3 their messages, $4 the letters to them."""
    if table in _BY_LETTER:
        return "key = any($4)"
    if table in _BY_MESSAGE:
        return "key = any($3)"
    if table in _BY_SUBJECT:
        return "$2 = any(accounts)"
    ways = [way for column, way in _WAYS.items() if column in columns]
    return " or ".join(ways) or None


_WAYS: Final = {"reference": "reference = any($1)", "account": "account = $2", "payee": "payee = $2"}


async def _rows(connection: "Connection", table: str, where: str, held: Held) -> list[dict[str, Any]]:
    values = (list(held.cases), held.account, list(held.messages), list(held.letters))
    rows = await connection.fetch(_ROWS.format(table=table, where=where), *values)
    return [dict(row.items()) for row in rows]


_COLUMNS: Final = """
    select table_schema || '.' || table_name as place, column_name as column
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_type = 'BASE TABLE' and table_schema in ('casefile', 'intake', 'payments', 'reporting', 'web', $1)
"""
_ROWS: Final = """
    with asked as (select $1::text[], $2::text, $3::text[], $4::text[]) select * from {table} where {where}
"""
"""Each statement names all four, whichever it needs."""
