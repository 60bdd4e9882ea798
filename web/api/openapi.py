"""The OpenAPI 3.1 document, made of the operations as they are served and of the models of `docs/contracts`."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from starter.client.contracts import SchemaOfContracts, tidied
from starter.upkeep.api_keys import Scope
from web.api.frame import API, ROOT, Operation
from web.api.problems import KINDS, MEDIA_TYPE, ProblemDetails
from web.permissions import Kind

_IN: Final = "#/components/schemas/{model}"
_REFERENCES: Final = {
    "period": "A month, quarter, half-year or year, such as 2026-11, 2026-Q4, 2026-H2 or 2026.",
    "reference": "The reference of the complaint or incident, such as RD-K7M4-9QXT-2VBHC.",
    "name": "The name of the file, as the list of files has it.",
    "id": "Its id.",
}
_ONCE: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Yours, and new for each message: it is its `message_id`, or the number of a complaint. Sent again"
    " with the same one, it counts once.",
}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    schemas, definitions = _schemas(API.operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in API.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _told(operation, schemas, definitions)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Redress",
            "version": "1",
            "description": "Complaints, from receipt to closure. Instants are ISO 8601 with an offset; amounts are"
            " best sent as text. What is answered may gain fields: ignore those you do not know.",
        },
        "servers": [{"url": ROOT}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of a service (`redress api key add`), whose scopes are "
                    + ", ".join(Scope)
                    + "; or an access token of the firm's OpenID provider for somebody who works here.",
                }
            },
        },
    }


Schemas = Mapping[tuple[Any, JsonSchemaMode], Any]


def _schemas(operations: Sequence[Operation]) -> tuple[Schemas, dict[str, Any]]:
    """The schema of everything that travels, and the definitions they share."""
    sent = [(model, "validation") for one in operations for model in (one.body, one.query) if model is not None]
    answered = [
        (model, "serialization")
        for one in operations
        for model in (one.answer, *one.also.values(), ProblemDetails)
        if model is not None
    ]
    asked: dict[tuple[Any, JsonSchemaMode], None] = dict.fromkeys((*sent, *answered))  # type: ignore[arg-type]
    inputs = [(key, key[1], TypeAdapter(key[0])) for key in asked]
    generated, shared = TypeAdapter.json_schemas(inputs, ref_template=_IN, schema_generator=SchemaOfContracts)
    schemas = {key: generated[key, key[1]] for key in asked}
    definitions = shared.get("$defs", {})
    closed = _reached([schemas[key] for key in asked if key[1] == "validation"], definitions)
    return schemas, {name: tidied(schema, open_ended=name not in closed) for name, schema in definitions.items()}


def _reached(schemas: Any, definitions: Mapping[str, Any]) -> set[str]:
    """The definitions that these schemas lead to."""
    found: set[str] = set()
    waiting = re.findall(_REFERRED, json.dumps(schemas))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(_REFERRED, json.dumps(definitions[name]))
    return found


_REFERRED: Final = r'"#/components/schemas/([^"]+)"'


def _told(one: Operation, schemas: Schemas, definitions: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{one.method.lower()}{one.path}").strip("_"),
        "summary": one.summary,
        "description": _who(one),
        "tags": [one.path.split("/")[1]],
        "parameters": _parameters(one, _whole(one.query, schemas, definitions)),
        "responses": _responses(one, schemas),
    }
    if one.raw:
        told["requestBody"] = {
            "required": True,
            "content": {one.raw: {"schema": {"type": "string", "format": "binary"}}},
        }
    elif one.body is not None:
        content = {"application/json": {"schema": _unfilled(one, _whole(one.body, schemas, definitions))}}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _who(one: Operation) -> str:
    if one.who.kind is Kind.STAFF:
        return "For people: with a token of the provider."
    return f"For services with {' and '.join(sorted(f'`{scope}`' for scope in one.who.scopes))}, and for people."


def _whole(model: Any, schemas: Schemas, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a model that is sent, in place of the reference to it."""
    schema: dict[str, Any] = schemas[model, "validation"]
    found: dict[str, Any] = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _unfilled(one: Operation, whole: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of what is sent, without the fields that are known."""
    known = {*one.filled, "received_at"}
    fields = {name: schema for name, schema in whole.get("properties", {}).items() if name not in one.filled}
    required = [name for name in whole.get("required", ()) if name not in known]
    rest = {name: value for name, value in whole.items() if name not in {"properties", "required"}}
    return rest | {"properties": fields} | ({"required": required} if required else {})


def _parameters(one: Operation, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": _REFERENCES[name]}
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    for name, schema in asked.get("properties", {}).items():
        found.append({"name": name, "in": "query", "required": name in asked.get("required", ()), "schema": schema})
    return [*found, _ONCE] if one.once else found


def _responses(one: Operation, schemas: Schemas) -> dict[str, Any]:
    answers = {one.status: one.answer, **one.also}
    responses: dict[str, Any] = {}
    for status, model in answers.items():
        content: dict[str, Any] = {"application/json": {"schema": schemas[model, "serialization"]}} if model else {}
        if model is None and status != 204:
            content = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
        responses[str(status)] = {"description": "Done" if status < 202 else "Accepted"} | (
            {"content": content} if content else {}
        )
    problem = {MEDIA_TYPE: {"schema": schemas[ProblemDetails, "serialization"]}}
    for status in sorted({status for status, _ in KINDS.values()}):
        titles = [title for known, title in KINDS.values() if known == status]
        responses[str(status)] = {"description": "; ".join(titles), "content": problem}
    return responses
