"""``redress evidence``: what is put into a case file, and the pack that shows what is in it."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from starter.cli.access import Seen, read
from starter.cli.options import Reference, one_of
from starter.cli.program import Answer, ExitCode, Failed, InvalidInput, Problem, app, by_default, command
from starter.reading.layout import line, whole

if TYPE_CHECKING:
    from starter.evidence.blocks import Pack
    from starter.evidence.reading import CaseFacts

_FORMATS: Final = ("html", "pdf")
_BOTH: Final = "both"


evidence = typer.Typer(
    help="Put evidence into a case file (evidence REF --note TEXT), or make the evidence pack of a case.",
    no_args_is_help=True,
    cls=by_default("add"),
)
app.add_typer(evidence, name="evidence", rich_help_panel="Act on a case")


@command(evidence, "pack")
def pack(
    *,
    reference: Reference,
    reader: Annotated[
        str, typer.Option("--for", metavar="READER", help="handler, customer or ombudsman: who may see what.")
    ] = "handler",
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="LANGUAGE", help="en, zh-CN, or both (default), the customer's first."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="html, pdf or both (default).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="A folder (default: this one), or a file ending in .html or .pdf."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that has other content.")] = False,
) -> Answer:
    """Write the evidence pack of a case: claim, pictures, facts, findings, sums, sources and hashes.

    Every finding is made again from its evidence, and the pack says whether it is the same. Exit code 5 if not.
    """
    from domain.ground.reference import parse_reference
    from runtime.settings import load_settings
    from starter.evidence.html import to_html
    from starter.evidence.model import make_pack
    from starter.evidence.pdf import to_pdf
    from starter.evidence.reading import read_facts
    from starter.evidence.redaction import Reader

    reference = parse_reference(reference)
    who = one_of(Reader, reader, "--for")
    formats = _formats(format_, output)
    chosen = _language(language)
    facts = read(
        lambda pool: read_facts(pool, reference), lambda _: Seen(f"evidence pack for {who.value}", [reference])
    )
    languages = _in_order(facts.complaint.language, chosen)
    made = make_pack(facts, who, languages, firm=load_settings().firm)
    contents = {name: to_html(made).encode() if name == "html" else to_pdf(made) for name in formats}
    written = _write(contents, _names(made, languages, output), force=force)
    return _answer(facts, made, written)


def _formats(given: str | None, output: Path | None) -> tuple[str, ...]:
    if given is not None and given not in {*_FORMATS, _BOTH}:
        raise InvalidInput(f"--format: {given!r} is not one of html, pdf, both")
    suffix = output.suffix.lower().lstrip(".") if output else ""
    if output is None or output.is_dir() or suffix not in _FORMATS:
        return (given,) if given in _FORMATS else _FORMATS
    if given not in {None, suffix}:
        raise InvalidInput(f"--output: {output} is one file of {suffix}, but --format is {given}; give a folder")
    return (suffix,)


def _language(given: str | None) -> str | None:
    from starter.evidence.words import LANGUAGES

    if given in {None, _BOTH}:
        return None
    if given not in LANGUAGES:
        raise InvalidInput(f"--language: {given!r} is not one of {', '.join(LANGUAGES)}, both")
    return given


def _in_order(own: str, chosen: str | None) -> list[str]:
    from starter.evidence.words import LANGUAGES

    return [chosen] if chosen else sorted(LANGUAGES, key=lambda language: language != own)


def _names(made: "Pack", languages: list[str], output: Path | None) -> dict[str, Path]:
    """Where each format goes."""
    if output is not None and not output.is_dir() and output.suffix.lower().lstrip(".") in _FORMATS:
        return {output.suffix.lower().lstrip("."): output}
    folder = output or Path()
    stem = f"{made.reference}-evidence-{made.reader}-{'+'.join(languages)}"
    return {name: folder / f"{stem}.{name}" for name in _FORMATS}


def _write(contents: Mapping[str, bytes], paths: Mapping[str, Path], *, force: bool) -> list[dict[str, Any]]:
    """Write the files, or none of them. They hold personal data: only their owner may read them."""
    for name, content in contents.items():
        path = paths[name]
        if path.is_dir():
            raise InvalidInput(f"--output: {path} is a folder")
        if path.exists() and not force and path.read_bytes() != content:
            raise Failed(
                f"{path} is there already, with other content; give --force to replace it, or another --output"
            )
    written = []
    for name, content in contents.items():
        path = paths[name]
        unchanged = path.exists() and path.read_bytes() == content
        if not unchanged:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
        written.append(
            {
                "path": str(path),
                "format": name,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "written": not unchanged,
            }
        )
    return written


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all. A temporary file is its owner's alone, and so is what it becomes."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _answer(facts: "CaseFacts", made: "Pack", written: list[dict[str, Any]]) -> Answer:
    differences = made.differences
    data = {
        "reference": made.reference,
        "reader": made.reader,
        "languages": [page.language for page in made.pages],
        "revision": facts.revision,
        "as_of": facts.as_of,
        "content_hash": made.content_hash,
        "findings": [stored.hash for stored in facts.findings],
        "differences": differences,
        "files": written,
    }
    shown = [whole(f"{file['path']}{'' if file['written'] else '  (unchanged)'}") for file in written]
    if facts.erased_at:
        shown.append(line(f"The case was erased on {facts.erased_at:%Y-%m-%d}: the packs say so.", "yellow"))
    elif not facts.findings:
        shown.append(line("The case has no findings: the packs say so.", "yellow"))
    elif not differences:
        shown.append(line(f"{len(facts.findings)} finding(s) computed again: the same.", "green"))
    shown.append(line(f"Data: {made.content_hash}", "dim"))
    problem = None
    if differences:
        text = f"{len(differences)} difference(s) when the findings were computed again; the pack names them"
        problem = Problem("check_failed", ExitCode.CHECK_FAILED, text)
    return Answer(data, shown, problem)
