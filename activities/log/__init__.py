"""The trade log as investigations read it."""
