"""Customers of every dialect, each by the official SDK of its vendor, and what they heard of an answer."""
