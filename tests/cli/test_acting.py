"""A case from receipt to its end by the command line alone, with a real worker, Temporal and PostgreSQL behind it."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain.ground.reference import reference_for
from starter.cli.program import ExitCode
from tests.cli.command_line import CommandLine, Ran
from tests.patience import eventually
from tests.reasons import a_no

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

HANDLER = ("--as", "handler:h-17")
APPROVER = ("--as", "approver:a-3")
CUSTOMER = ("--as", "customer:customer")
UNKNOWN = reference_for("nobody", "nothing")


def a_complaint(**changes: Any) -> dict[str, Any]:
    """A complaint that no investigation by rule can answer."""
    return {
        "source": "tests",
        "idempotency_key": str(uuid.uuid4()),
        "received_at": datetime.now(UTC).isoformat(),
        "channel": "chat",
        "language": "en",
        "complainant": {"name": "The Customer", "email": "customer@example.com"},
        "description": "Your staff were rude to me on the telephone.",
        **changes,
    }


@pytest.fixture
async def reference(service: CommandLine) -> str:
    """A case that waits for a proposal."""
    ran = await service("submit", "-", "--json", stdin=json.dumps(a_complaint()))
    found = str(ran.data["submitted"][0]["reference"])
    await at(service, found, "deciding")
    verified = await service("customer", "verify", found, "--how", "Called back.", *HANDLER)
    assert verified.code == 0, verified.err
    await at(service, found, "deciding")
    return found


async def at(service: CommandLine, reference: str, stage: str) -> dict[str, Any]:
    """Wait until the case is at *stage*; return its page."""
    return await until(service, reference, lambda page: bool(page["case"]["summary"]["stage"] == stage))


async def until(service: CommandLine, reference: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the page of the case meets *condition*; return it."""

    async def page() -> dict[str, Any] | None:
        ran = await service("show", reference, "--json")
        return dict(ran.data) if ran.code == 0 and condition(ran.data) else None

    async def how_far() -> str:
        return str(await service("show", reference, "--json"))

    return cast(dict[str, Any], await eventually(page, how_far))


async def approves(service: CommandLine, reference: str, *who: str) -> Ran:
    """Approves what waits, as the page of the case shows it."""
    seen = (await service("show", reference, "--json")).data["proposal"]["digest"]
    return await service("approve", reference, "--proposal", seen, *who)


