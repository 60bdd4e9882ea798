"""The intake: what comes in is committed, and then offered to be dealt with."""
