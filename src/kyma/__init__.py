"""Kyma: a self-hosted LLM gateway."""

__version__ = "0.4.0"