async def test_a_case_goes_from_receipt_to_feedback(service: CommandLine, reference: str) -> None:
    page = await at(service, reference, "deciding")
    assert page["status"]["waiting_for"] == "a proposal"
    assert page["unasked"] is None
    assert any(command.startswith(f"propose {reference}") for command in page["possible"])

    assigned = await service("assign", reference, "h-17", "--team", "conduct", "--as", "team_lead:tl-2")
    assert assigned.out == f"{reference}: assigned to h-17 (stage deciding)\n"
    proposal = ("--outcome", "upheld", "--amount", "USD 1,500.00", "--remedy", "apology", "--reasons", "-")
    proposed = await service("propose", reference, *proposal, *HANDLER, "--json", stdin="我们向您道歉。")
    assert proposed.data["noted"] == "upheld, USD 1,500.00"
    page = (await service("show", reference, "--json")).data
    assert page["proposal"]["reasons"] == "我们向您道歉。"
    seen = ("--proposal", page["proposal"]["digest"])
    assert f"approve {reference} {' '.join(seen)}" in page["possible"]

    unnamed = await service("approve", reference, *APPROVER)
    assert unnamed.code == ExitCode.INVALID
    assert "proposal: name the proposal that is decided by its digest; redress show has it" in unnamed.err
    by_the_proposer = await service("approve", reference, *seen, "--as", "approver:h-17", "--json")
    assert by_the_proposer.code == ExitCode.FAILED
    assert by_the_proposer.error["kind"] == "refused"
    assert "never by its proposer" in by_the_proposer.error["message"]
    beyond_the_limit = await service("approve", reference, *seen, "--as", "team_lead:tl-2")
    assert beyond_the_limit.code == ExitCode.FAILED
    assert "roles that may: approver" in beyond_the_limit.err

    returned = await service("return", reference, *seen, "--reasons", "Say why.", *APPROVER, "--json")
    assert returned.data["noted"] == "returned"
    assert (await service("show", reference, "--json")).data["proposal"]["decision"] == "returned by approver:a-3"
    assert (await service("approve", reference, *seen, *APPROVER)).code == ExitCode.FAILED
    await service("propose", reference, *proposal, *HANDLER, stdin="We apologise.")
    replaced = await service("approve", reference, *seen, *APPROVER)
    assert replaced.code == ExitCode.FAILED
    assert f"proposal: {seen[1]} does not wait any more, another has taken its place" in replaced.err
    assert (await approves(service, reference, *APPROVER)).code == 0
    page = await at(service, reference, "responded")
    assert page["proposal"]["decision"] == "approved by approver:a-3"

    accepted = await service("reply", reference, "--intent", "accept", "--json", *CUSTOMER)
    assert {name: accepted.data[name] for name in ("reference", "message", "sent")} == {
        "reference": reference,
        "message": "customer_reply",
        "sent": True,
    }
    page = await at(service, reference, "following_up")
    assert page["case"]["summary"]["compensation"] == {"amount": "1500.00", "currency": "USD"}
    assert (await service("feedback", reference, "4", "--comment", "Fair.", *CUSTOMER)).out.endswith(
        "4 of 5 (stage following_up)\n"
    )
    assert (await service("ledger", "check")).code == 0

    told = (await service("timeline", reference, "--json")).data
    by = {entry["kind"]: entry["actor"] for entry in told}
    assert by["propose_resolution"] == "handler:h-17"
    assert by["customer_reply"] == by["record_feedback"] == "customer:customer"


async def test_a_reopened_case_is_taken_up_again_and_ends_with_its_withdrawal(
    service: CommandLine, reference: str
) -> None:
    await service("propose", reference, "--outcome", "not_upheld", "--reasons", a_no(), *HANDLER)
    page = await at(service, reference, "deciding")
    assert page["proposal"]["second_person"].endswith("because it is a rejection")
    await approves(service, reference, *APPROVER)
    page = await at(service, reference, "responded")
    assert page["proposal"]["decision"] == "approved by approver:a-3"
    await service("reply", reference, "--intent", "dispute", "--text", "That is no reason.", *CUSTOMER)
    page = await at(service, reference, "deciding")
    assert page["proposal"]["decision"] == "the case was taken up again"
    assert page["case"]["summary"]["escalation_level"] == 1
    await service(
        "propose", reference, "--outcome", "not_upheld", "--reasons", a_no("Still no."), "--as", "handler:h-18"
    )
    await approves(service, reference, "--as", "executive:e-1")
    await at(service, reference, "responded")
    await service("reply", reference, "--intent", "accept", *CUSTOMER)
    await at(service, reference, "following_up")
    kept_out = await service("reopen", reference, "--reason", "New facts.", *HANDLER)
    assert f"there is no case {reference}" in kept_out.err  # for who decided on it
    reopened = await service("reopen", reference, "--reason", "New facts.", "--as", "handler:h-18")
    assert reopened.code == 0
    await at(service, reference, "deciding")

    withdrawn = await service("withdraw", reference, "--reason", "They rang to say so.", "--as", "handler:h-19")
    assert "withdrawn" in withdrawn.out
    page = await at(service, reference, "closed")
    assert page["case"]["summary"]["outcome"] == "not_upheld"
    assert page["status"] is None
    assert "redress " not in (await service("show", reference)).out.replace("redress deadlines", "")


