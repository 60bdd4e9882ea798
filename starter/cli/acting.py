"""Commands that act on a case: each sends one message."""

import contextlib
import hashlib
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.ground.words import Category, Circumstance, Complexity, Remedy, Severity
from starter.cli.access import read, talk
from starter.cli.evidence import evidence as evidence_group
from starter.cli.options import (
    By,
    MessageId,
    Reference,
    actor,
    money,
    one_of,
    words,
)
from starter.cli.program import Answer, app, command, invalid
from starter.reading.layout import line

_PANEL = "Act on a case"
_STDIN = " (- reads standard input)"

Attach = Annotated[
    list[str] | None,
    typer.Option(
        "--attach",
        metavar="TITLE=PLACE",
        help="Something kept elsewhere: its title, and its path or URL. A file found there is hashed. May be repeated.",
    ),
]
_Proposed = Annotated[
    str | None, typer.Option("--proposal", metavar="DIGEST", help="The proposal that is decided, as show names it.")
]
Why = Annotated[str, typer.Option("--reason", help=f"Why{_STDIN}.")]
Outcome = Annotated[str, typer.Option("--outcome", metavar="OUTCOME", help="upheld, partly_upheld or not_upheld.")]
Amount = Annotated[
    str | None, typer.Option("--amount", metavar="MONEY", help='Compensation for the loss, such as "USD 1234.50".')
]
AsFound = Annotated[
    bool, typer.Option("--as-found", help="Compensation for the loss is what the findings come to, with interest.")
]
Distress = Annotated[
    str | None,
    typer.Option(
        "--distress",
        metavar="MONEY=REASON",
        help='On top, for distress and inconvenience, such as "USD 150=weeks without the rent".',
    ),
]
Goodwill = Annotated[
    str | None, typer.Option("--goodwill", metavar="MONEY=REASON", help="On top, as a gesture of goodwill.")
]
Remedies = Annotated[
    list[str] | None, typer.Option("--remedy", metavar="REMEDY", help=f"{', '.join(Remedy)}. May be repeated.")
]
Trades = Annotated[
    list[str] | None, typer.Option("--trade", metavar="ID", help="An order, fill or position. May be repeated.")
]


OfResponse = Annotated[
    int | None,
    typer.Option("--response", help="The number of the final response they have read; of another nothing counts."),
]


