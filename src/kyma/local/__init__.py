"""Engines on the operator's own machine: fetched, verified, and run as supervised children on the loopback.

Each child speaks HTTP, so a provider row serves it like any vendor. Nothing here knows of prices or routes, and only
the child's own program ever loads an engine.
"""


class LocalModelError(Exception):
    """The local model cannot be had; the text says why and what to do. The gateway runs on without it."""
