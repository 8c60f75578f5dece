"""Putting an agent's configuration into a user's own files, and taking it out again to the byte."""
