"""The checker of the trial can fail: a sound record is doctored, and each time it names what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.keys.personal import Row, in_timeline
from trial.checker import check
from trial.driver import Receipt
from trial.evidence import Evidence, Workflow
from trial.receivers import Letter
from trial.report import Report

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASE = "RD-AAAA-BBBB-CCCCC"
INCIDENT = "RI-AAAA-BBBB-CCCCC"

SOUND = """
    set session_replication_role = replica;
    insert into casefile.policy_packs (hash, id, version, content, pinned_at) values ('pack', 'pack', '1',
        '{"decision": {"rule_limits": {"USD": 5}, "approval": [{"role": "team_lead", "limits": {"USD": 8}},
            {"role": "approver", "limits": {"USD": 100}}, {"role": "executive"}]}}', '2026-03-02 10:00Z');
    insert into casefile.cases (reference, source, idempotency_key, received_at, opened_at, language, channel,
        complaint, policy_hash, revision, stage, stage_since, in_scope, repeat, escalation_level, outcome,
        compensation_amount, compensation_currency, breached, closed_at)
    values ('RD-AAAA-BBBB-CCCCC', 'trial', '1', '2026-03-02 10:00Z', '2026-03-02 10:00Z', 'en',
        'web', '{"source": "trial", "idempotency_key": "1"}', 'pack', 9, 'closed',
        '2026-03-02 11:00Z', true, false, 1, 'upheld', 10, 'USD', true, '2026-03-02 11:00Z');
    insert into casefile.timeline (reference, key, at, kind, actor, text, data)
    select 'RD-AAAA-BBBB-CCCCC', key, '2026-03-02 10:30Z', kind, actor, 'RI-AAAA-BBBB-CCCCC closed', data::jsonb
    from (values
        ('received', 'received', 'system:redress', '{}'),
        ('stage:1:acknowledged', 'stage', 'system:redress', '{}'),
        ('customer_reply:1', 'customer_reply', 'customer:c', '{"text": "t1x1x1e"}'),
        ('rejected:3', 'rejected', 'system:redress', '{}'),
        ('breach:4', 'breach', 'system:redress', '{"clock": "response", "number": 1}'),
        ('assign:5', 'assign', 'team_lead:tl-2', '{"handler": "t1x1x3e"}'),
        ('propose_resolution:6', 'propose_resolution', 'handler:h-17', '{"round": 1}'),
        ('decide_resolution:7', 'decide_resolution', 'approver:a-3', '{"round": 1, "decision": "approve"}'),
        ('incident:8', 'incident', 'system:redress', '{}'),
        ('stage:2:closed', 'stage', 'system:redress', '{}')) as entry (key, kind, actor, data);
    insert into casefile.rejected_messages (reference, key, at, name, reason, payload)
    values ('RD-AAAA-BBBB-CCCCC', 'rejected:2', '2026-03-02 10:30Z', 'customer_reply', 'no JSON', '["t1x1x2e"]');
    insert into casefile.deadlines (reference, clock, number, rung, statutory, started_at, due, clock_due, actions, how)
    values
        ('RD-AAAA-BBBB-CCCCC', 'acknowledgement', 1, 'due', false, '2026-03-02 10:00Z', '2026-03-02 10:20Z',
            '2026-03-02 10:20Z', '{breach}', ''),
        ('RD-AAAA-BBBB-CCCCC', 'response', 1, 'due', false, '2026-03-02 10:00Z', '2026-03-02 10:30Z',
            '2026-03-02 10:30Z', '{breach}', ''),
        ('RD-AAAA-BBBB-CCCCC', 'progress', 1, 'due', false, '2026-03-02 10:00Z', '2026-03-02 10:30Z',
            '2026-03-02 10:30Z', '{warn}', '');
    insert into casefile.satisfactions (reference, clock, number, by_event, by_number, at, replaced)
    values ('RD-AAAA-BBBB-CCCCC', 'acknowledgement', 1, 'acknowledged', 2, '2026-03-02 10:10Z', false),
        ('RD-AAAA-BBBB-CCCCC', 'response', 1, 'responded', 3, '2026-03-02 10:40Z', false);
    insert into casefile.firings (reference, clock, number, rung, due, fired_at, breach)
    values ('RD-AAAA-BBBB-CCCCC', 'response', 1, 'due', '2026-03-02 10:30Z', '2026-03-02 10:30:01Z', true),
        ('RD-AAAA-BBBB-CCCCC', 'progress', 1, 'due', '2026-03-02 10:30Z', '2026-03-02 10:30:01Z', false);
    insert into casefile.letters (key, reference, number, kind, language, subject, body, message_id, rendered_at)
    values ('RD-AAAA-BBBB-CCCCC:letter:acknowledgement', 'RD-AAAA-BBBB-CCCCC', 2, 'acknowledgement', 'en', '', '',
        '<1@example.com>', '2026-03-02 10:10Z');
    insert into casefile.letter_attempts (key, at, channel, outcome)
    values ('RD-AAAA-BBBB-CCCCC:letter:acknowledgement', '2026-03-02 10:10Z', 'email', 'accepted');
    insert into casefile.postings (key, reference, number, amount, currency, posted_at, kind, rail, decision)
    values
        ('RD-AAAA-BBBB-CCCCC:compensation:1', 'RD-AAAA-BBBB-CCCCC', 4, 10, 'USD', '2026-03-02 10:50Z', 'award', 'r',
            'decide_resolution:7'),
        ('RD-AAAA-BBBB-CCCCC:payment:1:1', 'RD-AAAA-BBBB-CCCCC', 5, 10, 'USD', '2026-03-02 10:51Z', 'payment', 'r',
            null);
    insert into casefile.ledger_entries (posting_key, account, amount, currency)
    values ('RD-AAAA-BBBB-CCCCC:compensation:1', 'expense:redress', 10, 'USD'),
        ('RD-AAAA-BBBB-CCCCC:compensation:1', 'liability:customer:RD-AAAA-BBBB-CCCCC', -10, 'USD'),
        ('RD-AAAA-BBBB-CCCCC:payment:1:1', 'liability:customer:RD-AAAA-BBBB-CCCCC', 10, 'USD'),
        ('RD-AAAA-BBBB-CCCCC:payment:1:1', 'cash:r', -10, 'USD');
    insert into casefile.incidents
        (reference, opened_at, opened_by, kind, symbol, since, until, opened, policy_hash, stage)
    values ('RI-AAAA-BBBB-CCCCC', '2026-03-02 10:00Z', 'handler:h-17', 'quote', 'XAUUSD', '2026-03-02 09:00Z',
        '2026-03-02 09:01Z', '{}', 'pack', 'closed');
    insert into casefile.incident_timeline (reference, key, at, kind, actor, text, data) values
        ('RI-AAAA-BBBB-CCCCC', 'opened:1', '2026-03-02 10:00Z', 'opened', 'handler:h-17', '', '{}'),
        ('RI-AAAA-BBBB-CCCCC', 'decide_incident:2', '2026-03-02 10:01Z', 'decide_incident', 'approver:a-3', '',
            '{"decision": "approve", "cohort": "abcdef123456", "reasons": "t1x9x1e"}');
    insert into casefile.cohort_members
        (reference, number, account, state, amount, currency, doubtful, hash, trades, findings)
    values ('RI-AAAA-BBBB-CCCCC', 1, '7', 'harmed', 40, 'USD', false, 'a', '{}', '[]');
    insert into casefile.cohorts (reference, number, hash, listed_at, summary)
    values ('RI-AAAA-BBBB-CCCCC', 1, 'abcdef1234567890', '2026-03-02 10:01Z', '{}');
    insert into casefile.incident_results (reference, account, at, posting_key)
    values ('RI-AAAA-BBBB-CCCCC', '7', '2026-03-02 10:02Z', 'RI-AAAA-BBBB-CCCCC:compensation:7');
    insert into casefile.postings (key, incident, account, number, amount, currency, posted_at, kind, rail, decision)
    values ('RI-AAAA-BBBB-CCCCC:compensation:7', 'RI-AAAA-BBBB-CCCCC', '7', 1, 40, 'USD', '2026-03-02 10:02Z', 'award',
            'r', 'decide_incident:2'),
        ('RI-AAAA-BBBB-CCCCC:payment:7', 'RI-AAAA-BBBB-CCCCC', '7', 1, 40, 'USD', '2026-03-02 10:02Z', 'payment', 'r',
            null);
    insert into casefile.ledger_entries (posting_key, account, amount, currency)
    values ('RI-AAAA-BBBB-CCCCC:compensation:7', 'expense:redress', 40, 'USD'),
        ('RI-AAAA-BBBB-CCCCC:compensation:7', 'liability:customer:7', -40, 'USD'),
        ('RI-AAAA-BBBB-CCCCC:payment:7', 'liability:customer:7', 40, 'USD'),
        ('RI-AAAA-BBBB-CCCCC:payment:7', 'cash:r', -40, 'USD');
    insert into casefile.incident_letters (key, reference, account, language, subject, body, message_id, rendered_at)
    values ('RI-AAAA-BBBB-CCCCC:letter:7', 'RI-AAAA-BBBB-CCCCC', '7', 'en', '', '', '<2@example.com>',
        '2026-03-02 10:03Z');
    insert into casefile.incident_letter_attempts (key, at, channel, outcome, detail)
    values ('RI-AAAA-BBBB-CCCCC:letter:7', '2026-03-02 10:03Z', 'post', 'accepted', '');
    insert into casefile.incident_cases (reference, incident, at)
    values ('RD-AAAA-BBBB-CCCCC', 'RI-AAAA-BBBB-CCCCC', '2026-03-02 10:00Z');
    insert into payments.orders (key, reference, payee, amount, currency, rail, ordered_at)
    values ('RD-AAAA-BBBB-CCCCC:payment:1:1', 'RD-AAAA-BBBB-CCCCC', '1', 10, 'USD', 'r', '2026-03-02 10:50Z');
