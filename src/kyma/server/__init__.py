"""The HTTP/1.1 server: ASGI on an asyncio Protocol and httptools, bounded in everything a stranger may send.

It knows no route and no dialect. Its own refusals are `KymaError`s that the caller's renderer puts into words.
"""

from kyma.server.server import Server, ServerLimits, listen, raise_file_limit

__all__ = ["Server", "ServerLimits", "listen", "raise_file_limit"]
