"""The frames of a customer's stream, and what a tool call under way has said."""

import msgspec

from kyma.core.answer import ToolCallStart
from kyma.dialects.anthropic_messages.wire import fields_decoder

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
START_FRAME = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
DELTA_FRAME = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
DELTA_HEAD = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":%b'
STOP_FRAME = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
TEXT_BLOCK = b'{"type":"text","text":""}'
THINKING_BLOCK = b'{"type":"thinking","thinking":"","signature":""}'
TEXT_TAIL = b"}}\n\n"


class OpenCall:
    """A tool call whose block is open, or waits to be; `said` are its arguments so far."""

    __slots__ = ("is_complete", "said", "start")

    def __init__(self, start: ToolCallStart) -> None:
        self.start = start
        self.said = [start.arguments] if start.arguments else []
        self.is_complete = False

    @property
    def is_whole(self) -> bool:
        """Nothing can follow: its part has ended, or its arguments are an object already."""
        if self.is_complete or not self.said or not self.said[-1].rstrip().endswith("}"):
            return self.is_complete
        try:
            fields_decoder.decode("".join(self.said))
        except (msgspec.DecodeError, RecursionError):
            return False
        return True
