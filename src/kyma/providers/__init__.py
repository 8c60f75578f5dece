"""Upstreams: how a request to a vendor looks and how its answer is read. No I/O here."""
