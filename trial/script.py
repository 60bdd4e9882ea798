"""The script: what hundreds of customers, handlers and strangers do, and when. A pure function of the seed.

Every message carries a *token* of its own, in its id and in what it says: wherever it ends up, it can be found again.
"""

import random
from typing import Any, Final, Literal

from pydantic import Field

from domain.ground.base import Record

Act = Literal["submit", "receive", "start", "signal", "raw", "update", "flood", "incident"]

FIRST_ACCOUNT: Final = 80_000_000
UNKNOWN_PACK: Final = "unknown-pack"
_AGAIN: Final = 3.0  # seconds
_REPLIES: Final = ("information", "accept", "dispute")
_STARTS: Final = (
    "no-argument",
    "two-arguments",
    "not-json",
    "encrypted",
    "lone-surrogate",
    UNKNOWN_PACK,
    "not-an-object",
    "forged",
)
_RAW: Final = (
    "broken-json",
    "encrypted",
    "utf-16",
    "bad-utf-8",
    "deep",
    "lone-surrogate",
    "huge-number",
    "large",
    "no-argument",
    "two-arguments",
    "wrong-type",
    "unknown-name",
    "no-encoding",
)


class Step(Record):
    """What somebody does to case *case* so many seconds after the beginning; *body* is the message without its id."""

    at: float
    case: int
    act: Act
    name: str
    token: str
    body: dict[str, Any] = Field(default_factory=dict)
    actor: str = ""
    tries: int = 1
    """How often it is tried again, every few seconds, when the case refuses it: it may not be its time yet."""


class Customer(Record):
    """Who complains: *account* has a withdrawal *entry* that was paid *days_late* late, of *amount* USD."""

    case: int
    account: str
    entry: str
    amount: int
    days_late: int
    language: str
    email: str | None
    about: str | None = None
    hurt: Literal["stop_out", "stop_loss"] | None = None
    """Which trade of the demo's log, closed by wrong prices, the complaint is about instead; the account is its."""


class Script(Record):
    """Everything that is done, in the order of time."""

    seed: int
    customers: tuple[Customer, ...]
    steps: tuple[Step, ...]
    again: float
    """Seconds until what was refused or not answered is tried again."""


