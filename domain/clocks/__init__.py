"""Clocks: how long they run, on which days, and what comes due when."""
