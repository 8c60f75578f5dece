"""The two lines that supervisor and child exchange over the child's pipes: what to serve, then where it listens.

The API key travels here and not in the arguments, which every user of the machine can read.
"""

import msgspec


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """First line on the child's stdin; the pipe then stays open, and its end tells the child to stop.

    `name` is what replies call the model; port 0 leaves the choice to the child.
    """

    parent_pid: int
    port: int
    api_key: str
    name: str


class ChatAssignment(Assignment, frozen=True, kw_only=True):
    """Each of `slots` parallel requests has `context_tokens` of its own; `replicas` of this model share the cores."""

    gguf: str
    context_tokens: int
    slots: int
    replicas: int = 1


class EmbeddingAssignment(Assignment, frozen=True, kw_only=True):
    """The two files of an embedding model."""

    model: str
    tokenizer: str


class Listening(msgspec.Struct, frozen=True):
    """The only line on the child's stdout, written once the model is loaded."""

    port: int
