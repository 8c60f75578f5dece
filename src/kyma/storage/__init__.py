"""SQL engines, transactions and the group-committing writer. Features own their tables and statements."""
