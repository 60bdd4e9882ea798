"""What the benchmark of a life says, and how it leads a peer that is a process. How fast anything is, no test says."""

import asyncio
import sys

import pytest
from rich.console import Console

from bench import life as bench
from bench.common import NotMeasured
from bench.life import ON_DBOS, REDRESS, Who


async def lived() -> str:
    return "a life"


def test_a_peer_without_a_history_has_its_line_and_its_ratio() -> None:
    whos = [
        Who(REDRESS, lived, {"worker": 1}, events=38, tasks=5),
        Who(ON_DBOS, lived, {"worker": 2}, on_temporal=False),
    ]
    for who, rates in zip(whos, ([2.0, 3.0, 4.0], [4.0, 4.0, 4.0]), strict=True):
        who.rates[20] = rates
        who.worked[20] = [{"worker": rate} for rate in rates]
    told = bench._told(whos, [20], lives=5, rounds=3)
    assert [line["redress_beside_it"] for line in told["results"]] == [1.0, 0.75]
    console = Console(width=140)
    with console.capture() as captured:
        console.print(bench.show(told))
    [line] = [each for each in captured.get().splitlines() if ON_DBOS in each]
    assert line.split() == ["20", *ON_DBOS.split(), "4.00", "0.75", "4:", "worker", "4"]


@pytest.mark.parametrize("there", [True, False])
def test_where_dbos_is_not_installed_how_to_install_it_is_said(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda name: name if there else None)
    said: list[str] = []
    assert bench._dbos_is_there(said.append) is there
    assert [each for each in said if "requirements/bench.txt" not in each] == []
    assert len(said) == (not there)


async def a_process(program: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def test_a_life_is_over_when_the_peer_says_so() -> None:
    process = await a_process("import sys; one, two = input(), input(); print(two, one, sep='\\n'); sys.stdin.read()")
    peer = bench._OnDbos(process)
    listening = asyncio.create_task(peer.listen())
    one, two = await asyncio.gather(peer.live(), peer.live())
    assert one != two
    process.terminate()
    await process.wait()
    await listening


async def test_a_peer_that_ends_before_its_lives_is_not_waited_for() -> None:
    process = await a_process("input()")
    peer = bench._OnDbos(process)
    listening = asyncio.create_task(peer.listen())
    with pytest.raises(NotMeasured, match="too early"):
        await bench._batch(peer.live, 2, 2)
    await process.wait()
    await listening
    with pytest.raises(NotMeasured, match="too early"):
        await peer.live()
