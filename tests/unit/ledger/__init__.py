"""The ledger on SQLite, with a clock that tests move."""
