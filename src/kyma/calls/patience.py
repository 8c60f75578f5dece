"""How long one attempt may stay silent while another source is left."""

import asyncio
from types import TracebackType
from typing import Self

from kyma.calls.call import Call
from kyma.core.errors import UpstreamError, UpstreamTimeout
from kyma.transport import Response


class Patience:
    """Cuts off the attempt in its block unless `end` comes within `seconds`; None: never.

    Raises: UpstreamTimeout in place of whatever the cut attempt failed of.
    """

    __slots__ = ("_call", "_has_run_out", "_seconds", "_timer")

    def __init__(self, call: Call, seconds: float | None) -> None:
        self._call = call
        self._seconds = seconds
        self._has_run_out = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._run_out)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        if self._has_run_out and isinstance(error, UpstreamError):
            raise UpstreamTimeout(f"no token within {self._seconds:.3g} s") from None

    def attach(self, response: Response) -> None:
        """The request is written; the time may have been used up by connecting."""
        self._call.attach(response)
        if self._has_run_out:
            response.abort()

    def end(self) -> None:
        """What was waited for has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_out(self) -> None:
        self._has_run_out = True
        self._call.cut()
