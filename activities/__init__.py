"""What touches the world: one small class a collaborator, each effect once under its business key."""
