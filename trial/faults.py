"""What the random part breaks: workers, servers, lines, disks and clocks, one thing after the other."""

import asyncio
import os
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from trial import receivers
from trial.parts import House, WorkerHandle
from trial.proxy import Proxy

_WORKERS: Final = 2
_HANDS: Final = 2
"""How many things are broken at a time."""
CLOCKS: Final = (-15, -3, 3, 15)
"""By how many seconds a worker's clock is wrong."""


class Staff:
    """Workers that are replaced when they end."""

    def __init__(self, house: House, environment: dict[str, str], clock: Path) -> None:
        self._house = house
        self._environment = environment
        self._clock = clock
        self.now: dict[int, WorkerHandle] = {}
        self.deaths: Counter[str] = Counter()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Staff"]:
        keepers = [asyncio.create_task(self._keep(number)) for number in range(_WORKERS)]
        try:
            yield self
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.wait(keepers)
            for handle in self.now.values():
                handle.send(signal.SIGCONT)
                await handle.kill()

    async def _keep(self, number: int) -> None:
        log = self._house.folder / f"worker-{number}.log"
        while True:
            handle = await self._house.nursery.bear(f"worker{number}", self._environment, log, clock=self._clock)
            self.now[number] = handle
            await handle.ended.wait()
            self.deaths[str(handle.code)] += 1
            await asyncio.sleep(0.3)

    def any(self, rng: random.Random) -> WorkerHandle:
        return self.now[rng.randrange(_WORKERS)]


