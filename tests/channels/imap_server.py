"""A small IMAP server (RFC 3501) with one folder, for what a client asks that only looks."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Folder:
    """What is in the folder, by UID; ``asked`` are the commands that were given."""

    messages: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 7
    password: str = "secret of the mailbox"
    says_next: bool = True
    breaks_off_at: int | None = None
    """It hangs up where this UID is to be fetched."""
    asked: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        with contextlib.suppress(ConnectionError):
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                self.asked.append(command)
                said = self._answer(command)
                if said is None:
                    break
                writer.write(said[0] + f"{tag} {said[1]} done\r\n".encode())
                await writer.drain()
        writer.close()

    def _answer(self, command: str) -> tuple[bytes, str] | None:
        match re.split(r"[ (]", command.upper())[0]:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1\r\n", "OK"
            case "LOGIN":
                return (b"", "OK") if command.endswith(f'"{self.password}"') else (b"", "NO wrong")
            case "EXAMINE":
                following = f"* OK [UIDNEXT {max(self.messages, default=0) + 1}]\r\n" if self.says_next else ""
                return f"* OK [UIDVALIDITY {self.uid_validity}]\r\n{following}".encode(), "OK"
            case "UID":
                return self._of_messages(command)
            case "LOGOUT":
                return b"* BYE\r\n", "OK"
        return b"", "BAD"

    def _of_messages(self, command: str) -> tuple[bytes, str] | None:
        if found := re.fullmatch(r"UID SEARCH UID (\d+):(\d+|\*)", command):
            first, last = int(found[1]), max(self.messages, default=0) if found[2] == "*" else int(found[2])
            low, high = sorted((first, last))
            uids = " ".join(str(uid) for uid in self.messages if low <= uid <= high)
            return f"* SEARCH {uids}\r\n".encode(), "OK"
        found = re.fullmatch(r"UID FETCH (\d+) \((.+)\)", command)
        if found is None:
            return b"", "BAD"
        uid, what = int(found[1]), found[2]
        if uid == self.breaks_off_at and what != "RFC822.SIZE":
            return None
        raw = self.messages.get(uid)
        if raw is None:
            return b"", "OK"
        if what == "RFC822.SIZE":
            return f"* 1 FETCH (UID {uid} RFC822.SIZE {len(raw)})\r\n".encode(), "OK"
        content = raw if what == "BODY.PEEK[]" else raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        name = what.replace(".PEEK", "")
        return f"* 1 FETCH (UID {uid} {name} {{{len(content)}}}\r\n".encode() + content + b")\r\n", "OK"


@contextlib.asynccontextmanager
async def serving(folder: Folder) -> AsyncIterator[int]:
    """Serve *folder* on this machine; the port."""
    server = await asyncio.start_server(folder.talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
