"""What makes a case be looked at again: an answer, other trades, another account, a dispute."""

from datetime import datetime
from typing import Final

from domain.case.case import Case
from domain.ground.words import Stage

UNDER_INVESTIGATION: Final = frozenset({Stage.INVESTIGATING, Stage.DECIDING})
BEFORE_RESPONSE: Final = frozenset({Stage.RECEIVED, Stage.ACKNOWLEDGED, *UNDER_INVESTIGATION})

MOST_TRADES: Final = 200
"""So many trades a case looks at: those of the complaint and those that were named since."""


def look_again(case: Case) -> None:
    """Investigate anew, unless it is too late for that."""
    if case.stage in UNDER_INVESTIGATION and not case.approved:
        case.to_investigate = True


def go_on(case: Case) -> None:
    """The customer has answered what was asked, or is waited for no longer."""
    case.stop_asking()
    if case.stage is Stage.INVESTIGATING:
        case.to_investigate = True


def add_trades(case: Case, trades: tuple[str, ...], at: datetime) -> None:
    """Look at these *trades* as well. Who names others corrects those that the log does not know."""
    if set(trades) <= set(case.trades):
        return
    missing = case.investigation.missing if case.investigation else ()
    known = (trade for trade in case.trades if f"trade {trade}" not in missing)
    named = tuple(dict.fromkeys((*known, *trades)))
    case.trades = named[:MOST_TRADES]
    if (left := len(named) - MOST_TRADES) > 0:
        case.note(at, "trades", f"{left} trades more were named than the {MOST_TRADES} looked at")
    look_again(case)


def take_up_again(case: Case) -> None:
    """Another round: people decide, above the level that decided before."""
    case.rounds += 1
    case.stop_asking()
    case.answer, case.approved, case.proposal, case.window_over = None, False, None, False
    case.told_at, case.said_early = None, {}
    case.settled_early, case.draft, case.bound, case.silent = False, None, None, False
