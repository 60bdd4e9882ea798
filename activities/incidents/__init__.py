"""Incidents: their accounts listed, compensated, told."""
