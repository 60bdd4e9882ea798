"""Files that a visitor adds to what they are writing."""

from typing import Final

from domain.intake.received import File
from runtime.files import MOST, FileRefused, ScannerAway, harmless_in_turn
from web import drafts, held
from web.doors import Doors
from web.visit import FieldError, Visit

_SENT: Final = " sent"


async def add_files(visit: Visit, place: str) -> list[FieldError]:
    """Hold the files that were chosen, made harmless; what is wrong with those that are not taken."""
    errors: list[FieldError] = []
    count = len(await held.files(visit.doors, visit.session, place))
    for upload in visit.files("files"):
        count += 1
        title = (upload.filename or "")[:100]
        if count > MOST:
            return [*errors, FieldError("files", "file.too_many", {"most": MOST})]
        try:
            file = await harmless_in_turn(
                title, await upload.read(), lambda digest: digest[:40], scanner=visit.doors.settings.clamav_address
            )
        except (FileRefused, ScannerAway) as error:
            key = error.key if isinstance(error, FileRefused) else "file.not_scanned"
            errors.append(FieldError("files", key, {"title": title}))
            count -= 1
            continue
        if not await held.hold(visit.doors, visit.session, place, file):
            return [*errors, FieldError("files", "file.too_many", {"most": MOST})]
    return errors


def place_of(visit: Visit, message_id: str = "") -> str:
    """Where files are held that are chosen on this form: of the desk's, of which several may be open, by its id."""
    given = message_id or visit.text("message_id")
    return f"{visit.request.url.path}/{given}" if given else visit.request.url.path


async def let_go(visit: Visit, place: str, form: str) -> None:
    """Let go of the files that were sent with *form*, which is its id and what else tells it from others."""
    await drafts.keep(visit.doors, visit.session, f"{place}{_SENT}", {"form": form})
    await held.drop(visit.doors, visit.session, place)


async def was_sent(visit: Visit, place: str, form: str) -> bool:
    """Whether *form* was sent already. Its button was pressed twice: what was chosen is let go of."""
    return (await drafts.draft(visit.doors, visit.session, f"{place}{_SENT}")).get("form") == form


def sent_with(doors: Doors, files: list[File], sent: str) -> list[File]:
    """The files, named as files of what is *sent* (its id): the same file goes with another message as another."""
    return [each._replace(name=doors.keyed("file", f"{sent}\0{each.sha256}")[:40]) for each in files]