class Breaker:
    """Breaks one thing after the other until it is told to stop; then everything is whole again."""

    def __init__(self, house: House, staff: Staff, proxies: dict[str, Proxy], clock: Path, rng: random.Random) -> None:
        self._house = house
        self._staff = staff
        self._proxies = proxies
        self._clock = clock
        self._rng = rng
        self.done: Counter[str] = Counter()
        self._mail, self._rail = receivers.ACCEPT, receivers.PAY
        self._outbox = asyncio.Lock()
        house.mail.how = lambda _: self._mail
        house.rail.how = lambda _: self._rail

    @property
    def _kinds(self) -> dict[str, tuple[int, Callable[[], Awaitable[str]]]]:
        """What can be broken, and how often in comparison."""
        return {
            "kill worker": (6, self._kill_worker),
            "stop worker": (3, self._stop_worker),
            "end worker": (2, self._end_worker),
            "kill Temporal": (1, self._kill_temporal),
            "stop Temporal": (2, self._stop_temporal),
            "kill PostgreSQL": (1, self._kill_postgres),
            "stop PostgreSQL": (2, self._stop_postgres),
            "line": (8, self._break_a_line),
            "cut PostgreSQL": (1, self._cut_the_database),
            "mail": (3, self._break_mail),
            "rail": (3, self._break_rail),
            "disk of worker": (2, self._fill_the_disk),
            "disk of servers": (1, self._fill_the_disk_of_servers),
            "outbox": (2, self._take_the_outbox),
            "clock": (3, self._move_the_clock),
        }

    async def break_things(
        self, seconds: float, say: Callable[[str], None], *, only: Collection[str] | None = None
    ) -> None:
        """Break for so many *seconds*: anything, or *only* these of :attr:`_kinds`."""
        kinds = [(weight, break_it) for name, (weight, break_it) in self._kinds.items() if not only or name in only]
        until = time.monotonic() + seconds

        async def go_on(rng: random.Random) -> None:
            while time.monotonic() < until:
                await asyncio.sleep(rng.uniform(0.3, 3))
                _, break_it = rng.choices(kinds, [weight for weight, _ in kinds])[0]
                what = await break_it()
                self.done[what] += 1
                say(f"  {what}")

        # Two things can be broken at once; each hand has its own dice, so that their order does not matter.
        hands = [random.Random(self._rng.random()) for _ in range(_HANDS)]  # noqa: S311
        await asyncio.gather(*(go_on(rng) for rng in hands))
        self.restore()

    def restore(self) -> None:
        """Everything is whole again."""
        for proxy in self._proxies.values():
            proxy.restore()
        self._mail, self._rail = receivers.ACCEPT, receivers.PAY
        self._clock.write_text("0")

    # -- what can be broken --------------------------------------------------------------------------------------------

    async def _kill_worker(self) -> str:
        self._staff.any(self._rng).send(signal.SIGKILL)
        return "worker: kill -9"

    async def _end_worker(self) -> str:
        worker = self._staff.any(self._rng)
        worker.send(signal.SIGTERM)
        if self._rng.random() < 0.5:
            await asyncio.sleep(self._rng.uniform(0.05, 0.5))
            worker.send(signal.SIGKILL)
            return "worker: SIGTERM, then kill -9"
        return "worker: SIGTERM"

    async def _stop_worker(self) -> str:
        worker = self._staff.any(self._rng)
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(self._rng.choice((0.5, 3, 5, 11)))
        worker.send(signal.SIGCONT)
        return "worker: SIGSTOP"

    async def _kill_temporal(self) -> str:
        os.kill(self._house.processes["temporal"].pid, signal.SIGKILL)
        await asyncio.sleep(4)
        return "Temporal: kill -9"

    async def _stop_temporal(self) -> str:
        await self._stop(self._house.processes["temporal"].pid, self._rng.choice((1, 3, 6)))
        return "Temporal: SIGSTOP"

    async def _kill_postgres(self) -> str:
        os.kill(self._house.processes["postgres"].pid, signal.SIGKILL)
        await asyncio.sleep(2)
        return "PostgreSQL: kill -9"

    async def _stop_postgres(self) -> str:
        await self._stop(self._house.processes["postgres"].pid, self._rng.choice((1, 5, 9)))
        return "PostgreSQL: SIGSTOP"

    async def _stop(self, pid: int, seconds: float) -> None:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            whole = psutil.Process(pid)
            family = [whole, *whole.children(recursive=True)]
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
            await asyncio.sleep(seconds)
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    async def _break_a_line(self) -> str:
        name = self._rng.choice(sorted(self._proxies))
        proxy, how = self._proxies[name], self._rng.choice(("cut", "reset", "swallow", "slow", "refuse"))
        getattr(proxy, how)()
        if how not in {"cut", "reset"}:
            await asyncio.sleep(self._rng.choice((0.5, 3, 6, 12)))
            proxy.restore()
        return f"{name}: {how}"

    async def _cut_the_database(self) -> str:
        name = next(name for name in self._proxies if name.endswith("PostgreSQL"))
        how = self._rng.choice(("cut", "reset"))
        getattr(self._proxies[name], how)()
        return f"{name}: {how}"

    async def _break_mail(self) -> str:
        self._mail = self._rng.choice((receivers.DROP, receivers.HANG, receivers.REFUSE, receivers.CUT))
        what = f"SMTP: {self._mail}"
        await asyncio.sleep(self._rng.choice((1, 4, 8)))
        self._mail = receivers.ACCEPT
        return what

    async def _break_rail(self) -> str:
        self._rail = self._rng.choice((receivers.LOSE, receivers.DEAF, receivers.FAIL, receivers.GARBLE))
        what = f"rail: {self._rail}"
        await asyncio.sleep(self._rng.choice((1, 4, 8)))
        self._rail = receivers.PAY
        return what

    async def _fill_the_disk(self) -> str:
        """No file may grow: for whoever writes that is a full disk."""
        worker = self._staff.any(self._rng)
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            await asyncio.sleep(self._rng.choice((2, 5)))
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return "disk full"

    async def _fill_the_disk_of_servers(self) -> str:
        """The state folder is full: what PostgreSQL or Temporal keep cannot grow."""
        which = self._rng.choice(("PostgreSQL", "Temporal"))
        seconds = self._rng.choice((1, 3))
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            whole = psutil.Process(self._house.processes[_PROCESSES[which]].pid)
            family = [whole, *whole.children(recursive=True)]
            _limit(family, 0)
            await asyncio.sleep(seconds)
            with suppress(psutil.NoSuchProcess):
                family += whole.children(recursive=True)
            _limit(family, resource.RLIM_INFINITY)
        return f"{which}: disk full"

    async def _take_the_outbox(self) -> str:
        """The folder cannot be used: read-only does not bind root, a file in its place does."""
        async with self._outbox:
            return await self._without_an_outbox()

    async def _without_an_outbox(self) -> str:
        outbox = self._house.folder / "outbox"
        aside = self._house.folder / "outbox-aside"
        if outbox.exists():
            outbox.rename(aside)
        outbox.write_text("in the way")
        await asyncio.sleep(self._rng.choice((2, 5)))
        outbox.unlink()
        if aside.exists():
            aside.rename(outbox)
        return "outbox taken away"

    async def _move_the_clock(self) -> str:
        seconds = self._rng.choice(CLOCKS)
        self._clock.write_text(str(seconds))
        await asyncio.sleep(self._rng.choice((2, 6)))
        self._clock.write_text("0")
        return f"clock: {'ahead' if seconds > 0 else 'behind'}"


_PROCESSES: Final = {"PostgreSQL": "postgres", "Temporal": "temporal"}


def _limit(family: Sequence[psutil.Process], size: int) -> None:
    """Let no file that one of *family* writes grow beyond *size* bytes."""
    for each in family:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            resource.prlimit(each.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
