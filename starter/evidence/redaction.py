"""Who may see what: the names that are replaced before a page is made, and the columns and rows that are left out."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from domain.checks.findings import EvidenceRow

INTERNAL: Final = frozenset({"comment", "note", "reason", "decided_by"})
"""Columns of the trade log that only the firm and an ombudsman see: what was freely written, who used a discretion."""
IDS: Final = frozenset(
    {"order", "fill", "position", "entry", "event", "option", "cancellation", "terms", "balance", "message"}
)
"""Columns with ids of the trade log. Imported ones are ``server:account:ticket``; a server is named as its provider."""
_HIDDEN: Final = "••••"


class Reader(StrEnum):
    """Whom a pack is made for."""

    HANDLER = "handler"
    """Sees everything."""
    CUSTOMER = "customer"
    """Sees what is their own: no staff, no provider by name, no note of the firm's; ids by ticket, accounts masked."""
    OMBUDSMAN = "ombudsman"
    """Sees all facts; staff by role, accounts of others masked."""


def masked(account: str) -> str:
    """*account* with its last digits only: four of eight or more, two of five or more."""
    shown = 4 if len(account) >= 8 else 2 if len(account) >= 5 else 0
    return _HIDDEN + (account[-shown:] if shown else "")


def letters() -> Iterable[str]:
    """A, B, ... Z, AA, AB, ..."""
    names = [""]
    while True:
        names = [before + letter for before in names for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        yield from names


class Redaction:
    """Replaces what *reader* may not see.

    ``own`` are the accounts of the case, ``accounts`` all that are named in it, ``staff`` what is shown instead of each
    staff member's id, ``sources`` what is shown instead of each price source, ``ids`` those of the trade log.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        own: Iterable[str],
        accounts: Iterable[str],
        staff: Mapping[str, str],
        sources: Mapping[str, str],
        ids: Iterable[str] = (),
    ) -> None:
        self.reader = reader
        self.own = frozenset(own)
        hidden = set(accounts) | self.own if reader is Reader.CUSTOMER else set(accounts) - self.own
        self._accounts = {} if reader is Reader.HANDLER else {account: masked(account) for account in hidden}
        self._staff = {} if reader is Reader.HANDLER else dict(staff)
        self._sources = dict(sources) if reader is Reader.CUSTOMER else {}
        self._to_ticket = _without(_prefixes(ids, self._accounts) if reader is Reader.CUSTOMER else ())
        self._everything = _replacing(self._sources | self._staff | self._accounts)
        self._only_accounts = _replacing(self._accounts)

    def text(self, text: str) -> str:
        """*text* of ours: an id, a key, a reason."""
        return self._everything(self._to_ticket(text))

    def words(self, text: str) -> str:
        """*text* as the customer wrote it: only account numbers are masked in it."""
        return self._only_accounts(text)

    def source(self, name: str) -> str:
        return self._sources.get(name, name)

    def rows(self, evidence: Iterable[EvidenceRow]) -> list[EvidenceRow]:
        """The rows that the reader may see, with what they may see of them."""
        shown = []
        for row in evidence:
            if self.reader is Reader.CUSTOMER and "account" in row.values and row.values["account"] not in self.own:
                continue
            values = {
                name: value if name in _NUMERIC and _is_number(value) else self.text(value)
                for name, value in row.values.items()
                if self.reader is not Reader.CUSTOMER or name not in INTERNAL
            }
            shown.append(row.model_copy(update={"key": self.text(row.key), "values": values}))
        return shown


_NUMERIC: Final = frozenset(
    {
        "price",
        "volume",
        "bid",
        "ask",
        "spread",
        "quotes",
        "contract_size",
        "digits",
        "stop",
        "target",
        "open_price",
        "close_price",
        "amount",
        "swap",
        "commission",
        "profit",
        "taxes",
        "margin_level",
        "stop_out_level",
        "leverage",
        "credit",
        "stake",
        "payout_percent",
        "strike",
        "settled_price",
        "paid",
        "rate",
        "percent",
        "better",
        "same",
        "worse",
        "mean_better",
        "mean_worse",
        "received",
        "requoted_better",
        "requoted_worse",
        "rejected",
        "swap_long",
        "swap_short",
        "triple_day",
    }
)
"""Columns whose numbers are no names, so that an account called 100 hides no contract size."""


def _is_number(value: str) -> bool:
    try:
        Decimal(value)
    except InvalidOperation:
        return False
    return True


def _prefixes(ids: Iterable[str], accounts: Iterable[str]) -> set[str]:
    """What stands before the ticket: up to the account, or, of an id without one, up to the last colon."""
    known = sorted(accounts)
    found = set()
    for one in ids:
        of_account = [f":{account}:" for account in known if f":{account}:" in one]
        end = one.index(of_account[0]) + len(of_account[0]) if of_account else one.rfind(":") + 1
        found.add(one[:end])
    return found - {""}


def _without(prefixes: Iterable[str]) -> Callable[[str], str]:
    longest_first = "|".join(re.escape(one) for one in sorted(prefixes, key=lambda one: (-len(one), one)))
    if not longest_first:
        return lambda text: text
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{longest_first})(?=\S)")
    return lambda text: pattern.sub("", text)


def _replacing(names: Mapping[str, str]) -> Callable[[str], str]:
    if not names:
        return lambda text: text
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{longest_first})(?![A-Za-z0-9])")
    return lambda text: pattern.sub(lambda found: names[found.group()], text)
