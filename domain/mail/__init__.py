"""Mail: what a message says, who wrote it and to which case it belongs, understood from its raw bytes. Pure."""
