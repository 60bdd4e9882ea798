"""The enumerated part: every boundary of every effect of a life × every fault, one at a time.

A life is played once undisturbed, which tells its places and its fingerprint. Then it is played again for each point,
on a database, a task queue and a worker process of its own, with one fault at exactly that place; what it leaves behind
must be the same, its history must replay, and the checker must have nothing to say.
"""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from temporalio.client import WorkflowHistory
from temporalio.service import RPCError

from runtime.database import open_pool
from trial import receivers
from trial.checker import check
from trial.driver import Receipt
from trial.evidence import Evidence, look_at_workflow
from trial.failpoints import KILL, LATE, LOST, OVERTAKE, RESET, STALL, TWICE, Point
from trial.lives import LIVES, WITH_RAIL, Play, Stuck, differences, fingerprint
from trial.parts import House, WorkerHandle
from trial.replays import find_differences

if TYPE_CHECKING:
    import asyncpg

_TOLD: Final = 4
"""So many things are told that are wrong with one life."""
OVERTAKING: Final = "t0x0x1e"
"""The id of the message that overtakes, in the form of the script's tokens."""
STALLED: Final = 11.0  # seconds; a workflow task may take 10, an activity may be silent for 8

_AT: Final[dict[str, tuple[str, ...]]] = {
    "start": (KILL, STALL, LOST, TWICE, LATE, RESET),
    "before": (KILL, STALL, LOST, LATE, RESET),
    "after": (KILL, STALL, LOST, LATE, RESET, OVERTAKE),
    "end": (KILL, STALL, LOST, TWICE, LATE, RESET),
    "reported": (KILL, STALL, RESET, OVERTAKE),
    "task before": (KILL, STALL, RESET, OVERTAKE),
    "task after": (KILL, RESET),
    "letter": (receivers.DROP, receivers.HANG, receivers.REFUSE, receivers.CUT),
    "payment": (receivers.LOSE, receivers.DEAF, receivers.FAIL, receivers.GARBLE),
}
"""The faults by the kind of place."""


@dataclass(frozen=True)
class Undisturbed:
    """A life as it goes when nothing happens: the places it passes, in their order, and what it leaves behind."""

    places: tuple[str, ...]
    fingerprint: dict[str, list[str]]


@dataclass(frozen=True)
class Played:
    """How one life went. ``struck``: whether the fault came about at all; ``wrong`` is what is not as it must be."""

    life: str
    point: Point | None
    struck: bool
    wrong: tuple[str, ...]
    places: tuple[str, ...]
    fingerprint: dict[str, list[str]]
    seconds: float
    repeated: int
    """Letters that arrived again under one Message-ID because an answer of the mail server was lost."""


@dataclass
class Result:
    """What the enumerated part came to."""

    played: list[Played] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """One line a point that is not as it must be."""
        return [f"{one.life}, {one.point}: {_shortened(one.wrong)}" for one in self.played if one.wrong]

    @property
    def faults(self) -> Counter[str]:
        return Counter(one.point.fault for one in self.played if one.point and one.struck)

    @property
    def missed(self) -> list[str]:
        return [f"{one.life}, {one.point}" for one in self.played if one.point and not one.struck]


def kind_of(place: str) -> str:
    """The kind of a place, as the faults are sorted by."""
    first, _, rest = place.partition(" ")
    if first == "task":
        return f"task {rest.partition(' ')[2]}"
    return first if first in {"letter", "payment"} else place.rpartition(" ")[2]


def points_of(places: Sequence[str]) -> list[Point]:
    """Every place × every fault of its kind."""
    return [
        Point(place=place, fault=fault)
        for place in places
        for fault in _AT[kind_of(place)]
        if fault != OVERTAKE or _may_be_overtaken(place)
    ]


def _may_be_overtaken(place: str) -> bool:
    """Whether it lies within a workflow's task: a local activity of a case, or the task itself."""
    return place.startswith(("task ", "OpenCase#", "Investigate#"))


@asynccontextmanager
async def _worker(
    house: House, place: Path, play: Play, environment: dict[str, str], point: Point | None
) -> AsyncIterator[None]:
    """A worker that strikes at *point* and is replaced when it dies, and woken when it is stalled."""
    journal = place / "places"
    current: list[WorkerHandle] = []

    async def keep() -> None:
        due = point
        while True:
            handle = await house.nursery.bear(play.name, environment, place / "worker.log", journal=journal, point=due)
            current[:] = [handle]
            waking = asyncio.create_task(_wake(handle, journal)) if due and due.fault == STALL else None
            await handle.ended.wait()
            if waking:
                waking.cancel()
            if "struck" not in _read(journal):
                (place / "died").write_text("the worker died by itself")
            if due and due.fault == OVERTAKE and f"struck {OVERTAKE}" in _read(journal):
                await _overtake(play)
            due = None

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        for handle in current:
            await handle.kill()


