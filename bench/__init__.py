"""Measurements of the whole service. Nothing of the service imports them."""
