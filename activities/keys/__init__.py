"""What must not be kept any longer."""
