"""A process that runs one activity and dies just before or just after its commit."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final

from asyncpg.transaction import Transaction
from pydantic import BaseModel

from activities.case.case_file import CaseFile
from activities.money.compensation import Compensation
from domain.case.file import CaseUpdate
from domain.case.requests import OpenCase, RecordCompensation, RecordContact
from domain.ground.base import Record
from runtime.database import open_pool
from runtime.keys.here import hold_keys
from runtime.settings import load_settings
from tests.case.support import OPENED_AT

KILLED: Final = 9
MODELS: Final[dict[str, type[BaseModel]]] = {
    "OpenCase": OpenCase,
    "Record": CaseUpdate,
    "RecordContact": RecordContact,
    "RecordCompensation": RecordCompensation,
}

# Forked from a process that has loaded everything, and started neither a thread nor a connection.
_FORKING: Final = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([__name__])


async def die_in(activity: str, moment: str, database_url: str, request: Record) -> None:
    """Run an activity in a process of its own that is gone *moment*: ``before`` or ``after`` its commit.

    The process ends as a killed one does, without a word to the database.
    """
    ours = {name: value for name, value in os.environ.items() if name.startswith("REDRESS_")}
    process = _FORKING.Process(target=_run, args=(activity, moment, database_url, request.model_dump_json(), ours))
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == KILLED
    process.close()


def _die(*_: object) -> None:
    os._exit(KILLED)


def _run(activity: str, moment: str, url: str, request: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    asyncio.run(_do(activity, moment, url, MODELS[activity].model_validate_json(request)))


async def _do(activity: str, moment: str, url: str, request: Any) -> None:
    hold_keys(load_settings())
    pool = await open_pool(url)
    if moment == "before":
        # Everything is written by then, and nothing committed.
        Transaction.__aexit__ = _die  # type: ignore[assignment]
    case_file = CaseFile(pool, default_policy="platform-default", clock=lambda: OPENED_AT)
    doing: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
        "OpenCase": case_file.open_case,
        "Record": case_file.record,
        "RecordContact": case_file.record_contact,
        "RecordCompensation": Compensation(pool, case_file, lambda: OPENED_AT).record_compensation,
    }
    await doing[activity](request)
    _die()
