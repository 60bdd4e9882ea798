"""Money: amounts, losses and what makes them good, interest, payments."""
