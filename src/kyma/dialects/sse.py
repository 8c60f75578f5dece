"""Server-sent events: the framing under every streaming dialect."""

MAX_EVENT_BYTES = 16 * 1024 * 1024

LF = ord("\n")
KEEP_ALIVE = b": keep-alive\n\n"


class EventTooLarge(ValueError):
    """An event grew past `MAX_EVENT_BYTES` without ending."""


class SseParser:
    """Bytes, cut anywhere, to the `data` of whole events. Comments, ids and event names are skipped.

    Source: WHATWG HTML, 9.2.6 "Interpreting an event stream" (lines end in LF, CRLF or CR; a blank line dispatches).
    A lone CR is not accepted as a line end: no vendor sends it, and it may stand at the end of a piece of a CRLF.
    """

    __slots__ = ("_data", "_rest", "is_between")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self.is_between = True
        """Nothing of an unfinished event is held."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the events that `data` completes. Raises: EventTooLarge."""
        start = data.find(b"\n") + 1 if data[:7] == b"event: " else 0
        if data[start : start + 6] == b"data: " and data[-1] == LF == data[-2] and self.is_between:
            payload = data[start + 6 : -2]  # one whole event, as nearly always
            if LF not in payload:
                return [payload]
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        events = []
        for line in lines:
            if line[-1:] == b"\r":
                line = line[:-1]
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data))
                    self._data.clear()
            elif line[:6] == b"data: ":
                self._data.append(line[6:])
            elif line[:5] == b"data:":
                self._data.append(line[5:])
        self.is_between = not self._rest and not self._data
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"a stream event is larger than {MAX_EVENT_BYTES} bytes")
        return events
