"""An OpenID provider: where somebody is sent to sign on, and what its answer is worth.

Code flow with PKCE. What the provider signs is believed only for this issuer, audience and nonce, within its time,
under a key that the provider publishes and an algorithm with two keys; never one that the answer itself chooses.
"""

import asyncio
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import ValidationError

from domain.ground.people import Actor
from domain.ground.words import Role
from runtime.settings import Settings
from web.doors import Doors
from web.visits import Staff

with warnings.catch_warnings():  # of a module that Authlib would rather use, which is not httpx
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client.errors import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
LEEWAY: Final = 60  # seconds that clocks may differ
_KEYS_AGAIN: Final = 30.0  # seconds before keys are asked for again: a stranger's tokens must not cause a storm
_PATIENCE: Final = 10.0  # seconds
_KEPT: Final = "provider"


class NotSignedOn(Exception):
    """The provider's answer is not believed, or the person has no role here. ``reason`` names the words to tell."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


@dataclass
class Provider:
    """The provider of these settings; its own description and keys are asked for when first needed."""

    settings: Settings
    redirect: str
    """Where the provider sends the browser back to."""
    transport: httpx.AsyncBaseTransport | None = None
    _about: dict[str, Any] = field(default_factory=dict, init=False)
    _keys: KeySet | None = field(default=None, init=False)
    _keys_at: float = field(default=0.0, init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send somebody to sign on. Raises `NotSignedOn` where the provider does not answer."""
        about = await self._described()
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    async def person(self, *, code: str, nonce: str, verifier: str) -> Staff:
        """Who signed on, by the *code* that the browser brought back. Raises `NotSignedOn`."""
        about = await self._described()
        try:
            async with self._client() as client:
                answer = await client.fetch_token(about["token_endpoint"], code=code, code_verifier=verifier)
        except (OAuthError, httpx.HTTPError, ValueError) as error:
            raise NotSignedOn("refused", f"the provider gives nothing for the code: {type(error).__name__}") from None
        claims = await self._believed(str(answer.get("id_token") or ""), self.settings.oidc_client_id or "", nonce)
        return staff_of(claims, self.settings)

    async def bearer(self, token: str, audience: str) -> Staff:
        """Whom the access *token*, made for *audience*, is about. Raises `NotSignedOn`."""
        return staff_of(await self._believed(token, audience), self.settings)

    async def _believed(self, token: str, made_for: str, nonce: str | None = None) -> Mapping[str, Any]:
        """The claims of *token*, if the provider made it for *made_for*, of now, for the sign-on with this *nonce*."""
        asked: dict[str, Any] = {"nonce": {"essential": True, "value": nonce}} if nonce else {}
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(time.time()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.settings.oidc_issuer or ""},
            aud={"essential": True, "value": made_for},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            **asked,
        )
        for newest in (False, True):
            keys = await self._published(newest=newest)
            try:
                decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            except (JoseError, ValueError) as error:
                if newest:
                    raise NotSignedOn("refused", f"the token is not believed: {type(error).__name__}") from None
                continue  # the provider may have another key by now
            try:
                registry.validate(decoded.claims)
            except JoseError as error:
                raise NotSignedOn("refused", f"the token is not believed: {error}") from None
            audience = decoded.claims["aud"]
            if (
                nonce
                and isinstance(audience, list)
                and len(audience) > 1
                and decoded.claims.get("azp") != self.settings.oidc_client_id
            ):
                raise NotSignedOn("refused", "the token is not believed: it was made for another")
            return decoded.claims
        raise AssertionError

    async def _described(self) -> Mapping[str, Any]:
        issuer = self.settings.oidc_issuer
        if not self._about:
            about = await self._asked(f"{issuer}/.well-known/openid-configuration")
            if about.get("issuer") != issuer:
                raise NotSignedOn("provider_away", "the provider calls itself by another name than REDRESS_OIDC_ISSUER")
            self._about = about
        return self._about

    async def _published(self, *, newest: bool) -> KeySet:
        async with self._one_at_a_time:
            old = time.monotonic() - self._keys_at > _KEYS_AGAIN
            if self._keys is None or (newest and old):
                keys = await self._asked((await self._described())["jwks_uri"])
                self._keys, self._keys_at = KeySet.import_key_set(keys), time.monotonic()  # type: ignore[arg-type]
            return self._keys

    async def _asked(self, url: str) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=_PATIENCE) as client:
                answer = await client.get(url)
                answer.raise_for_status()
                return dict(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise NotSignedOn("provider_away", f"the provider does not answer: {type(error).__name__}") from None

    def _client(self) -> AsyncOAuth2Client:
        secret = self.settings.oidc_client_secret
        return AsyncOAuth2Client(
            self.settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            scope="openid profile",
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            transport=self.transport,
            timeout=_PATIENCE,
        )


def provider_of(doors: Doors) -> Provider | None:
    """The provider of the settings, one for the life of the application; None where they name none."""
    settings = doors.settings
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    if _KEPT not in doors.kept:
        back = f"{settings.web_url or f'http://{settings.web_address}'}/desk/sign-on/back"
        doors.kept[_KEPT] = Provider(settings, back)
    kept: Provider = doors.kept[_KEPT]
    return kept


def staff_of(claims: Mapping[str, Any], settings: Settings) -> Staff:
    """Whom the *claims* are about, with the roles that the settings make of theirs. Raises `NotSignedOn`."""
    said = claims.get(settings.oidc_roles_claim) or ()
    named = [said] if isinstance(said, str) else [one for one in said if isinstance(one, str)]
    meant = [settings.oidc_roles.get(one) if settings.oidc_roles else one for one in named]
    roles = [role for role in Role if role.is_staff and role.value in meant]
    if not roles:
        raise NotSignedOn("no_role", "none of their roles is one of ours: see REDRESS_OIDC_ROLES")
    try:
        person = Actor(id=str(claims.get(settings.oidc_person_claim) or ""), role=roles[0])
    except ValidationError:
        raise NotSignedOn("no_id", "the claim of REDRESS_OIDC_PERSON_CLAIM is no id of the directory") from None
    return Staff(id=person.id, name=str(claims.get("name") or person.id)[:80], roles=tuple(roles))
