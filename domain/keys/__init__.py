"""Personal data, and whose key it is sealed under."""
