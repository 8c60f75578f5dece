"""Every suite by name, in the order in which they run."""

from tests.accept import price_exact, race_cent, negative_usage, disconnect, failover_midstream, kill_gateway, ledger_crash, hot_path
SUITES = {m.SUITE.name: m.SUITE for m in (price_exact, race_cent, negative_usage, disconnect, failover_midstream, kill_gateway, ledger_crash, hot_path)}
