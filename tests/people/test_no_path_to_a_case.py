"""No path leads whoever is kept out to a case: not reading, finding, counting, getting, being told, nor an incident."""

import random
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import pytest

from activities.case.case_file import CaseFile
from activities.intake.bringing import CUSTOMER
from activities.people.notices import addressee, owner_of
from domain.case.messages.signals import CustomerReply
from domain.clocks.calendar import Calendar
from domain.ground.messages import NotAllowed
from domain.ground.people import Actor
from domain.ground.words import CaseEvent, ContactForm, Role, Store, TaskKind
from domain.intake.received import Door, Ending
from domain.learning.periods import Period
from domain.people.recusal import Why
from record.erasing import NobodyHeld, write_step
from runtime.database import seen_by
from runtime.paths import ROOT
from runtime.policies import find_pack
from runtime.settings import load_settings
from starter.client.directory import People
from starter.client.restrictions import Restrictions
from starter.intake.receiving import receive_message
from starter.reading.accesses import Access, Means, accesses, note_access
from starter.reading.actions import option_complaints
from starter.reading.cases import get_case, get_letters, get_timeline, list_cases
from starter.reading.comparing import compare
from starter.reading.customers import find_customers
from starter.reading.database import CaseNotFound
from starter.reading.deadlines import get_coming_due, get_deadlines
from starter.reading.hands import explain_route, read_signs
from starter.reading.held import everything_of
from starter.reading.inbox import read_inbox
from starter.reading.incidents import get_warnings
from starter.reading.intake import NothingReceived, list_incoming, replay, waiting_for
from starter.reading.labelled import closed_complaints
from starter.reading.ledger import check_ledger
from starter.reading.related import related_to
from starter.reading.restores import restores_of
from starter.reading.search import search
from starter.reading.sources import page_of_cases
from starter.reading.tasks import get_tasks
from starter.reading.worklist import View, count_worklist, read_worklist
from starter.reports.making import make_report, open_figure
from starter.upkeep.erasing import erasures, hold, holds
from starter.upkeep.replanning import find_replans
from starter.upkeep.restores import declare
from tests.case.support import OPENED_AT, after, keeping, occurred, opening, summary, update
from tests.people.support import LEAD, directory, person
from tests.people.test_hands import noted, updating
from tests.people.test_recusal_of_money import keep_out
from tests.signing import signed, the_issuer

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

TEAMS = ("dealing", "payments", "accounts", "conduct", "customer-care")
STAFF = [role.value for role in Role if role.is_staff and role is not Role.SYSTEM]
NOW = after(120)
PACK = find_pack("platform-default", OPENED_AT.date())
LOOKS: dict[str, Callable[[Any, str, str], Awaitable[Any]]] = {
    "cases": lambda pool, who, ref: list_cases(pool),
    "cases of the API": lambda pool, who, ref: page_of_cases(pool, source=None, at=NOW, after=None, limit=100),
    "inbox": lambda pool, who, ref: read_inbox(pool, who, NOW),
    **{
        f"list {view}": lambda pool, who, ref, view=view: read_worklist(pool, who, view, NOW)  # type: ignore[misc]
        for view in View
    },
    "tasks": lambda pool, who, ref: get_tasks(pool, NOW),
    "own tasks": lambda pool, who, ref: get_tasks(pool, NOW, owner=who),
    "coming due": lambda pool, who, ref: get_coming_due(pool, NOW, timedelta(days=400)),
    "customers": lambda pool, who, ref: find_customers(pool, "70012345"),
    "warnings": lambda pool, who, ref: get_warnings(pool, OPENED_AT - timedelta(days=30)),
    "restrictions": lambda pool, who, ref: Restrictions(pool).show(),
    "what came in": lambda pool, who, ref: list_incoming(pool),
    "all that came in": lambda pool, who, ref: list_incoming(pool, everything=True),
    "what waits for the case": lambda pool, who, ref: waiting_for(pool, ref),
    "faults of the ledger": lambda pool, who, ref: check_ledger(pool),
    "search by words": lambda pool, who, ref: search(pool, "wrong price"),
    "complaints about options": lambda pool, who, ref: option_complaints(pool),
    "accesses": lambda pool, who, ref: accesses(pool),
    "what is held": lambda pool, who, ref: holds(pool),
    "erasures": lambda pool, who, ref: erasures(pool),
    "cases that a calendar counts anew": lambda pool, who, ref: find_replans(pool, longer(), NOW),
}
"""What lists cases, or speaks of them."""
NOT_ALWAYS = {"own tasks", "inbox", *(f"list {view}" for view in View if view is not View.ALL)}
"""Where nobody need find it."""
OF_ONE: dict[str, Callable[[Any, str], Awaitable[Any]]] = {
    "case": get_case,
    "timeline": get_timeline,
    "letters": get_letters,
    "deadlines": get_deadlines,
    "route": explain_route,
    "signs": read_signs,
    "related": related_to,
    "tasks": lambda pool, ref: get_tasks(pool, NOW, reference=ref),
}


