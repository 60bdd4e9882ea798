"""What rules have in common: where a number comes from, and which complaints it is for."""

from typing import Annotated

from pydantic import Field

from domain.ground.base import Line, Record
from domain.ground.words import Category, Complexity, Matter, Priority, TaskKind


class Sourced(Record):
    """A number of a rule. ``source`` says where it comes from; ``confirmed`` whether it was read there.

    An unconfirmed number is to be reviewed by the firm's compliance function before use.
    """

    source: Annotated[str, Field(min_length=1)]
    confirmed: bool


class Facts(Record):
    """What the length of a clock may depend on: how a complaint was assessed, its product, and what its words name.

    Of a clock that keeps a task also which ``task`` it is.
    """

    category: Category
    complexity: Complexity = Complexity.SIMPLE
    product: Line | None = None
    matters: tuple[Matter, ...] = ()
    priority: Priority | None = None
    task: TaskKind | None = None


class Scope(Record):
    """Which complaints a rule is for: those that fit all that is given. ``products`` are words of its name.

    Of ``matters`` the complaint names one at least.
    """

    categories: tuple[Category, ...] = ()
    complexity: Complexity | None = None
    products: tuple[Line, ...] = ()
    matters: tuple[Matter, ...] = ()
    priorities: tuple[Priority, ...] = ()
    tasks: tuple[TaskKind, ...] = ()

    def covers(self, facts: Facts) -> bool:
        return (
            (not self.categories or facts.category in self.categories)
            and (self.complexity is None or self.complexity is facts.complexity)
            and (not self.priorities or facts.priority in self.priorities)
            and (not self.tasks or facts.task in self.tasks)
            and (not self.matters or not set(self.matters).isdisjoint(facts.matters))
            and (
                not self.products or any(word.casefold() in (facts.product or "").casefold() for word in self.products)
            )
        )
