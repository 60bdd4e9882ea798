"""``redress incident``: what people do with an incident, with the real thing behind it, and what does not fit."""

import re
from typing import TYPE_CHECKING, cast

import pytest

from starter.cli.program import ExitCode
from tests.cli.command_line import CommandLine, Ran
from tests.incidents.minute import BOUGHT, FAULT, INCOMPLETE, SOLD, STOPPED, bad_minute
from tests.patience import eventually

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

INCIDENT = "IN-QKVH-9297-MMM8T"
UNKNOWN = "IN-NXFD-RA55-Z65ZK"
WINDOW = ("--symbol", "XAUUSD", "--since", FAULT.since.isoformat(), "--until", FAULT.until.isoformat())
DEALER = ("--as", "handler:d-1")
APPROVER = ("--as", "approver:a-3")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["open", "--symbol", "XAUUSD", *DEALER], "--since"),
        (["open", *WINDOW], "--as"),
        (["open", *WINDOW[2:], *DEALER], "symbol"),
        (["open", *WINDOW[:2], "--since", "2026-03-02", "--until", "2026-03-01", *DEALER], "until"),
        (["open", *WINDOW[:2], "--since", "2026-03-01", "--until", "2026-03-03", *DEALER], "24 hours"),
        (["open", *WINDOW[:2], "--since", "yesterday", "--until", "2026-03-03", *DEALER], "--since"),
        (["open", *WINDOW, "--outage", "--source", "LP-A", *DEALER], "source"),
        (["open", *WINDOW, "--prices", "cheap", *DEALER], "--prices"),
        (["open", *WINDOW, "--prices", "..", *DEALER], "--prices"),
        (["open", *WINDOW, "--prices", "1925..1900", *DEALER], "price_to"),
        (["open", *WINDOW, "--check", "luck", *DEALER], "--check"),
        (["open", *WINDOW, "--title", "A wrong quote", *DEALER], "--title-zh"),
        (["open", *WINDOW, "--rate", "0", *DEALER], "--rate"),
        (["open", *WINDOW, "--finding", "RD-V55M-ZRNE-2S9JM", *DEALER], "--finding"),
        (["open", "--finding", "RD-V55M", *DEALER], "RD-V55M"),
        (["show", "RD-V55M-ZRNE-2S9JM"], "complaint"),
        (["show", "IN-QKVH-9297-MMM8X"], "check character"),
        (["approve", INCIDENT, *APPROVER], "--cohort"),
        (["approve", INCIDENT, "--cohort", "nonsense", *APPROVER], "cohort"),
        (["relist", INCIDENT, "--reason", " ", *DEALER], "reasons"),
        (["dismiss", INCIDENT, *DEALER], "--reason"),
        (["pause", INCIDENT, "--reason", "x"], "--as"),
        (["retry", INCIDENT, "no spaces", *DEALER], "account"),
        (["cohort", INCIDENT, "--state", "sad"], "--state"),
        (["warnings", "--last", "long"], "--last"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
async def test_what_does_not_fit_is_named(redress: CommandLine, arguments: list[str], field: str) -> None:
    ran = await redress("incident", *arguments, "--json")
    assert ran.code == ExitCode.INVALID
    assert field in ran.error["message"]


async def test_an_incident_from_its_opening_to_the_last_account(service: CommandLine, pool: "Pool") -> None:
    await bad_minute(pool)
    opened = await service("incident", "open", *WINDOW, "--rate", 6000, "--note", "three calls", *DEALER)
    reference = re.match(r"(IN-\S+): opened", opened.out)
    assert reference
    incident = reference.group(1)
    again = await service("incident", "open", *WINDOW, *APPROVER, "--json")
    assert again.data["reference"] == incident
    assert again.data["already_known"] is True

    shown = await until(service, incident, "approval")
    assert "6 accounts" in shown.out
    assert "3, by USD 4,271.80" in shown.out
    approve = re.search(r"--cohort (\w{12})", shown.out)
    assert approve
    cohort = await service("incident", "cohort", incident, "--reasons")
    for account in (SOLD, STOPPED, BOUGHT, INCOMPLETE):
        assert account in cohort.out
    assert "USD 1,643.00" in cohort.out
    unclear = (await service("incident", "cohort", incident, "--state", "unclear", "--json")).data
    assert [row["account"] for row in unclear] == [INCOMPLETE]
    assert "the same again" in (await service("incident", "recompute", incident)).out

    refused = await service("incident", "approve", incident, "--cohort", approve.group(1), *DEALER, "--json")
    assert (refused.code, refused.error["kind"]) == (ExitCode.FAILED, "refused")
    assert "second person" in refused.error["message"]
    assert (await service("incident", "approve", incident, "--cohort", approve.group(1), *APPROVER)).code == 0
    shown = await until(service, incident, "closed")
    assert "3 of 3: USD 4,271.80" in shown.out
    assert "approver:a-3" in shown.out
    listed = (await service("incident", "list", "--json")).data
    assert [(row["reference"], row["stage"]) for row in listed] == [(incident, "closed")]
    paid = (await service("incident", "cohort", incident, "--state", "harmed", "--json")).data
    assert all(row["paid"] == row["harm"] and row["told_at"] for row in paid)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("update tradelog.fills set price = price + 1 where account = $1", SOLD)
    changed = await service("incident", "recompute", incident, "--json")
    assert (changed.code, changed.data["differences"]) == (ExitCode.CHECK_FAILED, [])  # of itself the list is the same
    assert [(row["table"], row["field"]) for row in changed.data["log"]] == [("fills", "price")]
    late = await service("incident", "pause", incident, "--reason", "too late", *DEALER, "--json")
    assert (late.code, late.error["message"]) == (ExitCode.FAILED, f"{incident} has ended and takes no more messages")


async def until(service: CommandLine, incident: str, stage: str) -> Ran:
    """Wait until the incident is at *stage*; its page then."""

    async def there() -> Ran | None:
        shown = await service("incident", "show", incident)
        there = shown.code == 0 and f"{incident}: {stage}" in shown.out
        return Ran(shown.code, shown.out, shown.err) if there else None

    async def how_far() -> str:
        return str(await service("incident", "show", incident))

    return cast(Ran, await eventually(there, how_far))


async def test_an_unknown_incident_is_said_to_be_unknown(service: CommandLine) -> None:
    for command in (["show"], ["cohort"], ["progress"], ["pause", "--reason", "x", *DEALER]):
        ran = await service("incident", command[0], UNKNOWN, *command[1:], "--json")
        assert (ran.code, ran.error["kind"]) == (ExitCode.NOT_FOUND, "not_found"), ran.err
    assert "No incident fits." in (await service("incident", "list")).out
    assert "No early warning." in (await service("incident", "warnings")).out
