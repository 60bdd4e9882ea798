"""Whose hands a case is in, and who is kept out of it, written into the record."""
