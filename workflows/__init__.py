"""What happens to a complaint, in which order. Deterministic."""
