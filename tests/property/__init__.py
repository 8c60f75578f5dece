"""State machines under random histories."""
