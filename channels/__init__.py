"""The ways in besides pages and API: mail that our own server hands over, and mail fetched from a mailbox."""
