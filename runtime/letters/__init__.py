"""Letters: what they say, and how they look."""
