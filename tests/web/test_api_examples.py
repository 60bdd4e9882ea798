"""The programs of docs/api.md say what the OpenAPI document has: no path, header, field or status of their own."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI

from domain.ground.reference import reference_for
from runtime.database import Pool
from starter.upkeep.api_keys import Scope, make_key
from tests.web.chromium import served
from tests.web.test_api import ADMIN
from web.api.frame import ROOT
from web.api.openapi import document

_NODE: Final = shutil.which("node")
_GO: Final = shutil.which("go")
PROGRAMS: Final = dict(re.findall(r"```(sh|ts|go)\n(.*?)```", Path("docs/api.md").read_text("utf-8"), re.DOTALL))


@dataclass(frozen=True)
class Request:
    """What a program asks for. ``body``: the fields that it sends, each with the fields within it."""

    method: str
    path: str
    headers: frozenset[str]
    body: Mapping[str, Any]


def headers_in(code: str) -> frozenset[str]:
    """The headers that are written anywhere in *code*."""
    return frozenset(re.findall(r"""["'](Authorization|Idempotency-Key|Content-Type)(?::|["'])""", code))


def of_curl(code: str) -> Iterable[Request]:
    for command in code.split("curl -sS ")[1:]:
        path = re.search(rf'"\$REDRESS{ROOT}([^"]*)"', command)
        body = re.search(r"-d '(.*?)'", command, re.DOTALL)
        assert path
        yield Request("post" if body else "get", path[1], headers_in(command), json.loads(body[1]) if body else {})


def of_typescript(code: str) -> Iterable[Request]:
    assert f"`${{process.env.REDRESS}}{ROOT}`" in code
    assert "method: 'POST'" in code
    for path, body in re.findall(r"""await send\(['`](.*?)['`], '.*?', (\{.*?\})\);""", code, re.DOTALL):
        quoted = re.sub(r"(\w+): (?=['{])", r'"\1": ', body).replace("'", '"')
        yield Request("post", path, headers_in(code), json.loads(re.sub(r",(\s*\})", r"\1", quoted)))


def of_go(code: str) -> Iterable[Request]:
    path = re.search(rf'os.Getenv\("REDRESS"\) \+ "{ROOT}(.*?)" \+ reference \+ "(.*?)"', code)
    method, body = re.search(r"http\.Method(\w+), url", code), re.search(r"map\[string\]string\{(.*?)\}", code)
    assert path
    assert method
    assert body
    fields = dict.fromkeys(re.findall(r'"(\w+)":', body[1]), "")
    yield Request(method[1].lower(), f"{path[1]}{{reference}}{path[2]}", headers_in(code), fields)


READ: Final = {"sh": of_curl, "ts": of_typescript, "go": of_go}


def operation(asked: Request) -> Mapping[str, Any]:
    """What the document has of it."""
    paths = document()["paths"]
    for path, operations in paths.items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)), asked.path) and asked.method in operations:
            found: Mapping[str, Any] = operations[asked.method]
            return found
    raise AssertionError(f"{asked.method} {asked.path} is not in the document")


def schema_in(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of that *content*, without what it refers to."""
    (one,) = content.values()
    schema: Mapping[str, Any] = one["schema"]
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


@pytest.mark.parametrize("language", READ)
def test_each_program_of_the_docs_asks_for_what_there_is(language: str) -> None:
    code = PROGRAMS[language]
    requests = [*READ[language](code)]
    assert requests
    for asked in requests:
        known = operation(asked)
        wanted = {one["name"] for one in known.get("parameters", ()) if one["in"] == "header" and one["required"]}
        wanted |= {"Authorization"} | ({"Content-Type"} if "requestBody" in known else set())
        assert wanted <= asked.headers, asked.path
        if "requestBody" in known:
            assert "application/json" in known["requestBody"]["content"]
            schema = schema_in(known["requestBody"]["content"])
            assert set(schema.get("required", ())) <= set(asked.body) <= set(schema["properties"])
            for name, choice in asked.body.items():
                chosen = schema["properties"][name].get("enum", [choice])
                assert choice in chosen
        statuses = {int(status) for status in known["responses"]}
        assert {status for status in statuses if status < 400} <= {200, 202}, "what the programs take for done"


@pytest.mark.parametrize(("language", "fields"), [("ts", r"told\.(\w+)"), ("go", r"problem\.(\w+)")])
def test_each_program_of_the_docs_reads_what_is_answered(language: str, fields: str) -> None:
    known = set(document()["components"]["schemas"]["ProblemDetails"]["properties"])
    read = {name.lower() for name in re.findall(fields, PROGRAMS[language])}
    assert read
    assert read <= known
    if language == "ts":
        answer = schema_in(document()["paths"]["/complaints"]["post"]["responses"]["202"]["content"])
        assert set(re.findall(r"const \{ (\w+) \}", PROGRAMS[language])) <= set(answer["properties"])


@pytest.mark.skipif(_NODE is None, reason="there is no node here to run it with")
async def test_the_typescript_program_runs(site: FastAPI, pool: Pool) -> None:
    made = await make_key(pool, "crm", {Scope.SUBMIT, Scope.CUSTOMER}, by=ADMIN, at=datetime.now(UTC))
    plain = re.sub(r"(\w+): (string|unknown)\b", r"\1", PROGRAMS["ts"])
    async with served(site) as url:
        running = await asyncio.create_subprocess_exec(
            str(_NODE),
            "--input-type=module",
            "-e",
            plain,
            env={**os.environ, "REDRESS": url, "KEY": made.secret},
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await asyncio.wait_for(running.communicate(), 60)
    assert running.returncode == 0, told.decode()
    rows = await pool.fetch("select kind, reference from intake.received order by kind")
    assert [(row["kind"], row["reference"]) for row in rows] == [
        (kind, reference_for("crm", "2026-000123")) for kind in ("complaint", "message")
    ]


_GO_MAIN: Final = """package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

%s
func main() {
	if err := reply(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println(err)
	}
}
"""


@pytest.mark.skipif(_GO is None, reason="there is no Go here to compile it with")
async def test_the_go_program_compiles_and_is_answered(site: FastAPI, pool: Pool, tmp_path: Path) -> None:
    assert _GO
    made = await make_key(pool, "crm", {Scope.SUBMIT, Scope.CUSTOMER}, by=ADMIN, at=datetime.now(UTC))
    (tmp_path / "main.go").write_text(_GO_MAIN % PROGRAMS["go"])
    async with served(site) as url:
        process = await asyncio.create_subprocess_exec(
            *(_GO, "run", "main.go", reference_for("crm", "nothing"), "chat-9001", "The bank knows of nothing."),
            cwd=tmp_path,
            env={**os.environ, "REDRESS": url, "KEY": made.secret},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert said.decode().startswith("There is nothing here for you"), "it tells the problem that it was answered"
