"""Letters: what each one is told."""
