"""Commands about payments: what is not settled, and what people do about it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from domain.ground.words import PaymentReason, PaymentState
from starter.cli.access import read
from starter.cli.acting import send
from starter.cli.case_pages import known_of, payments
from starter.cli.options import By, MessageId, Reference, one_of, words
from starter.cli.program import Answer, Failed, app, command
from starter.reading.layout import NONE, line, span, spoken, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starter.reading.payments import Unsettled

pay = typer.Typer(help="Payments through a rail.", no_args_is_help=True)
app.add_typer(pay, name="pay", rich_help_panel="Act on a case")

_REPORTED = (PaymentState.PAID, PaymentState.DECLINED, PaymentState.REVERSED)


@command(pay, "list")
def list_(
    *, limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50
) -> Answer:
    """What is owed and not paid, the oldest first."""
    from starter.reading.payments import get_unsettled

    now = datetime.now(UTC)
    unsettled = read(lambda pool: get_unsettled(pool, now, limit=limit))
    shown = _unsettled(unsettled)
    if len(unsettled) == limit:
        shown.append(line(f"There may be more: --limit {limit} is reached.", "yellow"))
    return Answer(unsettled, shown)


@command(pay, "show")
def show(*, reference: Annotated[str, typer.Argument(metavar="REF", help="The case, or the incident.")]) -> Answer:
    """The payments of a case or an incident, with every attempt."""
    from starter.reading.payments import get_payments

    found = read(lambda pool: get_payments(pool, reference.strip().upper()))
    return Answer(found, payments(found) or [line("Nothing was paid through a rail.")])


@command(pay, "retry")
def retry(
    *,
    reference: Reference,
    reason: Annotated[str, typer.Option("--reason", help="What was put right (- reads standard input).")],
    payee: Annotated[
        str | None, typer.Option("--payee", metavar="ACCOUNT", help="Another account to pay to from now on.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Have a payment tried again, now that what was in its way has been put right."""
    return _say("retry_payment", reference, by, message_id, reason=words(reason, "--reason"), payee=payee)


@command(pay, "report")
def report(
    *,
    reference: Reference,
    state: Annotated[str, typer.Option("--state", metavar="STATE", help="paid, declined or reversed.")],
    bank_reference: Annotated[
        str | None, typer.Option("--bank-reference", metavar="ID", help="The bank's own number, for paid and reversed.")
    ] = None,
    payment: Annotated[
        str | None, typer.Option("--payment", metavar="KEY", help="The payment that is meant, where there are several.")
    ] = None,
    cause: Annotated[
        str | None, typer.Option("--cause", metavar="CAUSE", help=f"{', '.join(PaymentReason)}: the customer is told.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="How it is known (- reads standard input); needed for declined.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say what became of a payment, as the bank tells it."""
    told = one_of(PaymentState, state, "--state")
    if told not in _REPORTED:
        one_of(PaymentState, "", "--state")
    return _say(
        "report_payment",
        reference,
        by,
        message_id,
        state=told,
        bank_reference=bank_reference,
        payment=payment,
        cause=one_of(PaymentReason, cause, "--cause") if cause else None,
        reason=words(reason, "--reason"),
    )


def _say(name: str, reference: str, by: str | None, message_id: str | None, **fields: object) -> Answer:
    from starter.client.complaints import CaseClosed

    try:
        return send(name, reference, by, message_id, **fields)
    except CaseClosed as error:
        raise Failed(
            f"{error}; submit what is still owed as a new complaint, with a new idempotency_key, and pay it there"
        ) from None


def _unsettled(unsettled: "Sequence[Unsettled]") -> list[RenderableType]:
    if not unsettled:
        return [line("Nothing is owed through a rail.", "green")]
    made = table(
        "Reference", "Owed", "For", "Last payment", "Team, handler; account", unbroken=["Reference"], right=["Owed"]
    )
    for one in unsettled:
        last = f"{spoken(one.payment.state)}: {known_of(one.payment)}" if one.payment else "not ordered yet"
        made.add_row(
            line(one.reference, "bold"),
            f"{one.currency} {one.owed:,f}",
            span(one.age, 1),
            last,
            line(one.account or f"{one.team or NONE}, {one.handler or NONE}"),
        )
    return [made, line(f"{len(unsettled)} not settled, the oldest first. Times are UTC.", "dim")]
