"""Who works here, who may not work on what, and whose hands a case belongs in."""
