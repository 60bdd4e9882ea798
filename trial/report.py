"""What a checker of the trial says."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """Something that must not be: what kind of it, whose, and in words."""

    kind: str
    reference: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.reference}: {self.text}"


@dataclass
class Report:
    """What the checker found. *repeated* counts letters that came again because an acceptance was not recorded."""

    violations: list[Violation] = field(default_factory=list)
    repeated: int = 0
    unsaid: int = 0
    """Of these, those whose sender the mail server never told that it had the letter."""
    satisfied_late: int = 0
    """Rungs without a breach that did not act, because what they wait for had come by the time they would have."""
    counted: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, reference: str | None, text: str) -> None:
        self.violations.append(Violation(kind, reference or "?", text))
