"""Tests of a real gateway process on a real port, from a client's side only."""
