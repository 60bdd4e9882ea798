"""Payments by the command line, with a real rail, worker, Temporal and PostgreSQL behind it."""

import json
from collections.abc import AsyncIterator

import pytest

from starter.cli.program import ExitCode
from tests.cli.command_line import CommandLine
from tests.cli.test_acting import a_complaint, at, until
from tests.money.rail import Rail, declining, open_rail, paid

HANDLER = ("--as", "handler:h-17")
CUSTOMER = ("--as", "customer:customer")
APPROVER = ("--as", "approver:a-3")


@pytest.fixture
async def rail(connected: CommandLine) -> AsyncIterator[Rail]:
    """A payment rail that a worker is configured with which starts after it."""
    async with open_rail() as rail:
        connected.set("REDRESS_PAYMENT_URL", rail.url)
        connected.set("REDRESS_PAYMENT_SECRET", rail.secret)
        yield rail


@pytest.fixture
async def declined(rail: Rail, service: CommandLine) -> str:
    """A case whose payment was declined."""
    rail.pays = declining()
    ran = await service("submit", "-", "--json", stdin=json.dumps(a_complaint(account="70012345")))
    reference = str(ran.data["submitted"][0]["reference"])
    await at(service, reference, "deciding")
    assert (await service("customer", "verify", reference, "--how", "Called back.", *HANDLER)).code == 0
    proposal = ("--outcome", "upheld", "--amount", "USD 150.00", "--reasons", "We were rude.")
    assert (await service("propose", reference, *proposal, *HANDLER)).code == 0
    await at(service, reference, "responded")
    await service("reply", reference, "--intent", "accept", *CUSTOMER)
    await until(service, reference, lambda page: "held" in ((page["status"] or {}).get("payment") or ""))
    return reference


async def test_a_declined_payment_is_listed_retried_reported_and_never_lost(
    rail: Rail, service: CommandLine, declined: str
) -> None:
    (unsettled,) = (await service("pay", "list", "--json")).data
    assert (unsettled["reference"], unsettled["owed"], unsettled["currency"]) == (declined, "150.00", "USD")
    assert unsettled["payment"]["reason"] == "account_closed"
    listed = await service("pay", "list")
    assert declined in listed.out
    assert "USD 150.00" in listed.out
    shown = await service("show", declined)
    assert "Payments" in shown.out
    assert f"redress pay retry {declined}" in shown.out
    assert "redress pay" in shown.out

    ran = await service("pay", "retry", declined, "--reason", "Try there.", "--payee", "70054321", *HANDLER)
    assert ran.code == ExitCode.FAILED
    assert "role handler may not choose another account" in ran.err
    rail.pays = paid
    ran = await service("pay", "retry", declined, "--reason", "Told by letter.", "--payee", "70054321", *APPROVER)
    assert ran.out == f"{declined}: USD 150.00 is paid again (stage settling)\n"
    await at(service, declined, "following_up")
    assert (await service("pay", "list")).out == "Nothing is owed through a rail.\n"
    payments = (await service("pay", "show", declined, "--json")).data
    assert [(one["state"], one["payee"]) for one in payments] == [("declined", "70012345"), ("paid", "70054321")]

    reported = ("--state", "reversed", "--bank-reference", "B-9", "--cause", "account_closed", *APPROVER)
    assert (await service("pay", "report", declined, *reported)).code == 0
    await at(service, declined, "settling")
    ran = await service("pay", "retry", declined, "--reason", "Again.", *APPROVER)
    assert "who reported what became of the payment" in ran.err
    assert (await service("pay", "retry", declined, "--reason", "Again.", *HANDLER)).code == 0
    await at(service, declined, "following_up")
    await service("withdraw", declined, "--reason", "They rang to say so.", *HANDLER)
    await at(service, declined, "closed")
    ran = await service("pay", "report", declined, *reported)
    assert ran.code == ExitCode.FAILED
    assert "submit what is still owed as a new complaint" in ran.err
    totals = (await service("ledger", "check", "--json")).data["totals"]
    assert [(total["awarded"], total["paid"]) for total in totals] == [("150.00", "150.00")]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--state", "pending"), "--state: 'pending' is not one of"),
        (("--state", "paid"), "bank_reference: give the bank's own number"),
        (("--state", "declined"), "reason: say how it is known"),
        (
            ("--state", "reversed", "--bank-reference", "B-1", "--cause", "bad luck"),
            "--cause: 'bad luck' is not one of",
        ),
    ],
)
async def test_a_report_that_does_not_fit_is_refused_before_anything_is_connected_to(
    redress: CommandLine, options: tuple[str, ...], told: str
) -> None:
    ran = await redress("pay", "report", "RD-V55M-ZRNE-2S9JM", *options, *APPROVER)
    assert ran.code == ExitCode.INVALID
    assert told in ran.err
