"""What comes in from outside before it belongs to a case: received first, then dealt with."""