def longer() -> dict[str, Calendar]:
    """The calendar of the cases, known for longer."""
    calendar = PACK.calendar
    return {str(calendar.id): calendar.model_copy(update={"source": "another year", "verified_until": None})}


class Told(NamedTuple):
    """A case of a random organisation, and who has an interest in it."""

    reference: str
    earlier: str
    interested: frozenset[str]


async def organised(pool: "Pool", case_file: CaseFile, chance: random.Random) -> Told:
    """A random organisation; a case in which some are named, acted, decided or have a conflict; another case."""
    staff = [f"p-{number}" for number in range(8)]
    named, acted, declared, proposed, approved = (chance.choice(staff) for _ in range(5))
    conflict = {"account": "70012345", "first": OPENED_AT.date(), "why": "family"}
    people = [
        person(
            one,
            *chance.sample(STAFF, chance.randint(1, 3)),
            teams=chance.sample(TEAMS, 3),
            names=["Jane Doe"] if one == named else [],
            conflicts=[conflict] if one == declared else [],
        )
        for one in staff
    ]
    await People(pool, signed).replace(directory(*people, teams=TEAMS), by=LEAD, at=OPENED_AT)
    await pool.execute(
        'insert into tradelog.cancellations (cancellation, account, at, amount, currency, "order", decided_by)'
        " values ('X-1', '70012345', now(), 1, 'USD', 'T-1', $1)",
        acted,
    )
    elsewhere = opening("2", account="70099999", trades=["T-9"], description="My order was late.")
    await case_file.open_case(elsewhere)
    request = opening("1", description="Jane Doe gave me a wrong price.", trades=["T-1"], product="Binary option")
    await case_file.open_case(request)
    reference = request.reference
    decided = [
        noted("propose_resolution", 1, f"handler:{proposed}", round=1),
        noted("decide_resolution", 2, f"approver:{approved}", round=1, decision="approve"),
    ]
    await case_file.record(updating(reference, 1, *decided, stage="deciding"))
    responded = update(
        reference, 2, events=(occurred(CaseEvent.RESPONDED, 3),), summary=summary(2, handler=None, stage="responded")
    )
    await case_file.record(responded)
    tasks = [
        noted("task_given", number).model_copy(
            update={"journal": number, "data": {"number": number, "kind": kind.value, "role": chance.choice(STAFF)}}
        )
        for number, kind in enumerate(TaskKind, start=10)
    ]
    await case_file.record(updating(reference, 3, noted("reopen", 4), *tasks, stage="deciding"))
    return Told(reference, elsewhere.reference, frozenset({named, acted, declared, proposed, approved}))


