"""What holds of a case that was erased: it is told to be wherever somebody looks, and counts as before."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.converter import WorkflowSerializationContext

from activities.keys.retention import erased_again
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.keys.erasure import Against, DecideErasure, RequestErasure
from domain.keys.places import SEALED
from record.approvals import case_records
from record.chain import export
from record.chain_verifier import CHAIN, check_chains
from runtime.keys.codec import ENCODING, Sealing
from runtime.keys.here import keys_needed
from runtime.settings import load_settings
from starter.evidence.reading import read_facts
from starter.reading.cases import get_case, get_letters, get_rejected, get_timeline, list_cases
from starter.reading.customers import find_customers
from starter.reading.dossier import gather
from starter.reading.held import LEFT_OUT, everything_of
from starter.reading.ledger import check_ledger
from starter.reading.related import related_to
from starter.reading.search import search
from starter.reading.theirs import read_theirs
from starter.upkeep.erasing import ask, decide, hold
from starter.upkeep.handing_out import write_zip
from tests.replaying import LIVES
from tests.web.conftest import Browser, doors_over, signed_in
from tests.workflows.house import HANDLER, House
from tests.workflows.opened import payloads
from web.app import create_app
from web.visits import Customer, Staff

if TYPE_CHECKING:
    from starter.upkeep.erasing import Answered

ACCOUNT = "79990001"
"""An account of its own: what is erased here is so for all tests that share the keys."""
OFFICER = Actor(id="c-9", role=Role.COMPLIANCE_OFFICER)


async def once_erased_it_still_counts_and_verifies(house: House, reference: str) -> None:
    """Erase who complained in the closed case *reference*, after all that stands against it is over."""
    await all_that_is_held_is_handed_out(house)
    before = await figures(house)
    later = await refused_while_something_stands_against_it(house)
    outbox = len(house.mail())
    done = await answered(house, "second", later)
    LIVES.leave_out(reference)
    assert (done.step, done.certificate and done.certificate.cases) == ("erased", (reference,))
    assert len(house.mail()) < outbox - 1

    for name, told in (await figures(house)).items():
        assert told == before[name], (name, told, before[name])
    await it_is_told_to_be_erased(house, reference)
    run = house.client.execute_workflow("Retention", id="retention", task_queue=house.task_queue, result_type=int)
    assert await run == 0, "nothing else is closed"
    await no_page_breaks(house, reference)
    await it_opens_with_no_key(house, reference)
    await its_chain_is_whole(house)
    await a_restored_backup_has_it_erased_again(house, reference)


async def all_that_is_held_is_handed_out(house: House) -> None:
    """Whatever is sealed of them is in it, opened; and every sealed table is, or it is said why not."""
    found = await everything_of(house.pool, ACCOUNT)
    with TemporaryDirectory() as folder:
        names = write_zip(found, Path(folder) / "all.zip")
        with zipfile.ZipFile(Path(folder) / "all.zip") as file:
            told = [file.read(name).decode() for name in names]
    assert names == ["everything.json", "everything.txt"]
    for secret in ("Wilhelmina Zott", "+85255500199", "My withdrawal of Tuesday never arrived", "a stray remark"):
        assert all(secret in text for text in told)
    assert not any("sealed:2:" in text for text in told)
    nothing_here = {"casefile.customer_files", "casefile.restrictions", "casefile.reviews", "casefile.signs"}
    of_incidents = {table for table in SEALED if table.startswith(("casefile.incident_", "casefile.cohort_"))}
    of_messages = {table for table in SEALED if table.startswith("intake.")}
    assert set(SEALED) - set(LEFT_OUT) - set(found.tables) == nothing_here | of_incidents - set(LEFT_OUT) | of_messages


async def refused_while_something_stands_against_it(house: House) -> datetime:
    """Returns when nothing does any more."""
    closed_at = await house.fetchval("select closed_at from casefile.cases where account = $1", ACCOUNT)
    later: datetime = closed_at + timedelta(days=365 * 7)
    await hold(house.pool, load_settings(), ACCOUNT, HANDLER, "a court asks", placed=True)
    refused = await answered(house, "first", closed_at + timedelta(days=1))
    assert {one.why for one in refused.against} == {Against.HOLD, Against.RETENTION}
    kept = max(one.until for one in refused.against if one.until)
    assert refused.review_on == kept.date() + timedelta(days=1)
    [letter] = [one for one in house.mail() if one["Subject"] == "Your request to erase your data"]
    assert f"{refused.review_on}" in letter.get_content()
    await hold(house.pool, load_settings(), ACCOUNT, HANDLER, "it is over", placed=False)
    return later


async def answered(house: House, name: str, at: datetime) -> "Answered":
    """One asks and a second decides; neither a handler nor who asked does."""
    settings = load_settings(outbox_dir=house.outbox.path("x").parent)
    asked = RequestErasure(message_id=name, actor=HANDLER, subject=ACCOUNT, reason="they asked for it")
    made = await ask(house.pool, settings, asked, clock=lambda: at)

    async def by(actor: Actor) -> Any:
        said = DecideErasure(message_id=f"{name}-{actor.id}", actor=actor, approve=True, reason="nothing against it")
        return await decide(house.pool, settings, made.erasure, said, clock=lambda: at)

    for actor in (Actor(id="a-3", role=Role.APPROVER), Actor(id=HANDLER.id, role=Role.COMPLIANCE_OFFICER)):
        with pytest.raises(NotAllowed, match="actor"):
            await by(actor)
    done: Answered = await by(OFFICER)
    return done


async def figures(house: House) -> dict[str, Any]:
    """What is counted and proved: postings, deadlines, facts, and the chains."""
    return {
        "ledger": (await check_ledger(house.pool)).model_dump(),
        "deadlines": await house.fetch("select * from casefile.deadline_ledger order by 1, 2, 3, 4"),
        "facts": await house.fetchval("select count(*) from reporting.facts"),
        "cases": await house.fetch("select reference, stage, outcome, category, closed_at from casefile.cases"),
    }


async def it_is_told_to_be_erased(house: House, reference: str) -> None:
    """Whoever looks is told so, and nothing breaks."""
    gone = f"[erased {datetime.now(UTC):%Y-%m-%d}]"
    pool = house.pool
    case = await get_case(pool, reference)
    assert (case.complaint.complainant.name, case.complaint.description) == (gone, gone)
    assert [one.reference for one in await list_cases(pool)] == [reference]
    theirs = await read_theirs(pool, reference)
    assert theirs
    assert theirs.complaint.description == gone
    assert all(letter.body == gone for letter in theirs.letters)
    assert {letter.subject for letter in await get_letters(pool, reference)} == {gone}
    assert {one.reason for one in await get_rejected(pool, reference)} == {gone}
    [said] = [one.text for one in await get_timeline(pool, reference) if one.kind == "erased"]
    assert said == "What was personal in this case is erased"
    await gather(pool, reference)
    await read_facts(pool, reference)
    await related_to(pool, reference)
    async with pool.acquire() as connection:
        await case_records(connection, [reference])
    for wanted in ("wilhelmina@zott.example.org", "Wilhelmina"):
        assert await find_customers(pool, wanted) == []
        assert await search(pool, wanted) == []
    [found] = await find_customers(pool, ACCOUNT)
    assert (found.holder, [one.name for one in found.cases]) == (None, [gone])


async def no_page_breaks(house: House, reference: str) -> None:
    """Neither of the desk nor of the customer, who no longer has a case."""
    doors = doors_over(house.pool, house.client)
    site = create_app(doors)
    pages = [f"/desk/{page}" for page in (f"cases/{reference}", "inbox", "deadlines", "doctor", "reports")]
    async with Browser(site) as browser:
        await signed_in(browser, doors, Staff(id="h-17", roles=(Role.HANDLER, Role.COMPLIANCE_OFFICER)))
        answers = {path: (await browser.get(path)).status_code for path in pages}
        assert {path: code for path, code in answers.items() if code != 200} == {}
        shown = (await browser.get(f"/desk/cases/{reference}")).text
        assert ("[erased " in shown, "what was found cannot be read any more" in shown) == (True, True)
        await signed_in(browser, doors, Customer(address="new-wilhelmina@zott.example.org"))
        assert (await browser.get("/mine")).status_code == 200
        assert (await browser.get(f"/mine/{reference}")).status_code == 404


async def it_opens_with_no_key(house: House, reference: str) -> None:
    """What Temporal keeps of it says when it was erased, and nothing else."""
    history = await house.client.get_workflow_handle(reference).fetch_history()
    sealed = [one for event in history.events for one in payloads(event) if one.metadata.get("encoding") == ENCODING]
    codec = Sealing(keys_needed()).with_context(WorkflowSerializationContext("default", reference))
    told = {one.data[:8] for one in await codec.decode(sealed)}
    assert (len(sealed) > 10, told) == (True, {b'"[erased'})


async def its_chain_is_whole(house: House) -> None:
    """Every row is as it was written."""
    with TemporaryDirectory() as folder:
        async with house.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            assert await export(connection, Path(folder)) > 0
        rows = [json.loads(line) for line in (Path(folder) / CHAIN).read_text().splitlines()]
        assert list(check_chains(rows, set())) == []


async def a_restored_backup_has_it_erased_again(house: House, reference: str) -> None:
    """Rows that came back go again; keys that came back are destroyed again."""
    vault, pool = keys_needed(), house.pool
    await erased_again(pool, vault, house.outbox, 35)  # those of other tests, which share the keys
    assert await erased_again(pool, vault, house.outbox, 35) == []
    await pool.execute("insert into casefile.lookups values ('email', 'x', $1)", reference)
    [again] = await erased_again(pool, vault, house.outbox, 35)
    assert again.startswith("ER-")
    assert await pool.fetchval("select count(*) from casefile.lookups where scope = $1", reference) == 0
