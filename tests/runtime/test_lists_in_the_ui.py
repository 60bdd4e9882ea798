"""The lists that the documentation has for the Temporal UI: each link is its query, and a real server takes it."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from temporalio.testing import WorkflowEnvironment

from domain.ground.words import SearchAttribute
from runtime.paths import ROOT
from runtime.temporal import register_search_attributes
from workflows.search_attributes import KEYS

PAGE = (ROOT / "docs" / "temporal-ui.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [^|]+ \| \[open\]\((?P<link>[^)]+)\) \| `(?P<query>[^`]+)` \|$", re.MULTILINE)


async def test_every_link_is_its_query_and_a_real_server_takes_it(dev_server_env: WorkflowEnvironment) -> None:
    client = dev_server_env.client
    await register_search_attributes(client, KEYS)
    rows = list(ROW.finditer(PAGE))
    assert len(rows) == PAGE.count("[open]")
    for row in rows:
        assert parse_qs(urlsplit(row["link"]).query) == {"query": [row["query"]]}
        await client.count_workflows(row["query"])
    columns = json.loads(PAGE.partition("default: ")[2].partition(" }))")[0])
    known = {"Workflow ID", *SearchAttribute}
    assert {column["label"] for column in columns} <= known