async def test_what_is_told_along_the_way_reaches_the_case_file(
    service: CommandLine, reference: str, tmp_path: Path
) -> None:
    asked = await service("request-info", reference, "--questions", "Who was it?", *HANDLER)
    assert "the customer is asked" in asked.out
    await until(service, reference, lambda page: "our questions" in (page["status"]["waiting_for"] or ""))
    await service("reply", reference, "--text", "-", *CUSTOMER, stdin="It was on 2 March. 🙂")
    await at(service, reference, "deciding")

    recording = tmp_path / "call.txt"
    recording.write_text("Hello?")
    place = "https://files.example.com/?id=1&x=2"
    evidence = ("--note", "The call.", "--attach", f"Recording={recording}", "--attach", f"Ticket={place}")
    await service("evidence", reference, *evidence, "--trade", "P-1", "--account", "70012345", *HANDLER)
    await service("reclassify", reference, "--reason", "A matter of conduct.", "--category", "conduct", *HANDLER)
    await service("escalate", reference, "--reason", "Serious.", "--level", "2", *HANDLER)
    await service("contact", reference, "--email", "new@example.com", *HANDLER)
    page = await until(service, reference, lambda page: bool(page["case"]["summary"]["escalation_level"] == 2))
    assert page["case"]["contact"]["email"] == "new@example.com"
    await service("contact", reference, "--by-post", *HANDLER)
    page = (await service("show", reference, "--json")).data
    assert page["case"]["contact"]["email"] is None
    assert page["case"]["summary"]["category"] == "conduct"

    told = {entry["kind"]: entry for entry in (await service("timeline", reference, "--json")).data}
    assert told["customer_reply"]["data"]["text"] == "It was on 2 March. 🙂"
    attachments = told["add_evidence"]["data"]["attachments"]
    assert attachments[0]["sha256"] == hashlib.sha256(b"Hello?").hexdigest()
    assert attachments[1] == {"title": "Ticket", "location": place}
    assert told["add_evidence"]["data"]["trades"] == ["P-1"]
    assert told["escalate"]["data"].items() >= {"reason": "Serious.", "level": 2}.items()


async def test_a_message_repeated_under_its_id_counts_once(service: CommandLine, reference: str) -> None:
    once = ("assign", reference, "h-17", *HANDLER, "--message-id", "crm-1", "--json")
    first, again = await service(*once), await service(*once)
    assert first.data == again.data
    assert first.data["message_id"] == "crm-1"
    for _ in range(2):
        await service("reply", reference, "--text", "Hello?", "--message-id", "chat-1", *CUSTOMER)
    await service("assign", reference, "h-18", *HANDLER)  # answered after the replies were heard
    kinds = [entry["kind"] for entry in (await service("timeline", reference, "--json")).data]
    assert kinds.count("assign") == 2
    assert kinds.count("customer_reply") == 1


async def test_without_a_message_id_each_message_counts(service: CommandLine, reference: str) -> None:
    ids = {(await service("assign", reference, "h-17", *HANDLER, "--json")).data["message_id"] for _ in range(2)}
    assert len(ids) == 2


async def submitted(service: CommandLine, policy: str) -> str:
    """A case under that policy pack, waiting for a proposal."""
    ran = await service("submit", "-", "--json", stdin=json.dumps(a_complaint(policy=policy)))
    found = str(ran.data["submitted"][0]["reference"])
    await at(service, found, "deciding")
    return found


async def test_an_extension_is_approved_by_whom_the_rule_names(service: CommandLine) -> None:
    reference = await submitted(service, "cn-banking")
    extend = ("extend", reference, "--clock", "response", "--extension", "special", "--reasons", "-")
    by_a_handler = await service(*extend, *HANDLER, "--json", stdin="我们需要更多时间。")
    assert by_a_handler.error["kind"] == "refused"
    assert "roles that may: executive" in by_a_handler.error["message"]
    extended = await service(*extend, "--as", "executive:e-1", "--json", stdin="我们需要更多时间。")
    assert extended.data["noted"] == "response: special approved; it counts once the customer has been told"
    again = await service(*extend, "--as", "executive:e-1", stdin="Once more.")
    assert again.code == ExitCode.FAILED
    assert "granted as often as the rule allows" in again.err
    unknown = await service(*extend[:-4], "--extension", "long", "--reasons", "So it is.", "--as", "executive:e-1")
    assert "it knows complex, special" in unknown.err


