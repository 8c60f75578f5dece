"""Acceptance suites: the figures that prove the money and failover design, each with bugs planted to test the test."""
