"""What vendors speak besides chats, on the same base path: known by the dialect of their chats."""

from collections.abc import Mapping
from types import ModuleType

from kyma.core.model import Kind
from kyma.dialects import cohere_chat, cohere_embed, openai_chat, openai_embeddings, openai_moderations, rerank

WHOLE: Mapping[str, Mapping[Kind, ModuleType]] = {
    openai_chat.NAME: {"embedding": openai_embeddings, "rerank": rerank, "moderation": openai_moderations},
    cohere_chat.NAME: {"embedding": cohere_embed, "rerank": rerank},
}
"""The dialect of each kind of call that is answered whole; vendors of a dialect that is not here chat and no more."""