async def test_a_case_that_is_settled_early_takes_a_summary_resolution(service: CommandLine) -> None:
    reference = await submitted(service, "uk-fca")
    said = ("--reasons", "We apologised.", "--told", "By mail: the apology settles it.")
    early = ("resolve-early", reference, "--outcome", "upheld", "--remedy", "apology", *said)
    assert "redress customer verify" in (await service(*early, *HANDLER)).err
    await service("customer", "verify", reference, "--how", "Called back.", *HANDLER)
    resolved = await service(*early, *HANDLER, "--json")
    assert resolved.data["noted"].startswith("upheld")
    assert {entry["kind"] for entry in (await service("timeline", reference, "--json")).data} >= {"resolve_early"}
    without = await submitted(service, "platform-default")
    ran = await service("resolve-early", without, *early[2:], *HANDLER)
    assert ran.code == ExitCode.FAILED
    assert "platform-default has no early closure" in ran.err


async def test_that_the_customer_turned_to_an_ombudsman_is_recorded(service: CommandLine, reference: str) -> None:
    at_the_ombudsman = await submitted(service, "uk-fca")
    referral = ("referral", "record", at_the_ombudsman, "--route", "fos", "--outside-reference", "FOS-1", *HANDLER)
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "referred_at: it lies in the future" in (await service(*referral, "--at", future)).err
    recorded = await service(*referral, "--at", datetime.now(UTC).isoformat(), "--json")
    assert re.fullmatch(r"referral \d+ to fos", recorded.data["noted"])
    none = await service(
        "referral", "record", reference, "--route", "fos", "--at", datetime.now(UTC).isoformat(), *HANDLER
    )
    assert "route: the policy pack has no fos" in none.err


async def test_a_case_that_turns_out_to_be_complex_is_reclassified(service: CommandLine, reference: str) -> None:
    ran = await service("reclassify", reference, "--complexity", "complex", "--reason", "Two banks.", *HANDLER)
    assert ran.code == 0
    assert "complex" in ran.out


async def test_what_the_case_refuses_is_told_with_what_would_be_possible(service: CommandLine, reference: str) -> None:
    for arguments, reason in (
        (["approve", "--proposal", "5b1f0c3a9d7e", *APPROVER], "no proposal waits"),
        (["feedback", "5", *CUSTOMER], "this is possible at following_up"),
        (["reopen", "--reason", "x", *HANDLER], "this is possible at following_up"),
        (["assign", "h-17", "--as", "customer:c-1"], "role customer may not send assign"),
        (["propose", "--outcome", "not_upheld", "--reasons", a_no(), "--as", "service:bot"], "role service may not"),
    ):
        ran = await service(arguments[0], reference, *arguments[1:], "--json")
        assert ran.code == ExitCode.FAILED
        assert ran.error["kind"] == "refused"
        assert reason in ran.error["message"]


async def test_a_closed_case_takes_no_more_messages(service: CommandLine, reference: str) -> None:
    await service("withdraw", reference, "--reason", "They rang to say so.", *HANDLER)
    await at(service, reference, "closed")
    for arguments in (["assign", reference, "h-17", *HANDLER], ["reply", reference, "--text", "Hello?", *CUSTOMER]):
        ran = await service(*arguments, "--json")
        assert ran.code == ExitCode.FAILED
        assert ran.error["kind"] == "refused"
        assert "closed" in ran.error["message"]


async def test_a_case_that_does_not_exist_has_its_own_exit_code_and_no_workflow_begins(
    connected: CommandLine, database_url: str, dev_server_env: WorkflowEnvironment
) -> None:
    connected.set("DATABASE_URL", database_url)
    for arguments in (
        ["assign", UNKNOWN, "h-17", *HANDLER],
        ["reply", UNKNOWN, "--text", "Hello?", *CUSTOMER],
        ["referral", "record", UNKNOWN, "--route", "ombudsman", "--at", "2026-03-02T09:00Z", *HANDLER],
    ):
        ran = await connected(*arguments, "--json")
        assert ran.code == ExitCode.NOT_FOUND
        assert UNKNOWN in ran.error["message"]
    with pytest.raises(RPCError, match="not found"):
        await dev_server_env.client.get_workflow_handle(UNKNOWN).describe()