"""


def receipt(what: Any, token: str, name: str = "customer_reply") -> Receipt:
    return Receipt(what=what, name=name, reference=CASE, token=token, at=NOW)


def sound() -> Evidence:
    """What goes with the sound record."""
    return Evidence(
        receipts=[
            receipt("submission", "t1x1x0e", "first"),
            receipt("signal", "t1x1x1e"),
            receipt("signal", "t1x1x2e", "broken-json"),
            receipt("update", "t1x1x3e", "assign"),
            receipt("incident", "t1x9x0e", "open").model_copy(update={"reference": INCIDENT}),
            receipt("update", "t1x9x1e", "approve").model_copy(update={"reference": INCIDENT}),
        ],
        letters=[Letter("<1@example.com>", CASE, "customer@example.com", said=True, begun=NOW)],
        payments={f"{CASE}:payment:1:1": {"amount": "10", "currency": "USD", "reference": CASE, "paid": True}},
        workflows=[Workflow(CASE, "Complaint", "COMPLETED")],
        rail=True,
    )


async def found(pool: "asyncpg.Pool[asyncpg.Record]", doctored: str = "", evidence: Evidence | None = None) -> Report:
    async with pool.acquire() as connection:
        await connection.execute(SOUND)
        for table in ("casefile.timeline", "casefile.incident_timeline"):  # sealed, as the service writes them
            rows = await connection.fetch(f"select id, reference, key, kind, text, data from {table}")  # noqa: S608
            told = [
                (id_, *in_timeline(Row(table, reference, f"{reference}/{key}"), *entry))
                for id_, reference, key, *entry in rows
            ]
            await connection.executemany(f"update {table} set text = $2, data = $3 where id = $1", told)  # noqa: S608
        await connection.execute(doctored or "select")
        await connection.execute("set session_replication_role = origin")
    return await check(pool, evidence or sound(), now=NOW)


async def test_a_sound_record_has_no_violation(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    report = await found(pool)
    assert not report.violations
    assert report.repeated == 0


@pytest.mark.parametrize(
    ("doctored", "kind"),
    [
        ("delete from casefile.cases", "submission lost"),
        (
            "insert into casefile.cases select (jsonb_populate_record(null::casefile.cases, to_jsonb(c)"
            """ || '{"reference": "RD-ZZZZ", "idempotency_key": "2"}')).* from casefile.cases c""",
            "case doubled",
        ),
        ("update casefile.cases set reference = 'RD-OTHER'", "case of nobody"),
        ("delete from casefile.timeline where key = 'customer_reply:1'", "message lost"),
        ("delete from casefile.rejected_messages", "message lost"),
        ("delete from casefile.timeline where kind = 'assign'", "message lost"),
        (
            "insert into casefile.rejected_messages values"
            " ('RD-AAAA-BBBB-CCCCC', 'rejected:7', now(), 'x', 'y', 't1x1x1e')",
            "message doubled",
        ),
        (
            "alter table casefile.timeline drop constraint sealed_for;"
            " update casefile.timeline set reference = 'RD-OTHER' where kind = 'assign'",
            "message misfiled",
        ),
        ("delete from casefile.timeline where key = 'rejected:3'", "timeline gap"),
        ("delete from casefile.timeline where key = 'stage:1:acknowledged'", "timeline gap"),
        (
            "insert into casefile.timeline (reference, key, at, kind, actor, text) values"
            " ('RD-AAAA-BBBB-CCCCC', 'stage:2:responded', now(), 'stage', 'system:redress', 'responded')",
            "timeline doubled",
        ),
        ("delete from casefile.firings where clock = 'response'", "breach vanished"),
        (
            "delete from casefile.firings where clock = 'progress'; update casefile.cases set closed_at = null",
            "rung lost",
        ),
        ("delete from casefile.timeline where kind = 'breach'", "breach vanished"),
        ("update casefile.cases set breached = false", "breach vanished"),
        ("delete from casefile.satisfactions where clock = 'acknowledgement'", "breach vanished"),
        (
            "insert into casefile.firings (reference, clock, number, rung, due, fired_at, breach) values"
            " ('RD-AAAA-BBBB-CCCCC', 'acknowledgement', 1, 'due', '2026-03-02 10:20Z', '2026-03-02 10:20Z', true)",
            "false breach",
        ),
        (
            "alter table casefile.firings drop constraint firings_pkey; insert into casefile.firings"
            " (reference, clock, number, rung, due, fired_at, breach)"
            " select reference, clock, number, rung, due, fired_at, breach from casefile.firings",
            "rung fired twice",
        ),
        ("delete from casefile.letter_attempts", "letter lost"),
        (
            "drop index casefile.letter_accepted_once; insert into casefile.letter_attempts (key, at, channel, outcome)"
            " select key, at, channel, outcome from casefile.letter_attempts",
            "letter doubled",
        ),
        ("delete from casefile.letters; delete from casefile.letter_attempts", "letter of nobody"),
        ("delete from casefile.postings where kind = 'award'", "sums differ"),
        ("delete from casefile.postings where kind = 'payment'", "payment differs"),
        (
            "insert into casefile.postings (key, reference, number, amount, currency, posted_at, kind) values"
            " ('RD-AAAA-BBBB-CCCCC:again:1', 'RD-AAAA-BBBB-CCCCC', 7, 10, 'USD', now(), 'award')",
            "award doubled",
        ),
        ("delete from casefile.timeline where kind = 'propose_resolution'", "award of nobody"),
        ("delete from casefile.timeline where kind = 'decide_resolution'", "award of nobody"),
        (
            "update casefile.postings set decision = 'propose_resolution:6' where reference is not null",
            "beyond the limit",
        ),
        ("update casefile.timeline set actor = 'approver:H-17' where kind = 'decide_resolution'", "not two persons"),
        ("update casefile.timeline set actor = 'team_lead:tl-2' where kind = 'decide_resolution'", "beyond the limit"),
        ("update casefile.timeline set actor = 'customer:c' where kind = 'decide_resolution'", "beyond the limit"),
        (
            """update casefile.timeline set data = '{"round": 2, "decision": "approve"}'"""
            " where kind = 'decide_resolution'",
            "award of nobody",
        ),
        ("delete from casefile.incident_timeline; delete from casefile.incidents", "incident lost"),
        ("update casefile.incidents set reference = 'RI-OTHER'", "incident of nobody"),
        ("delete from casefile.incident_timeline where kind = 'decide_incident'", "message lost"),
        ("delete from casefile.incident_timeline where kind = 'decide_incident'", "award of nobody"),
        ("update casefile.incident_timeline set actor = 'executive:H-17'", "not two persons"),
        ("update casefile.incident_timeline set actor = 'team_lead:tl-2'", "beyond the limit"),
        ("update casefile.cohorts set hash = 'fedcba'", "award of nobody"),
        ("update casefile.cohort_members set amount = 30", "award beyond the list"),
        ("delete from casefile.incident_results", "account left out"),
        ("delete from casefile.incident_letters", "account untold"),
        ("delete from casefile.postings where key = 'RI-AAAA-BBBB-CCCCC:payment:7'", "sums differ"),
        (
            "delete from casefile.timeline where kind = 'incident'; update casefile.cases set closed_at = now()",
            "complaint untold",
        ),
        ("delete from casefile.ledger_entries where account = 'expense:redress'", "posting unbalanced"),
        ("update casefile.cases set compensation_amount = 11", "sums differ"),
        ("delete from payments.orders", "payment of nobody"),
        (
            "insert into casefile.events (reference, number, event, at) values"
            " ('RD-AAAA-BBBB-CCCCC', 2, 'answered', '2026-03-02 10:40Z')",
            "number doubled",
        ),
        ("update casefile.cases set closed_at = null", "case without a workflow"),
    ],
)
async def test_a_doctored_record_is_found_out(pool: "asyncpg.Pool[asyncpg.Record]", doctored: str, kind: str) -> None:
    report = await found(pool, doctored)
    assert kind in {violation.kind for violation in report.violations}


@pytest.mark.parametrize(("outcome", "lost"), [("withdrawn", 0), ("referred", 0), ("upheld", 1)])
async def test_a_letter_that_is_said_to_be_of_no_use_is_lost_but_where_the_customer_withdrew_or_it_is_not_ours(
    pool: "asyncpg.Pool[asyncpg.Record]", outcome: str, lost: int
) -> None:
    doctored = f"""
        delete from casefile.letter_attempts;
        update casefile.cases set outcome = '{outcome}';
        insert into casefile.timeline (reference, key, at, kind, actor, text) values
            ('RD-AAAA-BBBB-CCCCC', 'given_up:9', now(), 'given_up', 'system:redress',
            'letter acknowledgement: it is of no use any more')
    """  # noqa: S608
    report = await found(pool, doctored)
    assert sum(one.kind == "letter lost" for one in report.violations) == lost


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda e: replace(e, letters=[]), "letter lost"),
        (lambda e: replace(e, payments={}), "payment differs"),
        (
            lambda e: replace(e, payments={**e.payments, "other": {"amount": "5", "paid": True, "reference": CASE}}),
            "payment of nobody",
        ),
        (lambda e: replace(e, workflows=[Workflow(CASE, "Complaint", "FAILED")]), "workflow failed"),
        (lambda e: replace(e, workflows=[Workflow(CASE, "Complaint", "RUNNING", attempt=4)]), "workflow stuck"),
        (lambda e: replace(e, unreplayable=[(CASE, "TMPRL1100")]), "history that does not replay"),
        (lambda e: replace(e, receipts=[*e.receipts, receipt("signal", "t1x1x9e")]), "message lost"),
        (lambda e: replace(e, receipts=[*e.receipts, receipt("signal", "t", "no-argument")]), "message lost"),
    ],
)
async def test_what_the_world_outside_knows_better_is_found_out(
    pool: "asyncpg.Pool[asyncpg.Record]", change: Callable[[Evidence], Evidence], kind: str
) -> None:
    report = await found(pool, evidence=change(sound()))
    assert kind in {violation.kind for violation in report.violations}


async def test_a_letter_that_came_twice_in_the_window_of_smtp_is_counted_and_told_apart(
    pool: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    letters = [replace_said(sound().letters[0]), *sound().letters]
    report = await found(pool, evidence=replace(sound(), letters=letters))
    assert not report.violations
    assert (report.repeated, report.unsaid) == (1, 1)


def replace_said(letter: Letter) -> Letter:
    return letter._replace(said=False, begun=letter.begun - timedelta(seconds=5))
