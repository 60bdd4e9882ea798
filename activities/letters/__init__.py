"""Letters written and handed to a channel."""
