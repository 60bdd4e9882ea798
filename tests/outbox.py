"""The letters in a folder, as they are read."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


def in_words(message: EmailMessage) -> EmailMessage:
    """*message* with its text alone, which a mail program shows that knows no HTML; with files as it is."""
    if any(True for _ in message.iter_attachments()):
        return message
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    message.clear_content()
    message.set_content(text)
    return message


def letters_in(folder: Path) -> list[EmailMessage]:
    """The letters in *folder* by the names of their files, each with its text alone."""
    return [
        in_words(message_from_bytes(path.read_bytes(), policy=policy.default)) for path in sorted(folder.glob("*.eml"))
    ]
