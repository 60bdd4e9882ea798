"""The tag of templates by which a sentence names what makes it true, and is left out where that does not hold."""

from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from domain.letters.truths import TRUTHS


class Says(Extension):
    """``{% says overdue %}…{% endsays %}``: what stands between is said where the truth of that name holds.

    Raises ``TemplateSyntaxError`` for a name that :data:`~domain.letters.truths.TRUTHS` does not have.
    """

    tags = {"says"}  # noqa: RUF012 (as the library has it)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        name = parser.stream.expect("name").value
        if name not in TRUTHS:
            parser.fail(f"{name} is no truth of domain/letters/truths.py", line)
        body = parser.parse_statements(("name:endsays",), drop_needle=True)
        call = self.call_method("say", [nodes.ContextReference(), nodes.Const(name)], lineno=line)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def say(self, context: Context, name: str, caller: Callable[[], Any]) -> Any:
        return caller() if TRUTHS[name](context["told"]) else ""
