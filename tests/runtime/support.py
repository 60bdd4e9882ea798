"""What the tests of the plumbing share."""

import socket
from collections.abc import Callable

from tests.patience import eventually


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""

    async def check() -> object:
        return condition()

    await eventually(check)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
