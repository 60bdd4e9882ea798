"""The trade log, and what the firm records beside it."""
