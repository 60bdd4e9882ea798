"""What other languages rely on: the documents in docs/contracts are those of the models, and true."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # type: ignore[import-untyped, unused-ignore]
from pydantic import ValidationError as Refused
from pydantic.fields import FieldInfo
from temporalio import workflow

from domain.ground.shapes import SHAPES
from runtime.paths import ROOT
from starter.client import contracts
from starter.client.contracts import Contract
from workflows.complaint import ComplaintWorkflow
from workflows.investigation import InvestigationWorkflow
from workflows.search_attributes import KEYS

FOLDER = ROOT / "docs" / "contracts"
every_contract = pytest.mark.parametrize("contract", contracts.contracts(), ids=lambda contract: contract.name)


def test_the_documents_are_current() -> None:
    assert not contracts.stale(FOLDER), "run `redress schema`"
    assert {path.name for path in FOLDER.glob("*.json")} == set(contracts.documents()), "remove what is no contract"


def test_a_changed_a_missing_and_an_untouched_document_are_told_apart(tmp_path: Path) -> None:
    assert len(contracts.write(tmp_path)) == len(contracts.documents())
    assert contracts.write(tmp_path) == []
    (tmp_path / "assign.json").unlink()
    (tmp_path / "status.json").write_text("{}")
    (tmp_path / "package.json").write_text("not ours")
    changed = {tmp_path / "assign.json", tmp_path / "status.json"}
    assert set(contracts.stale(tmp_path)) == changed
    assert set(contracts.write(tmp_path)) == changed
    assert contracts.stale(tmp_path) == []
    assert (tmp_path / "package.json").read_text() == "not ours"


@every_contract
def test_each_has_a_schema_with_title_description_and_an_example_that_fits(contract: Contract) -> None:
    schema = contract.schema()
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert "`:" not in schema["description"]
    for example in schema["examples"]:
        validator(schema).validate(example)
        contract.adapter.validate_python(example)


def unbounded(node: Any, where: str = "") -> list[str]:
    """Where in a schema a text or a list may have any length."""
    if isinstance(node, list):
        return [found for place, item in enumerate(node) for found in unbounded(item, f"{where}/{place}")]
    if not isinstance(node, dict):
        return []
    inside = [found for name, item in node.items() for found in unbounded(item, f"{where}/{name}")]
    said = {"string": {"maxLength", "pattern", "enum", "format", "const"}, "array": {"maxItems"}}
    missing = node.get("type") in said and not said[node["type"]] & node.keys()
    return [where, *inside] if missing else inside


@every_contract
def test_what_others_send_is_bounded(contract: Contract) -> None:
    if not contract.ours:
        schema = contract.schema()
        schema.get("$defs", {}).pop("Bilingual", None)  # an incident's title, which is bounded where it is used
        assert unbounded(schema) == []


def patterns(node: Any) -> set[str]:
    """The patterns of texts in a schema: those of numbers, which may be text, are none that we hold them against."""
    if isinstance(node, list):
        return {one for part in node for one in patterns(part)}
    if not isinstance(node, dict):
        return set()
    own = {str(node["pattern"])} if isinstance(node.get("pattern"), str) else set()
    return (own - NUMBERS) | {one for part in node.values() for one in patterns(part)}


NUMBERS = {f"^{sign}[0-9]+(\\.[0-9]+)?$" for sign in ("", "-?")}


@every_contract
def test_of_a_text_that_does_not_fit_is_said_in_words_what_is_asked_for(contract: Contract) -> None:
    assert patterns(contract.schema()) <= set(SHAPES)


def test_the_title_of_an_incident_is_short() -> None:
    [contract] = [one for one in contracts.contracts() if one.name == "incident"]
    with pytest.raises(Refused, match="at most 200 characters"):
        contract.adapter.validate_python(contract.example | {"title": {"en": "x" * 201, "zh": "短"}})


@every_contract
def test_what_a_model_writes_fits_its_schema(contract: Contract) -> None:
    value = contract.adapter.validate_python(contract.example)
    validator(contract.schema()).validate(contract.adapter.dump_python(value, mode="json"))


@every_contract
def test_what_is_sent_to_us_may_have_no_unknown_field_and_what_we_answer_may(contract: Contract) -> None:
    example = contract.example
    with_more = [{**example[0], "more": 1}] if isinstance(example, list) else {**example, "more": 1}
    if contract.ours:
        validator(contract.schema()).validate(with_more)
    else:
        with pytest.raises(ValidationError):
            validator(contract.schema()).validate(with_more)
        with pytest.raises(Refused):
            contract.adapter.validate_python(with_more)


@every_contract
def test_schema_and_model_refuse_alike_what_lacks_a_required_field(contract: Contract) -> None:
    schema = contract.schema()
    fields: dict[str, FieldInfo] = getattr(contract.model, "model_fields", {})
    for field in [name for name, info in fields.items() if info.is_required()]:
        without = {name: value for name, value in contract.example.items() if name != field}
        with pytest.raises(ValidationError):
            validator(schema).validate(without)
        with pytest.raises(Refused):
            contract.adapter.validate_python(without)


@pytest.mark.parametrize("amount", ["0.1", "12", "3165.81"])
def test_amounts_may_be_text(amount: str) -> None:
    claim = {**of("complaint").example, "amount_claimed": {"amount": amount, "currency": "USD"}}
    validator(of("complaint").schema()).validate(claim)
    of("complaint").adapter.validate_python(claim)


@pytest.mark.parametrize("amount", ["", "-1", "1,5", "ten", -1, 0])
def test_amounts_that_are_none_are_refused_by_schema_and_model(amount: object) -> None:
    claim = {**of("complaint").example, "amount_claimed": {"amount": amount, "currency": "USD"}}
    with pytest.raises(ValidationError):
        validator(of("complaint").schema()).validate(claim)
    with pytest.raises(Refused):
        of("complaint").adapter.validate_python(claim)


def test_the_index_names_what_the_workflow_takes() -> None:
    index = contracts.documents()[contracts.INDEX]
    defined: Any = workflow._Definition.must_from_class(ComplaintWorkflow)
    told = index["workflows"][defined.name]
    assert set(told["signals"]) == {name for name in defined.signals if name}
    assert set(told["updates"]) == set(defined.updates)
    assert set(told["queries"]) == set(defined.queries)
    assert workflow._Definition.must_from_class(InvestigationWorkflow).name in index["workflows"]
    for files in [told, *told["signals"].values(), *told["updates"].values(), *told["queries"].values()]:
        for name in ("input", "result"):
            assert files.get(name) is None or (FOLDER / files[name]).is_file()


def test_the_index_names_the_search_attributes_with_their_types() -> None:
    told = contracts.documents()[contracts.INDEX]["search_attributes"]
    assert told == {key.name: key.indexed_value_type.name.title().replace("_", "") for key in KEYS}


def test_the_reference_can_be_derived_by_the_steps_of_the_index() -> None:
    told = contracts.documents()[contracts.INDEX]["reference"]
    assert len(told["test_vectors"]) >= 5
    for vector in told["test_vectors"]:
        digest = hashlib.sha256(f"{vector['source']}\n{vector['idempotency_key']}".encode()).digest()
        number = int.from_bytes(digest[:16], "big") % 30**12
        values = [number // 30**power % 30 for power in range(11, -1, -1)]
        check = 15
        for value in values:
            check = ((check or 30) * 2 % 31 + value) % 30
        values.append((1 - (check or 30) * 2 % 31) % 30)
        body = "".join(told["alphabet"][value] for value in values)
        assert vector["reference"] == f"RD-{body[:4]}-{body[4:8]}-{body[8:]}"


def test_the_readme_links_every_document() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not [name for name in contracts.documents() if f"({name})" not in readme]


def of(name: str) -> Contract:
    return next(contract for contract in contracts.contracts() if contract.name == name)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FormatChecker())
