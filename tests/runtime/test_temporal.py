import asyncio
import os
import socket
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

import runtime.connection
from runtime.connection import TemporalUnavailable, configured_server
from runtime.running import RunningProcess, StackRecord
from runtime.settings import load_settings
from runtime.temporal import PASSED_THROUGH, connect, connect_to, register_search_attributes, run, temporal_plugin
from tests.patience import PATIENCE
from tests.runtime.support import free_port
from tests.runtime.workflows_for_tests import Add, Modules, Sum


def address_of(env: WorkflowEnvironment) -> str:
    return env.client.service_client.config.target_host


@pytest.fixture
def mute_server() -> Iterator[int]:
    """The port of somebody who picks up and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- the connection


async def test_the_server_named_by_temporals_own_variables_is_used(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address_of(dev_server_env))
    client = await connect(load_settings(state_dir=tmp_path))
    assert (address_of(dev_server_env), "default") == (client.service_client.config.target_host, client.namespace)


async def test_a_profile_in_temporals_own_file_is_used(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(f'[profile.office]\naddress = "{address_of(dev_server_env)}"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    monkeypatch.setenv("TEMPORAL_PROFILE", "office")
    await connect(load_settings(state_dir=tmp_path))


async def test_without_them_the_stack_that_runs_in_the_state_folder_is_used(
    dev_server_env: WorkflowEnvironment, tmp_path: Path
) -> None:
    record = StackRecord(owner=RunningProcess.of(os.getpid()), temporal_address=address_of(dev_server_env))
    record.write(tmp_path)
    client = await connect(load_settings(state_dir=tmp_path))
    assert client.service_client.config.target_host == address_of(dev_server_env)


async def test_temporals_own_variables_win_over_a_running_stack(
    dev_server_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = StackRecord(owner=RunningProcess.of(os.getpid()), temporal_address=f"127.0.0.1:{free_port()}")
    record.write(tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", address_of(dev_server_env))
    await connect(load_settings(state_dir=tmp_path))


async def test_without_a_server_address_and_namespace_and_the_way_out_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "complaints")
    began = time.monotonic()
    with pytest.raises(TemporalUnavailable) as refused:
        await connect(load_settings(state_dir=tmp_path))
    assert time.monotonic() - began < 10
    for part in (address, "'complaints'", "Connection refused", "TEMPORAL_ADDRESS", "redress up"):
        assert part in str(refused.value)


async def test_a_server_that_does_not_speak_is_given_up_soon(mute_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.connection, "CONNECT_TIMEOUT", 0.3)
    began = time.monotonic()
    with pytest.raises(TemporalUnavailable, match=r"no answer"):
        await connect_to({"target_host": f"127.0.0.1:{mute_server}"})
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("address", ["no such address", "127.0.0.1:99999"])
async def test_an_impossible_address_is_refused_like_a_missing_server(address: str) -> None:
    with pytest.raises(TemporalUnavailable, match="invalid target URL"):
        await connect_to({"target_host": address})


async def test_a_namespace_that_does_not_exist_is_told_with_the_command_that_makes_it(
    dev_server_env: WorkflowEnvironment,
) -> None:
    with pytest.raises(TemporalUnavailable, match=r"no namespace 'nowhere'.*namespace create .*--namespace nowhere"):
        await connect_to({"target_host": address_of(dev_server_env), "namespace": "nowhere"})


def test_an_unreadable_configuration_is_told_with_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "nowhere")
    with pytest.raises(TemporalUnavailable, match=r"'nowhere' not found.*TEMPORAL_PROFILE"):
        configured_server()


# --- the plugin


async def test_the_clients_plugin_reaches_the_worker_and_models_travel_as_json(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = await connect_to({"target_host": address_of(dev_server_env)})
    async with Worker(client, task_queue=task_queue, workflows=[Add]):
        assert await client.execute_workflow(Add.run, Sum(a=1, b=2), id=str(uuid4()), task_queue=task_queue) == 3
        plain = await client.execute_workflow("Add", {"a": 1, "b": 2}, id=str(uuid4()), task_queue=task_queue)
        assert plain == 3


async def test_input_that_does_not_fit_fails_the_workflow_at_once(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client
    async with Worker(client, task_queue=task_queue, workflows=[Add]):
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(
                client.execute_workflow("Add", {"a": "one"}, id=str(uuid4()), task_queue=task_queue), PATIENCE
            )


async def test_workflows_share_our_modules_with_the_process(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    import babel
    import holidays

    import domain.ground.base

    shared = {module.__name__: id(module.__dict__) for module in (babel, holidays, domain.ground.base)}
    async with Worker(dev_server_env.client, task_queue=task_queue, workflows=[Modules]):
        seen = await dev_server_env.client.execute_workflow(
            Modules.run, list(shared), id=str(uuid4()), task_queue=task_queue
        )
    assert seen == shared


async def test_a_replayer_with_the_plugin_reads_what_a_worker_wrote(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client
    async with Worker(client, task_queue=task_queue, workflows=[Add]):
        handle = await client.start_workflow(Add.run, Sum(a=1, b=2), id=str(uuid4()), task_queue=task_queue)
        await handle.result()
    history = await handle.fetch_history()
    await Replayer(workflows=[Add], namespace="default", plugins=[temporal_plugin()]).replay_workflow(history)


def test_modules_that_are_passed_through_exist() -> None:
    assert [name for name in PASSED_THROUGH if find_spec(name) is None] == []


# --- search attributes

STAGE = SearchAttributeKey.for_keyword("TestStage")
DUE = SearchAttributeKey.for_datetime("TestDue")


async def test_search_attributes_are_registered_once_and_can_be_used_at_once(
    dev_server_env: WorkflowEnvironment, task_queue: str
) -> None:
    client = dev_server_env.client
    await register_search_attributes(client, [STAGE])
    await asyncio.gather(*(register_search_attributes(client, [STAGE, DUE]) for _ in range(3)))
    await start_with_stage(client, task_queue)


async def test_the_time_skipping_server_takes_search_attributes_too(
    time_skipping_env: WorkflowEnvironment, task_queue: str
) -> None:
    await register_search_attributes(time_skipping_env.client, [STAGE])
    await register_search_attributes(time_skipping_env.client, [STAGE])
    await start_with_stage(time_skipping_env.client, task_queue)


async def start_with_stage(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(
        "Nobody",
        id=str(uuid4()),
        task_queue=task_queue,
        search_attributes=TypedSearchAttributes([SearchAttributePair(STAGE, "received")]),
    )
    await handle.terminate()


async def test_a_search_attribute_of_another_type_is_refused_by_name(dev_server_env: WorkflowEnvironment) -> None:
    await register_search_attributes(dev_server_env.client, [STAGE])
    with pytest.raises(TemporalUnavailable, match=r"TestStage exists .* another type than INT"):
        await register_search_attributes(dev_server_env.client, [SearchAttributeKey.for_int("TestStage")])


async def test_when_the_server_does_not_let_us_the_attributes_to_add_are_listed(
    dev_server_env: WorkflowEnvironment,
) -> None:
    many = [SearchAttributeKey.for_keyword(f"TestMany{number}") for number in range(11)]
    with pytest.raises(TemporalUnavailable, match=r"administrator.*TestMany0 \(KEYWORD\).*TestMany10"):
        await register_search_attributes(dev_server_env.client, many)


# --- the process


def test_a_program_ends_with_its_result_after_native_threads_had_a_moment() -> None:
    late: list[str] = []

    async def main() -> str:
        asyncio.get_running_loop().call_later(0.01, late.append, "called back")
        return "done"

    assert run(main()) == "done"
    assert late == ["called back"]


def test_a_program_that_fails_fails() -> None:
    async def main() -> None:
        raise RuntimeError("it does")

    with pytest.raises(RuntimeError, match="it does"):
        run(main())
