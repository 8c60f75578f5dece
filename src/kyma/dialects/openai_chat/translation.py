"""The fields of a chat completions request as another dialect's chat fills them, and the report."""

from typing import Any

import msgspec

from kyma.core.chat import Chat
from kyma.dialects.openai_chat.wire import RawFields, to_raw
from kyma.dialects.report import Report


class Translation(Report):
    """The fields so far, each with the customer's path of it."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat.names, chat.lost)
        self.fields: RawFields = {}
        self.paths: dict[str, str] = {}

    def put(self, field: str, value: Any, concept: str) -> None:
        """Say `concept` in `field`, unless it was not asked for."""
        if value is not None:
            self.fields[field] = value if isinstance(value, msgspec.Raw) else to_raw(value)
            self.paths[field] = self.path(concept)
