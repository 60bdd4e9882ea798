"""PDF from outside, written anew without what it does by itself.

It is read by a process of its own, which may take so much memory and time and no more: a small file can unpack into
more than a machine holds. Run as a program this file reads a document and writes the one made of it.
"""

import contextlib
import io
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

MOST_MEMORY: Final = 600_000_000
"""Bytes that reading one document may take."""
MOST_TIME: Final = 10
"""Seconds of a processor that it may take."""
_PATIENCE: Final = 60  # seconds: a busy machine gives a process little time
_DONE: Final = 0
_LOCKED: Final = 3

# What a document does by itself, and what is hidden in it.
_ACTIVE_AT_ROOT: Final = ("/OpenAction", "/AA", "/AcroForm", "/Collection", "/Extensions", "/AF")
_ACTIVE_NAMES: Final = ("/JavaScript", "/EmbeddedFiles", "/Renditions")
_ACTIVE_KINDS: Final = {"/FileAttachment", "/RichMedia", "/Movie", "/Screen", "/Sound", "/3D", "/Widget"}
_ACTIVE_KEYS: Final = ("/A", "/AA", "/PA", "/FS", "/AF", "/JS", "/Launch")


class DocumentLocked(Exception):
    """It is encrypted."""


class DocumentBroken(Exception):
    """It cannot be read, or only with more memory or time than a document may take."""


def silenced(content: bytes) -> bytes:
    """The PDF without scripts, actions, forms and files inside. Raises `DocumentLocked` and `DocumentBroken`."""
    command = [sys.executable, "-I", str(Path(__file__).resolve())]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise DocumentBroken from None
    if done.returncode == _LOCKED:
        raise DocumentLocked
    if done.returncode != _DONE or not done.stdout:
        raise DocumentBroken
    return done.stdout


def _written_anew(content: bytes) -> bytes:
    import pikepdf  # here, so that whoever imports this module does not load it

    with pikepdf.open(io.BytesIO(content)) as document:
        if document.is_encrypted:
            sys.exit(_LOCKED)
        root = document.Root
        for key in _ACTIVE_AT_ROOT:
            if key in root:
                del root[key]
        for key in _ACTIVE_NAMES:
            if "/Names" in root and key in root.Names:
                del root.Names[key]
        for each in document.objects:
            if isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
                for key in _ACTIVE_KEYS:
                    if key in each and (key != "/A" or "/Subtype" in each or "/Title" in each or "/S" in each):
                        del each[key]
        for page in document.pages:
            if "/Annots" in page:
                notes = [note for note in page.Annots if str(note.get("/Subtype", "")) not in _ACTIVE_KINDS]
                page.Annots = pikepdf.Array(notes)
        out = io.BytesIO()
        document.save(out, deterministic_id=True)  # sent again it is the same file
    return out.getvalue()


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_TIME, MOST_TIME))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pikepdf

    try:
        made = _written_anew(sys.stdin.buffer.read())
    except pikepdf.PasswordError:
        sys.exit(_LOCKED)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _main()