async def spoken_of(pool: "Pool", told: Told) -> None:
    """What speaks of the case elsewhere: a warning, another case, a restriction, who looked, what came in, a fault."""
    await pool.execute(
        "insert into casefile.timeline (reference, key, at, kind, actor, text, data)"
        " values ($1, 'elsewhere:1', now(), 'elsewhere', 'system:redress', $2, $3)",
        told.earlier,
        f"{told.reference} promises what was found",
        {},
    )
    await pool.execute(
        "insert into casefile.incident_warnings (topic, warned_at, complaints, last) values ('XAUUSD', now(), $1, $2)",
        [told.reference, told.earlier],
        told.earlier,
    )
    until = OPENED_AT + timedelta(days=30)
    await Restrictions(pool, the_issuer().speaks_for_its_user).propose(
        told.reference, ContactForm.BY_POST, "So many calls.", until=until, by=LEAD, at=OPENED_AT
    )
    await hold(pool, load_settings(), told.reference, LEAD, "A court asks for it.", placed=True)
    async with pool.acquire() as connection:
        asked = {"subject": told.reference, "cases": [told.earlier]}
        await write_step(connection, "ER-1", "requested", NOW, str(LEAD), asked)
        await write_step(connection, "ER-1", "refused", NOW, str(LEAD), {"against": [told.reference]})
    by = Actor(id="p-9", role=Role.TEAM_LEAD)
    start = OPENED_AT - timedelta(days=1)
    await declare(pool, Store.POSTGRESQL, start, NOW, "The disk broke.", by, NOW, signed)
    await note_access(pool, Access("handler:p-9", Means.COMMAND_LINE, "show", [told.reference]))
    reply, _ = await came_in(pool, told.reference, "It was Jane Doe."), await came_in(pool, told.reference, "Hello?")
    await pool.execute(_END, reply, Ending.UNPROVEN.value, told.reference)
    await pool.execute(
        "update casefile.cases set compensation_amount = 5, compensation_currency = 'USD', revision = revision + 1"
        " where reference = $1",
        told.reference,
    )


_END = """
    with ended as (delete from intake.waiting where key = $1)
    insert into intake.endings (key, at, ending, reference) values ($1, now(), $2, $3)
"""


async def came_in(pool: "Pool", reference: str, text: str) -> str:
    """The key of something that the customer wrote to the case, and that waits."""
    said = CustomerReply(message_id="m-1", actor=CUSTOMER, text=text)
    return (await receive_message(pool, Door.PAGES, reference, said, at=NOW)).key


async def nobody_kept_out_acts_on_what_came_in(eyes: "Pool", pool: "Pool", who: str, told: Told) -> None:
    """Neither on what is for the case, nor by putting something on it."""
    by = Actor(id=who, role=Role.HANDLER)
    for one in await list_incoming(pool):
        with pytest.raises(NothingReceived):
            await replay(eyes, one.key, by=by, reason="mine")
    other = await came_in(pool, told.earlier, f"For {who}.")
    with pytest.raises(CaseNotFound):
        await replay(eyes, other, by=by, reason="mine", reference=told.reference)
    await pool.execute(_END, other, Ending.KEPT.value, told.earlier)


async def no_figure_is_opened_by_who_is_kept_out(pool: "Pool", told: Told) -> None:
    """What would be missing behind it tells of the case; the figures themselves are the same for everybody."""
    period, behind = Period.named(f"{OPENED_AT:%Y-%m}"), set()
    whole = await make_report(pool, period)
    opened = [await open_figure(pool, whole, one.key) for one in whole.figures() if one.value == 2]
    key = next(one.key for one in opened if told.reference in one.references)
    for who in (f"p-{number}" for number in range(8)):
        eyes = seen_by(pool, who)
        report = await make_report(eyes, period)
        if who in told.interested:
            with pytest.raises(NotAllowed, match="figure: you are kept out"):
                await open_figure(eyes, report, key)
        else:
            behind |= set((await open_figure(eyes, report, key)).references)
        assert report.hash == whole.hash
    assert told.reference in behind


async def closed_it_teaches_only_who_may_see_it(pool: "Pool", told: Told) -> None:
    await pool.execute(
        "update casefile.cases set closed_at = now(), revision = revision + 1 where reference = $1", told.reference
    )
    for who in (f"p-{number}" for number in range(8)):
        seen = {one.reference for one in await closed_complaints(seen_by(pool, who))}
        assert seen == (set() if who in told.interested else {told.reference})
        compared = await compare(seen_by(pool, who), PACK.id, None, PACK)
        assert {one.reference for one in compared.cases} == seen
        if not seen:
            with pytest.raises(NobodyHeld):
                await everything_of(seen_by(pool, who), "70012345")


