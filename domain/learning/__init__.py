"""What all cases say together: facts, definitions, causes, reports, returns, actions."""
