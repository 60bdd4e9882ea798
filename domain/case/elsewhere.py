"""What is promised or paid elsewhere already: no loss is promised twice.

Another complaint about the same trade, or an incident, may have made a loss good while this case was looked at. Then
the case looks again, leaves out what the other gives, and says where it is given.
"""

from collections.abc import Iterable

from domain.case.case import Case
from domain.checks.findings import Elsewhere
from domain.checks.losses import left_out, losses
from domain.ground.messages import NotAllowed
from domain.money.amounts import Money, total
from domain.money.parts import Loss


class PromisedElsewhere(NotAllowed):
    """What is proposed is promised or paid under another case or incident. The message names it and the way out."""


def lost(case: Case) -> tuple[Loss, ...]:
    """All that was found for the customer, as far as nobody else made it good when it was looked at."""
    return losses(case.investigation.findings) if case.investigation else ()


def relied_upon(case: Case) -> tuple[str, ...]:
    """The losses that the findings leave out because others make them good."""
    return left_out(case.investigation.findings) if case.investigation else ()


def check_not_elsewhere(case: Case, given: Money | None) -> None:
    """Raise :class:`PromisedElsewhere` where *given*, which is to make good the loss, was promised or paid elsewhere.

    Sums for something else (``awards``) are not touched by that.
    """
    if given is None or case.investigation is None:
        return
    if case.elsewhere:
        raise PromisedElsewhere(
            f"compensation: {spoken(case.elsewhere)} promises or has paid it; the case is being looked at anew and "
            "leaves that out, propose what is left then"
        )
    if case.investigation.elsewhere:
        harms = [one.harm for one in case.investigation.findings if one.verdict.for_the_customer and one.harm]
        left = total(one for one in harms if one.currency == given.currency)
        if given > (left or Money.zero(given.currency)):
            raise PromisedElsewhere(
                f"compensation: {spoken(case.investigation.elsewhere)} promises or has paid the rest of the loss; "
                f"{left or 'nothing'} is left of it; give that, and under awards what is for something else"
            )


def spoken(elsewhere: Iterable[Elsewhere]) -> str:
    """Where it is, for staff."""
    return ", ".join(dict.fromkeys(one.named for one in elsewhere)) or "an earlier award of the case"
