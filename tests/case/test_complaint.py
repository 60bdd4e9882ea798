"""Complaints and messages as others send them: read leniently where it is safe, refused with the field where not."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.case.complaint import Channel, Complaint, explain
from domain.case.messages.evidence import AddEvidence
from domain.case.messages.handling import CorrectContact, Reclassify
from domain.case.messages.signals import CustomerReply
from domain.case.messages.table import SIGNALS, UPDATES
from domain.ground.base import clean_or_empty
from domain.ground.messages import Message
from domain.ground.words import Remedy
from domain.money.amounts import PositiveMoney, minor_digits
from domain.money.currencies import DIGITS, NO_CURRENCY
from tests.reasons import a_no

SECRET = "Geheimnis"
"""Stands for what a customer sends and no error message may repeat."""

SENT: dict[str, Any] = {
    "source": "web",
    "idempotency_key": "k-1",
    "received_at": "2026-03-02T18:00:00+08:00",
    "channel": "web",
    "language": "en",
    "complainant": {"name": "The complainant", "email": "complainant@example.com", "phone": "+852 5550 0000"},
    "description": "It is wrong.",
}
FULL: dict[str, Any] = {
    **SENT,
    "account": "70012345",
    "product": "XAUUSD",
    "about": "Example Bullion",
    "subject": "Stop-out",
    "occurred_from": "2026-03-01T10:00:00Z",
    "occurred_until": "2026-03-01T11:00:00Z",
    "trades": ["T-1", "T-2"],
    "remedy_sought": "compensation",
    "amount_claimed": {"amount": "3165.81", "currency": "USD"},
    "policy": "platform-default",
}


def sent(**more: Any) -> Complaint:
    return Complaint.model_validate_json(json.dumps({**SENT, **more}))


def refusal(model: type[Complaint] | type[Message], data: Mapping[str, Any]) -> str:
    """What the sender of *data* as JSON is told; a Python caller is told of the same fields."""
    with pytest.raises(ValidationError) as from_python:
        model.model_validate(dict(data))
    with pytest.raises(ValidationError) as from_json:
        model.model_validate_json(json.dumps(data))
    in_python, in_json = explain(from_python.value), explain(from_json.value)
    assert SECRET not in in_python + in_json
    assert not any(noise in in_python + in_json for noise in ("\n", "Value error"))
    assert [each.split(": ")[0] for each in in_python.split("; ")] == [
        each.split(": ")[0] for each in in_json.split("; ")
    ]
    return in_json


# -- what is accepted --------------------------------------------------------------------------------------------------


def test_a_complaint_of_plain_json_is_read_and_survives_its_own_json() -> None:
    complaint = Complaint.model_validate_json(json.dumps(FULL))
    assert complaint.received_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert complaint.received_at.utcoffset() == timedelta(0)
    assert complaint.trades == ("T-1", "T-2")
    assert complaint.amount_claimed == PositiveMoney.model_validate({"amount": "3165.81", "currency": "USD"})
    assert Complaint.model_validate_json(complaint.model_dump_json()) == complaint


def test_only_who_when_how_and_what_are_needed() -> None:
    complaint = sent(complainant={"name": "The complainant"})
    assert (complaint.account, complaint.trades, complaint.amount_claimed) == (None, (), None)
    assert (complaint.complainant.email, complaint.complainant.phone) == (None, None)


@pytest.mark.parametrize(
    ("language", "understood"),
    [
        ("zh-CN", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh_CN", "zh-CN"),
        ("zh-Hant-HK", "zh-CN"),
        ("ZH-tw", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("EN_us", "en"),
    ],
)
def test_variants_of_a_language_are_taken_as_the_language(language: str, understood: str) -> None:
    assert sent(language=language).language == understood


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  It is wrong. \n", "It is wrong."),
        ("first\r\nsecond\rthird", "first\nsecond\nthird"),
        ("bell\x07 and escape\x1b[31m and NUL\x00", "bell� and escape�[31m and NUL�"),
        ("turned \u202eround\u2066", "turned �round�"),
        ("tab\tstays", "tab\tstays"),
        ("emoji 😡👨‍👩‍👧 stay", "emoji 😡👨‍👩‍👧 stay"),
        ("爆仓了！", "爆仓了！"),
    ],
)
def test_a_description_is_kept_as_written_but_for_characters_that_do_harm(written: str, kept: str) -> None:
    assert sent(description=written).description == kept


def test_a_lone_surrogate_from_python_is_replaced() -> None:
    assert Complaint.model_validate({**SENT, "description": "half \ud83d emoji"}).description == "half � emoji"


def test_the_longest_description_counts_characters_not_bytes() -> None:
    assert len(sent(description="😡" * 20_000).description) == 20_000
    assert "at most 20000" in refusal(Complaint, {**SENT, "description": "😡" * 20_001})


def test_an_amount_may_be_a_json_number_and_the_currency_lower_case() -> None:
    claim = sent(amount_claimed={"amount": 0.1, "currency": "usd"}).amount_claimed
    assert claim is not None
    assert str(claim) == "USD 0.10"


@given(
    description=st.text(st.characters(codec="utf-8"), max_size=300),
    name=st.text(st.characters(codec="utf-8"), max_size=60),
)
def test_any_text_is_accepted_clean_or_refused_by_field(description: str, name: str) -> None:
    data = {**SENT, "description": description, "complainant": {"name": name}}
    try:
        complaint = Complaint.model_validate_json(json.dumps(data))
    except ValidationError as refused:
        told = explain(refused)
        fields = {problem.split(":")[0] for problem in told.split("; ")}
        empty = {"description"} if not clean_or_empty(description).strip() else set()
        assert fields <= empty | {"complainant.name"}
    else:
        for text in (complaint.description, complaint.complainant.name):
            assert text.replace("\n", "").replace("\t", "").replace("\r", "").encode()
            assert not any(letter in text for letter in "\x00\x07\x1b\x7f\x9b\r\u202e")
        assert "\n" not in complaint.complainant.name
        assert Complaint.model_validate_json(complaint.model_dump_json()) == complaint


UNSEEN = ("\u200b", " \u2060\u200d ", "\ufeff", "\u3000\u00ad", "\u2028")


@pytest.mark.parametrize("text", UNSEEN)
def test_what_nobody_can_see_is_no_text(text: str) -> None:
    for data in ({**SENT, "description": text}, {**SENT, "complainant": {"name": text}}):
        with pytest.raises(ValidationError) as refused:
            Complaint.model_validate_json(json.dumps(data))
        assert "should have at least 1 character" in explain(refused.value)
    kept = Complaint.model_validate_json(json.dumps({**SENT, "description": f"{text}👨‍👩‍👧{text}"}))
    assert "👨‍👩‍👧" in kept.description


@pytest.mark.parametrize("code", ["XXX", "xts"])
def test_a_code_for_no_currency_is_none(code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Complaint.model_validate_json(json.dumps({**SENT, "amount_claimed": {"amount": "10", "currency": code}}))
    assert explain(refused.value).startswith("amount_claimed.currency: unknown currency: use an ISO 4217 code")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing", ["source", "idempotency_key", "received_at", "channel", "language", "complainant", "description"]
)
def test_a_missing_field_is_named(missing: str) -> None:
    assert refusal(Complaint, {name: value for name, value in SENT.items() if name != missing}) == (
        f"{missing}: Field required"
    )


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"source": f"{SECRET} {SECRET}"}, "source", "must be"),
        ({"source": ""}, "source", "must be"),
        ({"idempotency_key": ""}, "idempotency_key", "must be"),
        ({"idempotency_key": f"{SECRET}\x00"}, "idempotency_key", "must be"),
        ({"idempotency_key": f"{SECRET}\n2"}, "idempotency_key", "must be"),
        ({"idempotency_key": SECRET * 100}, "idempotency_key", "200"),
        ({"received_at": "2026-03-02T18:00:00"}, "received_at", "timezone"),
        ({"received_at": SECRET}, "received_at", "valid datetime"),
        ({"received_at": "9999-12-31T23:59:59-14:00"}, "received_at", "outside the years"),
        ({"received_at": "0001-01-01T00:00:00+14:00"}, "received_at", "outside the years"),
        ({"occurred_from": "2026-03-02"}, "occurred_from", "timezone"),
        ({"channel": SECRET}, "channel", "'web', 'app', 'email'"),
        ({"language": "fr"}, "language", "'zh-CN' or 'en'"),
        ({"language": 5}, "language", "'zh-CN' or 'en'"),
        ({"complainant": SECRET}, "complainant", "object"),
        ({"complainant": {}}, "complainant.name", "required"),
        ({"complainant": {"name": "  "}}, "complainant.name", "at least 1 character"),
        ({"complainant": {"name": f"{SECRET}\n{SECRET}"}}, "complainant.name", "must be"),
        ({"complainant": {"name": SECRET * 30}}, "complainant.name", "at most 200 characters"),
        ({"complainant": {"name": "x", "email": f"{SECRET} at example.com"}}, "complainant.email", "valid email"),
        ({"complainant": {"name": "x", "email": f"({SECRET})@example.com"}}, "complainant.email", "valid email"),
        ({"complainant": {"name": "x", "phone": SECRET}}, "complainant.phone", "must be"),
        ({"complainant": {"name": "x", "age": 90}}, "complainant.age", "not permitted"),
        ({"account": f"7001 {SECRET}"}, "account", "must be"),
        ({"account": 70012345}, "account", "valid string"),
        ({"about": f"{SECRET}\t{SECRET}"}, "about", "must be"),
        ({"description": ""}, "description", "at least 1 character"),
        ({"description": " \n\t "}, "description", "at least 1 character"),
        ({"description": None}, "description", "valid string"),
        ({"description": [SECRET]}, "description", "valid string"),
        ({"description": SECRET * 600_000}, "description", "at most 20000 characters"),
        ({"trades": SECRET}, "trades", "valid array"),
        ({"trades": ["T-1", f"{SECRET} 2"]}, "trades.1", "must be"),
        ({"trades": [f"T-{number}" for number in range(101)]}, "trades", "at most 100"),
        ({"remedy_sought": SECRET}, "remedy_sought", "'refund', 'compensation'"),
        ({"amount_claimed": 5}, "amount_claimed", "object"),
        ({"amount_claimed": {"amount": "-5", "currency": "USD"}}, "amount_claimed.amount", "greater than 0"),
        ({"amount_claimed": {"amount": "0", "currency": "USD"}}, "amount_claimed.amount", "greater than 0"),
        ({"amount_claimed": {"amount": SECRET, "currency": "USD"}}, "amount_claimed.amount", "valid decimal"),
        ({"amount_claimed": {"amount": "5", "currency": "QQQ"}}, "amount_claimed.currency", "unknown currency"),
        ({"amount_claimed": {"amount": "5", "currency": SECRET}}, "amount_claimed.currency", "must be"),
        ({"policy": SECRET + " 2"}, "policy.0", "must be"),
        ({"urgent": True}, "urgent", "not permitted"),
        (
            {"occurred_from": "2026-03-02T10:00:00Z", "occurred_until": "2026-03-01T10:00:00Z"},
            "input",
            "occurred_until lies before occurred_from",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field_and_never_quoted(
    wrong: dict[str, Any], field: str, said: str
) -> None:
    told = refusal(Complaint, {**SENT, **wrong})
    assert told.startswith(f"{field}: ")
    assert said in told
    assert "QQQ" not in told


def test_not_even_single_characters_of_an_address_are_quoted() -> None:
    told = refusal(Complaint, {**SENT, "complainant": {"name": "x", "email": "(q)@example.com"}})
    assert told == "complainant.email: value is not a valid email address"


def test_every_problem_is_told_at_once_up_to_ten() -> None:
    assert refusal(Complaint, {**SENT, "channel": SECRET, "language": SECRET, "description": ""}).count("; ") == 2
    crowd = refusal(Complaint, {**SENT, **{f"field{number}": 1 for number in range(5_000)}})
    assert crowd.endswith("; and 4990 more")
    assert len(crowd) < 1_000


def test_the_name_of_an_unknown_field_is_told_short_and_harmless() -> None:
    told = refusal(Complaint, {**SENT, "strange\n\x1b[31m" + "x" * 5_000_000: 1})
    assert told.startswith("strange �[31mxxx")
    assert told.isprintable()
    assert len(told) < 100


@pytest.mark.parametrize("broken", ["", "{", "[]", '"text"', "null", "5", "{'source': 'web'}"])
def test_what_is_not_even_a_json_object_is_refused(broken: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Complaint.model_validate_json(broken)
    assert explain(refused.value).startswith("input: ")


def test_an_error_never_shows_what_was_sent_even_to_the_log() -> None:
    with pytest.raises(ValidationError) as refused:
        Complaint.model_validate({**SENT, "channel": SECRET, "description": [SECRET]})
    assert SECRET not in str(refused.value)


def test_a_complaint_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sent().description = "another"  # type: ignore[misc]


# -- the future --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["received_at", "occurred_from", "occurred_until"])
def test_a_complaint_from_the_future_is_refused_with_its_field(field: str) -> None:
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    complaint = Complaint.model_validate(SENT)
    complaint.check_times(now)
    complaint.model_copy(update={field: now + timedelta(minutes=5)}).check_times(now)
    with pytest.raises(ValueError, match=f"^{field}: 2026-03-02T10:05:01.* lies in the future"):
        complaint.model_copy(update={field: now + timedelta(minutes=5, seconds=1)}).check_times(now)


# -- messages ----------------------------------------------------------------------------------------------------------

ACTOR = {"id": "h-17", "role": "handler"}
ENVELOPE: dict[str, Any] = {"message_id": "m-1", "actor": ACTOR}
BODIES: dict[str, dict[str, Any]] = {
    "arrived": {"what": "unproven"},
    "people_changed": {},
    "customer_reply": {"text": "Here it is."},
    "escalate": {"reason": "Too slow."},
    "assign": {"handler": "h-18"},
    "reclassify": {"reason": "Read again.", "category": "fee"},
    "add_evidence": {"note": "Screenshot."},
    "request_information": {"questions": "Which order?"},
    "propose_resolution": {"outcome": "upheld", "remedies": ["apology"], "reasons": "Our fault."},
    "decide_resolution": {"decision": "approve", "proposal": "5b1f0c3a9d7e"},
    "record_feedback": {"score": 5},
    "record_cause": {"cause": "pricing/provider_quote"},
    "correct_contact": {"email": "new@example.com"},
    "choose_channel": {"channel": "post"},
    "propose_draft": {"draft": "5b1f0c3a9d7e"},
    "resolve_early": {
        "outcome": "not_upheld",
        "reasons": a_no("Explained on the telephone."),
        "told": "She said so on the telephone.",
    },
    "extend_deadline": {"clock": "response", "extension": "special", "reasons": "The exchange has not answered."},
    "report_referral": {
        "referral": 7,
        "step": "ended",
        "at": "2026-03-02T10:00:00Z",
        "what": "Withdrawn there.",
    },
    "record_referral": {"route": "fos", "referred_at": "2026-03-02T10:00:00Z", "outside_reference": "F-1"},
    "replan_deadlines": {"calendar": "0" * 64},
    "verify_complainant": {"result": "verified", "how": "Called back on the number on file."},
    "note_sign": {"step": "raised", "sign": {"kind": "malice", "rests_on": ["Three invented trades."]}},
    "investigate": {"checks": ["stop_out"], "trades": ["P-1"]},
    "grant_relief": {"what": "No interest is charged meanwhile.", "until": "2026-06-01T00:00:00Z"},
    "reassign_remedy": {"remedy": 4, "owner": "h-21", "reason": "Away."},
    "confirm_remedy": {"remedy": 4, "proof": "Seen in the customer file."},
    "give_task": {"kind": "consult", "what": "Was the notice in time?", "role": "compliance_officer"},
    "finish_task": {"task": 4, "result": "It was."},
    "reassign_task": {"task": 4, "owner": "h-2", "reason": "h-1 is away."},
    "retry_payment": {"reason": "Another account in the same name.", "payee": "70054321"},
    "report_payment": {"state": "reversed", "bank_reference": "B-1", "cause": "account_closed"},
    "withdraw": {"reason": "They rang to say so."},
    "reopen": {"reason": "New facts."},
}
MESSAGES = {message.name: message for message in (*SIGNALS, *UPDATES)}


def test_every_message_is_tried_here() -> None:
    assert set(MESSAGES) == set(BODIES)


@pytest.mark.parametrize("name", BODIES)
def test_a_message_of_plain_json_is_read_and_survives_its_own_json(name: str) -> None:
    message = MESSAGES[name].model_validate_json(json.dumps({**ENVELOPE, **BODIES[name]}))
    assert MESSAGES[name].model_validate_json(message.model_dump_json()) == message
    assert str(message.actor) == "handler:h-17"


@pytest.mark.parametrize("name", BODIES)
def test_a_message_without_id_or_actor_or_with_more_than_it_knows_is_refused(name: str) -> None:
    whole = {**ENVELOPE, **BODIES[name]}
    assert refusal(MESSAGES[name], {**whole, "message_id": SECRET + " 1"}).startswith("message_id: ")
    assert refusal(MESSAGES[name], {**whole, "actor": SECRET}).startswith("actor: ")
    assert refusal(MESSAGES[name], {**whole, "actor": {**ACTOR, "role": SECRET}}).startswith("actor.role: ")
    assert refusal(MESSAGES[name], {**whole, "actor": {**ACTOR, "name": SECRET}}).startswith("actor.name: ")
    assert refusal(MESSAGES[name], {**whole, "extra": SECRET}) == "extra: Extra inputs are not permitted"
    for missing in ENVELOPE:
        without = {field: value for field, value in whole.items() if field != missing}
        assert refusal(MESSAGES[name], without) == f"{missing}: Field required"


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("customer_reply", {"text": None}, "text: an information reply needs a text"),
        (
            "customer_reply",
            {"intent": SECRET},
            "intent: Input should be 'information', 'accept', 'dispute' or 'progress'",
        ),
        ("customer_reply", {"text": SECRET * 3_000}, "text: String should have at most 20000 characters"),
        ("escalate", {"reason": ""}, "reason: String should have at least 1 character"),
        ("escalate", {"level": 0}, "level: Input should be greater than or equal to 1"),
        ("assign", {"handler": f"{SECRET} {SECRET}"}, "handler: must be 1 to 100 letters"),
        ("reclassify", {"category": None}, "give at least one of category, severity, complexity, in_scope"),
        ("reclassify", {"category": SECRET}, "category: Input should be 'execution', 'withdrawal'"),
        ("add_evidence", {"attachments": [{"title": "x", "location": ""}]}, "attachments.0.location: "),
        ("add_evidence", {"attachments": [{"title": "x", "location": "a\x1bb"}]}, "attachments.0.location: "),
        ("add_evidence", {"attachments": [{"title": "x", "location": "y", "sha256": SECRET}]}, "attachments.0.sha256"),
        ("propose_resolution", {"remedies": []}, "compensation: an upheld complaint needs compensation or at least"),
        ("propose_resolution", {"outcome": "withdrawn"}, "outcome: Input should be"),
        (
            "propose_resolution",
            {"compensation": {"amount": "-1", "currency": "USD"}},
            "compensation.amount: Input should be greater than 0",
        ),
        ("decide_resolution", {"decision": "return"}, "reasons: a proposal is returned with reasons"),
        ("decide_resolution", {"proposal": None}, "proposal: name the proposal that is decided by its digest; redress"),
        ("decide_resolution", {"proposal": SECRET}, "proposal: must be the 12 digits and letters a to f"),
        ("decide_resolution", {"decision": SECRET}, "decision: Input should be 'approve' or 'return'"),
        ("record_feedback", {"score": 6}, "score: Input should be less than or equal to 5"),
        ("record_feedback", {"score": "very good"}, "score: Input should be a valid integer"),
        ("record_cause", {"cause": "bad luck"}, "cause: must be a cause of the firm's table"),
        ("record_cause", {"contributing": ["pricing/provider_quote"]}, "contributing: name each cause once"),
        ("correct_contact", {"email": None}, "give at least one of email, phone"),
        ("correct_contact", {"email": f"{SECRET}@"}, "email: value is not a valid email address"),
        ("withdraw", {"reason": "Withdrawn."}, "reason: it is the customer who withdraws; say in a sentence how they"),
        ("confirm_remedy", {"proof": "No.", "lapsed": True}, "proof: one word is no reason; say in a sentence why"),
        ("verify_complainant", {"how": "ok"}, "how: one word proves nothing; say what was looked at"),
        ("reopen", {"reason": " "}, "reason: String should have at least 1 character"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_with_the_way_out(name: str, wrong: dict[str, Any], told: str) -> None:
    assert told in refusal(MESSAGES[name], {**ENVELOPE, **BODIES[name], **wrong})


def test_a_reply_may_be_an_attachment_alone_and_an_acceptance_needs_no_text() -> None:
    attachment = {"title": "Screenshot", "location": "s3://evidence/1.png"}
    assert CustomerReply.model_validate({**ENVELOPE, "attachments": [attachment]}).text is None
    assert CustomerReply.model_validate({**ENVELOPE, "intent": "accept"}).text is None


def test_each_part_of_an_assessment_can_be_corrected_alone() -> None:
    for part in ({"category": "fee"}, {"severity": "low"}, {"in_scope": False}):
        assert Reclassify.model_validate({**ENVELOPE, "reason": "It is another firm's.", **part})
    assert Reclassify.model_validate({**ENVELOPE, "reason": "x", "category": "fee"})
    with pytest.raises(ValidationError, match="one word turns nobody away"):
        Reclassify.model_validate({**ENVELOPE, "reason": "x", "in_scope": False})


def test_either_way_of_reaching_the_customer_can_be_corrected_alone() -> None:
    for part in ({"email": "new@example.com"}, {"phone": "+852 5550 0001"}):
        assert CorrectContact.model_validate({**ENVELOPE, **part})


def test_evidence_is_cleaned_like_a_complaint() -> None:
    assert AddEvidence.model_validate({**ENVELOPE, "note": "bell\x07\r\nnext"}).note == "bell�\nnext"


def test_names_on_the_wire_are_unique() -> None:
    assert len(MESSAGES) == len(SIGNALS) + len(UPDATES)


def test_channels_and_remedies_are_those_of_the_contract() -> None:
    assert {channel.value for channel in Channel} == {
        "web", "app", "email", "chat", "phone", "post", "branch", "social_media", "regulator"
    }  # fmt: skip
    assert get_args(Complaint.model_fields["remedy_sought"].annotation)[0] is Remedy


# -- amounts that a currency has ---------------------------------------------------------------------------------------


def with_amount(amount: dict[str, str]) -> dict[str, tuple[type[Complaint] | type[Message], dict[str, Any]]]:
    """Everything that carries an amount somebody states, each with it, by the field that a refusal names."""
    proposal = {**ENVELOPE, **BODIES["propose_resolution"]}
    early = {**ENVELOPE, **BODIES["resolve_early"]}
    award = [{"kind": "goodwill", "amount": amount, "reason": "For the wait."}]
    return {
        "amount_claimed": (Complaint, {**SENT, "amount_claimed": amount}),
        "compensation": (MESSAGES["propose_resolution"], {**proposal, "compensation": amount}),
        "awards.0.amount": (MESSAGES["propose_resolution"], {**proposal, "awards": award}),
        "compensation early": (MESSAGES["resolve_early"], {**early, "compensation": amount}),
        "awards.0.amount early": (MESSAGES["resolve_early"], {**early, "awards": award}),
    }


@given(
    currency=st.sampled_from(sorted(DIGITS.keys() - NO_CURRENCY)),
    units=st.integers(1, 10**12),
    beyond=st.integers(1, 3),
    digit=...,
)
def test_an_amount_that_its_currency_does_not_have_is_refused_wherever_one_is_stated(
    currency: str, units: int, beyond: int, digit: bool
) -> None:
    payable = Decimal(units).scaleb(-minor_digits(currency))
    too_small = payable + Decimal(1 + digit).scaleb(-minor_digits(currency) - beyond)
    for field, (model, data) in with_amount({"amount": str(too_small), "currency": currency}).items():
        told = refusal(model, data)
        assert told.startswith(f"{field.partition(' ')[0]}: {currency} has no units that small; give "), told
        assert str(too_small) not in told
    # Zeros behind the point are no smaller unit.
    for amount in (str(payable), f"{payable:.9f}"):
        for model, data in with_amount({"amount": amount, "currency": currency}).values():
            model.model_validate_json(json.dumps(data))


def test_the_way_out_is_told_with_the_digits_that_the_currency_has() -> None:
    for currency, way in (("JPY", "a whole number"), ("USD", "at most 2 digits"), ("KWD", "at most 3 digits")):
        told = refusal(Complaint, {**SENT, "amount_claimed": {"amount": "1234.5678", "currency": currency}})
        assert way in told