async def test_without_a_worker_it_says_so_and_how_to_repeat_the_message(
    connected: CommandLine, dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.client.conversation.ANSWER_WITHIN", timedelta(seconds=1))
    submitted = await connected("submit", "-", "--json", stdin=json.dumps(a_complaint()))
    reference = submitted.data["submitted"][0]["reference"]
    ran = await connected("assign", reference, "h-17", *HANDLER, "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert ran.error["kind"] == "no_answer"
    assert "--message-id " in ran.error["message"]
    await dev_server_env.client.get_workflow_handle(reference).terminate()


async def test_what_is_asked_of_a_corrective_action_or_a_report_waits_for_no_worker_for_ever(
    connected: CommandLine, dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.cli.actions._WAIT", 1.0)
    about = ("--cause", "pricing/own_quote", "--what", "A watch.", "--why", "Late.", "--owner", "tl-1")
    lead = ("--as", "team_lead:tl-1")
    due = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    opened = await connected("action", "open", "CA-LATE-1", *about, "--due", due, "--accounts", "900", *lead, "--json")
    assert opened.code == ExitCode.DONE, opened.err
    for asked in (("action", "done", "CA-LATE-1", "--reason", "They are.", *lead), ("report", "mail")):
        ran = await connected(*asked, "--json")
        assert (ran.code, ran.error["kind"]) == (ExitCode.UNAVAILABLE, "no_answer"), asked
        assert "may still be done" in ran.error["message"]
    await dev_server_env.client.get_workflow_handle("CA-LATE-1").terminate()


async def test_a_handler_has_a_case_investigated_further_and_awards_goodwill_on_top_of_the_loss(
    service: CommandLine, reference: str
) -> None:
    further = ("investigate", "--case", reference, "--check", "slippage", "--check", "charges", *HANDLER)
    refused = await service(*further)
    assert refused.code == ExitCode.FAILED
    assert "the case has no trading account to look at; add_evidence names it" in refused.err
    await service("evidence", reference, "--note", "The account.", "--account", "70099999", *HANDLER)

    proposal = ("--outcome", "upheld", "--amount", "USD 150", "--reasons", "We apologise.")
    extras = ("--distress", "USD 40.50=weeks of waiting", "--goodwill", "USD 9.50=for your patience")
    proposed = await service("propose", reference, *proposal, *extras, *HANDLER, "--json")
    assert proposed.data["noted"] == "upheld, USD 200.00 (with USD 40.50 distress, USD 9.50 goodwill)"
    page = await at(service, reference, "responded")  # within the limit of what needs no second person
    assert [award["reason"] for award in page["proposal"]["awards"]] == ["weeks of waiting", "for your patience"]
    shown = (await service("show", reference)).out
    assert "USD 40.50 distress: weeks of waiting" in shown
    assert "USD 9.50 goodwill: for your patience" in shown
    late = await service(*further)
    assert "this is possible at received, acknowledged, investigating, deciding" in late.err


async def test_further_checks_set_a_waiting_proposal_aside(service: CommandLine, reference: str) -> None:
    await service("evidence", reference, "--note", "The account.", "--account", "70099999", *HANDLER)
    assert (
        await service("propose", reference, "--outcome", "upheld", "--as-found", "--reasons", "So it is.", *HANDLER)
    ).code
    proposal = ("--outcome", "upheld", "--amount", "USD 1500", "--reasons", "We apologise.")
    assert (await service("propose", reference, *proposal, *HANDLER)).code == 0
    ran = await service("investigate", "--case", reference, "--check", "slippage", *HANDLER, "--json")
    assert ran.data["noted"] == "slippage"
    page = await until(service, reference, lambda page: bool(page["findings"]))
    assert [(one["check"], one["verdict"]) for one in page["findings"]] == [("slippage", "inconclusive")]
    assert page["proposal"]["decision"] == "set aside, more was investigated"
    assert f"investigate --case {reference} --check CHECK" in page["possible"]
