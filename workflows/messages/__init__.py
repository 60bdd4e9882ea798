"""What a workflow hears, one row a message: the model, who may send it when, and what it does."""
