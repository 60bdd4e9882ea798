"""What people look at, read from PostgreSQL. Nothing here changes anything."""
