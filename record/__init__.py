"""What the case file says, read as the domain reckons with it: for activities and starter alike."""
