"""One suite, many implementations."""
