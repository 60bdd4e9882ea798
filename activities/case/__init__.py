"""The case file: opened, written, and what is no case."""
