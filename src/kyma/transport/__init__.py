"""The only way upstream: HTTP/1.1 on asyncio, with pools, TLS, DNS and deadlines. Knows no vendor and no dialect."""

from kyma.transport.client import HttpClient
from kyma.transport.resolver import Resolver
from kyma.transport.response import Response

__all__ = ["HttpClient", "Resolver", "Response"]
