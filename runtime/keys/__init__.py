"""Keys: kept wrapped in a table, used to seal personal data in Temporal and in PostgreSQL, destroyed to erase it."""
