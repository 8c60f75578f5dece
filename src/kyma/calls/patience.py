"""How long one attempt may stay silent while another source is left."""

import asyncio

from kyma.calls.call import Call
from kyma.core.errors import UpstreamError, UpstreamTimeout
from kyma.transport import Response


class Patience:
    """Cuts the attempt off unless `end` comes within `seconds`, whatever it is waiting for by then."""

    __slots__ = ("_call", "_has_run_out", "_seconds", "_timer")

    def __init__(self, call: Call, seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._has_run_out = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._run_out)

    def attach(self, response: Response) -> None:
        """The request is written; the time may have been used up by connecting."""
        self._call.attach(response)
        if self._has_run_out:
            response.abort()

    def told(self, error: UpstreamError) -> UpstreamError:
        """What the attempt failed of: the end of our patience, or `error`."""
        return UpstreamTimeout(f"no token within {self._seconds:.3g} s") if self._has_run_out else error

    def end(self) -> None:
        self._timer.cancel()

    def _run_out(self) -> None:
        self._has_run_out = True
        self._call.cut()
