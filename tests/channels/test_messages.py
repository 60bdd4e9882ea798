"""The table of messages: each is taken for what it is, and read as its writer meant it."""

from hypothesis import given
from hypothesis import strategies as st

from domain.mail.parts import TooDeep
from domain.mail.understanding import Mail, MailKind, Taken, Why, read_mail, take
from tests.channels.messages import TABLE
from tests.channels.messages.making import CASE, KNOWN, OTHER, SERVER, Row


def taken_for(raw: bytes) -> tuple[Taken, Mail | None]:
    """What *raw* is taken for, and the message as it was read; None where it cannot be."""
    try:
        mail = read_mail(raw, {SERVER})
    except (TooDeep, RecursionError):
        return Taken(MailKind.HELD, Why.TOO_DEEP), None
    return take(mail, KNOWN), mail


def test_every_message_of_the_table_is_taken_for_what_it_is_and_read_as_it_was_meant() -> None:
    assert len(TABLE) >= 200
    assert len({row.structure for row in TABLE}) >= 60
    wrong: list[tuple[object, ...]] = []
    for row in TABLE:
        taken, mail = taken_for(row.raw)
        want = row.want
        said = (want.kind, want.why, want.reference, want.letter)
        if want.reference is None:
            said = (*said[:2], taken.reference if want.why is Why.SEVERAL_CASES else None, None)
        if tuple(taken) != said:
            wrong.append((row.structure, "taken for", tuple(map(str, taken))))
        if mail is None:
            continue
        files = tuple(each.title for each in mail.files)
        if (
            want.kind in {MailKind.COMPLAINT, MailKind.REPLY}
            and want.text is not None
            and (mail.text, files) != (want.text, want.files)
        ):
            wrong.append((row.structure, "read", (mail.text, files)))
        if want.kind is MailKind.REPLY and mail.authentic != want.authentic:
            wrong.append((row.structure, "authentic", (str(mail.authentic),)))
        if mail.no_answer != want.no_answer and want.kind is not MailKind.REFUSED:
            wrong.append((row.structure, "answered", (str(not mail.no_answer),)))
    assert wrong == []


@given(st.sampled_from(TABLE), st.data())
def test_a_message_that_was_damaged_on_the_way_still_ends_with_a_name(row: Row, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(row.raw)))
    until = data.draw(st.integers(at, min(len(row.raw), at + 300)))
    damaged = row.raw[:at] + data.draw(st.binary(max_size=30)) + row.raw[until:]
    taken, _ = taken_for(damaged)
    assert taken.reference in {None, CASE, OTHER}
