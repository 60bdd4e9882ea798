"""A small IMAP server (RFC 3501) with one folder, for what a client asks that only looks."""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Folder:
    """What is in the folder, by UID; ``asked`` are the commands that were given."""

    messages: dict[int, bytes] = field(default_factory=dict)
    uid_validity: int = 7
    password: str = "secret of the mailbox"
    says_next: bool = True
    tls: ssl.SSLContext | None = None
    """With which it answers STARTTLS."""
    breaks_off_at: int | None = None
    """It hangs up where this UID is to be fetched."""
    asked: list[str] = field(default_factory=list)
    came: dict[int, str] = field(default_factory=dict)
    """When messages came, as INTERNALDATE has it."""
    tokens: set[str] = field(default_factory=set)
    """The access tokens that are taken now."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        with contextlib.suppress(ConnectionError):
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                self.asked.append(command)
                if command.startswith("AUTHENTICATE XOAUTH2"):
                    writer.write(b"+ \r\n")
                    given = base64.b64decode(await reader.readline()).decode()
                    right = given in {f"user=c\x01auth=Bearer {token}\x01\x01" for token in self.tokens}
                    if not right:
                        writer.write(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n")
                        self.asked.append((await reader.readline()).decode().strip())
                    writer.write(f"{tag} {'OK' if right else 'NO'} done\r\n".encode())
                    continue
                if command == "STARTTLS" and self.tls:
                    writer.write(f"{tag} OK begin\r\n".encode())
                    await writer.start_tls(self.tls)
                    continue
                said = self._answer(command)
                if said is None:
                    break
                writer.write(said[0] + f"{tag} {said[1]} done\r\n".encode())
                await writer.drain()
        writer.close()

    def _answer(self, command: str) -> tuple[bytes, str] | None:
        match re.split(r"[ (]", command.upper())[0]:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2" + b" STARTTLS" * bool(self.tls) + b"\r\n", "OK"
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
        if uid == self.breaks_off_at and not what.startswith("RFC822.SIZE"):
            return None
        raw = self.messages.get(uid)
        if raw is None:
            return b"", "OK"
        if what.startswith("RFC822.SIZE"):
            came = f' INTERNALDATE "{self.came[uid]}"' if uid in self.came else ""
            return f"* 1 FETCH (UID {uid} RFC822.SIZE {len(raw)}{came})\r\n".encode(), "OK"
        content = raw if what == "BODY.PEEK[]" else raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        name = what.replace(".PEEK", "")
        return f"* 1 FETCH (UID {uid} {name} {{{len(content)}}}\r\n".encode() + content + b")\r\n", "OK"


@contextlib.asynccontextmanager
async def serving(folder: Folder, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve *folder* on this machine, with *tls* from the beginning; the port."""
    server = await asyncio.start_server(folder.talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
