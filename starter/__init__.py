"""How others start and talk to complaints: the typed client, the command line, the demo, the import of trade logs."""