@command(app, "reply", panel=_PANEL)
def reply(
    *,
    reference: Reference,
    intent: Annotated[
        str, typer.Option("--intent", metavar="INTENT", help="information, accept, dispute or progress.")
    ] = "information",
    text: Annotated[str | None, typer.Option("--text", help=f"What the customer says{_STDIN}.")] = None,
    attach: Attach = None,
    trade: Trades = None,
    response: OfResponse = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Pass on what the customer says, or their answer to the final response."""
    return send(
        "customer_reply",
        reference,
        by,
        message_id,
        intent=intent,
        text=words(text, "--text"),
        attachments=_attachments(attach),
        trades=trade,
        response=response,
    )


@command(app, "escalate", panel=_PANEL)
def escalate(
    *,
    reference: Reference,
    reason: Why,
    level: Annotated[int | None, typer.Option("--level", help="The level to raise it to; otherwise one up.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Raise the case on the escalation ladder of its policy pack."""
    return send("escalate", reference, by, message_id, reason=words(reason, "--reason"), level=level)


@command(app, "assign", panel=_PANEL)
def assign(
    *,
    reference: Reference,
    handler: Annotated[str, typer.Argument(metavar="HANDLER", help="The handler's id, such as h-17.")],
    team: Annotated[str | None, typer.Option("--team", help="Another team as well.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Give the case to a handler."""
    return send("assign", reference, by, message_id, handler=handler, team=team)


@command(app, "reclassify", panel=_PANEL)
def reclassify(
    *,
    reference: Reference,
    reason: Why,
    category: Annotated[Category | None, typer.Option("--category")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity")] = None,
    complexity: Annotated[
        Complexity | None, typer.Option("--complexity", help="A statutory clock follows only to an earlier end.")
    ] = None,
    in_scope: Annotated[
        bool | None, typer.Option("--in-scope/--not-ours", help="Not ours: a referral is drafted.")
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Correct category, severity, complexity or scope."""
    return send(
        "reclassify",
        reference,
        by,
        message_id,
        reason=words(reason, "--reason"),
        category=category,
        severity=severity,
        complexity=complexity,
        in_scope=in_scope,
    )


@command(evidence_group, "add")
def evidence(
    *,
    reference: Reference,
    note: Annotated[str, typer.Option("--note", help=f"What it shows{_STDIN}.")],
    attach: Attach = None,
    trade: Trades = None,
    account: Annotated[str | None, typer.Option("--account", help="The account that it is about.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Put evidence into the case file; trades named are investigated."""
    return send(
        "add_evidence",
        reference,
        by,
        message_id,
        note=words(note, "--note"),
        attachments=_attachments(attach),
        trades=trade,
        account=account,
    )


@command(app, "request-info", panel=_PANEL)
def request_info(
    *,
    reference: Reference,
    questions: Annotated[str, typer.Option("--questions", help=f"In the customer's language{_STDIN}.")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Ask the customer for missing facts, by letter."""
    return send("request_information", reference, by, message_id, questions=words(questions, "--questions"))


@command(app, "propose", panel=_PANEL)
def propose(
    *,
    reference: Reference,
    draft: Annotated[bool, typer.Option("--draft", help="Propose the case's draft as it stands; see show.")] = False,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="OUTCOME", help="upheld, partly_upheld or not_upheld.")
    ] = None,
    reasons: Annotated[
        str | None, typer.Option("--reasons", help=f"For the final response, in the customer's language{_STDIN}.")
    ] = None,
    claimed: Annotated[str | None, typer.Option("--claimed", help="In place of --reasons: what was claimed;")] = None,
    looked_at: Annotated[str | None, typer.Option("--looked-at", help="what was looked at;")] = None,
    found: Annotated[str | None, typer.Option("--found", help="and what was found. A no needs all three.")] = None,
    amount: Amount = None,
    as_found: AsFound = False,
    distress: Distress = None,
    goodwill: Goodwill = None,
    remedy: Remedies = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Propose a resolution: the draft, or another one. It says who has to approve it."""
    from domain.case.reasons import reasons_of

    awards = _awards(distress=distress, goodwill=goodwill)
    if draft:
        if outcome or reasons or amount or as_found or awards or remedy:
            invalid("--draft", "it is proposed as it stands; leave out what else you give, or --draft")
        return _propose_draft(reference, by, message_id)
    if reasons is None and (claimed or looked_at or found):
        reasons = reasons_of(claimed or "", looked_at or "", found or "")
    if outcome is None or reasons is None:
        invalid("--outcome" if outcome is None else "--reasons", "give it, or --draft for the case's draft")
    resolution = _resolution(outcome, reasons, amount, remedy, as_found=as_found, awards=awards)
    return send("propose_resolution", reference, by, message_id, **resolution)


@command(app, "resolve-early", panel=_PANEL)
def resolve_early(
    *,
    reference: Reference,
    outcome: Outcome,
    reasons: Annotated[str, typer.Option("--reasons", help=f"What was settled, in the customer's language{_STDIN}.")],
    told: Annotated[str, typer.Option("--told", help="How the customer said that it is settled, in a sentence.")],
    amount: Amount = None,
    as_found: AsFound = False,
    distress: Distress = None,
    goodwill: Goodwill = None,
    remedy: Remedies = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """End the case with a summary letter: the customer regards it as settled, within the pack's time for that."""
    awards = _awards(distress=distress, goodwill=goodwill)
    resolution = _resolution(outcome, reasons, amount, remedy, as_found=as_found, awards=awards)
    return send("resolve_early", reference, by, message_id, told=told, **resolution)


@command(app, "extend", panel=_PANEL)
def extend(
    *,
    reference: Reference,
    clock: Annotated[str, typer.Option("--clock", metavar="NAME", help="The clock, as in the policy pack.")],
    extension: Annotated[str, typer.Option("--extension", metavar="NAME", help="The clock's extension of that name.")],
    reasons: Annotated[str, typer.Option("--reasons", help=f"For the letter, in the customer's language{_STDIN}.")],
    circumstance: Annotated[
        Circumstance | None,
        typer.Option("--circumstance", help="What sort of reasons these are, where the rule takes only some."),
    ] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Approve an extension that the policy pack allows; it counts once the customer has been told by letter."""
    granted = {"clock": clock, "extension": extension, "circumstance": circumstance}
    return send("extend_deadline", reference, by, message_id, **granted, reasons=words(reasons, "--reasons"))


@command(app, "approve", panel=_PANEL)
def approve(
    *,
    reference: Reference,
    proposal: _Proposed = None,
    reasons: Annotated[str | None, typer.Option("--reasons", help=f"For the file{_STDIN}.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Approve the proposal, as a second person."""
    return _decide("approve", reference, reasons, proposal=proposal, by=by, message_id=message_id)


@command(app, "return", panel=_PANEL)
def return_(
    *,
    reference: Reference,
    reasons: Annotated[str, typer.Option("--reasons", help=f"What is to be changed{_STDIN}.")],
    proposal: _Proposed = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Return the proposal with reasons, as a second person."""
    return _decide("return", reference, reasons, proposal=proposal, by=by, message_id=message_id)


@command(app, "feedback", panel=_PANEL)
def feedback(
    *,
    reference: Reference,
    score: Annotated[int, typer.Argument(metavar="SCORE", help="1 (not satisfied at all) to 5.")],
    comment: Annotated[str | None, typer.Option("--comment", help=f"In the customer's words{_STDIN}.")] = None,
    response: OfResponse = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Record how satisfied the customer is."""
    said = words(comment, "--comment")
    return send("record_feedback", reference, by, message_id, score=score, comment=said, response=response)


@command(app, "withdraw", panel=_PANEL)
def withdraw(
    *,
    reference: Reference,
    reason: Annotated[str, typer.Option("--reason", help=f"How the customer told it, in a sentence{_STDIN}.")],
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """End the case today: the customer takes the complaint back."""
    return send("withdraw", reference, by, message_id, reason=words(reason, "--reason"))


@command(app, "reopen", panel=_PANEL)
def reopen(
    *,
    reference: Reference,
    reason: Why,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Take the case up again, within its follow-up window."""
    return send("reopen", reference, by, message_id, reason=words(reason, "--reason"))


@command(app, "contact", panel=_PANEL)
def contact(
    *,
    reference: Reference,
    email: Annotated[str | None, typer.Option("--email")] = None,
    phone: Annotated[str | None, typer.Option("--phone")] = None,
    by_post: Annotated[
        bool, typer.Option("--by-post", help="Remove the e-mail address: letters wait in the outbox to be posted.")
    ] = False,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Correct the customer's address; letters not yet delivered go to the new one."""
    return send("correct_contact", reference, by, message_id, email=email, phone=phone, by_post=by_post or None)


@command(app, "channel", panel=_PANEL)
def channel(
    *,
    reference: Reference,
    way: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="email, post or message (to their telephone).")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", help="Of the letters: zh-CN or en.")] = None,
    by: By = None,
    message_id: MessageId = None,
) -> Answer:
    """Say how the customer wants to be written to in this case, and in which language."""
    return send("choose_channel", reference, by, message_id, channel=way, language=language)


def send(name: str, reference: str, by: str | None, message_id: str | None, **fields: Any) -> Answer:
    """Send the message *name*; what is checked here is checked before anything is connected to."""
    from domain.case.messages.outside import RecordReferral
    from domain.case.messages.table import SIGNALS, UPDATES
    from domain.ground.reference import parse_reference

    reference = parse_reference(reference)
    kind = next(kind for kind in (*SIGNALS, *UPDATES) if kind.name == name)
    given = {field: value for field, value in fields.items() if value is not None}
    message = kind.model_validate({"message_id": message_id or str(uuid.uuid4()), "actor": actor(by), **given})

    from starter.client.conversation import NotAnswered

    if message.actor.role.is_staff:
        _must_not_be_hidden(reference, message.actor.person)
    if kind is RecordReferral:  # a closed case goes on with it: asked first, for of none a workflow could but fail
        from starter.reading.database import must_see

        read(lambda pool: must_see(pool, reference))
    try:
        receipt = talk(lambda complaints: complaints.send(reference, message))
    except NotAnswered as error:
        raise NotAnswered(f"{error}; it may still count, so repeat it with --message-id {message.message_id}") from None
    if receipt is None:
        data = {"reference": reference, "message": name, "message_id": message.message_id, "sent": True}
        return Answer(data, [line(f"{reference}: {name} is sent. See: redress timeline {reference}")])
    return Answer(receipt, [line(f"{reference}: {receipt.noted} (stage {receipt.stage.value})")])


def _must_not_be_hidden(reference: str, person: str) -> None:
    """Raise ``CaseNotFound`` to who is kept out of the case, as where there is none; without the record, go on."""
    from runtime.database import seen_by
    from runtime.postgres import DatabaseUnavailable
    from starter.reading.database import must_not_be_hidden

    with contextlib.suppress(DatabaseUnavailable):  # a signal reaches the case all the same
        read(lambda pool: must_not_be_hidden(seen_by(pool, person), reference))


def _propose_draft(reference: str, by: str | None, message_id: str | None) -> Answer:
    from domain.ground.messages import NotAllowed
    from domain.ground.reference import parse_reference

    known = parse_reference(reference)
    actor(by)
    draft = talk(lambda complaints: complaints.status(known)).draft
    if draft is None:
        raise NotAllowed(f"--draft: {known} has no draft that waits; redress show {known} says how it stands")
    return send("propose_draft", known, by, message_id, draft=draft)


def _decide(decision: str, reference: str, reasons: str | None, **said: str | None) -> Answer:
    text = words(reasons, "--reasons")
    return send("decide_resolution", reference, decision=decision, reasons=text, **said)


def _resolution(
    outcome: str,
    reasons: str,
    amount: str | None,
    remedy: list[str] | None,
    *,
    as_found: bool,
    awards: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    """The fields that a proposal and an early resolution have in common."""
    return {
        "outcome": outcome,
        "compensation": None if amount is None else money(amount, "--amount"),
        "as_found": as_found or None,
        "awards": awards,
        "remedies": [one_of(Remedy, name, "--remedy") for name in remedy] if remedy else None,
        "reasons": words(reasons, "--reasons"),
    }


def _awards(**given: str | None) -> list[dict[str, Any]] | None:
    """What ``MONEY=REASON`` stands for, by kind."""
    awards = []
    for kind, text in given.items():
        if text is None:
            continue
        amount, equals, reason = text.partition("=")
        if not (equals and reason.strip()):
            invalid(f"--{kind}", 'it must be MONEY=REASON, such as "USD 150=weeks without the rent"')
        awards.append({"kind": kind, "amount": money(amount, f"--{kind}"), "reason": reason})
    return awards or None


def _attachments(given: list[str] | None) -> list[dict[str, str]] | None:
    """What ``TITLE=PLACE`` stands for, with the SHA-256 of files that are there."""
    attachments = []
    for text in given or ():
        title, equals, place = text.partition("=")
        if not equals:
            invalid("--attach", "it must be TITLE=PLACE, such as Screenshot=https://files.example.com/1.png")
        attachment = {"title": title, "location": place}
        with contextlib.suppress(OSError, ValueError):  # a URL, or a place that another machine knows
            attachment["sha256"] = hashlib.sha256(Path(place).read_bytes()).hexdigest()
        attachments.append(attachment)
    return attachments or None
