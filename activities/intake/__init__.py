"""What was received becomes a case, comes to a case, or waits for a person."""
