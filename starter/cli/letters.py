"""``redress letters``: those of a case, and all that policy packs have, seen before any customer has one."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.ground.words import LetterKind
from starter.cli import case_pages, policy_pages
from starter.cli.access import Seen, read
from starter.cli.options import Reference, Tongue
from starter.cli.policies import pack_named
from starter.cli.program import Answer, ExitCode, Problem, app, by_default, command, invalid

if TYPE_CHECKING:
    from domain.rules.policy import PolicyPack
    from runtime.letters.samples import SampleLetter
    from runtime.settings import Settings

_SHOW = "show"

letters = typer.Typer(
    help="The letters of a case (letters REF), or every letter of policy packs.",
    no_args_is_help=True,
    cls=by_default(_SHOW),
)
app.add_typer(letters, name="letters", rich_help_panel="Look")


@command(letters, _SHOW)
def show(
    *,
    reference: Reference,
    text: Annotated[bool, typer.Option("--text", help="With the letters' texts and every attempt to deliver.")] = False,
) -> Answer:
    """The letters of a case and how they were delivered."""
    from domain.ground.reference import parse_reference
    from starter.reading.cases import get_letters

    reference = parse_reference(reference)
    written = read(lambda pool: get_letters(pool, reference), lambda _: Seen("letters", [reference]))
    return Answer(written, case_pages.letters(written, texts=text))


@command(letters, "preview")
def preview(
    *,
    packs: Annotated[
        list[str] | None, typer.Argument(metavar="[PACK...]", help="ID or ID@VERSION; otherwise every pack.")
    ] = None,
    letter: Annotated[
        LetterKind | None, typer.Option("--letter", help="Only letters of this kind, with their texts.")
    ] = None,
    language: Annotated[Tongue | None, typer.Option("--language", help="Otherwise both.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FOLDER", help="Write each as the page that mail programs show.")
    ] = None,
) -> Answer:
    """Every letter of policy packs, written now for a made-up case, and what those lack that cannot be written."""
    from runtime.letters.samples import sample_letters
    from runtime.policies import load_packs
    from runtime.settings import load_settings

    now, settings, known = datetime.now(UTC), load_settings(), load_packs()
    chosen = (
        [pack_named(name, now, known) for name in packs] if packs else [one for each in known.values() for one in each]
    )
    found = [
        (pack, one)
        for pack in chosen
        for one in sample_letters(pack, firm=settings.firm, at=now, language=language)
        if letter in {None, one.kind}
    ]
    if html:
        _write_pages(html, found, settings)
    data = [
        {"pack": pack.id, "kind": one.kind, "rule": one.rule, "language": one.language, **one.letter.model_dump()}
        for pack, one in found
    ]
    # With demands no case can be opened, so no customer waits for its letters.
    lacking = sum(one.letter.missing is not None and not pack.demands for pack, one in found)
    problem = Problem("check_failed", ExitCode.CHECK_FAILED, f"{lacking} letter(s) cannot be written")
    return Answer(data, policy_pages.letters(found, texts=letter is not None), problem if lacking else None)


def _write_pages(folder: Path, found: "Sequence[tuple[PolicyPack, SampleLetter]]", settings: "Settings") -> None:
    from runtime.letters.drawing import mail_page
    from runtime.settings import logo_at

    logo = None
    if settings.firm_logo:
        content, kind = logo_at(settings.firm_logo)
        logo = f"data:image/{kind};base64,{b64encode(content).decode()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for pack, one in found:
            if one.letter.body and one.letter.subject:
                name = "-".join(filter(None, (pack.id, pack.version, one.kind, one.rule, one.language)))
                page = mail_page(
                    one.letter.subject,
                    one.letter.body,
                    language=one.language,
                    firm=settings.firm.in_language(one.language),
                    logo=logo,
                    ours=settings.web_url,
                )
                (folder / f"{name.replace('/', '-')}.html").write_text(page, encoding="utf-8")
    except OSError as error:
        invalid("--html", f"{folder} cannot be written ({error.strerror})")
