"""Ports of this machine for servers of ours.

A server listens some time after its port was chosen. So that no other stack takes the same one meanwhile, and ours
then talks to a server of somebody else's, a port is claimed first.
"""

import os
import socket
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

IP: Final = "127.0.0.1"
_TRIES: Final = 10


class Claim(NamedTuple):
    """A port that no other stack of this machine takes until it is released, or this process ends."""

    port: int
    lock: int | None

    def release(self) -> None:
        """Let others have it."""
        if self.lock is not None:
            with suppress(OSError):
                os.close(self.lock)


def claim(port: int) -> Claim | None:
    """Have *port*, where it is free and nobody else has claimed it."""
    if not is_free(port):
        return None
    try:
        import fcntl
    except ImportError:  # Windows
        return Claim(port, None)
    try:
        place = Path(tempfile.gettempdir()) / f"redress-port-{port}.lock"
        lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:  # another user's
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return Claim(port, lock)


def claim_one(wanted: Iterable[int]) -> Claim:
    """The first of the ports *wanted* that can be had, else any; a disk that takes no lock keeps nobody from one."""
    for port in (*wanted, *(any_free_port() for _ in range(_TRIES))):
        if found := claim(port):
            return found
    return Claim(any_free_port(), None)


def is_free(port: int) -> bool:
    """Whether a server may take *port* of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
        try:
            probe.bind((IP, port))
        except OSError:
            return False
        return True


def any_free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((IP, 0))
        return int(probe.getsockname()[1])