@pytest.mark.parametrize("seed", range(3))
async def test_in_no_organisation_does_any_path_lead_whoever_is_kept_out_to_the_case(pool: "Pool", seed: int) -> None:
    told = await organised(pool, keeping(pool), random.Random(seed))  # noqa: S311 (no secret)
    await spoken_of(pool, told)
    shown: dict[str, int] = dict.fromkeys(LOOKS, 0)
    for number in range(8):
        who = f"p-{number}"
        eyes, out = seen_by(pool, who), who in told.interested
        for name, look in LOOKS.items():
            found = repr(await look(eyes, who, told.reference))
            assert not (out and told.reference in found), f"{name} shows the case to {who}"
            shown[name] += told.reference in found
        for name, read in OF_ONE.items():
            if out:
                with pytest.raises(CaseNotFound):
                    await read(eyes, told.reference)
                assert told.reference not in repr(await read(eyes, told.earlier)), name
            else:
                await read(eyes, told.reference)
        for owner in (f"p-{number}" for number in range(8)):
            theirs = repr(await get_tasks(eyes, NOW, owner=owner))
            assert not (out and told.reference in theirs), f"the tasks of {owner} show the case to {who}"
        assert (await restores_of(eyes, told.reference) == ([], [])) == out
        if out:
            await nobody_kept_out_acts_on_what_came_in(eyes, pool, who, told)
        counts = await count_worklist(eyes, who, NOW)
        assert counts.all == (1 if out else 2)
    assert {name for name, times in shown.items() if not times} <= NOT_ALWAYS
    await no_figure_is_opened_by_who_is_kept_out(pool, told)
    await closed_it_teaches_only_who_may_see_it(pool, told)

    # Nor is any of them given it or a task of it, or told of it, in whatever role.
    async with pool.acquire() as connection:
        told_of = {await addressee(connection, told.reference, PACK, Role(role), NOW) for role in STAFF}
        told_of |= {await owner_of(connection, told.reference, 10 + number, NOW) for number in range(len(TaskKind))}
    owners = {one.owner for one in await get_tasks(pool, NOW, reference=told.reference)}
    assert not (told_of | owners) & told.interested
    handler = await pool.fetchval("select handler from casefile.cases where reference = $1", told.reference)
    assert handler not in told.interested

    # Who is kept out since then is listed with no task of it, whoever looks.
    for owner in sorted(filter(None, owners)):
        assert await get_tasks(pool, NOW, owner=owner)
        await keep_out(pool, told.reference, owner, Why.NAMED)
        assert not await get_tasks(pool, NOW, owner=owner)


NO_ONE_LOOKS = {
    "starter/client/customers.py": "names no case",
    "starter/client/directory.py": "names no case",
    "starter/intake/dealer.py": "the service deals with what came in",
    "starter/intake/receiving.py": "looks for what its sender sent before",
    "starter/reading/responses.py": "a number, for the customer or a program that sees the case",
    "starter/reading/theirs.py": "customers see their own",
    "starter/reading/worklist.py": "asks casefile.kept_out_of for the person",
    "starter/reports/figures.py": "names no case",
    "starter/reports/issuing.py": "names no case",
    "starter/upkeep/questions.py": "the doctor takes it away from what it tells",
    "starter/upkeep/people_changes.py": "the service tells cases",
    "web/api/incidents.py": "a program sees its own",
    "web/desk/incidents.py": "the rules of an incident that its reader has before them",
    "web/api/progress.py": "asked by the customer of their own case, or by a program of its own",
}
"""Where the record is read, and nothing is taken away from whoever looks."""


def test_wherever_the_record_is_read_what_is_hidden_is_taken_away() -> None:
    reading = re.compile(r"(?:from|join) (?:casefile|intake|payments|reporting)\.", re.IGNORECASE)
    folders = ("starter", "web/api", "web/desk")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    read = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    unhidden = {
        name for name, text in read.items() if reading.search(text) and not re.search(r"hidden|must_see|rows_of", text)
    }
    assert unhidden == set(NO_ONE_LOOKS), "have casefile.hidden_cases() taken away, or say here why not"
