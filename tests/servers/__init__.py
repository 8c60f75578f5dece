"""Real servers for tests, started from wheels and dying with their test run."""
