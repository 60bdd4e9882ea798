"""Who acts is proven by a token that was signed for this very message; anything else proves nothing."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from temporalio.workflow import _Definition

from domain.case.messages.deciding import DecideResolution, ProposeResolution
from domain.ground.messages import Message
from domain.ground.people import Actor
from domain.ground.words import Role
from domain.learning.messages import EndAction
from domain.people.actors import NotProven, Person, body_digest, canonical_body
from runtime.identity.hearing import Proving
from runtime.identity.issuing import LIFE, TYPE, TokenIssuer
from runtime.identity.keys import ALGORITHMS, SigningKey, new_signing_key, read_issuers
from runtime.identity.speaking import KINDS
from runtime.identity.verifying import Verifier
from runtime.settings import ConfigurationError, load_settings
from starter.client.examples import example_of
from worker import WORKFLOWS

REFERENCE = "RD-K7M4-9QXT-2VBHC"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
APPROVER = Actor(id="a-3", role=Role.APPROVER)
APPROVAL = DecideResolution(message_id="m-1", actor=APPROVER, decision="approve", proposal="5b1f0c3a9d7e")


@dataclass
class Office:
    """A firm's issuer, and a portal that may vouch for customers alone."""

    path: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.firm, self.portal = new_signing_key("firm"), new_signing_key("portal")
        self.write(self.firm)

    def write(self, *firm: SigningKey) -> None:
        issuers = [
            {"issuer": "firm", "keys": [key.public for key in firm]},
            {"issuer": "portal", "keys": [self.portal.public], "roles": ["customer"]},
        ]
        self.path.write_text(json.dumps({"issuers": issuers}))

    def token(self, message: Message = APPROVAL, reference: str = REFERENCE, key: SigningKey | None = None) -> str:
        issuer = TokenIssuer(key or self.firm, clock=lambda: self.now)
        return issuer.token(Person.of(message.actor), reference, message)

    def forged(self, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token whose claims or header were changed and that was signed again, with *key* if that is known."""
        key = key or self.firm
        said = json.loads(jws.extract_compact(self.token().encode()).payload) | claims
        algorithm = ALGORITHMS[key.key.key_type]
        named = {"alg": algorithm, "kid": self.firm.kid, "typ": TYPE} | (header or {})
        return jws.serialize_compact(named, json.dumps(said), key.key, algorithms=[named["alg"]])

    def verifier(self) -> Verifier:
        return Verifier(self.path, clock=lambda: self.now)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "issuers.json")


def unsigned(office: Office) -> str:
    """The claims as they are, with ``alg: none`` and no signature."""
    header, claims, _ = office.token().split(".")
    none = jws.extract_compact(office.token().encode()).headers() | {"alg": "none"}
    header = base64.urlsafe_b64encode(json.dumps(none).encode()).rstrip(b"=").decode()
    return f"{header}.{claims}."


def by_the_public_key(office: Office) -> str:
    """Signed by HMAC, with what everybody knows for its secret."""
    header, claims, _ = office.forged(header={"typ": TYPE}).split(".")
    said = jws.extract_compact(office.token().encode()).headers() | {"alg": "HS256"}
    header = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    mac = hmac.digest(json.dumps(office.firm.public).encode(), f"{header}.{claims}".encode(), "sha256")
    return f"{header}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def twice(office: Office, *said: tuple[str, Any], key: SigningKey | None = None) -> str:
    """The claims as they are, with these said once more behind them."""
    key = key or office.firm
    claims = jws.extract_compact(office.token().encode()).payload.decode()
    claims = claims[:-1] + "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in said) + "}"
    named = {"alg": ALGORITHMS[key.key.key_type], "kid": key.kid, "typ": TYPE}
    return jws.serialize_compact(named, claims, key.key, algorithms=[named["alg"]])


ATTACKS: dict[str, tuple[Callable[[Office], str | None], str]] = {
    "no token": (lambda office: None, "no token says who sends this"),
    "no signed token at all": (lambda office: "ey.ey", "no signed token"),
    "alg none": (unsigned, "signed by Ed25519"),
    "another type of token": (lambda office: office.forged(header={"typ": "JWT"}), "not of type"),
    "signed with another key under its id": (
        lambda office: office.forged(new_signing_key("x")),
        "signature",
    ),
    "an algorithm of another type of key": (
        lambda office: office.forged(SigningKey("firm", ECKey.generate_key("P-256"))),
        "signed by Ed25519",
    ),
    "a key id that the issuer has not": (lambda office: office.forged(header={"kid": "other"}), "has no such key"),
    "an issuer that nobody knows": (lambda office: office.forged(iss="elsewhere"), "nobody here knows the issuer"),
    "another issuer's name, which has not that key": (lambda office: office.forged(iss="portal"), "has no such key"),
    "another case": (lambda office: office.token(reference="RD-C6SS-7HAV-35VTA"), "another case"),
    "another installation": (lambda office: office.forged(aud="elsewhere"), "another installation"),
    "another message id": (
        lambda office: office.token(APPROVAL.model_copy(update={"message_id": "m-2"})),
        "another message id",
    ),
    "another content": (
        lambda office: office.token(APPROVAL.model_copy(update={"decision": "return", "reasons": "Not yet."})),
        "another content",
    ),
    "another message of the same content": (lambda office: office.forged(msg="withdraw"), "another kind of message"),
    "somebody else": (
        lambda office: office.token(APPROVAL.model_copy(update={"actor": Actor(id="a-4", role=Role.APPROVER)})),
        "somebody else",
    ),
    "a role that the token has not": (
        lambda office: office.forged(roles=["handler"]),
        "does not say that the actor",
    ),
    "the role of the system": (lambda office: office.forged(roles=["approver", "system"]), "may not vouch for system"),
    "a role that the issuer may not vouch for": (
        lambda office: office.token(key=office.portal),
        "portal may not vouch for approver",
    ),
    "valid for a day": (
        lambda office: office.forged(exp=int((NOW + timedelta(days=1)).timestamp())),
        "valid for longer",
    ),
    "from tomorrow": (
        lambda office: office.forged(
            iat=int((NOW + timedelta(days=1)).timestamp()), exp=int((NOW + timedelta(days=1, minutes=1)).timestamp())
        ),
        "from the future",
    ),
    "without an expiry": (lambda office: office.forged(exp=None), "lacks claims"),
    "by HMAC, with the public key for a secret": (by_the_public_key, "signed by Ed25519"),
    "a key that it brings along": (
        lambda office: office.forged(stranger := new_signing_key("x"), header={"jwk": stranger.public}),
        "signature",
    ),
    "a key id that is a path": (lambda office: office.forged(header={"kid": "../../dev/null"}), "has no such key"),
    "what has to be understood and is not": (
        lambda office: office.forged(header={"crit": ["b64"], "b64": False}),
        "no signed token|signature",
    ),
    "roles said twice by who may vouch for one": (
        lambda office: twice(
            office, ("iss", "portal"), ("roles", ["customer"]), ("roles", ["approver"]), key=office.portal
        ),
        "portal may not vouch for approver",
    ),
    "an issuer said twice": (
        lambda office: twice(office, ("iss", "portal"), ("iss", "firm"), key=office.portal),
        "has no such key",
    ),
    "not before tomorrow": (
        lambda office: office.forged(nbf=int((NOW + timedelta(days=1)).timestamp())),
        "nbf: the token is not valid yet",
    ),
    "longer than a token is": (lambda office: "e" * 5_000, "too long"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_not_signed_for_this_message_proves_nothing(office: Office, attack: str) -> None:
    forge, reason = ATTACKS[attack]
    with pytest.raises(NotProven, match=reason):
        office.verifier().check(forge(office), REFERENCE, APPROVAL)


def test_what_was_signed_for_it_proves_who_sends_it_however_the_id_is_spelt(office: Office) -> None:
    spelt = APPROVAL.model_copy(update={"actor": Actor(id="A-3", role=Role.APPROVER)})
    assert office.verifier().check(office.token(), REFERENCE, spelt).sub == "a-3"


def test_an_old_token_is_taken_no_more_but_still_proves_what_was_taken(office: Office) -> None:
    token, verifier = office.token(), office.verifier()
    office.now += LIFE + timedelta(seconds=61)
    with pytest.raises(NotProven, match="expired"):
        verifier.check(token, REFERENCE, APPROVAL)
    assert verifier.check_recorded(token, REFERENCE, APPROVAL).iss == "firm"


def test_a_key_that_is_added_while_the_worker_runs_is_known_and_one_taken_away_proves_nothing(office: Office) -> None:
    verifier, before, new = office.verifier(), office.token(), new_signing_key("firm")
    office.write(new)
    verifier.check(office.token(key=new), REFERENCE, APPROVAL)
    with pytest.raises(NotProven, match="has no such key"):
        verifier.check(before, REFERENCE, APPROVAL)


def test_whose_signature_counts_no_more_is_taken_at_its_word_no_more(office: Office) -> None:
    """A key that was stolen is taken out of the file, and workers go by that from then on."""
    verifier, token = office.verifier(), office.token()
    before = verifier.as_of
    verifier.check(token, REFERENCE, APPROVAL)
    office.write(new_signing_key("firm"))
    assert verifier.as_of != before
    with pytest.raises(NotProven, match="has no such key"):
        verifier.check(token, REFERENCE, APPROVAL)
    office.path.write_text("{")  # half of it: what was known still counts, and nothing else
    with pytest.raises(NotProven, match="has no such key"):
        verifier.check(token, REFERENCE, APPROVAL)


def test_an_issuer_signs_for_nobody_but_who_signed_on(office: Office) -> None:
    issuer = TokenIssuer(office.firm)
    handler = Person(id="a-3", roles=(Role.HANDLER,))
    with pytest.raises(NotProven, match="is no approver"):
        issuer.token(handler, REFERENCE, APPROVAL)
    with pytest.raises(NotProven, match="is not the person who signed on"):
        issuer.token(Person(id="a-4", roles=(Role.APPROVER,)), REFERENCE, APPROVAL)


def test_what_is_signed_is_the_same_from_the_message_sent_and_from_the_record_of_it() -> None:
    sent = ProposeResolution.model_validate(
        {
            "message_id": "m-1",
            "actor": {"id": "h-17", "role": "handler"},
            "outcome": "upheld",
            "compensation": {"currency": "USD", "amount": "3165.810"},
            "remedies": ["compensation", "apology"],
            "reasons": "  证据表明报价有误。 ",
        }
    )
    kept = ProposeResolution.model_validate({**json.loads(json.dumps(sent.body)), "actor": sent.actor})
    assert body_digest(kept) == body_digest(sent)
    assert canonical_body(sent) == (
        '{"compensation":{"amount":"3165.810","currency":"USD"},"message_id":"m-1","outcome":"upheld",'
        '"reasons":"证据表明报价有误。","remedies":["compensation","apology"]}'
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{}", "does not fit at issuers"),
        ('{"issuers": []}', "names no issuer"),
        ('{"issuers": [{"issuer": "a", "keys": [{"kty": "oct", "k": "AA", "kid": "a"}]}]}', "Ed25519"),
        ('{"issuers": [{"issuer": "a", "keys": [{"kty": "OKP", "crv": "Ed25519"}]}]}', "no JWK"),
    ],
)
def test_a_file_of_issuers_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "issuers.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=reason):
        read_issuers(path)


def test_a_private_key_is_no_public_one(tmp_path: Path) -> None:
    path, key = tmp_path / "issuers.json", new_signing_key("firm").key.as_dict(private=True)
    path.write_text(json.dumps({"issuers": [{"issuer": "firm", "keys": [key]}]}))
    with pytest.raises(ConfigurationError, match="private key"):
        read_issuers(path)


def test_without_issuers_a_worker_does_not_start_unless_it_is_told_so_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDRESS_ISSUERS")
    with pytest.raises(ConfigurationError, match="REDRESS_UNSIGNED=yes-anybody-may-act"):
        Verifier.of(load_settings())
    with pytest.raises(ConfigurationError, match="REDRESS_UNSIGNED"):
        load_settings(unsigned="yes")
    assert Verifier.of(load_settings(unsigned="yes-anybody-may-act")) is None


_ENDS = {"message_id": "m-1", "actor": APPROVER.model_dump(), "end": "done", "reason": "It is."}


def test_nothing_that_a_workflow_answers_is_heard_without_a_token() -> None:
    """Whatever people decide, about money or people, is an update: of any workflow, each is looked at by its token."""
    verifier = Verifier.of(load_settings())
    assert verifier
    answered = {name for one in WORKFLOWS for name in _Definition.must_from_class(one).updates}
    assert None not in answered, "an update of any name would be heard"
    for name in sorted(str(name) for name in answered):
        said = _ENDS if name == EndAction.name else example_of(KINDS[name])
        KINDS[name].model_validate(said)
        assert "no token says who sends this" in (Proving(verifier).why_not(REFERENCE, name, [said], {}) or ""), name
