"""The case: the complaint, what is said to it, how it is judged and decided, and all that is known of it."""
