"""Files from outside, made harmless: known by their content, drawn or written anew, refused in clear words."""

import asyncio
import hashlib
import io
import re
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePath
from typing import Final

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from domain.ground.base import SHORT_TEXT, clean
from domain.intake.received import File
from runtime.documents import DocumentBroken, DocumentLocked, silenced

LARGEST: Final = 10_000_000
"""Bytes of one file."""
MOST: Final = 10
"""Files of one complaint or message."""
_SCANNED_WITHIN: Final = 20.0  # seconds
_LARGEST_PICTURE: Final = 50_000_000  # pixels
_LONGEST_SIDE: Final = 6_000  # pixels


class FileRefused(Exception):
    """The file is not taken. *key* is that of the words that say why and what to do."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


_TURNS: Final = ThreadPoolExecutor(2, "files")  # a picture of 50 megapixels takes most of a gigabyte while it is drawn


class ScannerAway(ConnectionError):
    """The virus scanner gave no answer that can be trusted: nothing is taken unscanned."""


async def harmless_in_turn(title: str, content: bytes, name: Callable[[str], str], *, scanner: str | None) -> File:
    """As `harmless`, a few at a time: what strangers send takes a part of the machine and no more.

    With a *scanner* (host and port of a clamd) it looks through the file as it came, first. Raises `ScannerAway`.
    """
    if scanner and 0 < len(content) <= LARGEST:
        await _scan(scanner, content)
    return await asyncio.get_running_loop().run_in_executor(_TURNS, harmless, title, content, name)


async def _scan(scanner: str, content: bytes) -> None:
    """Have clamd look through *content*, by its command INSTREAM. Raises `FileRefused`, `ScannerAway`."""
    host, _, port = scanner.rpartition(":")
    try:
        async with asyncio.timeout(_SCANNED_WITHIN):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(b"zINSTREAM\0" + struct.pack("!I", len(content)) + content + struct.pack("!I", 0))
                await writer.drain()
                said = (await reader.read(1000)).rstrip(b"\0\n")
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise ScannerAway(f"the virus scanner does not answer ({type(error).__name__})") from None
    if said.endswith(b" FOUND"):
        raise FileRefused("file.infected")
    if said != b"stream: OK":
        raise ScannerAway("the virus scanner did not scan it; its StreamMaxLength must be 10M or more")


def harmless(title: str, content: bytes, name: Callable[[str], str]) -> File:
    """The file, made harmless. *name* makes its name of its SHA-256. Raises `FileRefused`."""
    if not content:
        raise FileRefused("file.empty")
    if len(content) > LARGEST:
        raise FileRefused("file.too_large")
    media_type, ending, made = _made_anew(content)
    digest = hashlib.sha256(made).hexdigest()
    return File(name(digest), _title(title, ending), media_type, digest, made)


def _made_anew(content: bytes) -> tuple[str, str, bytes]:
    kind = _kind_of(content)
    if kind == "pdf":
        return "application/pdf", ".pdf", _pdf(content)
    if kind == "picture":
        return _picture(content)
    if _HEIC.match(content):
        raise FileRefused("file.heic")
    if kind is None and (text := _text(content)) is not None:
        return "text/plain", ".txt", text.encode()
    raise FileRefused("file.kind")


_HEIC: Final = re.compile(rb".{4}ftyp(hei|hev|mif1|msf1)", re.DOTALL)
"""The photographs of many telephones (ISO/IEC 23008-12), which nothing here reads."""


def _kind_of(content: bytes) -> str | None:
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    try:
        found = [(each.extension.lstrip(".").lower(), each.confidence) for each in puremagic.magic_string(content)]
    except (puremagic.PureError, ValueError):
        return None
    if any(name in _PICTURES for name, _ in found):
        return "picture"
    return "other" if any(name not in _TEXTS and sure >= _SURE for name, sure in found) else None


_PICTURES: Final = {"png", "jpg", "jpeg", "jfif", "gif", "webp"}
_SURE: Final = 0.6
_TEXTS: Final = {"txt", "csv", "eml", "log", "md", ""}


def _text(content: bytes) -> str | None:
    """The text that *content* is, in UTF-8 or as Chinese Windows writes it (GB 18030); None for what is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
        if not _is_chinese(text):
            return None
    head = text.lstrip()[:200].lower()
    return None if "\0" in text or head.startswith(("<", "#!", "{\\rtf", "%!")) else text


def _is_chinese(text: str) -> bool:
    """Whether what was read as GB 18030 is: other encodings and binary files come out as characters nobody writes."""
    if _CONTROL.search(text):
        return False
    # As much as tells: every letter of ten megabytes would keep the process from its other work for seconds.
    written = [found[0] for found in islice(_BEYOND_ASCII.finditer(text), _TELLING)]
    common = sum(b"\xa1" <= letter.encode("gb2312", "ignore")[:1] <= b"\xd7" for letter in written)
    return common >= len(written) * 0.8


_TELLING: Final = 50_000  # letters
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")


def _picture(content: bytes) -> tuple[str, str, bytes]:
    """Drawn anew from its pixels: nothing else of the file is kept, neither scripts nor where it was taken."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as opened:
            if opened.width * opened.height > _LARGEST_PICTURE:
                raise FileRefused("file.picture_too_large")
            as_photo = opened.format == "JPEG"
            drawn = ImageOps.exif_transpose(opened).convert("RGB" if as_photo else "RGBA")
    except Image.DecompressionBombError:
        raise FileRefused("file.picture_too_large") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise FileRefused("file.broken") from None
    drawn.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    plain = Image.new(drawn.mode, drawn.size)
    plain.paste(drawn)
    out = io.BytesIO()
    plain.save(out, "JPEG" if as_photo else "PNG", **({"quality": 90} if as_photo else {"optimize": False}))
    return ("image/jpeg", ".jpg", out.getvalue()) if as_photo else ("image/png", ".png", out.getvalue())


def _pdf(content: bytes) -> bytes:
    try:
        return silenced(content)
    except DocumentLocked:
        raise FileRefused("file.locked") from None
    except DocumentBroken:
        raise FileRefused("file.broken") from None


def _title(given: str, ending: str) -> str:
    """What the sender called it, without folders, and ending as what it is."""
    name = clean(PurePath(given.replace("\\", "/")).name).replace("\n", " ").replace("\t", " ").strip() or "file"
    stem = name.rsplit(".", 1)[0] or "file"
    return stem[: SHORT_TEXT - len(ending)].strip() + ending
