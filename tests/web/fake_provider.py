"""An OpenID provider in the process: its description, its keys, its token endpoint, and tokens of every wrong sort."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

ISSUER: Final = "https://login.example.com"
CLIENT: Final = "redress"


@dataclass
class FakeProvider(httpx.AsyncBaseTransport):
    """Answers as a provider does. ``changes`` are made to the claims, ``key`` and ``algorithm`` sign them."""

    keys: list[ECKey] = field(default_factory=lambda: [ECKey.generate_key("P-256", auto_kid=True)])
    published: int = 0
    """How many times the keys were asked for."""
    changes: dict[str, Any] = field(default_factory=dict)
    signed_with: ECKey | OctKey | None = None
    algorithm: str = "ES256"
    asked: dict[str, str] = field(default_factory=dict)
    """What the browser was sent with."""

    def browser_sent(self, address: str) -> None:
        """The browser arrives at *address* and signs on."""
        assert address.startswith(f"{ISSUER}/authorize?")
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """What the pages ask."""
        match request.url.path:
            case "/.well-known/openid-configuration":
                return httpx.Response(
                    200,
                    json={
                        "issuer": ISSUER,
                        "authorization_endpoint": f"{ISSUER}/authorize",
                        "token_endpoint": f"{ISSUER}/token",
                        "jwks_uri": f"{ISSUER}/keys",
                    },
                )
            case "/keys":
                self.published += 1
                return httpx.Response(200, json=KeySet(list(self.keys)).as_dict(private=False))
            case "/token":
                return self._token(parse_qs((await request.aread()).decode()))
        return httpx.Response(404)

    def _token(self, form: dict[str, list[str]]) -> httpx.Response:
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if form["code"] != ["the-code"] or challenge != self.asked["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": self.id_token()})

    def id_token(self) -> str:
        """The token about who signed on."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": "h-17",
            "name": "Somebody",
            "roles": ["complaints"],
            "nonce": self.asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])
        key = self.signed_with or self.keys[-1]
        return jwt.encode({"alg": self.algorithm, "kid": key.kid or "none"}, claims, key)
