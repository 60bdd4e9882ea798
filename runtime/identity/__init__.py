"""Who speaks: tokens made, carried and verified."""
