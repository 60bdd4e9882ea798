"""What keeps the service right: diagnosis, restores, calendars that were extended."""
