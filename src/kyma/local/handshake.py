"""The two lines that supervisor and child exchange over the child's pipes: what to serve, then where it listens.

The API key travels here and not in the arguments, which every user of the machine can read.
"""

import msgspec


class Assignment(msgspec.Struct, frozen=True):
    """First line on the child's stdin; the pipe then stays open, and its end tells the child to stop.

    Each of `slots` parallel requests has `context_tokens` of its own. `name` is what replies call the model.
    """

    parent_pid: int
    gguf: str
    name: str
    port: int
    api_key: str
    context_tokens: int
    slots: int


class Listening(msgspec.Struct, frozen=True):
    """The only line on the child's stdout, written once the model is loaded."""

    port: int
