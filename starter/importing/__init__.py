"""Files into the trade log: streamed, repeatable, every row accounted for."""
