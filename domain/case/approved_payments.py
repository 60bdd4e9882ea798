"""What a payment rests on: who chose its account, had it tried again, or told what became of it, by the record."""

from domain.case.approval import CaseRecord, NotApproved, NotYetRecorded, actor_of, check_not_kept_out, says
from domain.case.paying import check_second_person
from domain.ground.base import person_of
from domain.ground.people import Actor
from domain.ground.timeline import Entry
from domain.ground.words import PaymentState, Role


def payee_of(record: CaseRecord) -> str | None:
    """The account to pay to: the case's, or the last that a second person chose. Raises :class:`NotApproved`."""
    payee = record.account
    for entry in record.entries:
        if says(entry, "retry_payment", "payee") and entry.data["payee"] != payee:
            record.check_proven(entry)
            _check_second_person(record, entry, "choose another account")
            payee = entry.data["payee"]
    return payee


def check_paid_again(record: CaseRecord, said_by: str) -> None:
    """Raise :class:`NotApproved` unless a payment may follow one that ended without paying, as *said_by* said.

    Since then somebody must have had it tried again, and nobody who told by hand that it did not happen or came back.
    Whoever had an earlier payment tried again is nobody here: :class:`NotYetRecorded`, as long as nobody else has.
    """
    told = [at for at, entry in enumerate(record.entries) if (entry.kind, entry.actor) == ("report_payment", said_by)]
    since = record.entries[told[-1] + 1 :] if told else record.entries
    retries = [entry for entry in since if entry.kind == "retry_payment"]
    if not retries:
        raise NotYetRecorded("the last payment did not happen or came back, and nobody has had it paid again")
    record.check_proven(retries[-1])
    person, again = said_by.partition(":")[2], actor_of(retries[-1])
    if not said_by.startswith("rail:") and person_of(person) == again.person:
        raise NotApproved(f"{retries[-1].key}: who reported what became of the payment had it paid again")


def check_reported(record: CaseRecord, actor: Actor, state: PaymentState, bank_reference: str | None) -> None:
    """Raise unless it stands in the record that *actor*, who may, reported that of a payment."""
    for entry in record.entries:
        said = entry.data
        if entry.kind != "report_payment" or (entry.actor, said.get("state")) != (str(actor), state.value):
            continue
        if said.get("bank_reference") != bank_reference:
            continue
        record.check_proven(entry)
        if state is not PaymentState.REVERSED or actor.role is not Role.SERVICE:
            _check_second_person(record, entry, f"report a payment as {state.value}")
        return
    raise NotYetRecorded(f"the case file has no report by {actor} of a payment as {state.value}")


def _check_second_person(record: CaseRecord, entry: Entry, what: str) -> None:
    case = record.as_of(int(entry.data.get("round", 1)) + 1, entry)
    try:
        check_second_person(case, actor_of(entry), what)
    except ValueError as error:
        raise NotApproved(f"{entry.key}: {error}") from None
    check_not_kept_out(record, entry)
