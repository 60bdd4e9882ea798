"""What those who work on complaints have passed, as the directory says now."""

from typing import TYPE_CHECKING

from temporalio import activity

from domain.case.requests import LookForTraining, Training
from domain.case.training import lacking
from record.directory import read_directory

if TYPE_CHECKING:
    from runtime.database import Pool


class TrainingRecords:
    """The training records of the directory."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    @activity.defn(name="LookForTraining")
    async def look(self, request: LookForTraining) -> Training:
        """Which courses somebody lacks: of several roles in the one in which they lack fewest."""
        async with self._pool.acquire() as connection:
            directory = await read_directory(connection)
        return Training(lacking=lacking(directory, request))
