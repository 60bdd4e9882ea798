"""What is said to a case, a file a subject; `table.py` lists all of it."""