def write_script(seed: int, *, cases: int, seconds: float) -> Script:
    """*cases* complaints within *seconds*; the same arguments give the same script. Below a minute people hurry."""
    pace, seconds = min(1.0, seconds / 60), max(60.0, seconds)
    rng = random.Random(seed)  # noqa: S311 - a script, no secret
    customers = tuple(_customer(rng, seed, case) for case in range(cases))
    steps: list[Step] = []
    for customer in customers:
        steps += _Writer(rng, seed, customer.case).life(rng.uniform(0, seconds * 0.8))
    for number in range(max(len(_STARTS), cases // 20)):
        writer = _Writer(rng, seed, cases + number)
        steps.append(writer.step(rng.uniform(0, seconds), "start", _STARTS[number % len(_STARTS)]))
    beyond = cases + max(len(_STARTS), cases // 20)
    for number in range(max(2, cases // 50)):
        steps += _Writer(rng, seed, beyond + number).incident(rng.uniform(0, seconds * 0.6))
    steps = [step.model_copy(update={"at": round(step.at * pace, 3)}) for step in steps]
    steps.sort(key=lambda step: (step.at, step.token))
    return Script(seed=seed, customers=customers, steps=tuple(steps), again=max(1.0, _AGAIN * pace))


def _customer(rng: random.Random, seed: int, case: int) -> Customer:
    return Customer(
        case=case,
        account=str(FIRST_ACCOUNT + case),
        entry=f"W-{seed}-{case}",
        amount=rng.choice((500, 4_000, 12_000, 250_000)),
        days_late=rng.choice((0, 3, 7, 20)),
        language=rng.choice(("en", "en", "zh-CN")),
        email=f"c{case}@example.org" if rng.random() < 0.85 else None,
        about="Example Futures Ltd" if rng.random() < 0.05 else None,
        hurt=rng.choice(("stop_out", "stop_loss")) if rng.random() < 0.06 else None,
    )


def _is_on_pages(step: Step) -> bool:
    return step.act in {"signal", "update"} and step.name in {"customer_reply", "record_feedback", "withdraw"}


class _Writer:
    """Writes what happens to one case."""

    def __init__(self, rng: random.Random, seed: int, case: int) -> None:
        self._rng = rng
        self._seed = seed
        self._case = case
        self._count = 0

    def step(self, at: float, act: Act, name: str, actor: str = "", *, tries: int = 1, **body: Any) -> Step:
        self._count += 1
        token = f"t{self._seed}x{self._case}x{self._count}e"
        return Step(
            at=round(at, 3), case=self._case, act=act, name=name, token=token, body=body, actor=actor, tries=tries
        )

    def life(self, at: float) -> list[Step]:
        """What happens to one complaint. Of every third customer all that they say comes in by the pages."""
        steps = self._life(at)
        if self._case % 3 != 1:
            return steps
        return [
            step.model_copy(update={"act": "receive"}) if step.act == "submit" or _is_on_pages(step) else step
            for step in steps
        ]

    def _life(self, at: float) -> list[Step]:
        rng = self._rng
        steps = [self.step(at, "submit", "first")]
        steps += [self.step(at + rng.uniform(0, 20), "submit", "again") for _ in range(rng.choice((0, 0, 1, 3)))]

        def later(most: float = 40) -> float:
            return at + rng.uniform(0, most)

        for _ in range(rng.choice((0, 1, 2, 5))):
            steps.append(
                self.step(later(), "signal", "customer_reply", "customer:customer", intent=rng.choice(_REPLIES))
            )
        for _ in range(rng.choice((0, 0, 1, 2))):
            steps.append(self.step(later(), "signal", "escalate", "customer:customer"))
        for _ in range(rng.choice((0, 1, 2))):
            steps.append(self.step(later(), "raw", rng.choice(_RAW)))
        if rng.random() < 0.02:
            steps.append(self.step(later(), "flood", "customer_reply", count=rng.choice((100, 300))))
        if rng.random() < 0.4:
            steps.append(self.step(later(20), "update", "assign", "team_lead:tl-2", tries=3))
        if rng.random() < 0.3:
            steps.append(self.step(later(), "update", "add_evidence", "handler:h-17", tries=2))
        if rng.random() < 0.2:
            steps.append(self.step(later(), "update", "request_information", "handler:h-17", tries=4))
        if rng.random() < 0.5:
            amount = rng.choice(("15.00", "350.00", "1400.00"))
            start = at + rng.uniform(3, 20)
            steps.append(self.step(start, "update", "propose_resolution", "handler:h-17", tries=6, amount=amount))
            steps.append(self.step(start + 3, "update", "decide_resolution", "approver:a-3", tries=6))
            steps.append(self.step(start + 4, "update", "record_cause", "handler:h-17", tries=10))
        if rng.random() < 0.15:
            steps.append(self.step(at + rng.uniform(20, 50), "update", "reopen", "handler:h-17", tries=6))
        if rng.random() < 0.2:
            steps.append(self.step(at + rng.uniform(20, 50), "update", "record_feedback", "customer:customer", tries=4))
        if rng.random() < 0.15:
            steps.append(self.step(later(), "update", "correct_contact", "handler:h-17", tries=2))
        if rng.random() < 0.1:
            steps.append(self.step(later(50), "update", "withdraw", "customer:customer", tries=2))
        return steps

    def incident(self, at: float) -> list[Step]:
        """A fault that hurt several accounts: opened, perhaps twice; decided by those who may and who may not."""
        rng = self._rng

        def step(name: str, actor: str, earliest: float, most: float, tries: int = 1) -> Step:
            return self.step(at + rng.uniform(earliest, most), "incident", name, actor, tries=tries)

        steps = [self.step(at, "incident", "open", "handler:h-17")]
        if rng.random() < 0.4:
            steps.append(step("open", "handler:h-17", 0, 20))
        if rng.random() < 0.6:  # who opened it, as another spelling and in a higher role
            steps.append(step("approve", "executive:H-17", 1, 15, tries=3))
        if rng.random() < 0.6:  # whose limit the whole list may exceed
            steps.append(step("approve", "team_lead:tl-2", 1, 15, tries=3))
        if rng.random() < 0.4:
            steps.append(step("relist", "handler:h-18", 2, 20, tries=3))
        steps.append(step("approve", "compliance_officer:c-4", 4, 25, tries=10))
        if rng.random() < 0.3:
            steps.append(step("pause", "handler:h-18", 4, 30, tries=4))
            steps.append(step("resume", "handler:h-18", 10, 40, tries=6))
        if rng.random() < 0.15:
            steps.append(step("dismiss", "handler:h-18", 2, 30, tries=2))
        return steps
