"""The doors: pages for customers, the desk of those who work here, and what programs call."""
