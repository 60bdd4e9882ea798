"""Investigations: rows gathered, checks run."""
