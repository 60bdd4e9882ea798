"""Incidents: one fault that may have hurt many accounts."""