async def _overtake(play: Play) -> None:
    """Somebody says something while no worker is there."""
    said = {"message_id": OVERTAKING, "actor": {"id": "customer", "role": "customer"}, "text": OVERTAKING}
    handle = play.client.get_workflow_handle(play.reference)
    with suppress(RPCError):  # the case may be closed
        await handle.signal("customer_reply", said)
        play.overtaken = True


async def _wake(handle: WorkerHandle, journal: Path) -> None:
    while f"struck {STALL}" not in _read(journal):  # noqa: ASYNC110 (another process writes it)
        await asyncio.sleep(0.05)
    await asyncio.sleep(STALLED)
    handle.send(signal.SIGCONT)


def _read(journal: Path) -> str:
    return journal.read_text() if journal.exists() else ""


class Misbehaving:
    """Has the mail server and the rail do something else at the n-th letter, or the n-th request, of a life."""

    def __init__(self, house: House) -> None:
        self._due: dict[str, tuple[str, int, str]] = {}
        self.seen: dict[str, Counter[str]] = {}
        self._marks: dict[str, str] = {}
        house.mail.how = lambda recipient: self._how("letter", recipient, receivers.ACCEPT)
        house.rail.how = lambda key: self._how("payment", key, receivers.PAY)

    def know(self, mark: str, life: str) -> None:
        """*mark* is what addresses or keys of the life have in them."""
        self._marks[mark] = life

    def expect(self, life: str, point: Point | None) -> None:
        """The life begins."""
        self.seen[life] = Counter()
        if point and kind_of(point.place) in {"letter", "payment"}:
            kind, number = point.place.split(" ")
            self._due[life] = (kind, int(number), point.fault)

    def _how(self, kind: str, whose: str, usual: str) -> str:
        life = next((life for mark, life in self._marks.items() if mark in whose), None)
        if life is None:
            return usual
        self.seen[life][kind] += 1
        due = self._due.get(life)
        if due and due[:2] == (kind, self.seen[life][kind]):
            self.seen[life]["struck"] += 1
            return due[2]
        return usual


class Enumeration:
    """Plays lives in a house, several at once."""

    def __init__(self, house: House, say: Callable[[str], None], *, at_once: int = 6) -> None:
        self._house = house
        self._say = say
        self._at_once = asyncio.Semaphore(at_once)
        self._misbehaving = Misbehaving(house)
        self._count = 0
        self._undisturbed: dict[str, Undisturbed] = {}

    async def undisturbed(self, life: str) -> tuple[Undisturbed, list[str]]:
        """The life played twice without any fault; what differs between the two is no property of the life."""
        first, second = await asyncio.gather(self._play(life, None), self._play(life, None))
        wrong = [*first.wrong, *second.wrong, *differences(first.fingerprint, second.fingerprint)]
        known = self._undisturbed[life] = Undisturbed(first.places, first.fingerprint)
        return known, [f"{life}, undisturbed: {what}" for what in wrong]

    async def play(self, life: str, point: Point) -> Played:
        """The life with a fault at *point*."""
        return await self._play(life, point)

    async def _play(self, life: str, point: Point | None) -> Played:
        async with self._at_once:
            self._count += 1
            name = f"{life}-{self._count}"
            began = time.monotonic()
            played = await self._on_its_own(life, name, point)
            if point:
                verdict = _shortened(played.wrong) or _well(point, played)
                self._say(f"{life:9} {point!s:42} {time.monotonic() - began:5.1f} s  {verdict}")
            return played

    async def _on_its_own(self, life: str, name: str, point: Point | None) -> Played:
        house, began = self._house, time.monotonic()
        place = house.folder / "lives" / name
        place.mkdir(parents=True)
        async with house.database(name) as url:
            pool = await open_pool(url, max_size=2)
            try:
                play = Play(name, house.client, pool, house.data, name)
                environment = house.environment(url, name, rail=life in WITH_RAIL, policy="trial-slow")
                self._misbehaving.expect(name, point)
                self._misbehaving.know(f"{name}@", name)
                play.on_reference = lambda reference: self._misbehaving.know(reference, name)
                wrong: list[str] = []
                async with _worker(house, place, play, environment, point):
                    try:
                        await LIVES[life](play)
                    except Stuck as error:
                        wrong.append(str(error))
                    except Exception as error:  # whatever it is, it is news of this point, and the others go on
                        wrong.append(f"{type(error).__name__}: {error}")
                    wrong += await self._replays(play)
                    left = await fingerprint(pool, play.reference)
                    wrong += await self._checked(pool, play, life, url)
            finally:
                await pool.close()
        journal = _read(place / "places").splitlines()
        seen = self._misbehaving.seen[name]
        struck = any(line.startswith("struck") for line in journal) or bool(seen["struck"])
        if (place / "died").exists():
            wrong.append("the worker died by itself")
        known = self._undisturbed.get(life)
        # After another message the life is another, and only the checker can say whether it is sound.
        if point and known and point.fault != OVERTAKE:
            wrong += differences(known.fingerprint, left)
        letters = Counter(letter.message_id for letter in house.mail.taken if letter.reference == play.reference)
        repeated = sum(count - 1 for count in letters.values())
        places = [line for line in journal if not line.startswith("struck")]
        places += [f"{kind} {number + 1}" for kind in ("letter", "payment") for number in range(seen[kind])]
        return Played(life, point, struck, tuple(wrong), tuple(places), left, time.monotonic() - began, repeated)

    async def _checked(self, pool: "asyncpg.Pool[asyncpg.Record]", play: Play, life: str, url: str) -> list[str]:
        """What the checker has to say."""
        reference, now = play.reference, datetime.now(UTC)
        what: Literal["incident", "submission"] = "incident" if life == "incident" else "submission"
        receipts = [Receipt(what=what, name=life, reference=reference, token="", at=now)]
        if play.overtaken:
            receipts.append(Receipt(what="signal", name="reply", reference=reference, token=OVERTAKING, at=now))
        evidence = Evidence(
            receipts=receipts,
            letters=[letter for letter in self._house.mail.taken if letter.reference == reference],
            payments={key: paid for key, paid in self._house.rail.payments.items() if reference in key},
            workflows=[await look_at_workflow(self._house.client, reference)],
            database_url=url,
            rail=life in WITH_RAIL,
        )
        return [str(violation) for violation in (await check(pool, evidence)).violations]

    async def _replays(self, play: Play) -> list[str]:
        async def history() -> AsyncIterator[WorkflowHistory]:
            yield await play.client.get_workflow_handle(play.reference).fetch_history()

        try:
            return [said for _, said in await find_differences(history())]
        except Exception as error:
            return [f"its history does not replay: {error}"]


