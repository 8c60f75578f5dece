"""How vendors' rerank requests differ, as data. Their answers differ too, but can be told apart by themselves."""

import msgspec


class Form(msgspec.Struct, frozen=True):
    """A vendor's words. `extras` are the fields it documents beside the common ones; None: whatever is sent travels on.

    `repeats_unasked` says that the documents come back unless that is switched off.
    """

    documents: str = "documents"
    top: str | None = "top_n"
    repeats_unasked: bool = False
    extras: tuple[str, ...] | None = None


FORMS = {
    "jina": Form(repeats_unasked=True),
    "cohere": Form(extras=("max_tokens_per_doc", "priority")),
    "voyage": Form(top="top_k", extras=("truncation",)),
    "tei": Form(documents="texts", top=None, extras=("truncate", "truncation_direction", "raw_scores")),
}
"""By name:
- `jina`: the common form. Also Together, SiliconFlow, vLLM, llama.cpp, Xinference and LiteLLM.
- `cohere`: v2, which takes texts alone and never repeats them (docs.cohere.com, Rerank API v2).
- `voyage`: also MongoDB Atlas (docs.voyageai.com, reranker API).
- `tei`: Hugging Face text-embeddings-inference, which scores all documents and reads no model name.
"""
