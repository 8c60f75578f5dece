"""The upstream's fixtures, for its own tests."""

from tests.upstream.fixture import upstream, upstream_process

__all__ = ["upstream", "upstream_process"]
