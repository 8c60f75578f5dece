"""Becoming a user: sign-up with its credit, and the first operator. What needs accounts and money together."""

from kyma.identity.register import Registered, Registration

__all__ = ["Registered", "Registration"]
