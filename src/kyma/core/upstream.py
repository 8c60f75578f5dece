"""What an adapter asks the transport to send, as plain data."""

from collections.abc import Mapping

import msgspec

Headers = Mapping[bytes, bytes]
"""Response headers, names in lower case; a repeated header keeps its last value."""


class Origin(msgspec.Struct, frozen=True):
    """Scheme, host and port: what a connection pool is keyed by."""

    host: str
    port: int
    is_tls: bool

    @property
    def host_header(self) -> str:
        """The Host header; the port only when it is not the scheme's own, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds allowed for each phase of one attempt; there is no limit on the whole of a stream."""

    connect_s: float = 10.0
    first_byte_s: float = 60.0
    idle_s: float = 300.0


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One HTTP/1.1 request. `target` is path and query; `headers` carry no Host, Content-Length or Connection."""

    method: str
    origin: Origin
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    timeouts: Timeouts
