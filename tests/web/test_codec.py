"""The codec server opens for who may see the case, writes down who did, and answers the UI's page whatever happens."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import WorkflowSerializationContext

from domain.ground.words import Role
from runtime.database import Pool
from runtime.embedded_web import codec_key
from runtime.keys.codec import Sealing
from runtime.keys.vault import Vault
from starter.client.directory import People
from starter.reading.accesses import accesses
from tests.case.support import OPENED_AT, keeping, opened
from tests.incidents.minute import bad_minute, new
from tests.incidents.test_cohort import Desk
from tests.people.support import LEAD, directory, person
from tests.signing import signed
from tests.web.conftest import SECRET, Browser, doors_over, signed_in
from web.app import create_app
from web.visits import Staff

CHAN = {"name": "Chan Tai Man", "email": "chan@example.com"}
UI = "http://127.0.0.1:8233"
SAID = b'"what somebody said"'


async def sealed(keys: Vault, reference: str) -> dict[str, Any]:
    """What the UI sends of a case: a sealed payload, one that nobody sealed, and one that a stranger made up."""
    codec = Sealing(keys).with_context(WorkflowSerializationContext("default", reference))
    [one] = await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=SAID)])
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    foreign = Payload(metadata={"encoding": b"binary/redress", "key": b"1:RD-other"}, data=b"x" * 60)
    return MessageToDict(Payloads(payloads=[one, plain, foreign]))


def told(answer: httpx.Response) -> list[bytes]:
    """The data of the payloads that came back."""
    assert answer.status_code == 200, answer.text
    return [base64.b64decode(one["data"]) for one in answer.json()["payloads"]]


async def test_it_opens_for_who_may_see_the_case_and_says_who_looked(pool: Pool, keys: Vault) -> None:
    people = directory(person("h-1", names=["Jane Doe"]), person("h-2"))
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    reference = await opened(
        keeping(pool), "of-a-codec", description="Jane Doe gave me a wrong price.", complainant=CHAN
    )
    doors = doors_over(pool, temporal_ui_url=UI, desk_sign_on="directory")
    body = await sealed(keys, reference)
    async with Browser(create_app(doors)) as browser:

        async def ask(path: str = "/codec/decode", origin: str = UI, **more: Any) -> httpx.Response:
            headers = {"origin": origin, "x-namespace": "default", **more}
            return await browser.post(path, content=json.dumps(body), headers=headers)

        unknown = await ask()
        assert (unknown.status_code, unknown.headers["access-control-allow-origin"]) == (401, UI)
        for number, name, first in ((2, "h-2", SAID), (1, "h-1", b'"[not shown: you are kept out of this case]"')):
            await signed_in(browser, doors, Staff(id=name, roles=(Role.HANDLER,)))
            assert told(await ask()) == [first, b"1", b"x" * 60]
            assert (await ask(origin="http://evil.example")).status_code == 401, "a cookie counts for the UI alone"
            [*noted] = [one.reference for one in await accesses(pool, who=f"handler:{name}") if one.means == "codec"]
            assert (reference in noted) == (number == 2)
        assert told(await ask(f"/codec/{codec_key(SECRET)}/decode"))[0] == SAID
        assert (await ask("/codec/of-somebody-else/decode")).status_code == 403
        named = await ask(f"/codec/{codec_key(SECRET)}/decode", host="evil.example:8000")
        assert named.status_code == 404, "another site whose name leads to this machine"
        assert (await ask(authorization="Bearer none")).status_code == 401
        broken = await browser.post(f"/codec/{codec_key(SECRET)}/decode", content=b"{", headers={"origin": UI})
        assert (broken.status_code, broken.headers["access-control-allow-origin"]) == (400, UI)
        asked = await browser.options("/codec/decode", headers={"origin": UI})
        assert (asked.status_code, asked.headers["access-control-allow-credentials"]) == (204, "true")
        await signed_in(browser, doors, Staff(id="h-2", roles=(Role.HANDLER,)))
        for page in (
            f"/desk/cases/{reference}",
            "/desk/find?q=no-such-word",
            f"/desk/find?q={quote('chan@example.com')}",
        ):
            assert (await browser.get(page)).status_code == 200
        pages = [(one.what, one.reference) for one in await accesses(pool) if one.means == "pages"]
        assert pages == [("GET /desk/find", reference), ("GET /desk/cases/{reference}", reference)]
        await keys.destroy([reference])
        assert told(await ask(f"/codec/{codec_key(SECRET)}/decode"))[0].startswith(b'"[erased ')


async def test_of_an_incident_with_a_case_that_is_hidden_nothing_is_opened(pool: Pool, keys: Vault) -> None:
    people = directory(person("h-1", names=["Jane Doe"]), person("h-2"))
    await People(pool, signed).replace(people, by=LEAD, at=OPENED_AT)
    case = await opened(keeping(pool), description="Jane Doe gave me a wrong price.", complainant=CHAN)
    await bad_minute(pool)
    await Desk(pool).open(new())
    await pool.execute("insert into casefile.incident_cases values ($1, $2, now())", case, new().reference)
    doors, body = doors_over(pool, temporal_ui_url=UI, desk_sign_on="directory"), await sealed(keys, new().reference)
    async with Browser(create_app(doors)) as browser:
        for name, first in (("h-2", SAID), ("h-1", b'"[not shown: you are kept out of this case]"')):
            await signed_in(browser, doors, Staff(id=name, roles=(Role.HANDLER,)))
            headers = {"origin": UI, "x-namespace": "default"}
            answer = await browser.post("/codec/decode", content=json.dumps(body), headers=headers)
            assert told(answer)[0] == first
