"""The families of this folder, their recordings, and what is expected of each."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import msgspec

from kyma.catalog.sheets import builtin_data, quirks_of, read
from kyma.core.answer import ChatEvent, FinishReason
from kyma.core.chat import AnswerPart
from kyma.core.errors import UpstreamError
from kyma.core.model import Quirks, Usage
from kyma.dialects.base import ChatUpstreamDialect
from kyma.providers.compat import chat_adapter

HERE = Path(__file__).parent
ROWS = read(builtin_data(), None).providers


class Whole(msgspec.Struct, frozen=True):
    """An answer of one choice that came as one body."""

    parts: tuple[AnswerPart, ...]
    finish: FinishReason
    usage: Usage | None


class Streamed(msgspec.Struct, frozen=True):
    """What a stream says, its failure left out; `fails` is the kind of failure that it ends in."""

    events: tuple[ChatEvent, ...]
    fails: type[UpstreamError] | None = None


class Refused(msgspec.Struct, frozen=True):
    """What a status with this body means: for routing, for our log (`message`) and for the caller."""

    status: int
    kind: type[UpstreamError]
    message: str
    caller_message: str | None = None
    code: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[bytes, bytes] = {}


class FailsWhole(msgspec.Struct, frozen=True):
    """A 200 that is no answer."""

    kind: type[UpstreamError]
    message: str


Expectation = Whole | Streamed | Refused | FailsWhole


class Recording(msgspec.Struct, frozen=True):
    """One file of one family."""

    family: str
    name: str
    expected: Expectation

    def __str__(self) -> str:
        return f"{self.family}/{self.name}"

    @property
    def data(self) -> bytes:
        return (HERE / self.family / self.name).read_bytes()

    def how(self) -> tuple[ChatUpstreamDialect, Quirks]:
        """The dialect to read it with, and the quirks of its provider."""
        row = ROWS.get(self.family) or ROWS.get(self.family.replace("_", "-"))
        if row is None:
            return chat_adapter(self.family).dialect, Quirks()
        return chat_adapter(row.dialect).dialect, quirks_of(row.where, row.quirks)


def families() -> list[str]:
    return sorted(file.parent.name for file in HERE.glob("*/expected.py"))


def expected_of(family: str) -> Mapping[str, Expectation]:
    expected: Mapping[str, Expectation] = import_module(f"{__package__}.{family}.expected").EXPECTED
    return expected


def recordings(kind: type[Expectation] | None = None) -> list[Recording]:
    return [recording for recording in _all() if kind is None or isinstance(recording.expected, kind)]


def _all() -> Iterator[Recording]:
    for family in families():
        for name, expected in expected_of(family).items():
            yield Recording(family, name, expected)
