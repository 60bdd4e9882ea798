"""The command that looks something up in the trade log: investigate."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from starter.cli.access import talk
from starter.cli.acting import send
from starter.cli.case_pages import findings
from starter.cli.options import By, Language, MessageId, Tongue, one_of
from starter.cli.program import Answer, Failed, InvalidInput, app, command

if TYPE_CHECKING:
    from domain.checks.findings import Investigation, InvestigationRequest
    from starter.client.complaints import Complaints

_WAIT: Final = timedelta(seconds=60)


@command(app, "investigate", panel="Look")
def investigate(
    *,
    account: Annotated[str | None, typer.Option("--account", help="The trading account.")] = None,
    case: Annotated[
        str | None,
        typer.Option("--case", metavar="REF", help="A case: its checks are run again, and those of --check on top."),
    ] = None,
    trade: Annotated[
        list[str] | None, typer.Option("--trade", metavar="ID", help="An order, fill or position. May be repeated.")
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check", metavar="CHECK", help="Such as execution, slippage or stop_out; otherwise all. May be repeated."
        ),
    ] = None,
    occurred_from: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="ISO 8601 with offset, such as 2026-03-02T09:00Z.")
    ] = None,
    occurred_until: Annotated[str | None, typer.Option("--until", metavar="INSTANT")] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", metavar="ID", help="The pack whose tolerances apply; otherwise the default."),
    ] = None,
    language: Language = Tongue.EN,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Query the trade log without a case, and print the findings; or have a case investigated further, with --case."""
    from domain.checks.findings import Check, InvestigationRequest
    from runtime.policies import find_pack
    from runtime.settings import load_settings

    if case is not None:
        if account or occurred_from or occurred_until or policy:
            raise InvalidInput("--case: account, time and pack are the case's; leave out what else names them")
        if not check:
            raise InvalidInput("--check: name at least one check to run on top of the case's own")
        checks = [one_of(Check, name, "--check") for name in check]
        return send("investigate", case, by, message_id, checks=checks, trades=trade)
    if account is None:
        raise InvalidInput("--account: name the trading account, or the case with --case")
    now = datetime.now(UTC)
    settings = load_settings()
    request = InvestigationRequest.model_validate(
        {
            "checks": [one_of(Check, name, "--check") for name in check] if check else list(Check),
            "account": account,
            "trades": trade or (),
            "occurred_from": occurred_from,
            "occurred_until": occurred_until,
            "as_of": now,
            "tolerances": find_pack(policy or settings.default_policies[0], now).tolerances,
        }
    )
    investigation = talk(lambda complaints: _investigate(complaints, request, settings.task_queue))
    return Answer(investigation, findings(investigation.findings, language))


async def _investigate(complaints: "Complaints", request: "InvestigationRequest", task_queue: str) -> "Investigation":
    from temporalio.client import WorkflowFailureError
    from temporalio.exceptions import FailureError, TimeoutError
    from temporalio.service import RPCError

    from domain.checks.findings import Investigation
    from domain.keys.public import Public
    from runtime.connection import TemporalUnavailable
    from starter.client.contracts import INVESTIGATION
    from starter.client.conversation import NotAnswered

    try:
        found: Investigation = await complaints.client.execute_workflow(
            INVESTIGATION,
            request,
            id=f"investigation-{uuid.uuid4()}",
            task_queue=task_queue,
            result_type=Investigation,
            execution_timeout=_WAIT,
            static_summary=Public("Investigation without a case"),
        )
    except WorkflowFailureError as error:
        cause: BaseException = error.cause
        if isinstance(cause, TimeoutError):
            raise NotAnswered(f"no worker answered within {_WAIT.seconds} s") from None
        while isinstance(cause, FailureError) and cause.cause:
            cause = cause.cause
        raise Failed(f"the investigation failed: {cause}") from None
    except RPCError as error:
        raise TemporalUnavailable(f"Temporal: {error.message}") from None
    return found