def _shortened(wrong: Sequence[str]) -> str:
    more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
    return "; ".join(wrong[:_TOLD]) + more


def _well(point: Point, played: Played) -> str:
    if not played.struck:
        return "not reached"
    return "sound" if point.fault == OVERTAKE else "as undisturbed"


def seconds_of(point: Point) -> float:
    """About how long a point takes beyond the life itself."""
    if point.fault == LATE and re.search(r"commit", point.place):
        return 60.0
    return 12.0 if point.fault in {STALL, LATE} else 8.0 if point.fault in {KILL, OVERTAKE} else 4.0


def share_of(due: Sequence[tuple[str, Point]], seed: int | None, share: tuple[int, int]) -> list[tuple[str, Point]]:
    """The n-th of so many equal shares (n, so many) of *due*, shuffled by *seed*: all shares together are all of it."""
    number, count = share
    return random.Random(seed).sample(due, len(due))[number - 1 :: count]  # noqa: S311


async def enumerate_points(
    house: House,
    say: Callable[[str], None],
    *,
    lives: Sequence[str] = tuple(LIVES),
    seed: int | None = None,
    sample: int | None = None,
    within: float | None = None,
    only: str | None = None,
    share: tuple[int, int] | None = None,
    at_once: int = 6,
) -> tuple[Result, list[str]]:
    """Play every point of *lives*, or a *sample* of so many by *seed*; *within* leaves out what takes longer.

    *only* is in the names of points, ``LIFE, PLACE: FAULT``; *share* is as in :func:`share_of`. Returns the result and
    what the undisturbed lives said.
    """
    running = Enumeration(house, say, at_once=at_once)
    wrong: list[str] = []
    due: list[tuple[str, Point]] = []
    for life, (known, said) in zip(
        lives, await asyncio.gather(*(running.undisturbed(life) for life in lives)), strict=True
    ):
        wrong += said
        points = [point for point in points_of(known.places) if life != "incident" or point.fault != OVERTAKE]
        say(f"{life}: {len(known.places)} places, {len(points)} points")
        due += [(life, point) for point in points if within is None or seconds_of(point) <= within]
    if only:
        due = [(life, point) for life, point in due if only in f"{life}, {point}"]
    elif share is not None:
        due = share_of(due, seed, share)
    elif sample is not None:
        due = random.Random(seed).sample(due, min(sample, len(due)))  # noqa: S311
    result = Result()
    result.played += await asyncio.gather(*(running.play(life, point) for life, point in due))
    return result, wrong
