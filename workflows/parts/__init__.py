"""What a workflow has beside its life, one part a file: each with its own state, and with what it needs passed in."""
