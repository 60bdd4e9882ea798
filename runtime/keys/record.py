"""What the record has sealed: a key that it needs is made anew only by who gives up what was sealed with it."""

# ruff: noqa: S608 (the queries are put together from what stands here)

from collections.abc import Callable, Collection
from typing import Final

import asyncpg

from domain.keys.scopes import ACCESSES, LEARNING, LOOKUPS, SUBSCRIPTIONS, VISITS
from runtime.keys.connections import Connections


class SealedRecord:
    """The record at the address that *url* gives, as it is asked for what is sealed in it."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._connections = Connections(url, "the record, which tells whether a key was lost,")

    async def sealed(self, scopes: Collection[str]) -> dict[str, int]:
        """Those of the *scopes* that something is sealed under, with the newest key that sealed any of it.

        Raises `KeysUnavailable` if it cannot be looked at.
        """
        found: dict[str, int] = {}
        async with self._connections.one() as connection:
            try:
                for kind in sorted({_kind(scope) for scope in scopes}):
                    wanted = [scope for scope in scopes if _kind(scope) == kind]
                    rows = await connection.fetch(QUERIES[kind], wanted)
                    found |= {row["scope"]: row["version"] for row in rows}
            except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError):
                return {}  # it is still empty
        return found

    async def keep_open(self) -> None:
        """As `Connections.keep_open`."""
        await self._connections.keep_open()

    async def close(self) -> None:
        """Close the connections of this event loop."""
        await self._connections.close()


def _kind(scope: str) -> str:
    """What a scope is of: as it begins, or its whole name where it is of the installation."""
    if scope.startswith(VISITS):
        return VISITS
    kind, of_somebody, _ = scope.partition(":")
    if not of_somebody:
        return "case"
    return scope if kind == "installation" else kind


def _query(*places: str) -> str:
    """The query for the newest key of each of the scopes ``$1`` in *places*, which are queries of scope and text."""
    version = "max(substring(part from '^[tj]([0-9]{1,9}):')::integer)"
    return f"""
        with wanted as (select scope, substr(scope, strpos(scope, ':') + 1) as name from unnest($1::text[]) as scope),
        found (scope, text) as ({" union all ".join(places)}),
        sealed as (select scope, casefile.sealed_part(text) as part from found)
        select scope, {version} as version from sealed where right(part, length(scope) + 1) = ':' || scope
        group by scope having {version} > 0
    """


def _named(text: str, place: str, column: str, more: str = "") -> str:
    """Rows by an index: of *place*, whose *column* has the name in the scope."""
    return f"select scope, {text} from wanted join {place} on {column} = wanted.name {more}"


def _anywhere(text: str, place: str) -> str:
    """A row of few, or the first of many, that is sealed under it."""
    return (
        f"select scope, (select {text} from {place} where {text} like 'sealed:2:%'"
        f" and right({text}, length(scope) + 1) = ':' || scope limit 1) from wanted"
    )


def _anything(text: str, place: str) -> str:
    """What all envelopes are marked with was there before the first of them."""
    first = f"select 'sealed:2:x:0::t1::' || scope from {place} where {text} like 'sealed:2:%' limit 1"
    return f"select scope, ({first}) from wanted"


QUERIES: Final = {
    "case": _query(
        _named("complaint ->> 'sealed'", "casefile.cases", "reference"),
        _named("timeline.text", "casefile.timeline", "reference"),
        _named("recipient", "casefile.letters", "reference"),
        _named("payload", "casefile.rejected_messages", "reference"),
        _named("payload", "casefile.unopened", "workflow_id"),
        _named("opened ->> 'sealed'", "casefile.incidents", "reference"),
        _named("incident_timeline.text", "casefile.incident_timeline", "reference"),
    ),
    "customer": _query(
        *(_named(one, "casefile.customers", "account") for one in ("customers.name", "email", "phone")),
        _named("record #>> '{}'", "casefile.customer_files", "subject", "and kind = 'customer'"),
        _named("record ->> 'sealed'", "casefile.customer_files", "subject", "and kind = 'customer'"),
        _named("reasons ->> 'sealed'", "casefile.restrictions", "account"),
        _named("jsonb_path_query(findings, '$[*].sealed') #>> '{}'", "casefile.cohort_members", "account"),
    ),
    "group": _query(
        _named("record #>> '{}'", "casefile.customer_files", "subject", "and kind = 'group'"),
        _named("record ->> 'sealed'", "casefile.customer_files", "subject", "and kind = 'group'"),
    ),
    "message": _query(
        _named("encode(raw, 'escape')", "intake.received", "received.key"),
        _named("envelope ->> 'sealed'", "intake.received", "received.key"),
        _named("reason", "intake.endings", "endings.key"),
        _named("reason", "intake.decisions", "decisions.key"),
    ),
    VISITS: _query(
        _anywhere("encode(content, 'escape')", "web.drafts"),
        _anywhere("title", "web.held_files"),
        _anywhere("encode(person, 'escape')", "web.sessions"),
        _anywhere("encode(address, 'escape')", "web.codes"),
    ),
    ACCESSES: _query(
        _anywhere("purpose", "casefile.accesses"),
        _anywhere("reason", "casefile.erasures"),
        _anywhere("reason", "casefile.holds"),
    ),
    LEARNING: _query(
        _anywhere("data ->> 'sealed'", "reporting.actions"),
        _anywhere("said ->> 'sealed'", "reporting.articles"),
        _anywhere("said ->> 'sealed'", "reporting.process_reviews"),
    ),
    SUBSCRIPTIONS: _query(_anywhere("secret", "web.subscriptions")),
    LOOKUPS: _query(
        _anything("complaint ->> 'sealed'", "casefile.cases"),
        _anything("name", "casefile.customers"),
        _anything("purpose", "casefile.accesses"),
        _anything("encode(raw, 'escape')", "intake.received"),
        _anything("encode(person, 'escape')", "web.sessions"),
        _anything("secret", "web.subscriptions"),
    ),
}
"""By what a scope is of: what is written first under it, and most often."""
