"""What a check is: one row, which its folder holds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.checks.facts import CheckFunction
from domain.checks.findings import Check, Finding, InvestigationRequest
from domain.checks.gathering.asked import Asked, Seen
from domain.checks.gathering.log import Log
from domain.ground.bilingual import Bilingual


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """What is true of every finding of a check."""

    gather: Callable[[Asked], Awaitable[list[Finding]]]
    """Asks the log for its facts, and has each subject judged."""
    run: CheckFunction
    """The pure function from facts to a finding."""
    formula: str
    """What a finding says it went by where the log did not answer."""
    name: Bilingual
    """What the check is called in running text."""
    words: str = ""
    """Phrases, in both languages, by which a complaint points to it."""
    of_the_account: bool = False
    """Whether it needs no trade, so that words point to it in every category that has to do with an account."""

    def asked(self, check: Check, request: InvestigationRequest, log: Log, seen: dict[str, Seen]) -> Asked:
        """The check asked of *request*; the checks of one request share what they have *seen*."""
        return Asked(check, self.run, self.formula, request, log, seen=seen)
