"""What Temporal's UI shows of a running workflow: its search attributes, and its page."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey


class Display:
    """Keeps what is shown as it should be. An attribute costs history: it is told only when it changes."""

    def __init__(
        self,
        attributes: Callable[[], Mapping[SearchAttributeKey[Any], Any]],
        page: Callable[[], str],
        revision: Callable[[], object],
        passing: Callable[[], bool] = lambda: False,
    ) -> None:
        """*revision* is another whenever there is something else to show; *passing*, that it is so for a moment."""
        self._attributes, self._page, self._revision, self._passing = attributes, page, revision, passing
        self._told: Mapping[SearchAttributeKey[Any], Any] = {}
        self._shown: object = None

    def show(self) -> None:
        """Show how things stand now."""
        now = self._attributes()
        changed = {key: value for key, value in now.items() if self._told.get(key) != value}
        if changed:
            workflow.upsert_search_attributes(
                [key.value_set(value) if value is not None else key.value_unset() for key, value in changed.items()]
            )
        self._told = now
        self._shown = self._revision()
        workflow.set_current_details(self._page())

    async def keep(self) -> None:
        """Show it, again whenever it changes."""
        while True:
            if not self._passing():
                self.show()
            await workflow.wait_condition(lambda: self._shown != self._revision() and not self._passing())
            await asyncio.sleep(0)  # the life goes first: it may be about to go on
