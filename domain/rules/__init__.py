"""Policy packs: the rules a case is handled by."""
