"""How the facts of a check are found: what is asked of the log, and what is said where it does not answer."""
