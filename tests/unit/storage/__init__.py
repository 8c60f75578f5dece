"""Engines, the group-committing writer and the schema."""
