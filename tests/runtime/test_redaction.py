"""Every kind of error, and what it may say where others read it."""

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, ConfigDict, EmailStr, TypeAdapter
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from runtime.mail import MailFailed
from runtime.redaction import told, traced
from runtime.temporal import temporal_plugin

WORD = "zorblatt"


class Letter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: EmailStr | None = None
    pages: int = 1
    by_name: dict[str, int] = {}


def caught(fail: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 (of any kind)
        fail()
    return caught.value


def group() -> None:
    raise BaseExceptionGroup("several of them", [KeyError(WORD), caught(lambda: int(WORD))])


def in_the_middle_of_another() -> None:
    try:
        raise KeyError(WORD)
    except KeyError:
        json.loads("{" + WORD)


FOREIGN: dict[str, Callable[[], object]] = {
    "a number": lambda: int(WORD),
    "a key": lambda: {}[WORD],  # type: ignore[index]
    "an attribute": lambda: getattr("", WORD),
    "a file": lambda: Path(f"/nowhere/{WORD}").stat(),
    "a field": lambda: Letter.model_validate({"pages": WORD}),
    "an address": lambda: Letter.model_validate({"email": f"{WORD}@@example.com"}),
    "a field that is none": lambda: Letter.model_validate({WORD: WORD}),
    "a key in a field": lambda: Letter.model_validate({"by_name": {WORD: WORD}}),
    "a list": lambda: TypeAdapter(list[int]).validate_python([WORD]),
    "broken JSON": lambda: Letter.model_validate_json("{" + WORD),
    "a group": group,
    "one after another": in_the_middle_of_another,
}


def failure_of(error: BaseException) -> str:
    converter: Any = temporal_plugin().data_converter
    failure = Failure()
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    assert failure.message
    return str(failure)


@pytest.mark.parametrize("fail", FOREIGN.values(), ids=FOREIGN)
def test_the_errors_of_others_tell_their_kind_and_place_and_no_value(fail: Callable[[], object]) -> None:
    error = caught(fail)
    assert WORD in "".join(traceback.format_exception(error))
    assert WORD not in traced(error)
    assert WORD not in failure_of(error)
    assert type(error).__name__ in traced(error)
    assert Path(__file__).name in traced(error)


async def test_the_errors_of_a_database_name_code_and_constraint_and_no_row(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "create table letters (name text constraint one_letter unique, pages int check (pages > 0) not null)"
    )
    await connection.execute("insert into letters values ($1, 1)", WORD)
    refused = {
        "insert into letters values ($1, 2)": "23505 public.letters.one_letter",
        "insert into letters values ($1, 0)": "23514 public.letters.letters_pages_check",
        "insert into letters values ($1, null)": "23502 public.letters.pages",
        "select $1::text::int": "22P02",
        "select * from letter where name = $1": '42P01 relation "letter" does not exist',
    }
    for statement, expected in refused.items():
        with pytest.raises(asyncpg.PostgresError) as failed:
            await connection.execute(statement, WORD)
        assert told(failed.value) == expected
        assert WORD not in traced(failed.value)
        assert WORD not in failure_of(failed.value)
    with pytest.raises(asyncpg.DataError) as misfit:
        await connection.execute("select $1::int", WORD)
    assert WORD in str(misfit.value)
    assert WORD not in traced(misfit.value)
    await connection.close()


def test_our_own_errors_and_those_for_temporal_say_all_they_have_to_say() -> None:
    assert told(MailFailed("the mail server refused to talk (554)")) == "the mail server refused to talk (554)"
    assert "account_number: there is none" in failure_of(ApplicationError("account_number: there is none"))


def test_an_operating_systems_words_are_told_without_the_name_of_the_file() -> None:
    assert told(caught(FOREIGN["a file"])) == "No such file or directory"


def test_what_led_to_a_failure_is_told_like_the_failure_itself() -> None:
    def fail() -> None:
        try:
            int(WORD)
        except ValueError as error:
            raise ApplicationError("it cannot be counted") from error

    text = failure_of(caught(fail))
    assert "it cannot be counted" in text
    assert 'type: "ValueError"' in text
    assert WORD not in text
