"""The declaration that a store was brought back from a backup."""

from typing import ClassVar

from domain.ground.base import Instant, Text
from domain.ground.messages import Message
from domain.ground.words import Store


class DeclareRestore(Message):
    """Say that *store* lost what happened from ``since`` until ``until``; signed for the store.

    Both are whole seconds: who verifies the record without Redress spells them as they were signed.
    """

    name: ClassVar[str] = "declare_restore"
    store: Store
    since: Instant
    until: Instant
    reason: Text
