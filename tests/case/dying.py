"""Not a test: a process that runs one activity and dies just before or just after its commit, with exit code 9."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from asyncpg.transaction import Transaction
from pydantic import BaseModel

from activities.case.case_file import CaseFile
from activities.money.compensation import Compensation
from domain.case.file import CaseUpdate
from domain.case.requests import OpenCase, RecordCompensation, RecordContact
from runtime.database import open_pool
from runtime.keys.here import hold_keys
from runtime.settings import load_settings
from tests.case.support import OPENED_AT

KILLED = 9
MODELS: dict[str, type[BaseModel]] = {
    "OpenCase": OpenCase,
    "Record": CaseUpdate,
    "RecordContact": RecordContact,
    "RecordCompensation": RecordCompensation,
}


def die(*_: object) -> None:
    os._exit(KILLED)


async def main(activity: str, moment: str, url: str) -> None:
    request: Any = MODELS[activity].model_validate_json(sys.stdin.read())
    hold_keys(load_settings())
    pool = await open_pool(url)
    if moment == "before":
        # Everything is written by then, and nothing committed.
        Transaction.__aexit__ = die  # type: ignore[assignment]
    case_file = CaseFile(pool, default_policy="platform-default", clock=lambda: OPENED_AT)
    doing: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
        "OpenCase": case_file.open_case,
        "Record": case_file.record,
        "RecordContact": case_file.record_contact,
        "RecordCompensation": Compensation(pool, case_file, lambda: OPENED_AT).record_compensation,
    }
    await doing[activity](request)
    die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
