"""Alembic revisions, in order, and the guards that keep append-only tables append-only on both engines."""
