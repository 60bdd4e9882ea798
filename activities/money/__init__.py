"""Awards posted and paid, each once."""
