"""The families of vendors that the upstream can be taken for, by address."""

from collections.abc import Callable, Sequence

import msgspec

from tests.upstream import (
    anthropic_reading,
    anthropic_talk,
    bedrock_reading,
    bedrock_talk,
    cohere_reading,
    cohere_talk,
    gemini_reading,
    gemini_talk,
    openai_reading,
    openai_talk,
    openai_whole,
)
from tests.upstream.reading import Reading
from tests.upstream.talk import Json, Talk
from tests.upstream.wire import Request


class Family(msgspec.Struct, frozen=True):
    """How one family is spoken. `error` is given status, message and code."""

    dialect: str
    id_prefix: str
    owns: Callable[[str], bool]
    read: Callable[[Request], Reading]
    streamed: type[Talk]
    whole: type[Talk]
    error: Callable[[int, str, str], Json]


OPENAI = Family(
    openai_talk.DIALECT,
    "chatcmpl-",
    openai_reading.owns,
    openai_reading.read,
    openai_talk.StreamedOpenAI,
    openai_talk.WholeOpenAI,
    openai_talk.error,
)
ANTHROPIC = Family(
    anthropic_talk.DIALECT,
    "msg_",
    anthropic_reading.owns,
    anthropic_reading.read,
    anthropic_talk.StreamedAnthropic,
    anthropic_talk.WholeAnthropic,
    anthropic_talk.error,
)
GEMINI = Family(
    gemini_talk.DIALECT,
    "response-",
    gemini_reading.owns,
    gemini_reading.read,
    gemini_talk.StreamedGemini,
    gemini_talk.WholeGemini,
    gemini_talk.error,
)
BEDROCK = Family(
    bedrock_talk.DIALECT,
    "bedrock-",
    bedrock_reading.owns,
    bedrock_reading.read,
    bedrock_talk.StreamedBedrock,
    bedrock_talk.WholeBedrock,
    bedrock_talk.error,
)
OPENAI_WHOLE = Family(
    openai_whole.DIALECT,
    "list-",
    openai_whole.owns,
    openai_whole.read,
    openai_whole.WholeOpenAILists,
    openai_whole.WholeOpenAILists,
    openai_talk.error,
)
COHERE = Family(
    cohere_talk.DIALECT,
    "cohere-",
    cohere_reading.owns_chat,
    cohere_reading.read_chat,
    cohere_talk.StreamedCohere,
    cohere_talk.WholeCohere,
    cohere_talk.error,
)
COHERE_WHOLE = Family(
    cohere_talk.WHOLE_DIALECT,
    "cohere-list-",
    cohere_reading.owns_whole,
    cohere_reading.read_whole,
    cohere_talk.WholeCohereLists,
    cohere_talk.WholeCohereLists,
    cohere_talk.error,
)
ALL: Sequence[Family] = (OPENAI, ANTHROPIC, GEMINI, BEDROCK, OPENAI_WHOLE, COHERE, COHERE_WHOLE)


def family_at(path: str) -> Family | None:
    """Whose address it is."""
    return next((family for family in ALL if family.owns(path)), None)
