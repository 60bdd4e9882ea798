"""What a scrape says, read back: samples by name, each with its labels."""

import re
from collections.abc import Mapping
from typing import Final

Samples = Mapping[str, list[tuple[Mapping[str, str], float]]]

_LINE: Final = re.compile(r"(?P<name>[a-zA-Z_:]\w*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text: str) -> Samples:
    """The samples in Prometheus's text format."""
    samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            assert found, line
            samples.setdefault(found["name"], []).append(
                (dict(_LABEL.findall(found["labels"] or "")), float(found["value"]))
            )
    return samples


_CALL: Final = re.compile(r"(max|min|sum|absent)(?: by \(\w+\))? ?\((\w+)(?:\{(\w+)=\"(\w+)\"\})?\)")


def metrics_of(expression: str) -> set[str]:
    """The metrics that a rule names."""
    return {found[2] for found in _CALL.finditer(expression)}


def holds(expression: str, samples: Samples, now: float) -> bool:
    """Whether a rule's expression gives anything. Knows what our rules use, and no more."""

    def value(how: str, name: str, label: str, wanted: str) -> float | None:
        values = [value for labels, value in samples.get(name, []) if not label or labels.get(label) == wanted]
        if how == "absent":
            return not values
        return {"max": max, "min": min, "sum": sum}[how](values) if values else None  # type: ignore[operator]

    def one(part: str) -> bool:
        calls: list[float | None] = []

        def call(found: re.Match[str]) -> str:
            calls.append(value(found[1], found[2], found[3] or "", found[4] or ""))
            return f"calls[{len(calls) - 1}]"

        code = _CALL.sub(call, part).replace("time()", "now")
        assert re.fullmatch(r"[\w\s()\[\].+\-/<>=]+", code), code
        if None in calls:
            return False
        try:
            return bool(eval(code, {"__builtins__": {}}, {"calls": calls, "now": now}))  # noqa: S307 (our own rules)
        except ZeroDivisionError:  # NaN, which is greater than nothing
            return False

    return any(one(part) for part in expression.split(" or "))
